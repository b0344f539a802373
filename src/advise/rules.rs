//! The rules: each judges the measurement and proposes a change.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::AdviceReport;
use super::observed::Observations;
use crate::analysis::memory::bytes_freed_at;
use crate::query::filter::Filter;
use crate::text::plural::count_noun;
use crate::text::units;
use crate::types::map_flags::MapFlags;
use crate::types::map_id::MapId;
use crate::types::map_type::Kind;
use crate::types::mark::Mark;
use crate::types::memory::Memory;
use crate::types::reading::Reading;
use crate::types::row::Row;
use crate::types::time_to_full::TimeToFull;

/// What a piece of advice is about, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// It is full, or will be.
    NearFull,
    /// An LRU map that evicts although it is not full.
    EarlyEviction,
    /// Preallocated for far more than it ever observation.
    Oversized,
    /// Very many maps of one name.
    Many,
    /// It has no holder.
    Orphan,
}

impl Topic {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NearFull => "near_full",
            Self::EarlyEviction => "early_eviction",
            Self::Oversized => "oversized",
            Self::Many => "many",
            Self::Orphan => "orphan",
        }
    }
}

/// A piece of advice.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    pub topic: Topic,
    /// The maps it is about, by id.
    pub maps: Vec<MapId>,
    /// Their name.
    pub name: CompactString,
    /// Their owner, if it is known and common to all.
    pub owner: Option<CompactString>,
    /// The measured values.
    pub measured: String,
    /// The effect of the change.
    pub change: String,
    /// Bytes that the change would free.
    pub frees: Option<u64>,
    /// Seconds until it is too late.
    left: f64,
}

/// Minimum number of bytes saved for which a smaller map is advised.
const MIN_SAVED_BYTES: u64 = 1 << 20;
/// A map is oversized if its peak was at most this part of its capacity.
const OVERSIZED_RATIO: u64 = 10;
/// The advised size as a multiple of the peak.
const HEADROOM_FACTOR: u64 = 2;
/// Smallest advised size.
const MIN_ADVISED_SIZE: u64 = 16;
/// Minimum number of maps of one name that are reported together.
const MIN_MAPS_OF_ONE_NAME: usize = 16;
/// Entries that an LRU map frees at a time, for each CPU (`LOCAL_FREE_TARGET` in `bpf_lru_list.c`).
const LRU_BATCH: u64 = 128;
/// An LRU map of fewer such batches is small.
const SMALL_LRU_BATCHES: u64 = 8;

/// The advice for the maps of the last reading that match, from all measurements.
#[must_use]
pub fn advise(last: &Reading, observations: &Observations, filter: &Filter) -> AdviceReport {
    let rows: Vec<_> = last.rows.iter().filter(|row| filter.matches(row)).collect();
    let mut advice = Vec::new();
    for row in &rows {
        advice.extend(advise_near_full(row));
        advice.extend(advise_early_eviction(row, last.cpus, observations));
        advice.extend(advise_oversized(row, last.cpus, observations));
        advice.extend(advise_orphan(row));
    }
    advice.extend(advise_many(&rows));
    advice.sort_by(|a, b| {
        let order = a.topic.cmp(&b.topic);
        let order = order.then_with(|| a.left.total_cmp(&b.left));
        let order = order.then_with(|| b.frees.cmp(&a.frees));
        order.then_with(|| a.maps.cmp(&b.maps))
    });
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
        advice,
    }
}

