//! Maps that refuse inserts and are full, or will be soon.

use super::{Find, Finding, Measurement, Rule, format_level};
use crate::text::units;
use crate::types::map_type::Kind;
use crate::types::mark::Mark;
use crate::types::row::Row;
use crate::types::time_to_full::TimeToFull;

pub(super) const RULE: Rule = Rule {
    topic: "near_full",
    find: Find::EachMap(judge),
};

fn judge(row: &Row, _: &Measurement<'_>) -> Option<Finding> {
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
    Some(Finding {
        urgency: -row.full_in.seconds().unwrap_or(f64::INFINITY),
        ..Finding::new(row, measured, change)
    })
}
