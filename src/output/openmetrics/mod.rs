//! Rows become what Prometheus reads: pure, rows in, lines out.
//!
//! Written here rather than by a crate: prometheus-client writes `OpenMetrics` only, prometheus the
//! older format only, and both want every number kept in a registry from which the series of a map
//! that is gone have to be taken out again. Lines that are made of the rows of the moment cannot
//! outlive their map.

pub mod families;
mod lines;
mod series;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::time::Duration;

use compact_str::ToCompactString;

use crate::model::map_type::Kind as MapKind;
use crate::model::mark::Mark;
use crate::model::row::{Reading, Row};
use families::{
    BUILD_INFO, COMPAT, LEFT_OUT, Labels, MAPS, OF_MAPS, OfMaps, SAMPLE_SECONDS, UNMEASURED,
    WATCHED,
};
use lines::{Head, Lines, Number, push_label};

pub use lines::{Format, Kind};
pub use series::{NameAndType, Series, Totals};

/// How maps are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LabelBy {
    /// By id, name and type: each is itself.
    #[default]
    Id,
    /// By name and type: those of one name are one.
    Name,
}

/// What is to be told, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Telling {
    /// How maps are told apart.
    pub label_by: LabelBy,
    /// Whether to add the names of the ancestor.
    pub is_compat: bool,
    /// Series of maps at the most.
    pub most_series: usize,
}

/// All that one answer is made of.
#[derive(Debug, Clone, Copy)]
pub struct Scrape<'a> {
    /// What was read.
    pub reading: &'a Reading,
    /// The places in `reading.rows` to tell of, in order.
    pub places: &'a [usize],
    /// How long that took.
    pub took: Duration,
    /// Whether losses are being counted; `None` if nobody asked for that.
    pub is_watching: Option<bool>,
    /// What maps of each name lost in all; needed where they are told by name.
    pub totals: &'a Totals,
}

impl<'a> Scrape<'a> {
    fn rows(&self) -> impl Iterator<Item = &'a Row> + Clone + use<'a> {
        let rows = &self.reading.rows;
        self.places.iter().map(move |place| &rows[*place])
    }
}

/// Writes it all.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(
    scrape: &Scrape,
    telling: Telling,
    format: Format,
    out: &mut impl Write,
) -> io::Result<()> {
    let families: Vec<&OfMaps> = OF_MAPS
        .iter()
        .chain(COMPAT.iter().filter(|_| telling.is_compat))
        .collect();
    let owners = scrape.reading.owners.as_deref();
    let mut series: Vec<_> = scrape.rows().map(|row| Series::of(row, owners)).collect();
    if telling.label_by == LabelBy::Name {
        series = Series::by_name(series, scrape.totals);
    }
    let left_out = leave_out(&mut series, &families, telling.most_series);
    let mut lines = Lines::new(format, out);
    about_all(scrape, left_out, &mut lines)?;
    // All labels in one text: each is written once and read by every family.
    let mut text = String::with_capacity(series.len() * LABELS_SIZE);
    let labels: Vec<_> = series.iter().map(|map| labels(map, &mut text)).collect();
    let mut scratch = String::new();
    for family in families {
        lines.begin(&family.head);
        for (series, (whole, without_type)) in series.iter().zip(&labels) {
            let labels = Labels {
                whole: &text[whole.clone()],
                without_type: &text[without_type.clone()],
            };
            family.write(series, labels, &mut scratch, &mut lines)?;
        }
    }
    lines.end()
}

/// What the labels of a map take, about.
const LABELS_SIZE: usize = 64;

