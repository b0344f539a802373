//! The rules of advice: a file and a line of [`RULES`] for each topic.

mod early_eviction;
mod many;
mod near_full;
mod orphan;
mod oversized;

use compact_str::CompactString;

use super::AdviceReport;
use super::observed::Observations;
use crate::query::filter::Filter;
use crate::text::plural::count_noun;
use crate::text::units;
use crate::types::map_id::MapId;
use crate::types::memory::Memory;
use crate::types::reading::Reading;
use crate::types::row::Row;

/// All topics, the most urgent first.
const RULES: &[Rule] = &[
    near_full::RULE,
    early_eviction::RULE,
    oversized::RULE,
    many::RULE,
    orphan::RULE,
];

/// The rule for one topic.
struct Rule {
    /// `topic` in JSON.
    topic: &'static str,
    find: Find,
}

/// How a rule finds what it gives advice about.
enum Find {
    /// Each map is judged by itself.
    EachMap(fn(&Row, &Measurement<'_>) -> Option<Finding>),
    /// Maps are compared.
    AllMaps(fn(&Measurement<'_>) -> Vec<Finding>),
}

/// What the rules judge.
struct Measurement<'a> {
    /// The maps of the last reading that match the filter.
    rows: Vec<&'a Row>,
    /// CPUs that the machine may have; 0 if that is not known.
    cpus: u32,
    observations: &'a Observations,
}

/// What a rule found: advice without its topic.
#[derive(Debug, Clone, PartialEq)]
struct Finding {
    /// The maps it is about, by id.
    maps: Vec<MapId>,
    /// Their name.
    name: CompactString,
    /// Their owner, if it is known and common to all.
    owner: Option<CompactString>,
    /// The measured values.
    measured: String,
    /// What to change, and the effect.
    change: String,
    /// Bytes that the change would free.
    frees: Option<u64>,
    /// Orders the findings of one topic, the highest first.
    urgency: f64,
}

impl Finding {
    fn new(row: &Row, measured: String, change: impl Into<String>) -> Self {
        Self {
            maps: vec![row.key().id],
            name: row.facts.name.clone(),
            owner: row.owner(),
            measured,
            change: change.into(),
            frees: None,
            urgency: 0.0,
        }
    }
}

/// A piece of advice.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// What it is about.
    pub topic: &'static str,
    /// The maps it is about, by id.
    pub maps: Vec<MapId>,
    /// Their name.
    pub name: CompactString,
    /// Their owner, if it is known and common to all.
    pub owner: Option<CompactString>,
    /// The measured values.
    pub measured: String,
    /// What to change, and the effect.
    pub change: String,
    /// Bytes that the change would free.
    pub frees: Option<u64>,
}

/// The advice for the maps of the last reading that match, from all measurements.
#[must_use]
pub fn advise(last: &Reading, observations: &Observations, filter: &Filter) -> AdviceReport {
    let measurement = Measurement {
        rows: last.rows.iter().filter(|row| filter.matches(row)).collect(),
        cpus: last.cpus,
        observations,
    };
    let rows = &measurement.rows;
    AdviceReport {
        time: observations.time(),
        samples: observations.samples(),
        maps: rows.len(),
        unknown_owners: rows
            .iter()
            .map(|row| {
                row.ownership
                    .as_ref()
                    .and_then(|ownership| ownership.is_orphan())
            })
            .filter(Option::is_none)
            .count(),
        advice: RULES
            .iter()
            .flat_map(|rule| rule.advise(&measurement))
            .collect(),
    }
}

impl Rule {
    /// The advice on this topic, the most urgent first.
    fn advise(&self, measurement: &Measurement<'_>) -> Vec<Advice> {
        let mut found: Vec<_> = match self.find {
            Find::EachMap(judge) => {
                let rows = measurement.rows.iter();
                rows.filter_map(|row| judge(row, measurement)).collect()
            }
            Find::AllMaps(find) => find(measurement),
        };
        found.sort_by(|a, b| {
            let order = b.urgency.total_cmp(&a.urgency);
            let order = order.then_with(|| b.frees.cmp(&a.frees));
            order.then_with(|| a.maps.cmp(&b.maps))
        });
        let with_topic = |finding: Finding| Advice {
            topic: self.topic,
            maps: finding.maps,
            name: finding.name,
            owner: finding.owner,
            measured: finding.measured,
            change: finding.change,
            frees: finding.frees,
        };
        found.into_iter().map(with_topic).collect()
    }
}

/// `62,300 of 65,536 entries`.
fn format_level(row: &Row, used: u64, capacity: u64) -> String {
    format!(
        "{} of {} {}",
        units::with_thousands_separators(used),
        units::with_thousands_separators(capacity),
        row.unit().name()
    )
}

/// `8,808,448 bytes`, `about 6,400 bytes`.
fn format_memory(memory: Memory) -> String {
    let about = if memory.is_exact { "" } else { "about " };
    format!("{about}{}", count_noun(memory.bytes, "byte", "bytes"))
}
