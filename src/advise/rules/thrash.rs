//! LRU maps that replace their entries within a short time.

use super::{
    Find, Finding, Measurement, Rule, early_eviction, format_level, format_rate, format_time,
};
use crate::text::units;
use crate::types::map_type::Kind;
use crate::types::row::Row;

pub(super) const RULE: Rule = Rule {
    topic: "thrash",
    find: Find::EachMap(judge),
};

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are far below 2^53, and float casts saturate"
)]
pub(super) fn judge(row: &Row, measurement: &Measurement<'_>) -> Option<Finding> {
    if row.kind() != Kind::Evicting {
        return None;
    }
    let min_lifetime = measurement.thresholds.lifetime;
    let lifetime = row
        .entry_lifetime()
        .filter(|lifetime| *lifetime < min_lifetime)?;
    let (used, capacity) = (row.facts.used?, row.facts.capacity?);
    let losses = measurement.observations.losses(row.key())?;
    let measured = format!(
        "entries stay for {}: {} evicted in {}{}, at {}",
        format_time(lifetime),
        units::with_thousands_separators(losses.evicted),
        format_time(losses.time),
        format_rate(losses.evicted, losses.time),
        format_level(row, used, capacity),
    );
    let change = early_eviction::remedy_for_own_lists(row, measurement).unwrap_or_else(|| {
        let needed = used as f64 * min_lifetime.as_secs_f64() / lifetime.as_secs_f64();
        format!(
            "make it larger, or insert fewer entries: about {} entries would stay for {}",
            units::count(needed as u64),
            format_time(min_lifetime)
        )
    });
    Some(Finding {
        urgency: losses.evicted as f64,
        ..Finding::new(row, measured, change)
    })
}
