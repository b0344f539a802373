//! Cells: the text of each column for a row, in the live table and in reports.

use compact_str::{CompactString, ToCompactString, format_compact};

use super::bar::PressureBar;
use super::{Cell, CellStyle};
use crate::cgroup::workload::Workload;
use crate::text::units;
use crate::types::loss::{Loss, LossKind};
use crate::types::loss_state::LossState;
use crate::types::map_type::{Kind, Unit};
use crate::types::row::Row;
use crate::types::time_to_full::TimeToFull;

/// Nothing to report.
pub(super) const NOTHING: &str = "-";
/// Could not be read.
pub(super) const UNKNOWN: &str = "?";
/// Known after further samples.
pub(super) const MEASURING: &str = "...";

pub(super) fn plain_cell(text: impl Into<CompactString>) -> Cell {
    Cell {
        text: text.into(),
        is_muted: false,
    }
}

pub(super) fn muted_cell(text: impl Into<CompactString>) -> Cell {
    Cell {
        text: text.into(),
        is_muted: true,
    }
}

pub(super) fn or_nothing(text: Option<impl ToCompactString>) -> CompactString {
    text.map_or_else(|| NOTHING.into(), |text| text.to_compact_string())
}

pub(super) fn or_unknown(text: Option<impl ToCompactString>) -> CompactString {
    text.map_or_else(|| UNKNOWN.into(), |text| text.to_compact_string())
}

/// A number that this map should have is `?` where it could not be read.
pub(super) fn or_unread(row: &Row, text: Option<impl ToCompactString>) -> CompactString {
    match text {
        None if row.is_level_unknown() => UNKNOWN.into(),
        text => or_nothing(text),
    }
}

/// `-` for an empty text and `_` for blanks, so that a report can be cut into words.
pub(super) fn one_word(text: &str) -> CompactString {
    if text.is_empty() {
        return NOTHING.into();
    }
    text.chars()
        .map(|c| if c.is_whitespace() { '_' } else { c })
        .collect()
}

/// A number derived from the count of entries, marked if that is an estimate.
pub(super) fn estimated(row: &Row, number: CompactString) -> CompactString {
    if row.facts.is_estimated() {
        format_compact!("~{number}")
    } else {
        number
    }
}

/// A number of `unit`, short or exact.
fn amount(number: u64, unit: Unit, style: CellStyle) -> CompactString {
    if style.is_exact {
        units::with_thousands_separators(number)
    } else {
        units::amount(number, unit)
    }
}

pub(super) fn amount_cell(number: Option<u64>, unit: Unit, style: CellStyle) -> Cell {
    plain_cell(number.map_or(NOTHING.into(), |number| amount(number, unit, style)))
}

/// A size that may be unknown.
pub(super) fn bytes_cell(number: Option<u32>, style: CellStyle) -> Cell {
    plain_cell(number.map_or(UNKNOWN.into(), |number| {
        amount(number.into(), Unit::Bytes, style)
    }))
}

pub(super) fn used_of_capacity(row: &Row, style: CellStyle) -> CompactString {
    let amount = |number| amount(number, row.unit(), style);
    let facts = &row.facts;
    let used = match facts.used {
        Some(used) => estimated(row, amount(used)),
        // All of a fixed map's entries exist.
        None if row.kind() == Kind::Fixed => facts.capacity.map(amount).unwrap_or_default(),
        None => UNKNOWN.into(),
    };
    match facts.capacity {
        Some(capacity) => format_compact!("{used}/{}", amount(capacity)),
        None => format_compact!("{used}/{NOTHING}"),
    }
}

pub(super) fn pressure_cell(row: &Row, style: CellStyle) -> Cell {
    let fill = PressureBar::new(row, style.bar.max(1));
    let percent = match (fill, row.pressure) {
        (PressureBar::Unknown, _) => UNKNOWN.into(),
        _ if row.deleted_at.is_some() && style.bar > 0 => CompactString::default(),
        (_, Some(pressure)) => estimated(row, format_compact!("{}%", units::percent(pressure))),
        (_, None) if style.bar == 0 => fill.draw(5, style.glyphs).into(),
        (_, None) => CompactString::default(),
    };
    if style.bar == 0 {
        return Cell {
            text: format_compact!("{percent:>5}"),
            is_muted: fill.is_muted(),
        };
    }
    let bar = fill.draw(style.bar, style.glyphs);
    Cell {
        text: format_compact!("{bar:<0$}{percent:>5}", style.bar),
        is_muted: fill.is_muted(),
    }
}

pub(super) fn growth_cell(row: &Row, style: CellStyle) -> Cell {
    match row.growth_per_s {
        _ if row.deleted_at.is_some() => plain_cell(""),
        Some(growth) if style.is_exact => plain_cell(units::exact_rate(growth)),
        Some(growth) => plain_cell(units::rate(growth)),
        None if row.is_level_unknown() => plain_cell(UNKNOWN),
        None if row.kind().grows() => muted_cell(MEASURING),
        None => plain_cell(""),
    }
}

