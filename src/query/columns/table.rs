//! The table of columns itself.

use compact_str::{ToCompactString, format_compact};

use super::cells::{
    MEASURING, NOTHING, UNKNOWN, amount_cell, full_in_cell, growth_cell, muted, one_word,
    or_nothing, or_unread, plain, pressure_cell, tenths_of_percent, used_of_capacity,
};
use super::{Align, Column, Compared, First, Value};
use crate::model::map_type::{Kind, Unit};
use crate::model::mark::Mark;
use crate::model::trend::FullIn;
use crate::model::units;

/// Every column, in the order of the live table.
pub const COLUMNS: &[Column] = &[
    Column {
        name: "attention",
        title: "",
        text_title: "MARK",
        help: "what needs a person: mark, then full in, then pressure",
        compared: Compared::Words(&["crit", "warn", "none"]),
        first: First::Largest,
        align: Align::Left,
        width: 4,
        wide: 4,
        from: None,
        // Rows are not sorted by this word, but as sort.rs says.
        value: |row| {
            row.mark
                .map_or(Value::Nothing, |mark| Value::Text(mark.name().into()))
        },
        text: |row| or_nothing(row.mark.map(Mark::name)),
        cell: |row, _| plain(row.mark.map_or(UNKNOWN, Mark::name)),
    },
    Column {
        name: "id",
        title: "ID",
        text_title: "ID",
        help: "the kernel's number for the map",
        compared: Compared::Count,
        first: First::Smallest,
        align: Align::Right,
        width: 5,
        wide: 5,
        from: Some(62),
        value: |row| Value::number(Some(row.key().id.0)),
        text: |row| row.key().id.0.to_compact_string(),
        cell: |row, _| plain(row.key().id.0.to_compact_string()),
    },
    Column {
        name: "name",
        title: "NAME",
        text_title: "NAME",
        help: "its name, 15 characters at most; some maps have none",
        compared: Compared::Text,
        first: First::Smallest,
        align: Align::Left,
        width: 16,
        wide: 16,
        from: Some(0),
        value: |row| Value::Text(row.facts.name.clone()),
        text: |row| one_word(&row.facts.name),
        cell: |row, _| {
            if row.facts.name.is_empty() {
                muted(NOTHING)
            } else {
                plain(row.facts.name.clone())
            }
        },
    },
    Column {
        name: "type",
        title: "TYPE",
        text_title: "TYPE",
        help: "the kernel's type, shortened to ten letters",
        compared: Compared::Type,
        first: First::Smallest,
        align: Align::Left,
        width: 10,
        wide: 21,
        from: Some(72),
        value: |row| Value::Text(row.facts.map_type.to_compact_string()),
        text: |row| row.facts.map_type.to_compact_string(),
        cell: |row, style| {
            if style.is_exact {
                plain(row.facts.map_type.to_compact_string())
            } else {
                plain(row.facts.map_type.short())
            }
        },
    },
    Column {
        name: "kind",
        title: "KIND",
        text_title: "KIND",
        help: "bounded, evicting, stream, slots, fixed or uncounted",
        compared: Compared::Words(&[
            "bounded",
            "evicting",
            "stream",
            "slots",
            "fixed",
            "uncounted",
        ]),
        first: First::Smallest,
        align: Align::Left,
        width: 9,
        wide: 9,
        from: Some(92),
        value: |row| Value::Text(row.kind().name().into()),
        text: |row| row.kind().name().into(),
        cell: |row, _| plain(row.kind().name()),
    },
    Column {
        name: "used",
        title: "USED/CAP",
        text_title: "USED",
        help: "what is in it, and how much fits; bytes for buffers",
        compared: Compared::Count,
        first: First::Largest,
        align: Align::Right,
        width: 11,
        wide: 27,
        from: Some(50),
        value: |row| Value::number(row.facts.used),
        text: |row| or_unread(row, row.facts.used),
        cell: |row, style| plain(used_of_capacity(row, style)),
    },
    Column {
        name: "capacity",
        title: "CAPACITY",
        text_title: "CAPACITY",
        help: "how much fits in, in entries, slots, pages or bytes",
        compared: Compared::Count,
        first: First::Largest,
        align: Align::Right,
        width: 8,
        wide: 13,
        from: None,
        value: |row| Value::number(row.facts.capacity),
        text: |row| or_nothing(row.facts.capacity),
        cell: |row, style| amount_cell(row.facts.capacity, row.unit(), style),
    },
    Column {
        name: "pressure",
        title: "PRESSURE",
        text_title: "PRES%",
        help: "used / capacity, rounded down: only the full have 100 %",
        compared: Compared::Percent,
        first: First::Largest,
        align: Align::Right,
        width: 5,
        wide: 5,
        from: Some(0),
        value: |row| Value::number(row.pressure.map(|pressure| pressure * 100.0)),
        text: |row| or_unread(row, row.pressure.map(tenths_of_percent)),
        cell: pressure_cell,
    },
    Column {
        name: "last",
        title: "LAST 10 MIN",
        text_title: "LAST_10_MIN",
        help: "its level through ten minutes (live); sorts by growth",
        compared: Compared::Count,
        first: First::Largest,
        align: Align::Left,
        width: 12,
        wide: 12,
        from: Some(116),
        value: |row| Value::number(row.growth_per_s),
        text: |_| NOTHING.into(),
        cell: |row, style| {
            let text = (style.last)(row, 12);
            if row.kind() == Kind::Evicting {
                muted(text)
            } else {
                plain(text)
            }
        },
    },
    Column {
        name: "growth",
        title: "GROWTH",
        text_title: "GRWTH/S",
        help: "entries more each second; live over the last minute",
        compared: Compared::Count,
        first: First::Largest,
        align: Align::Right,
        width: 9,
        wide: 13,
        from: Some(62),
        value: |row| Value::number(row.growth_per_s),
        text: |row| match row.growth_per_s {
            Some(growth) => format_compact!("{growth:.1}"),
            None if !row.kind().grows() => NOTHING.into(),
            None if row.is_unread() => UNKNOWN.into(),
            None => MEASURING.into(),
        },
        cell: growth_cell,
    },
    Column {
        name: "eta",
        title: "FULL IN",
        text_title: "FULL_IN",
        help: "when it is full, at its growth of 1 or of 10 minutes",
        compared: Compared::Time,
        first: First::Smallest,
        align: Align::Right,
        width: 7,
        wide: 7,
        from: Some(24),
        value: |row| Value::number(row.full_in.seconds()),
        text: |row| match row.full_in {
            FullIn::Now | FullIn::In(_) => units::full_in(row.full_in),
            FullIn::Unknown => UNKNOWN.into(),
            FullIn::Measuring => MEASURING.into(),
            FullIn::Never | FullIn::Steady | FullIn::Hint(_) => NOTHING.into(),
        },
        cell: |row, _| full_in_cell(row),
    },
    Column {
        name: "max",
        title: "MAX",
        text_title: "MAX",
        help: "max_entries, the size it was made with",
        compared: Compared::Count,
        first: First::Largest,
        align: Align::Right,
        width: 6,
        wide: 13,
        from: None,
        value: |row| Value::number(Some(row.facts.max_entries)),
        text: |row| row.facts.max_entries.to_compact_string(),
        cell: |row, style| amount_cell(Some(row.facts.max_entries.into()), Unit::Entries, style),
    },
    Column {
        name: "key",
        title: "KEY",
        text_title: "KEY",
        help: "bytes of a key",
        compared: Compared::Count,
        first: First::Largest,
        align: Align::Right,
        width: 5,
        wide: 13,
        from: Some(106),
        value: |row| Value::number(Some(row.facts.key_size)),
        text: |row| row.facts.key_size.to_compact_string(),
        cell: |row, style| amount_cell(Some(row.facts.key_size.into()), Unit::Bytes, style),
    },
    Column {
        name: "value",
        title: "VALUE",
        text_title: "VALUE",
        help: "bytes of a value",
        compared: Compared::Count,
        first: First::Largest,
        align: Align::Right,
        width: 6,
        wide: 13,
        from: Some(106),
        value: |row| Value::number(Some(row.facts.value_size)),
        text: |row| row.facts.value_size.to_compact_string(),
        cell: |row, style| amount_cell(Some(row.facts.value_size.into()), Unit::Bytes, style),
    },
    Column {
        name: "flags",
        title: "FLAGS",
        text_title: "FLAGS",
        help: "the flags it was made with",
        compared: Compared::Text,
        first: First::Smallest,
        align: Align::Left,
        width: 26,
        wide: 60,
        from: Some(160),
        value: |row| Value::Text(row.facts.flags.to_compact_string()),
        text: |row| one_word(&row.facts.flags.to_compact_string()),
        cell: |row, _| muted(row.facts.flags.to_compact_string()),
    },
];
