//! Encodes rows in the text formats of Prometheus. No I/O.
//!
//! No crate does this: prometheus-client writes `OpenMetrics` only, prometheus the older format
//! only, and both keep numbers in a registry, from which the series of deleted maps would have
//! to be removed. Lines made of the current rows cannot outlive their map.

pub(crate) mod cache;
pub(crate) mod encode;
pub mod families;
pub(crate) mod series;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use compact_str::ToCompactString;

use crate::source::metrics::label;
use crate::text::count_note::unmeasured_reason;
use crate::types::loss_tracing::LossTracing;
use crate::types::map_type::Kind as MapKind;
use crate::types::reading::Reading;
use crate::types::row::Row;
use encode::{FamilyMeta, Lines, Number, push_label};
use families::{
    BUILD_INFO, LOSSES_OF_DELETED_MAPS, LOSSES_WATCHED, MAPS, OWNERS_INCOMPLETE, SAMPLE_SECONDS,
    SERIES_LEFT_OUT, UNMEASURED,
};

pub use cache::Writer;
pub use encode::{Format, Kind};
pub use series::{NameAndType, Series, Totals};

/// The data of one page.
#[derive(Debug, Clone, Copy)]
pub struct Scrape<'a> {
    /// The evaluated sample.
    pub reading: &'a Reading,
    /// Indices into `reading.rows` of the rows to export, in order.
    pub indices: &'a [usize],
    /// How long sampling took.
    pub took: Duration,
    /// The losses by name and type, for `--label-by name`.
    pub totals: &'a Totals,
}

impl<'a> Scrape<'a> {
    fn rows(&self) -> impl Iterator<Item = &'a Row> + Clone + use<'a> {
        let rows = &self.reading.rows;
        self.indices.iter().map(move |index| &rows[*index])
    }
}

/// Families about mapstop itself, and about the maps as a whole.
fn write_global_families(scrape: &Scrape, left_out: usize, lines: &mut Lines<'_>) {
    let mut types: BTreeMap<u32, (String, u64)> = BTreeMap::new();
    let mut unmeasured: BTreeMap<(u32, Cow<str>), (String, u64)> = BTreeMap::new();
    for row in scrape.rows() {
        let map_type = row.facts.map_type;
        let type_label = || {
            let mut labels = String::new();
            push_label(&mut labels, label::TYPE, &map_type.to_compact_string());
            labels
        };
        types
            .entry(map_type.0)
            .or_insert_with(|| (type_label(), 0))
            .1 += 1;
        if let Some(reason) = uncounted_reason(row) {
            let entry = unmeasured.entry((map_type.0, reason.clone()));
            let count = entry.or_insert_with(|| {
                let mut labels = type_label();
                labels.push(',');
                push_label(&mut labels, label::REASON, &reason);
                (labels, 0)
            });
            count.1 += 1;
        }
    }
    let mut version = String::new();
    push_label(&mut version, label::VERSION, env!("CARGO_PKG_VERSION"));
    let left_out: u64 = left_out.try_into().unwrap_or(u64::MAX);
    let (is_watching, lost_by_deleted) = match &scrape.reading.loss_tracing {
        LossTracing::Off => (None, None),
        LossTracing::On {
            sees_updates: true,
            deleted_map_losses: gone,
            ..
        } => (Some(1), Some(*gone)),
        LossTracing::Starting | LossTracing::On { .. } | LossTracing::Refused(_) => (Some(0), None),
    };
    let owners = scrape.reading.owners.as_ref();
    let unknown_owners = owners
        .and_then(|owners| owners.note.as_deref())
        .map(|note| {
            let mut labels = String::new();
            push_label(&mut labels, label::REASON, note);
            labels
        });
    let unlabelled = |number: Option<u64>| number.map(|n| ("", n.into())).into_iter().collect();
    let numbers: [(&'static FamilyMeta, Vec<(&str, Number)>); 8] = [
        (&MAPS, to_samples(types.values())),
        (
            &SAMPLE_SECONDS,
            vec![("", scrape.took.as_secs_f64().into())],
        ),
        (&BUILD_INFO, vec![(&version, 1.into())]),
        (&UNMEASURED, to_samples(unmeasured.values())),
        (&SERIES_LEFT_OUT, unlabelled(Some(left_out))),
        (
            &OWNERS_INCOMPLETE,
            unknown_owners
                .iter()
                .map(|labels| (&**labels, 1.into()))
                .collect(),
        ),
        (&LOSSES_WATCHED, unlabelled(is_watching)),
        (&LOSSES_OF_DELETED_MAPS, unlabelled(lost_by_deleted)),
    ];
    for (head, samples) in numbers {
        lines.begin_family(head);
        for (labels, number) in samples {
            lines.write_sample([labels, ""], number);
        }
    }
}

fn to_samples<'a>(counted: impl Iterator<Item = &'a (String, u64)>) -> Vec<(&'a str, Number)> {
    counted
        .map(|(labels, number)| (&**labels, (*number).into()))
        .collect()
}

/// Why a map has no count, in a text that stays the same from scrape to scrape; `None` if it has one,
/// or has nothing to count.
fn uncounted_reason(row: &Row) -> Option<Cow<'_, str>> {
    if row.facts.used.is_some() || row.kind() == MapKind::Fixed {
        return None;
    }
    Some(unmeasured_reason(&row.facts.count))
}
