//! Large preallocated maps that were never fuller than a tenth.

use super::{Find, Finding, Measurement, Rule, format_level, format_memory, format_time};
use crate::analysis::memory::bytes_freed_at;
use crate::text::plural::count_noun;
use crate::text::units;
use crate::types::map_flags::MapFlags;
use crate::types::row::Row;

/// Minimum number of bytes saved for which a smaller map is advised.
const MIN_SAVED_BYTES: u64 = 1 << 20;
/// A map is oversized if its peak was at most this part of its capacity.
const OVERSIZED_RATIO: u64 = 10;
/// The advised size as a multiple of the peak.
const HEADROOM_FACTOR: u64 = 2;
/// Smallest advised size.
const MIN_ADVISED_SIZE: u64 = 16;

pub(super) const RULE: Rule = Rule {
    topic: "oversized",
    find: Find::EachMap(judge),
};

fn judge(row: &Row, measurement: &Measurement<'_>) -> Option<Finding> {
    let observations = measurement.observations;
    let observation = observations.get_counted(row.key())?;
    let memory = row.memory?;
    let capacity = row.facts.capacity?;
    if row.is_full_by_design() {
        return None;
    }
    // A buffer may have held more between two samples, and entries allocated on demand cost nothing until
    // then.
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
    let frees =
        bytes_freed_at(&row.facts, measurement.cpus, advised_size).filter(|bytes| *bytes > 0)?;
    let measured = format!(
        "peak {} in {}; takes {}",
        format_level(row, observation.peak, capacity),
        format_time(observations.observed_for(observation)),
        format_memory(memory)
    );
    let change = format!(
        "shrink it to {} {}, at least twice the peak: frees {}, if the time measured was typical",
        units::with_thousands_separators(advised_size.into()),
        row.unit().name(),
        count_noun(frees, "byte", "bytes")
    );
    Some(Finding {
        frees: Some(frees),
        ..Finding::new(row, measured, change)
    })
}