pub(super) fn loss_cell(row: &Row, style: CellStyle) -> Cell {
    match row.loss_state() {
        _ if row.deleted_at.is_some() => plain_cell(""),
        LossState::Untraced => plain_cell(""),
        LossState::Unknown => plain_cell(UNKNOWN),
        LossState::Measuring => muted_cell(MEASURING),
        LossState::NoLoss => muted_cell("0/s"),
        LossState::Losing(kind, per_s) => {
            let rate = if style.is_exact {
                units::exact_loss_rate(per_s)
            } else {
                units::loss_rate(per_s)
            };
            plain_cell(format_compact!("{} {rate}", kind.label()))
        }
    }
}

/// The kind and rate of losses per second in one word, then the most frequent error, what the kernel counted before
/// mapstop started, and how long the reader has stalled, as far as there is any: `fail:31.0,the_map_is_full`,
/// `drop:4.0,before:12290,stalled:9s`.
pub(super) fn loss_text(row: &Row) -> CompactString {
    let state = row.loss_state();
    let rate: CompactString = match state {
        LossState::Untraced => NOTHING.into(),
        LossState::Unknown => UNKNOWN.into(),
        LossState::Measuring => MEASURING.into(),
        LossState::NoLoss => "0.0".into(),
        LossState::Losing(kind, per_s) => format_compact!("{}:{per_s:.1}", kind.label()),
    };
    let error = row.last_loss.as_ref().and_then(|last| last.errors.first());
    let error = error
        .filter(|_| matches!(state, LossState::Losing(LossKind::Failed, _)))
        .map(|(errno, _)| {
            errno
                .description()
                .map_or_else(|| errno.json_key(), one_word)
        });
    let before = row.facts.loss.as_ref().and_then(|loss| loss.drops_before);
    let before = before
        .filter(|before| *before > 0)
        .map(|before| format_compact!("before:{before}"));
    let stalled = row
        .stalled_for
        .map(|time| format_compact!("stalled:{}", units::time(time)));
    let more: Vec<_> = [error, before, stalled].into_iter().flatten().collect();
    match (state, more.is_empty()) {
        (_, true) => rate,
        (LossState::Untraced | LossState::Measuring, false) => more.join(",").into(),
        _ => format_compact!("{rate},{}", more.join(",")),
    }
}

/// Whether the row has lost anything, or its reader has stalled.
pub(crate) fn has_known_loss(row: &Row) -> bool {
    let is_any = |loss: &Loss| {
        let totals = LossKind::ALL.map(|kind| loss.total(kind));
        totals
            .into_iter()
            .chain([loss.drops_before])
            .flatten()
            .any(|total| total > 0)
    };
    row.stalled_for.is_some() || row.facts.loss.as_deref().is_some_and(is_any)
}

/// How long an entry stays in an LRU map; empty for other maps, and where evictions are not watched.
pub(super) fn lifetime_text(row: &Row) -> CompactString {
    if row.kind() != Kind::Evicting {
        return CompactString::default();
    }
    if let Some(lifetime) = row.entry_lifetime() {
        return units::entry_lifetime(lifetime);
    }
    let is_counted = row.facts.loss.as_ref().map(|loss| loss.evictions.is_some());
    match (row.loss_state(), is_counted) {
        (LossState::Untraced, _) => CompactString::default(),
        (LossState::Unknown, _) | (_, Some(false)) => UNKNOWN.into(),
        (LossState::Measuring | LossState::Losing(LossKind::Evicted, _), _) => MEASURING.into(),
        (LossState::NoLoss | LossState::Losing(..), _) => NOTHING.into(),
    }
}

pub(super) fn full_in_cell(row: &Row) -> Cell {
    match row.full_in {
        _ if row.deleted_at.is_some() => plain_cell(""),
        TimeToFull::Never => plain_cell(""),
        TimeToFull::Unknown => plain_cell(UNKNOWN),
        TimeToFull::Measuring => muted_cell(MEASURING),
        TimeToFull::Steady => plain_cell(NOTHING),
        other => plain_cell(units::full_in(other)),
    }
}

/// A pressure in percent with one decimal, rounded down.
pub(super) fn tenths_of_percent(pressure: f64) -> CompactString {
    let tenths = units::percent(pressure * 10.0);
    format_compact!("{}.{}", tenths / 10, tenths % 10)
}

pub(super) fn memory_cell(row: &Row, style: CellStyle) -> Cell {
    let Some(memory) = row.memory else {
        return plain_cell(UNKNOWN);
    };
    let bytes = amount(memory.bytes, Unit::Bytes, style);
    let sign = units::bound_sign(false, !memory.is_exact);
    plain_cell(format_compact!("{sign}{bytes}"))
}

/// The workload of a map; `-` if its cgroup does not show it.
pub(super) fn workload_text(row: &Row, word: fn(&Workload) -> Option<String>) -> CompactString {
    match row.workload() {
        None => UNKNOWN.into(),
        Some(place) => word(&place).map_or(NOTHING.into(), |text| one_word(&text)),
    }
}

pub(super) fn pins_cell(row: &Row) -> Cell {
    match row.pins() {
        None => plain_cell(UNKNOWN),
        Some(pins) if pins.is_empty() => muted_cell(NOTHING),
        Some(pins) => plain_cell(pins),
    }
}