fn new_advice(row: &Row, topic: Topic, measured: String, change: String) -> Advice {
    Advice {
        topic,
        maps: vec![row.key().id],
        name: row.facts.name.clone(),
        owner: row.owner(),
        measured,
        change,
        frees: None,
        left: f64::INFINITY,
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

/// A map that refuses inserts and is full, or grows towards it.
fn advise_near_full(row: &Row) -> Option<Advice> {
    let (used, capacity) = (row.facts.used?, row.facts.capacity?);
    if row.kind() != Kind::Bounded {
        return None;
    }
    let level = format_level(row, used, capacity);
    let growing = |seconds: f64| match row.growth_per_s {
        Some(growth) if growth > 0.0 => {
            format!(
                "{level}, {}, full in {}",
                units::rate(growth),
                units::full_in(TimeToFull::In(seconds))
            )
        }
        _ => format!(
            "{level}, full in {}",
            units::full_in(TimeToFull::In(seconds))
        ),
    };
    let (measured, change) = match (row.full_in, row.mark) {
        (TimeToFull::Now, _) => (
            format!("{level}: {}", row.facts.map_type.when_full()),
            "make it larger, or find out why nothing is deleted",
        ),
        (TimeToFull::In(seconds), Some(Mark::Crit | Mark::Warn)) => {
            (growing(seconds), "make it larger, or find out why it grows")
        }
        _ => return None,
    };
    Some(Advice {
        left: row.full_in.seconds().unwrap_or(f64::INFINITY),
        ..new_advice(row, Topic::NearFull, measured, change.to_owned())
    })
}

/// An LRU map that lost entries although it was never full. Whether these were deleted or evicted
/// is known only where losses were traced.
fn advise_early_eviction(row: &Row, cpus: u32, observations: &Observations) -> Option<Advice> {
    let observation = observations.get(row.key())?;
    let capacity = row.facts.capacity.filter(|capacity| *capacity > 0)?;
    let is_early = match observation.evicted {
        Some(evicted) => evicted > 0,
        None => observation.max_drop > 0,
    };
    if row.kind() != Kind::Evicting || observation.peak >= capacity || !is_early {
        return None;
    }
    let cpus = u64::from(cpus.max(1));
    let has_own_lists = row.facts.has_flag(MapFlags::NO_COMMON_LRU);
    // With a list for each CPU, one is full at its share; a common list frees a batch for each CPU.
    let (from, remedy) = if has_own_lists {
        let share = capacity / cpus;
        let remedy = format!(
            "create it without BPF_F_NO_COMMON_LRU: each of {} has a list of {} of its own, and evicts \
             when that list is full",
            count_noun(cpus, "CPU", "CPUs"),
            count_noun(share, "entry", "entries")
        );
        (share, remedy)
    } else {
        let remedy = "make it larger: an LRU map frees entries in batches before it is full, and a batch \
                      is much of a small map";
        let is_small = capacity < SMALL_LRU_BATCHES * LRU_BATCH * cpus;
        let batch = (LRU_BATCH * cpus).min(capacity / 2);
        let from = if is_small { capacity - batch } else { capacity };
        (from, remedy.to_owned())
    };
    let peak = format_level(row, observation.peak, capacity);
    if let Some(evicted) = observation.evicted {
        let measured = format!(
            "peak {peak}, and {} evicted in {}",
            units::with_thousands_separators(evicted),
            units::time(observations.observed_for(observation))
        );
        return Some(new_advice(row, Topic::EarlyEviction, measured, remedy));
    }
    (observation.peak >= from).then(|| {
        new_advice(
            row,
            Topic::EarlyEviction,
            format!(
                "peak {peak}, and {} fewer from one sample to the next",
                units::with_thousands_separators(observation.max_drop)
            ),
            format!("if no program deletes from it, {remedy}"),
        )
    })
}

/// A large preallocated map that was never fuller than a tenth.
fn advise_oversized(row: &Row, cpus: u32, observations: &Observations) -> Option<Advice> {
    let observation = observations.get(row.key())?;
    let memory = row.memory?;
    let capacity = row.facts.capacity?;
    // A buffer may have observation more between two samples, and entries allocated on demand cost nothing
    // until then.
    if row.facts.map_type.is_drained() || row.facts.has_flag(MapFlags::NO_PREALLOC) {
        return None;
    }
    if memory.bytes < MIN_SAVED_BYTES
        || observation.samples < 2
        || observation.peak >= capacity / OVERSIZED_RATIO
    {
        return None;
    }
    // An empty map gives no hint of its future use.
    if observation.peak == 0 {
        return None;
    }
    let advised_size = (observation.peak * HEADROOM_FACTOR)
        .max(MIN_ADVISED_SIZE)
        .next_power_of_two();
    let advised_size = u32::try_from(advised_size).ok()?;
    let frees = bytes_freed_at(&row.facts, cpus, advised_size).filter(|bytes| *bytes > 0)?;
    let measured = format!(
        "peak {} in {}; takes {}",
        format_level(row, observation.peak, capacity),
        units::time(observations.observed_for(observation)),
        format_memory(memory)
    );
    let change = format!(
        "shrink it to {} {}, at least twice the peak: frees {}, if the time measured was typical",
        units::with_thousands_separators(advised_size.into()),
        row.unit().name(),
        count_noun(frees, "byte", "bytes")
    );
    Some(Advice {
        frees: Some(frees),
        ..new_advice(row, Topic::Oversized, measured, change)
    })
}

fn advise_orphan(row: &Row) -> Option<Advice> {
    row.ownership.as_ref()?.is_orphan().filter(|is| *is)?;
    let memory = match row.memory {
        Some(memory) => format!("takes {}", format_memory(memory)),
        None => "takes memory".to_owned(),
    };
    let refs = match row.facts.kernel() {
        Some(kernel) => {
            format!(
                "has {} and ",
                count_noun(kernel.refs, "reference", "references")
            )
        }
        None => String::new(),
    };
    Some(Advice {
        frees: row.memory.map(|memory| memory.bytes),
        ..new_advice(
            row,
            Topic::Orphan,
            format!(
                "no visible process, pin, program or outer map holds it; it {refs}{memory}"
            ),
            "find out what refers to it: a descriptor in flight through a socket, or a pin in another \
             mount namespace"
                .to_owned(),
        )
    })
}

/// Very many maps of one name, and their memory in total.
fn advise_many(rows: &[&Row]) -> Vec<Advice> {
    let mut names: BTreeMap<(&str, u32), Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.facts.name.is_empty()) {
        let name = (row.facts.name.as_str(), row.facts.map_type.0);
        names.entry(name).or_default().push(row);
    }
    let crowds = names
        .into_values()
        .filter(|rows| rows.len() >= MIN_MAPS_OF_ONE_NAME);
    crowds
        .map(|rows| {
            let known: Vec<_> = rows.iter().filter_map(|row| row.memory).collect();
            let sum = Memory {
                bytes: known.iter().map(|memory| memory.bytes).sum(),
                is_exact: known.iter().all(|memory| memory.is_exact),
            };
            let unknown = rows.len() - known.len();
            let together = match (known.len(), unknown) {
                (0, _) => "take an unknown amount of memory".to_owned(),
                (_, 0) => format!("take {} together", format_memory(sum)),
                _ => format!(
                    "take {} together, without {unknown} of unknown size",
                    format_memory(sum)
                ),
            };
            let each = (known.len() as u64 > 0).then(|| sum.bytes / known.len() as u64);
            let owner = rows[0].owner();
            Advice {
                topic: Topic::Many,
                maps: rows.iter().map(|row| row.key().id).collect(),
                name: rows[0].facts.name.clone(),
                owner: owner
                    .filter(|owner| rows.iter().all(|row| row.owner().as_ref() == Some(owner))),
                measured: format!("{} maps of this name and type {together}", rows.len()),
                change: match each {
                    Some(each) => format!(
                        "delete those that are not needed: each frees about {}",
                        count_noun(each, "byte", "bytes")
                    ),
                    None => "delete those that are not needed".to_owned(),
                },
                frees: None,
                left: f64::INFINITY,
            }
        })
        .collect()
}
