//! LRU maps that lost entries although they were never full. Whether these were deleted or evicted is known only
//! where losses were traced.

use super::{Find, Finding, Measurement, Rule, format_level, format_time, thrash};
use crate::text::plural::count_noun;
use crate::text::units;
use crate::types::map_flags::MapFlags;
use crate::types::map_type::Kind;
use crate::types::row::Row;

/// Entries that an LRU map frees at a time, for each CPU (`LOCAL_FREE_TARGET` in `bpf_lru_list.c`).
const LRU_BATCH: u64 = 128;
/// An LRU map of fewer such batches is small.
const SMALL_LRU_BATCHES: u64 = 8;

pub(super) const RULE: Rule = Rule {
    topic: "early_eviction",
    find: Find::EachMap(judge),
};

/// The level from which an LRU map evicts, if that is before it is full, and how to change that.
struct EarlyEviction {
    from: u64,
    /// From this level on, evictions are not early: entries that are free for one CPU are none for another.
    until: u64,
    remedy: String,
}

impl EarlyEviction {
    fn of_row(row: &Row, capacity: u64, cpus: u32) -> Self {
        let cpus = u64::from(cpus.max(1));
        // With a list for each CPU, one is full at its share; a common list frees a batch for each CPU.
        if row.facts.has_flag(MapFlags::NO_COMMON_LRU) {
            let share = capacity / cpus;
            let remedy = format!(
                "create it without BPF_F_NO_COMMON_LRU: each of {} has a list of {} of its own, and evicts \
                 when that list is full",
                count_noun(cpus, "CPU", "CPUs"),
                count_noun(share, "entry", "entries")
            );
            return Self {
                from: share,
                until: capacity,
                remedy,
            };
        }
        let remedy = "make it larger: an LRU map frees entries in batches before it is full, and a batch \
                      is much of a small map";
        let is_small = capacity < SMALL_LRU_BATCHES * LRU_BATCH * cpus;
        let batch = (LRU_BATCH * cpus).min(capacity / 2);
        Self {
            from: if is_small { capacity - batch } else { capacity },
            until: if is_small { capacity } else { capacity - batch },
            remedy: remedy.to_owned(),
        }
    }
}

/// What to change where one CPU's list is full and others are not; `None` if there is one list, or it is full.
pub(super) fn remedy_for_own_lists(row: &Row, measurement: &Measurement<'_>) -> Option<String> {
    let observation = measurement.observations.get_counted(row.key())?;
    let capacity = row.facts.capacity.filter(|capacity| *capacity > 0)?;
    let has_own_lists = row.facts.has_flag(MapFlags::NO_COMMON_LRU);
    (has_own_lists && observation.peak < capacity)
        .then(|| EarlyEviction::of_row(row, capacity, measurement.cpus).remedy)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn judge(row: &Row, measurement: &Measurement<'_>) -> Option<Finding> {
    let observations = measurement.observations;
    let observation = observations.get_counted(row.key())?;
    let capacity = row.facts.capacity.filter(|capacity| *capacity > 0)?;
    let evicted = observation.evicted();
    let is_early = match evicted {
        Some(evicted) => evicted > 0,
        None => observation.max_drop > 0,
    };
    if row.kind() != Kind::Evicting || !is_early || thrash::judge(row, measurement).is_some() {
        return None;
    }
    let early = EarlyEviction::of_row(row, capacity, measurement.cpus);
    if observation.peak >= early.until {
        return None;
    }
    let peak = format_level(row, observation.peak, capacity);
    let time = format_time(observations.observed_for(observation));
    if let Some(evicted) = evicted {
        let measured = format!(
            "peak {peak}, and {} evicted in {time}",
            units::with_thousands_separators(evicted),
        );
        return Some(Finding {
            urgency: evicted as f64,
            ..Finding::new(row, measured, early.remedy)
        });
    }
    (observation.peak >= early.from).then(|| {
        Finding::new(
            row,
            format!(
                "peak {peak}, and {} fewer from one sample to the next, in {time}",
                units::with_thousands_separators(observation.max_drop)
            ),
            format!("if no program deletes from it, {}", early.remedy),
        )
    })
}