/// Adds the labels that say which map; gives where they are, and where without the type.
fn labels(series: &Series<'_>, text: &mut String) -> (Range<usize>, Range<usize>) {
    let start = text.len();
    let mut push = |name, value: &str| {
        if text.len() > start {
            text.push(',');
        }
        push_label(text, name, value);
        text.len()
    };
    if let Some(id) = series.id {
        push("id", itoa::Buffer::new().format(id.0));
    }
    let without_type = push("name", series.name);
    let end = match series.map_type.name() {
        Some(name) => push("type", name),
        None => push("type", &series.map_type.to_compact_string()),
    };
    // Two types may have the same name; without an id only the type tells them apart.
    let without_type = series.id.map_or(end, |_| without_type);
    (start..end, start..without_type)
}

/// Leaves out maps until no more samples than `most` are left, each with all it has, and gives how
/// many samples that were. What is marked stays longest, then what comes first: which map is left
/// out does not change from one scrape to the next without a reason.
fn leave_out(series: &mut Vec<Series<'_>>, families: &[&OfMaps], most: usize) -> usize {
    // Mostly there is room for all that there could be, and nothing needs counting.
    let errors = |map: &Series| map.loss.and_then(|loss| Some(loss.failed.as_ref()?.len()));
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

/// What is told of mapstop itself and of the maps as a whole.
fn about_all<W: Write>(
    scrape: &Scrape,
    left_out: usize,
    lines: &mut Lines<'_, W>,
) -> io::Result<()> {
    let mut types: BTreeMap<u32, (String, u64)> = BTreeMap::new();
    let mut unmeasured: BTreeMap<(u32, Cow<str>), (String, u64)> = BTreeMap::new();
    for row in scrape.rows() {
        let map_type = row.facts.map_type;
        let of_type = || {
            let mut labels = String::new();
            push_label(&mut labels, "type", &map_type.to_compact_string());
            labels
        };
        types.entry(map_type.0).or_insert_with(|| (of_type(), 0)).1 += 1;
        if let Some(reason) = why_unmeasured(row) {
            let place = unmeasured.entry((map_type.0, reason.clone()));
            let count = place.or_insert_with(|| {
                let mut labels = of_type();
                labels.push(',');
                push_label(&mut labels, "reason", &reason);
                (labels, 0)
            });
            count.1 += 1;
        }
    }
    let mut version = String::new();
    push_label(&mut version, "version", env!("CARGO_PKG_VERSION"));
    let left_out: u64 = left_out.try_into().unwrap_or(u64::MAX);
    let watching = scrape.is_watching.map(u64::from);
    let numbers: [(&'static Head, Vec<(&str, Number)>); 6] = [
        (&MAPS, counts(types.values())),
        (
            &SAMPLE_SECONDS,
            vec![("", scrape.took.as_secs_f64().into())],
        ),
        (&BUILD_INFO, vec![(&version, 1.into())]),
        (&UNMEASURED, counts(unmeasured.values())),
        (&LEFT_OUT, vec![("", left_out.into())]),
        (
            &WATCHED,
            watching.map(|on| ("", on.into())).into_iter().collect(),
        ),
    ];
    for (head, samples) in numbers {
        lines.begin(head);
        for (labels, number) in samples {
            lines.sample([labels, ""], number)?;
        }
    }
    Ok(())
}

fn counts<'a>(counted: impl Iterator<Item = &'a (String, u64)>) -> Vec<(&'a str, Number)> {
    counted
        .map(|(labels, number)| (&**labels, (*number).into()))
        .collect()
}

/// Why it is not known what is in a map, in words that are the same at every scrape; `None` if it is
/// known, or there is nothing to count.
fn why_unmeasured(row: &Row) -> Option<Cow<'_, str>> {
    if row.facts.used.is_some() || row.kind() == MapKind::Fixed {
        return None;
    }
    let note = row.facts.count.note.as_deref().unwrap_or("not known");
    // Notes about a count that goes on have its numbers in them.
    Some(if note.starts_with("not complete") {
        "not complete".into()
    } else if let Some((_, why)) = note
        .split_once(": ")
        .filter(|_| note.starts_with("at least"))
    {
        why.into()
    } else {
        note.into()
    })
}
