//! The table of columns.

use compact_str::{ToCompactString, format_compact};

use super::cells::{
    MEASURING, NOTHING, UNKNOWN, amount_cell, bytes_cell, estimated, full_in_cell, growth_cell,
    lifetime_text, loss_cell, loss_text, memory_cell, muted_cell, one_word, or_nothing, or_unknown,
    or_unread, pins_cell, plain_cell, pressure_cell, tenths_of_percent, used_of_capacity,
    workload_text,
};
use super::{Align, Column};
use crate::cgroup::workload::Workload;
use crate::query::fields::ColumnId;
use crate::query::fields::table::{full, holder_names, node, orphan, program_names};
use crate::text::units;
use crate::types::map_type::{Kind, Unit};
use crate::types::mark::Mark;
use crate::types::time_to_full::TimeToFull;

/// Every column, in the order of the live table.
pub const COLUMNS: &[Column] = &[
    Column {
        id: ColumnId::named("attention"),
        title: "",
        text_title: "MARK",
        align: Align::Left,
        width: 4,
        exact_width: 4,
        min_terminal_width: None,
        text: |row| match row.mark {
            None => UNKNOWN.into(),
            Some(Mark::None) => NOTHING.into(),
            Some(mark) => mark.name().into(),
        },
        cell: |row, _| plain_cell(row.mark.map_or(UNKNOWN, Mark::name)),
    },
    Column {
        id: ColumnId::named("node"),
        title: "NODE",
        text_title: "NODE",
        align: Align::Left,
        width: 16,
        exact_width: 30,
        // The live table adds it if there are several nodes.
        min_terminal_width: None,
        text: |row| node(row).map_or(NOTHING.into(), one_word),
        cell: |row, _| plain_cell(node(row).unwrap_or_default()),
    },
    Column {
        id: ColumnId::named("id"),
        title: "ID",
        text_title: "ID",
        align: Align::Right,
        width: 3,
        exact_width: 5,
        min_terminal_width: Some(62),
        text: |row| row.key().id.0.to_compact_string(),
        cell: |row, _| plain_cell(row.key().id.0.to_compact_string()),
    },
    Column {
        id: ColumnId::named("name"),
        title: "NAME",
        text_title: "NAME",
        align: Align::Left,
        width: 16,
        exact_width: 16,
        min_terminal_width: Some(0),
        text: |row| one_word(&row.facts.name),
        cell: |row, _| {
            if row.facts.name.is_empty() {
                muted_cell(NOTHING)
            } else {
                plain_cell(row.facts.name.clone())
            }
        },
    },
    Column {
        id: ColumnId::named("type"),
        title: "TYPE",
        text_title: "TYPE",
        align: Align::Left,
        width: 10,
        exact_width: 21,
        min_terminal_width: Some(72),
        text: |row| row.facts.map_type.to_compact_string(),
        cell: |row, style| {
            if style.is_exact {
                plain_cell(row.facts.map_type.to_compact_string())
            } else {
                plain_cell(row.facts.map_type.short())
            }
        },
    },
    Column {
        id: ColumnId::named("kind"),
        title: "KIND",
        text_title: "KIND",
        align: Align::Left,
        width: 9,
        exact_width: 9,
        min_terminal_width: None,
        text: |row| row.kind().name().into(),
        cell: |row, _| plain_cell(row.kind().name()),
    },
    Column {
        id: ColumnId::named("used"),
        title: "USED/CAP",
        text_title: "USED",
        align: Align::Right,
        width: 11,
        exact_width: 27,
        min_terminal_width: Some(50),
        text: |row| {
            let used = row.facts.used.map(|used| used.to_compact_string());
            match used {
                None if row.is_count_missing() => UNKNOWN.into(),
                used => or_nothing(used.map(|used| estimated(row, used))),
            }
        },
        cell: |row, style| plain_cell(used_of_capacity(row, style)),
    },
    Column {
        id: ColumnId::named("capacity"),
        title: "CAPACITY",
        text_title: "CAPACITY",
        align: Align::Right,
        width: 8,
        exact_width: 13,
        min_terminal_width: None,
        text: |row| or_nothing(row.facts.capacity),
        cell: |row, style| amount_cell(row.facts.capacity, row.unit(), style),
    },
    Column {
        id: ColumnId::named("pressure"),
        title: "PRESSURE",
        text_title: "PRES%",
        align: Align::Right,
        width: 5,
        exact_width: 5,
        min_terminal_width: Some(0),
        text: |row| {
            let percent = row.pressure.map(tenths_of_percent);
            or_unread(row, percent.map(|percent| estimated(row, percent)))
        },
        cell: pressure_cell,
    },
    Column {
        id: ColumnId::named("last"),
        title: "LAST 10 MIN",
        text_title: "LAST_10_MIN",
        align: Align::Left,
        width: 12,
        exact_width: 12,
        min_terminal_width: Some(116),
        text: |_| NOTHING.into(),
        cell: |row, style| {
            let text = (style.last)(row, 12);
            if row.kind() == Kind::Evicting {
                muted_cell(text)
            } else {
                plain_cell(text)
            }
        },
    },
    Column {
        id: ColumnId::named("growth"),
        title: "GROWTH",
        text_title: "GRWTH/S",
        align: Align::Right,
        width: 7,
        exact_width: 13,
        min_terminal_width: Some(62),
        text: |row| match row.growth_per_s {
            Some(growth) => format_compact!("{growth:.1}"),
            None if !row.kind().grows() => NOTHING.into(),
            None if row.is_level_unknown() => UNKNOWN.into(),
            None => MEASURING.into(),
        },
        cell: growth_cell,
    },
    Column {
        id: ColumnId::named("eta"),
        title: "FULL IN",
        text_title: "FULL_IN",
        align: Align::Right,
        width: 7,
        exact_width: 7,
        min_terminal_width: Some(24),
        text: |row| match row.full_in {
            TimeToFull::Now | TimeToFull::In(_) => units::full_in(row.full_in),
            TimeToFull::Unknown => UNKNOWN.into(),
            TimeToFull::Measuring => MEASURING.into(),
            TimeToFull::Never | TimeToFull::Steady | TimeToFull::Hint(_) => NOTHING.into(),
        },
        cell: |row, _| full_in_cell(row),
    },
    Column {
        id: ColumnId::named("loss"),
        title: "LOSS",
        text_title: "LOSS/S",
        align: Align::Right,
        width: 12,
        exact_width: 20,
        min_terminal_width: Some(132),
        text: |row| loss_text(row),
        cell: loss_cell,
    },
    Column {
        id: ColumnId::named("lifetime"),
        title: "LIFETIME",
        text_title: "LIFETIME",
        align: Align::Right,
        width: 8,
        exact_width: 8,
        // The live table adds it while losses are watched.
        min_terminal_width: None,
        text: |row| match lifetime_text(row) {
            text if text.is_empty() => NOTHING.into(),
            text => text,
        },
        cell: |row, _| match lifetime_text(row) {
            _ if row.deleted_at.is_some() => plain_cell(""),
            text if text == MEASURING => muted_cell(text),
            text => plain_cell(text),
        },
    },
    Column {
        id: ColumnId::named("mem"),
        title: "MEM",
        text_title: "MEM_BYTES",
        align: Align::Right,
        width: 6,
        exact_width: 15,
        min_terminal_width: Some(80),
        text: |row| match row.memory {
            Some(memory) if memory.is_exact => memory.bytes.to_compact_string(),
            Some(memory) => format_compact!("~{}", memory.bytes),
            None => UNKNOWN.into(),
        },
        cell: memory_cell,
    },
    Column {
        id: ColumnId::named("holders"),
        title: "HLD",
        text_title: "HOLDERS",
        align: Align::Right,
        width: 3,
        exact_width: 5,
        min_terminal_width: None,
        text: |row| or_unknown(row.holders()),
        cell: |row, _| plain_cell(or_unknown(row.holders())),
    },
    Column {
        id: ColumnId::named("progs"),
        title: "PRG",
        text_title: "PROGS",
        align: Align::Right,
        width: 3,
        exact_width: 5,
        min_terminal_width: Some(132),
        text: |row| or_unknown(row.programs()),
        cell: |row, _| plain_cell(or_unknown(row.programs())),
    },
    Column {
        id: ColumnId::named("owner"),
        title: "OWNER",
        text_title: "OWNER",
        align: Align::Left,
        width: 14,
        exact_width: 40,
        min_terminal_width: Some(100),
        text: |row| row.owner().map_or(UNKNOWN.into(), |owner| one_word(&owner)),
        cell: |row, _| plain_cell(or_unknown(row.owner())),
    },
    Column {
        id: ColumnId::named("service"),
        title: "SERVICE",
        text_title: "SERVICE",
        align: Align::Left,
        width: 20,
        exact_width: 40,
        min_terminal_width: None,
        text: |row| workload_text(row, Workload::service),
        cell: |row, _| plain_cell(workload_text(row, Workload::service)),
    },
    Column {
        id: ColumnId::named("container"),
        title: "CONTAINER",
        text_title: "CONTAINER",
        align: Align::Left,
        width: 20,
        exact_width: 40,
        min_terminal_width: Some(180),
        text: |row| workload_text(row, Workload::container),
        cell: |row, _| plain_cell(workload_text(row, Workload::container)),
    },
    Column {
        id: ColumnId::named("pin"),
        title: "PIN",
        text_title: "PIN",
        align: Align::Left,
        width: 24,
        exact_width: 60,
        min_terminal_width: Some(200),
        text: |row| row.pins().map_or(UNKNOWN.into(), |pins| one_word(&pins)),
        cell: |row, _| pins_cell(row),
    },
    Column {
        id: ColumnId::named("prog"),
        title: "PROGRAMS",
        text_title: "PROGRAMS",
        align: Align::Left,
        width: 24,
        exact_width: 60,
        min_terminal_width: None,
        text: |row| program_names(row).map_or(UNKNOWN.into(), |names| one_word(&names)),
        cell: |row, _| plain_cell(or_unknown(program_names(row))),
    },
    Column {
        id: ColumnId::named("holder"),
        title: "PROCESSES",
        text_title: "PROCESSES",
        align: Align::Left,
        width: 24,
        exact_width: 60,
        min_terminal_width: None,
        text: |row| holder_names(row).map_or(UNKNOWN.into(), |names| one_word(&names)),
        cell: |row, _| plain_cell(or_unknown(holder_names(row))),
    },
    Column {
        id: ColumnId::named("orphan"),
        title: "ORPHAN",
        text_title: "ORPHAN",
        align: Align::Left,
        width: 6,
        exact_width: 6,
        min_terminal_width: None,
        text: |row| or_unknown(orphan(row)),
        cell: |row, _| plain_cell(or_unknown(orphan(row))),
    },
    Column {
        id: ColumnId::named("max"),
        title: "MAX",
        text_title: "MAX",
        align: Align::Right,
        width: 6,
        exact_width: 13,
        min_terminal_width: None,
        text: |row| row.facts.max_entries.to_compact_string(),
        cell: |row, style| amount_cell(Some(row.facts.max_entries.into()), Unit::Entries, style),
    },
    Column {
        id: ColumnId::named("key"),
        title: "KEY",
        text_title: "KEY",
        align: Align::Right,
        width: 5,
        exact_width: 13,
        min_terminal_width: None,
        text: |row| or_unknown(row.facts.key_size),
        cell: |row, style| bytes_cell(row.facts.key_size, style),
    },
    Column {
        id: ColumnId::named("value"),
        title: "VALUE",
        text_title: "VALUE",
        align: Align::Right,
        width: 6,
        exact_width: 13,
        min_terminal_width: None,
        text: |row| or_unknown(row.facts.value_size),
        cell: |row, style| bytes_cell(row.facts.value_size, style),
    },
    Column {
        id: ColumnId::named("flags"),
        title: "FLAGS",
        text_title: "FLAGS",
        align: Align::Left,
        width: 26,
        exact_width: 60,
        min_terminal_width: Some(160),
        text: |row| match row.facts.flags {
            Some(flags) => one_word(&flags.to_compact_string()),
            None => UNKNOWN.into(),
        },
        cell: |row, _| muted_cell(or_unknown(row.facts.flags)),
    },
    Column {
        id: ColumnId::named("full"),
        title: "FULL",
        text_title: "FULL",
        align: Align::Left,
        width: 4,
        exact_width: 4,
        min_terminal_width: None,
        text: |row| or_unread(row, full(row)),
        cell: |row, _| plain_cell(or_unread(row, full(row))),
    },
];
