//! Scrapes become pages. What is the same as on the page before is copied from there: most maps
//! change seldom, and copying is the cheapest way to write.

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

/// Writes one page after the other, in one format.
#[derive(Debug)]
pub struct Writer {
    telling: ExportOptions,
    format: Format,
    families: Vec<&'static MapFamily>,
    last: Written,
    /// The room of the page before the last, for the next one if nobody reads it any more.
    room: Arc<Vec<u8>>,
}

/// A page, and where on it is what.
#[derive(Debug, Default)]
struct Written {
    page: Arc<Vec<u8>>,
    maps: Vec<Series>,
    /// Of each family.
    blocks: Vec<Block>,
}

/// Where the samples of a family begin, and where those of each map end.
#[derive(Debug, Default)]
struct Block {
    begin: usize,
    ends: Vec<usize>,
}

impl Block {
    /// Where the samples of the maps in these places are.
    fn of(&self, maps: &Range<usize>) -> Range<usize> {
        let begin = maps
            .start
            .checked_sub(1)
            .map_or(self.begin, |last| self.ends[last]);
        begin..self.ends[maps.end - 1]
    }
}

/// Maps that stand next to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Run {
    /// As they were, in these places of the last page.
    Same(Range<usize>),
    /// Changed or new, in these places of this one.
    Changed(Range<usize>),
}

impl Writer {
    /// Nothing is written yet.
    #[must_use]
    pub fn new(telling: ExportOptions, format: Format) -> Self {
        let compat = COMPAT.iter().filter(|_| telling.is_compat);
        Self {
            telling,
            format,
            families: MAP_FAMILIES.iter().chain(compat).collect(),
            last: Written::default(),
            room: Arc::default(),
        }
    }

    /// Its format.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Writes a page, whole.
    pub fn write(&mut self, scrape: &Scrape<'_>) -> Arc<Vec<u8>> {
        let owners = scrape.reading.owners.as_deref();
        let mut maps: Vec<_> = scrape.rows().map(|row| Series::of(row, owners)).collect();
        if self.telling.label_by == LabelBy::Name {
            maps = Series::by_name(maps, scrape.totals);
        }
        let left_out = leave_out(&mut maps, &self.families, self.telling.most_series);
        let mut page = Arc::try_unwrap(std::mem::take(&mut self.room)).unwrap_or_default();
        page.clear();
        let mut lines = Lines::new(self.format, &mut page);
        write_global_families(scrape, left_out, &mut lines);
        let blocks = self.blocks(&maps, &mut lines);
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
    fn blocks(&self, maps: &[Series], lines: &mut Lines<'_>) -> Vec<Block> {
        let runs = runs(&self.last.maps, maps);
        // All labels in one text: each is written once and read by every family.
        let mut text = String::new();
        let is_changed = |run: &Run| matches!(run, Run::Changed(_));
        let changed = runs
            .iter()
            .filter(|run| is_changed(run))
            .flat_map(Run::places);
        let labels: Vec<_> = changed
            .map(|place| labels(&maps[place], &mut text))
            .collect();
        let mut scratch = String::new();
        let mut blocks = Vec::with_capacity(self.families.len());
        for (n, family) in self.families.iter().enumerate() {
            lines.begin(&family.head);
            let mut labels = labels.iter();
            let mut ends = Vec::with_capacity(maps.len());
            for run in &runs {
                match run {
                    Run::Same(places) => {
                        let last = &self.last.blocks[n];
                        let from = last.of(places);
                        lines.copy(&self.last.page[from.clone()]);
                        let to = lines.place().end;
                        ends.extend(
                            last.ends[places.clone()]
                                .iter()
                                .map(|end| to - (from.end - end)),
                        );
                    }
                    Run::Changed(places) => {
                        for (map, (whole, without_type)) in
                            maps[places.clone()].iter().zip(&mut labels)
                        {
                            let labels = Labels {
                                whole: &text[whole.clone()],
                                without_type: &text[without_type.clone()],
                            };
                            family.write(map, labels, &mut scratch, lines);
                            ends.push(lines.place().end);
                        }
                    }
                }
            }
            let begin = lines.place().start;
            // The first maps may have no samples: they ended before the head was written.
            let before = ends.iter_mut().take_while(|end| **end < begin);
            before.for_each(|end| *end = begin);
            blocks.push(Block { begin, ends });
        }
        blocks
    }
}

impl Run {
    fn places(&self) -> Range<usize> {
        let (Self::Same(places) | Self::Changed(places)) = self;
        places.clone()
    }
}

/// Which maps are as they were. Both lists are in order; where they are not, more is written than has
/// to be, and nothing wrong.
fn runs(last: &[Series], maps: &[Series]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut at = 0;
    for (place, map) in maps.iter().enumerate() {
        let is_before = |old: &&Series| old.order() < map.order();
        at += last[at..].iter().take_while(is_before).count();
        let is_same = last.get(at) == Some(map);
        match runs.last_mut() {
            Some(Run::Same(places)) if is_same && places.end == at => places.end += 1,
            Some(Run::Changed(places)) if !is_same => places.end += 1,
            _ if is_same => runs.push(Run::Same(at..at + 1)),
            _ => runs.push(Run::Changed(place..place + 1)),
        }
    }
    runs
}

/// Adds the labels that say which map; gives where they are, and where without the type.
fn labels(series: &Series, text: &mut String) -> (Range<usize>, Range<usize>) {
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
    // Two types may have the same name; without an id only the type tells them apart.
    let without_type = series.id.map_or(end, |_| without_type);
    (start..end, start..without_type)
}

/// Leaves out maps until no more samples than `most` are left, each with all it has, and gives how
/// many samples that were. What is marked stays longest, then what comes first: which map is left
/// out does not change from one scrape to the next without a reason.
fn leave_out(series: &mut Vec<Series>, families: &[&MapFamily], most: usize) -> usize {
    // Mostly there is room for all that there could be, and nothing needs counting.
    let errors = |map: &Series| Some(map.loss.as_ref()?.failed.as_ref()?.len());
    let at_most = |map| families.len() + errors(map).unwrap_or(0);
    if series.iter().map(at_most).sum::<usize>() <= most {
        return 0;
    }
    let counts: Vec<usize> = series
        .iter()
        .map(|map| families.iter().map(|family| family.count(map)).sum())
        .collect();
    let all: usize = counts.iter().sum();
    if all <= most {
        return 0;
    }
    let mut order: Vec<usize> = (0..series.len()).collect();
    // A stable sort: calm ones keep their order.
    order.sort_by_key(|place| {
        let mark = series[*place].mark.filter(|mark| *mark > Mark::None);
        std::cmp::Reverse(mark)
    });
    let mut kept = vec![false; series.len()];
    let mut told = 0;
    for place in order {
        if told + counts[place] > most {
            break;
        }
        told += counts[place];
        kept[place] = true;
    }
    let mut kept = kept.into_iter();
    series.retain(|_| kept.next().unwrap_or(false));
    all - told
}
