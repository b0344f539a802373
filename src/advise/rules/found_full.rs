//! Maps that were full when they were first seen and have not changed: whether that is a fault, only refused updates
//! show.

use super::{Find, Finding, Measurement, Rule, format_level, format_time, merge_alike, refusals};
use crate::types::loss_tracing::LossTracing;
use crate::types::mark::MarkReason;
use crate::types::row::Row;

pub(super) const RULE: Rule = Rule {
    topic: "found_full",
    find: Find::AllMaps(|measurement| merge_alike(measurement.judge_each(judge))),
};

fn judge(row: &Row, measurement: &Measurement<'_>) -> Option<Finding> {
    let (used, capacity) = (row.facts.used?, row.facts.capacity?);
    if row.mark_reason != Some(MarkReason::FoundFull) || refusals::was_full(row, measurement) {
        return None;
    }
    let loss = row.facts.loss.as_ref();
    let change = match (measurement.loss_tracing, loss) {
        // Watched, and none was refused.
        (_, Some(loss)) if loss.failed.is_some() && loss.reason.is_none() => return None,
        (LossTracing::Off | LossTracing::Starting, _) => {
            "run mapstop advise --losses to see whether updates are refused; if none is, its size fits".to_owned()
        }
        (tracing, loss) => {
            let reason = loss.and_then(|loss| loss.reason.as_deref());
            let why = reason.or(tracing.note());
            let why = why.map_or(String::new(), |why| format!(": {why}"));
            format!("find out whether its updates fail; mapstop cannot watch refusals of this map{why}")
        }
    };
    let observation = measurement.observations.get(row.key())?;
    let measured = format!(
        "{} for {}, since it was first seen",
        format_level(row, used, capacity),
        format_time(measurement.observations.unchanged_for(observation)),
    );
    Some(Finding::new(row, measured, change))
}
