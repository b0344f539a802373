//! Writes pages by copying from the previous page the samples of maps that have not changed,
//! which is cheaper than writing them.

use std::ops::Range;
use std::sync::Arc;

use compact_str::ToCompactString;

use super::encode::{Format, Lines, push_label};
use super::families::{COMPAT, Labels, MAP_FAMILIES, MapFamily};
use super::series::Series;
use super::{Scrape, write_global_families};
use crate::options::{ExportOptions, LabelBy};
use crate::source::metrics::label;
use crate::types::mark::Mark;

/// Writes pages of one format, one after the other.
#[derive(Debug)]
pub struct Writer {
    options: ExportOptions,
    format: Format,
    families: Vec<&'static MapFamily>,
    last: Written,
    /// The buffer of the page before the last, reused if no client reads it any more.
    room: Arc<Vec<u8>>,
}

/// A page and the positions of samples in it.
#[derive(Debug, Default)]
struct Written {
    page: Arc<Vec<u8>>,
    maps: Vec<Series>,
    /// One for each family.
    blocks: Vec<Block>,
}

/// Where the samples of a family begin, and where those of each map end, in bytes.
#[derive(Debug, Default)]
struct Block {
    begin: usize,
    ends: Vec<usize>,
}

impl Block {
    /// The byte range of the samples of a range of maps.
    fn range_of(&self, maps: &Range<usize>) -> Range<usize> {
        let begin = maps
            .start
            .checked_sub(1)
            .map_or(self.begin, |last| self.ends[last]);
        begin..self.ends[maps.end - 1]
    }
}

/// A range of adjacent maps.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Run {
    /// Unchanged; indices on the previous page.
    Same(Range<usize>),
    /// Changed or new; indices on this page.
    Changed(Range<usize>),
}

impl Writer {
    /// Nothing is written yet.
    #[must_use]
    pub fn new(options: ExportOptions, format: Format) -> Self {
        let compat = COMPAT.iter().filter(|_| options.is_compat);
        Self {
            options,
            format,
            families: MAP_FAMILIES.iter().chain(compat).collect(),
            last: Written::default(),
            room: Arc::default(),
        }
    }

    /// The exposition format of the pages.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Writes a whole page.
    pub fn write(&mut self, scrape: &Scrape<'_>) -> Arc<Vec<u8>> {
        let owners = scrape.reading.owners.as_deref();
        let mut maps: Vec<_> = scrape
            .rows()
            .map(|row| Series::from_row(row, owners))
            .collect();
        if self.options.label_by == LabelBy::Name {
            maps = Series::sum_by_name(maps, scrape.totals);
        }
        let left_out = drop_maps_over_limit(&mut maps, &self.families, self.options.max_series);
        let mut page = Arc::try_unwrap(std::mem::take(&mut self.room)).unwrap_or_default();
        page.clear();
        let mut lines = Lines::new(self.format, &mut page);
        write_global_families(scrape, left_out, &mut lines);
        let blocks = self.write_blocks(&maps, &mut lines);
        lines.end();
        let page = Arc::new(page);
        let written = Written {
            page: Arc::clone(&page),
            maps,
            blocks,
        };
        self.room = std::mem::replace(&mut self.last, written).page;
        page
    }

    /// Writes the samples of all maps, family by family.
    fn write_blocks(&self, maps: &[Series], lines: &mut Lines<'_>) -> Vec<Block> {
        let runs = split_into_runs(&self.last.maps, maps);
        // All labels are in one string: each is written once and read by every family.
        let mut text = String::new();
        let is_changed = |run: &Run| matches!(run, Run::Changed(_));
        let changed = runs
            .iter()
            .filter(|run| is_changed(run))
            .flat_map(Run::indices);
        let labels: Vec<_> = changed
            .map(|index| push_map_labels(&maps[index], &mut text))
            .collect();
        let mut scratch = String::new();
        let mut blocks = Vec::with_capacity(self.families.len());
        for (n, family) in self.families.iter().enumerate() {
            lines.begin_family(&family.meta);
            let mut labels = labels.iter();
            let mut ends = Vec::with_capacity(maps.len());
            for run in &runs {
                match run {
                    Run::Same(indices) => {
                        let last = &self.last.blocks[n];
                        let from = last.range_of(indices);
                        lines.copy_samples(&self.last.page[from.clone()]);
                        let to = lines.range().end;
                        ends.extend(
                            last.ends[indices.clone()]
                                .iter()
                                .map(|end| to - (from.end - end)),
                        );
                    }
                    Run::Changed(indices) => {
                        for (map, (whole, without_type)) in
                            maps[indices.clone()].iter().zip(&mut labels)
                        {
                            let labels = Labels {
                                whole: &text[whole.clone()],
                                without_type: &text[without_type.clone()],
                            };
                            family.write(map, labels, &mut scratch, lines);
                            ends.push(lines.range().end);
                        }
                    }
                }
            }
            let begin = lines.range().start;
            // The first maps may have no samples: they ended before the head was written.
            let before = ends.iter_mut().take_while(|end| **end < begin);
            before.for_each(|end| *end = begin);
            blocks.push(Block { begin, ends });
        }
        blocks
    }
}

