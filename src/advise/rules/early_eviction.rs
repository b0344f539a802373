//! LRU maps that lost entries although they were never full. Whether these were deleted or evicted is known only
//! where losses were traced.

use super::{Find, Finding, Measurement, Rule, format_level};
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

fn judge(row: &Row, measurement: &Measurement<'_>) -> Option<Finding> {
    let observations = measurement.observations;
    let observation = observations.get(row.key())?;
    let capacity = row.facts.capacity.filter(|capacity| *capacity > 0)?;
    let is_early = match observation.evicted {
        Some(evicted) => evicted > 0,
        None => observation.max_drop > 0,
    };
    if row.kind() != Kind::Evicting || observation.peak >= capacity || !is_early {
        return None;
    }
    let cpus = u64::from(measurement.cpus.max(1));
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
        return Some(Finding::new(row, measured, remedy));
    }
    (observation.peak >= from).then(|| {
        Finding::new(
            row,
            format!(
                "peak {peak}, and {} fewer from one sample to the next",
                units::with_thousands_separators(observation.max_drop)
            ),
            format!("if no program deletes from it, {remedy}"),
        )
    })
}
