//! The table of fields.

use compact_str::{CompactString, ToCompactString};

use super::{DefaultOrder, Field, FieldType, Value};
use crate::types::row::Row;

/// Every field, in the order in which the live table has its column.
pub const FIELDS: &[Field] = &[
    Field {
        name: "attention",
        help: "mark, then full in, then pressure; in filters: mark",
        field_type: FieldType::Words(&["crit", "warn", "none"]),
        default_order: DefaultOrder::Largest,
        // sort.rs sorts by urgency, not by this word.
        value: |row| {
            row.mark
                .map_or(Value::Nothing, |mark| Value::Text(mark.name().into()))
        },
    },
    Field {
        name: "node",
        help: "the machine, in a fleet",
        field_type: FieldType::Text,
        default_order: DefaultOrder::Smallest,
        value: |row| Value::text(node(row)),
    },
    Field {
        name: "id",
        help: "the kernel's id of the map",
        field_type: FieldType::Count,
        default_order: DefaultOrder::Smallest,
        value: |row| Value::number(Some(row.key().id.0)),
    },
    Field {
        name: "name",
        help: "up to 15 characters; some maps have no name",
        field_type: FieldType::Text,
        default_order: DefaultOrder::Smallest,
        value: |row| Value::Text(row.facts.name.clone()),
    },
    Field {
        name: "type",
        help: "the map type, shortened in the live table",
        field_type: FieldType::Type,
        default_order: DefaultOrder::Smallest,
        value: |row| Value::Text(row.facts.map_type.to_compact_string()),
    },
    Field {
        name: "kind",
        help: "bounded, evicting, stream, slots, fixed or uncounted",
        field_type: FieldType::Words(&[
            "bounded",
            "evicting",
            "stream",
            "slots",
            "fixed",
            "uncounted",
        ]),
        default_order: DefaultOrder::Smallest,
        value: |row| Value::Text(row.kind().name().into()),
    },
    Field {
        name: "used",
        help: "entries in the map; bytes for buffers",
        field_type: FieldType::Count,
        default_order: DefaultOrder::Largest,
        value: |row| Value::number(row.facts.used),
    },
    Field {
        name: "capacity",
        help: "how many entries, slots, pages or bytes fit",
        field_type: FieldType::Count,
        default_order: DefaultOrder::Largest,
        value: |row| Value::number(row.facts.capacity),
    },
    Field {
        name: "pressure",
        help: "used / capacity in %, rounded down: 100 is full",
        field_type: FieldType::Percent,
        default_order: DefaultOrder::Largest,
        value: |row| Value::number(row.pressure.map(|pressure| pressure * 100.0)),
    },
    Field {
        name: "last",
        help: "the last ten minutes as a chart (live); sorts by growth",
        field_type: FieldType::Count,
        default_order: DefaultOrder::Largest,
        value: |row| Value::number(row.growth_per_s),
    },
    Field {
        name: "growth",
        help: "entries gained each second; live: over the last minute",
        field_type: FieldType::Count,
        default_order: DefaultOrder::Largest,
        value: |row| Value::number(row.growth_per_s),
    },
    Field {
        name: "eta",
        help: "time until full, at the growth of 1 or 10 minutes",
        field_type: FieldType::Time,
        default_order: DefaultOrder::Smallest,
        value: |row| Value::number(row.full_in.seconds()),
    },
    Field {
        name: "loss",
        help: "losses each second, while they are watched (l)",
        field_type: FieldType::Count,
        default_order: DefaultOrder::Largest,
        value: |row| Value::number(row.loss_per_s()),
    },
    Field {
        name: "lifetime",
        help: "how long an entry stays in an LRU map (losses watched)",
        field_type: FieldType::Time,
        default_order: DefaultOrder::Smallest,
        value: |row| Value::number(row.entry_lifetime().map(|time| time.as_secs_f64())),
    },
    Field {
        name: "mem",
        help: "kernel memory; ~ marks an estimate",
        field_type: FieldType::Count,
        default_order: DefaultOrder::Largest,
        value: |row| Value::number(row.memory.map(|memory| memory.bytes)),
    },
    Field {
        name: "holders",
        help: "how many processes hold it, directly or by a program",
        field_type: FieldType::Count,
        default_order: DefaultOrder::Largest,
        value: |row| Value::count(row.holders()),
    },
    Field {
        name: "progs",
        help: "how many programs use it",
        field_type: FieldType::Count,
        default_order: DefaultOrder::Largest,
        value: |row| Value::count(row.programs()),
    },
    Field {
        name: "owner",
        help: "a process, else a pin, a program or a cgroup",
        field_type: FieldType::Text,
        default_order: DefaultOrder::Smallest,
        value: |row| Value::text(row.owner()),
    },
    Field {
        name: "service",
        help: "the systemd unit of the owner, by cgroup",
        field_type: FieldType::Text,
        default_order: DefaultOrder::Smallest,
        value: |row| {
            Value::text(
                row.workload()
                    .map(|place| place.service().unwrap_or_default()),
            )
        },
    },
    Field {
        name: "container",
        help: "the container or pod of the owner, by cgroup",
        field_type: FieldType::Text,
        default_order: DefaultOrder::Smallest,
        value: |row| {
            Value::text(
                row.workload()
                    .map(|place| place.container().unwrap_or_default()),
            )
        },
    },
    Field {
        name: "pin",
        help: "the paths it is pinned to",
        field_type: FieldType::Text,
        default_order: DefaultOrder::Smallest,
        value: |row| Value::text(row.pins()),
    },
    Field {
        name: "prog",
        help: "the names of the programs that use it",
        field_type: FieldType::Text,
        default_order: DefaultOrder::Smallest,
        value: |row| Value::text(program_names(row)),
    },
    Field {
        name: "holder",
        help: "the names and pids of the processes that hold it",
        field_type: FieldType::Text,
        default_order: DefaultOrder::Smallest,
        value: |row| Value::text(holder_names(row)),
    },
    Field {
        name: "orphan",
        help: "yes: no process, pin, program or outer map holds it",
        field_type: FieldType::Words(&["yes", "no"]),
        default_order: DefaultOrder::Largest,
        value: |row| Value::text(orphan(row)),
    },
    Field {
        name: "max",
        help: "max_entries, the size it was created with",
        field_type: FieldType::Count,
        default_order: DefaultOrder::Largest,
        value: |row| Value::number(Some(row.facts.max_entries)),
    },
    Field {
        name: "key",
        help: "key size in bytes",
        field_type: FieldType::Count,
        default_order: DefaultOrder::Largest,
        value: |row| Value::number(row.facts.key_size),
    },
    Field {
        name: "value",
        help: "value size in bytes",
        field_type: FieldType::Count,
        default_order: DefaultOrder::Largest,
        value: |row| Value::number(row.facts.value_size),
    },
    Field {
        name: "flags",
        help: "the flags it was created with",
        field_type: FieldType::Text,
        default_order: DefaultOrder::Smallest,
        value: |row| Value::text(row.facts.flags.map(|flags| flags.to_compact_string())),
    },
    Field {
        name: "full",
        help: "yes: used = capacity",
        field_type: FieldType::Words(&["yes", "no"]),
        default_order: DefaultOrder::Largest,
        value: |row| Value::text(full(row)),
    },
];

