//! The level of a map in words: exact, with its growth and when it will be full.

use std::time::Duration;

use super::TextContext;
use crate::text::count_note::count_note;
use crate::text::units;
use crate::types::map_type::Kind;
use crate::types::row::Row;
use crate::types::time_to_full::TimeToFull;

/// Id, name and, in a fleet, the node.
pub(crate) fn map_label(row: &Row) -> String {
    let key = row.key();
    match &key.node {
        Some(node) => format!("{} {} on {node}", key.id.0, row.facts.name),
        None => format!("{} {}", key.id.0, row.facts.name),
    }
}

/// When a map will be full is given as a time of day up to this time ahead.
const MAX_CLOCK_FORECAST: Duration = Duration::from_secs(20 * 3600);

/// The exact level: `62,300 of 65,536 entries`.
pub(crate) fn describe_level(row: &Row) -> Option<String> {
    let facts = &row.facts;
    let unit = row.unit().name();
    let prefix = estimate_prefix(row);
    match (facts.used, facts.capacity) {
        (Some(used), Some(capacity)) => Some(format!(
            "{prefix}{} of {} {unit}",
            units::with_thousands_separators(used),
            units::with_thousands_separators(capacity)
        )),
        (Some(used), None) => Some(format!(
            "{prefix}{} {unit}",
            units::with_thousands_separators(used)
        )),
        (None, Some(capacity)) if row.is_count_missing() => Some(format!(
            "? of {} {unit}",
            units::with_thousands_separators(capacity)
        )),
        (None, Some(capacity)) if row.kind() == Kind::Fixed => Some(format!(
            "{} {unit}",
            units::with_thousands_separators(capacity)
        )),
        (None, _) => None,
    }
}

fn estimate_prefix(row: &Row) -> &'static str {
    if row.facts.is_estimated() { "~" } else { "" }
}

/// The level with its percentage, growth and forecast.
pub(crate) fn describe_level_and_growth(context: &TextContext, row: &Row) -> String {
    let mut parts: Vec<String> = describe_level(row).into_iter().collect();
    if let Some(pressure) = row.pressure {
        let tenths = units::percent(pressure * 10.0);
        let prefix = estimate_prefix(row);
        parts.push(format!("{prefix}{}.{} %", tenths / 10, tenths % 10));
    }
    if row.deleted_at.is_some() {
        // A deleted map has no growth and no forecast.
        return parts.join("   ");
    }
    let interval = context.reading.and_then(|reading| reading.interval);
    let lines = context.reading.map_or([None; 2], |reading| {
        context.history.fits(row.key(), reading.moment.uptime)
    });
    match (row.growth_per_s, lines, interval) {
        (Some(_), [Some(minute), Some(ten)], _) if ten.span > minute.span => {
            parts.push(describe_rate(minute.growth(), minute.span));
            parts.push(describe_rate(ten.growth(), ten.span));
        }
        (Some(growth), [Some(minute), _], _) => parts.push(describe_rate(growth, minute.span)),
        (Some(growth), [None, _], Some(interval)) => parts.push(describe_rate(growth, interval)),
        (_, _, _) => {}
    }
    if let TimeToFull::In(seconds) = row.full_in {
        let when = units::full_in(row.full_in);
        parts.push(
            match (context.reading, Duration::try_from_secs_f64(seconds)) {
                (Some(reading), Ok(left)) if left < MAX_CLOCK_FORECAST => {
                    let wall = reading
                        .moment
                        .wall
                        .checked_add(left)
                        .unwrap_or(reading.moment.wall);
                    let clock = context.clock(wall);
                    format!("full in {when}, about {}", &clock[..5])
                }
                _ => format!("full in {when}"),
            },
        );
    }
    if parts.is_empty() {
        parts.push("no level: ".to_owned() + row.facts.map_type.full_behavior());
    }
    parts.join("   ")
}

/// A rate with the time it was measured over: `+13/s (1m)`.
fn describe_rate(rate: f64, time: Duration) -> String {
    // Samples are taken some milliseconds early or late.
    let seconds = (time + Duration::from_millis(500)).as_secs();
    let time = if seconds == 0 {
        time
    } else {
        Duration::from_secs(seconds)
    };
    format!("{} ({})", units::rate(rate), units::interval(time))
}

/// One line about a map, with the exact numbers that the table shortens.
pub(crate) fn summarize_map(row: &Row) -> String {
    let facts = &row.facts;
    let mut parts = vec![map_label(row)];
    if row.deleted_at.is_some() {
        parts.push("deleted".to_owned());
    }
    if let (Some(level), Some(_)) = (describe_level(row), facts.used) {
        parts.push(level);
    }
    if let Some(time) = row.stalled_for {
        parts.push(format!("reader stalled for {}", units::time(time)));
    }
    if let Some(note) = count_note(&facts.count) {
        parts.push(note.to_string());
    }
    parts.push(format!(
        "{}, {}",
        facts.map_type,
        facts.map_type.full_behavior()
    ));
    if let (Some(key), Some(value)) = (facts.key_size, facts.value_size) {
        parts.push(format!("key {key} B, value {value} B"));
    }
    if let Some(flags) = facts.flags.filter(|flags| flags.0 != 0) {
        parts.push(flags.to_string());
    }
    if facts.kernel().is_some_and(|kernel| kernel.is_frozen) {
        parts.push("frozen".to_owned());
    }
    parts.join("  ")
}
