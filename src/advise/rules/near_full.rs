//! Maps that refuse inserts and became full, or will be full soon.

use std::time::Duration;

use super::{Find, Finding, Measurement, Rule, format_level, format_time, refusals};
use crate::text::units;
use crate::types::map_type::Kind;
use crate::types::mark::{Mark, MarkReason};
use crate::types::row::Row;
use crate::types::time_to_full::TimeToFull;

/// Growth is that of the last minute.
const MAX_GROWTH_SPAN: Duration = Duration::from_secs(60);

pub(super) const RULE: Rule = Rule {
    topic: "near_full",
    find: Find::EachMap(judge),
};

pub(super) fn judge(row: &Row, measurement: &Measurement<'_>) -> Option<Finding> {
    let (used, capacity) = (row.facts.used?, row.facts.capacity?);
    // Refusals give better advice.
    if row.kind() != Kind::Bounded || refusals::was_full_or_without_memory(row, measurement) {
        return None;
    }
    let observations = measurement.observations;
    let observation = observations.get(row.key())?;
    let level = format_level(row, used, capacity);
    let is_full = row.pressure_lower_bound().is_some_and(|level| level >= 1.0);
    let is_marked = row.mark.is_some_and(|mark| mark > Mark::None);
    let (measured, change) = match row.full_in {
        TimeToFull::Now
            if is_full && is_marked && row.mark_reason != Some(MarkReason::FoundFull) =>
        {
            (
                format!(
                    "{level} for {}: {}",
                    format_time(observations.unchanged_for(observation)),
                    row.facts.map_type.when_full()
                ),
                "make it larger, or find out why nothing is deleted",
            )
        }
        TimeToFull::In(seconds) if is_marked => {
            let full_in = units::full_in(TimeToFull::In(seconds));
            let time = observations.observed_for(observation).min(MAX_GROWTH_SPAN);
            let growth = match row.growth_per_s {
                Some(growth) if growth > 0.0 => {
                    format!(", {} over {}", units::rate(growth), format_time(time))
                }
                _ => String::new(),
            };
            (
                format!("{level}{growth}, full in {full_in}"),
                "make it larger, or find out why it grows",
            )
        }
        _ => return None,
    };
    Some(Finding {
        urgency: -row.full_in.seconds().unwrap_or(f64::INFINITY),
        ..Finding::new(row, measured, change)
    })
}