/// The node, if there are several.
pub(crate) fn node(row: &Row) -> Option<&str> {
    row.key().node.as_deref()
}

/// The names of the programs that use a map, joined by blanks; `None` if those are not known.
pub(crate) fn program_names(row: &Row) -> Option<CompactString> {
    let programs = row.ownership.as_ref()?.programs.as_ref()?;
    let names: Vec<_> = programs.iter().map(|program| &*program.name).collect();
    Some(names.join(" ").into())
}

/// The names and ids of the processes that hold a map, joined by blanks; `None` if those are not
/// known.
pub(crate) fn holder_names(row: &Row) -> Option<CompactString> {
    let holders = row.ownership.as_ref()?.holders.as_ref()?;
    let names: Vec<_> = holders
        .iter()
        .map(|holder| format!("{}({})", holder.process.comm, holder.process.pid))
        .collect();
    Some(names.join(" ").into())
}

/// Whether used is capacity; `None` if that is unknown, as within the error of an estimate.
pub(crate) fn full(row: &Row) -> Option<&'static str> {
    let facts = &row.facts;
    let (used, capacity) = (facts.used?, facts.capacity?);
    if !facts.is_estimated() {
        return Some(if used >= capacity { "yes" } else { "no" });
    }
    (used.saturating_add(facts.count.error) < capacity).then_some("no")
}

pub(crate) fn orphan(row: &Row) -> Option<&'static str> {
    let is_orphan = row.ownership.as_ref()?.is_orphan()?;
    Some(if is_orphan { "yes" } else { "no" })
}
