//! Stack traces of which many are refused, since another stack is in their slot.

use super::{Find, Finding, Measurement, Rule, count_noun, format_level, format_time};
use crate::text::units;
use crate::types::errno::Errno;
use crate::types::mark::MarkReason;
use crate::types::row::Row;

pub(super) const RULE: Rule = Rule {
    topic: "collisions",
    find: Find::EachMap(judge),
};

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn judge(row: &Row, measurement: &Measurement<'_>) -> Option<Finding> {
    if row.mark_reason != Some(MarkReason::Collisions) {
        return None;
    }
    let losses = measurement.observations.losses(row.key())?;
    let collided = losses.refused.get(Errno::EEXIST);
    if collided == 0 || losses.attempts == 0 {
        return None;
    }
    let level = match (row.facts.used, row.facts.capacity) {
        (Some(used), Some(capacity)) => format!("; {}", format_level(row, used, capacity)),
        _ => String::new(),
    };
    let measured = format!(
        "{} of {} ({} %) collided with another one in {}{level}",
        units::with_thousands_separators(collided),
        count_noun(losses.attempts, "stack trace", "stack traces"),
        units::percent(Row::pressure_ratio(collided, losses.attempts)),
        format_time(losses.time),
    );
    let change = "make it larger, delete stacks after they were read, or take stacks with BPF_F_REUSE_STACKID, \
                  which replaces the older one";
    Some(Finding {
        urgency: collided as f64,
        ..Finding::new(row, measured, change)
    })
}
