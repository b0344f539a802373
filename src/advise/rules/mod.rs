//! The rules of advice: a file and a line of `RULES` for each topic.

mod buffers;
mod collisions;
mod early_eviction;
mod found_full;
mod leftover;
mod little_room;
mod many;
mod near_full;
mod old_generation;
mod orphan;
mod oversized;
mod refusals;
#[cfg(test)]
mod tests;
mod thrash;

use std::collections::BTreeMap;
use std::time::Duration;

use compact_str::CompactString;

use super::AdviceReport;
use super::observed::Observations;
use crate::analysis::thresholds::Thresholds;
use crate::query::filter::Filter;
use crate::text::plural::count_noun;
use crate::text::units;
use crate::types::loss_tracing::LossTracing;
use crate::types::map_id::MapId;
use crate::types::map_type::MapType;
use crate::types::memory::Memory;
use crate::types::reading::Reading;
use crate::types::row::Row;

/// All topics, the most urgent first.
const RULES: &[Rule] = &[
    refusals::FULL,
    refusals::NO_MEMORY,
    refusals::BUSY,
    refusals::DEADLOCK,
    refusals::TIMEOUT,
    refusals::OTHER,
    buffers::DROPS,
    collisions::RULE,
    near_full::RULE,
    buffers::SLOW_READER,
    thrash::RULE,
    early_eviction::RULE,
    little_room::RULE,
    found_full::RULE,
    oversized::RULE,
    many::RULE,
    old_generation::RULE,
    leftover::RULE,
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
    loss_tracing: &'a LossTracing,
    thresholds: Thresholds,
    observations: &'a Observations,
}

impl Measurement<'_> {
    /// What `judge` finds in each map.
    fn judge_each(
        &self,
        judge: impl Fn(&Row, &Measurement<'_>) -> Option<Finding>,
    ) -> Vec<Finding> {
        let rows = self.rows.iter();
        rows.filter_map(|row| judge(row, self)).collect()
    }
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
    /// Their type.
    map_type: MapType,
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
            map_type: row.facts.map_type,
            measured,
            change: change.into(),
            frees: None,
            urgency: 0.0,
        }
    }
}

impl Finding {
    /// Adds what was found in another map.
    fn add(&mut self, other: Self) {
        self.maps.extend(other.maps);
        self.owner = self
            .owner
            .take()
            .filter(|owner| other.owner.as_ref() == Some(owner));
        self.frees = match (self.frees, other.frees) {
            (Some(one), Some(two)) => Some(one + two),
            (one, two) => one.or(two),
        };
        self.urgency = self.urgency.max(other.urgency);
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

/// Every topic, the most urgent first.
pub fn topics() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.topic)
}

/// The advice for the maps of the last reading that match, from all measurements.
#[must_use]
pub fn advise(
    last: &Reading,
    observations: &Observations,
    filter: &Filter,
    thresholds: Thresholds,
) -> AdviceReport {
    let measurement = Measurement {
        rows: last.rows.iter().filter(|row| filter.matches(row)).collect(),
        cpus: last.cpus,
        loss_tracing: &last.loss_tracing,
        thresholds,
        observations,
    };
    let rows = &measurement.rows;
    AdviceReport {
        time: observations.time(),
        samples: observations.samples(),
        maps: rows.len(),
        maps_with_unknown_holders: rows
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
            Find::EachMap(judge) => measurement.judge_each(judge),
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

/// One finding for all maps of the same name and type with the same change.
fn merge_alike(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::new();
    let mut by_likeness: BTreeMap<_, usize> = BTreeMap::new();
    for finding in findings {
        // Maps without a name may have nothing in common.
        let unnamed = finding.name.is_empty().then(|| finding.maps[0]);
        let likeness = (finding.name.clone(), finding.map_type, unnamed);
        if let Some(index) = by_likeness.get(&likeness) {
            merged[*index].add(finding);
        } else {
            by_likeness.insert(likeness, merged.len());
            merged.push(finding);
        }
    }
    for finding in merged.iter_mut().filter(|finding| finding.maps.len() > 1) {
        finding.measured = format!(
            "{} maps of this name and type; the first: {}",
            finding.maps.len(),
            finding.measured
        );
    }
    merged
}

/// `10s`, `4m09s`; shorter ones as `2.5 s`.
pub(super) fn format_time(time: Duration) -> String {
    if time < Duration::from_secs(10) {
        units::short_time(time).into()
    } else {
        units::time(time).into()
    }
}

/// ` (485/s)`; nothing if there was no time.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn format_rate(count: u64, time: Duration) -> String {
    if time.is_zero() {
        return String::new();
    }
    let per_s = count as f64 / time.as_secs_f64();
    format!(" ({})", units::loss_rate(per_s))
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
