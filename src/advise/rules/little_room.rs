//! Maps that are nearly full and stay so: any burst is refused.

use super::{
    Find, Finding, Measurement, Rule, count_noun, format_level, format_time, merge_alike,
    near_full, refusals,
};
use crate::text::units;
use crate::types::map_type::Kind;
use crate::types::row::Row;

pub(super) const RULE: Rule = Rule {
    topic: "little_room",
    find: Find::AllMaps(|measurement| merge_alike(measurement.judge_each(judge))),
};

fn judge(row: &Row, measurement: &Measurement<'_>) -> Option<Finding> {
    let observation = measurement.observations.get_counted(row.key())?;
    let capacity = row.facts.capacity.filter(|capacity| *capacity > 0)?;
    let lowest = row
        .pressure_lower_bound()?
        .min(Row::pressure_ratio(observation.lowest, capacity));
    let has_little_room = lowest >= measurement.thresholds.crit && observation.peak < capacity;
    if row.kind() != Kind::Bounded
        || row.facts.map_type.collides()
        || row.is_full_by_design()
        || !has_little_room
        || refusals::was_full(row, measurement)
        || near_full::judge(row, measurement).is_some()
    {
        return None;
    }
    let peak = observation.peak;
    let time = format_time(measurement.observations.observed_for(observation));
    let level = format_level(row, peak, capacity);
    let percent = units::percent(Row::pressure_ratio(peak, capacity));
    let measured = if observation.lowest == peak {
        format!("at {percent} % for {time} without change: {level}")
    } else {
        format!(
            "between {} and {level} for {time} ({percent} %)",
            units::with_thousands_separators(observation.lowest)
        )
    };
    let room = count_noun(capacity - peak, "more entry", "more entries");
    let change = format!(
        "make it larger if more is to come: there is room for {room}, and a larger burst is refused"
    );
    Some(Finding {
        urgency: Row::pressure_ratio(peak, capacity),
        ..Finding::new(row, measured, change)
    })
}