impl Run {
    fn indices(&self) -> Range<usize> {
        let (Self::Same(indices) | Self::Changed(indices)) = self;
        indices.clone()
    }
}

/// The runs of unchanged maps. Both lists are sorted; if they were not, more would be written
/// than necessary, but nothing wrong.
fn split_into_runs(last: &[Series], maps: &[Series]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut at = 0;
    for (index, map) in maps.iter().enumerate() {
        let is_before = |old: &&Series| old.sort_key() < map.sort_key();
        at += last[at..].iter().take_while(is_before).count();
        let is_same = last.get(at) == Some(map);
        match runs.last_mut() {
            Some(Run::Same(indices)) if is_same && indices.end == at => indices.end += 1,
            Some(Run::Changed(indices)) if !is_same => indices.end += 1,
            _ if is_same => runs.push(Run::Same(at..at + 1)),
            _ => runs.push(Run::Changed(index..index + 1)),
        }
    }
    runs
}

/// Appends the labels that identify a map, and returns their ranges with and without the type.
fn push_map_labels(series: &Series, text: &mut String) -> (Range<usize>, Range<usize>) {
    let start = text.len();
    let mut push = |name, value: &str| {
        if text.len() > start {
            text.push(',');
        }
        push_label(text, name, value);
        text.len()
    };
    if let Some(id) = series.id {
        push(label::ID, itoa::Buffer::new().format(id.0));
    }
    let without_type = push(label::NAME, &series.name);
    let end = match series.map_type.name() {
        Some(name) => push(label::TYPE, name),
        None => push(label::TYPE, &series.map_type.to_compact_string()),
    };
    // Maps of two types may have the same name; without an id only the type distinguishes them.
    let without_type = series.id.map_or(end, |_| without_type);
    (start..end, start..without_type)
}

/// Removes whole maps until at most `limit` samples are left, and returns the number of removed
/// samples. Marked maps stay longest, then the first in order, so that the choice is stable
/// from one scrape to the next.
fn drop_maps_over_limit(series: &mut Vec<Series>, families: &[&MapFamily], limit: usize) -> usize {
    // Usually all possible samples fit, and none need to be counted.
    let errors = |map: &Series| Some(map.loss.as_ref()?.failed.as_ref()?.len());
    let at_most = |map| families.len() + errors(map).unwrap_or(0);
    if series.iter().map(at_most).sum::<usize>() <= limit {
        return 0;
    }
    let counts: Vec<usize> = series
        .iter()
        .map(|map| families.iter().map(|family| family.count(map)).sum())
        .collect();
    let all: usize = counts.iter().sum();
    if all <= limit {
        return 0;
    }
    let mut order: Vec<usize> = (0..series.len()).collect();
    // A stable sort: unmarked maps keep their order.
    order.sort_by_key(|index| {
        let mark = series[*index].mark.filter(|mark| *mark > Mark::None);
        std::cmp::Reverse(mark)
    });
    let mut kept = vec![false; series.len()];
    let mut exported = 0;
    for index in order {
        if exported + counts[index] > limit {
            break;
        }
        exported += counts[index];
        kept[index] = true;
    }
    let mut kept = kept.into_iter();
    series.retain(|_| kept.next().unwrap_or(false));
    all - exported
}
