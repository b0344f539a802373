//! The owner and the memory of a map in words: fields of the detail and the preview.

use std::time::Duration;

use super::TextContext;
use super::detail::DetailField;
use crate::analysis::memory;
use crate::cgroup::workload::Workload;
use crate::text::units;
use crate::types::fleet::ExportedFields;
use crate::types::ownership::{HeldVia, Holder, Owner, Ownership, Program};
use crate::types::reading::Reading;
use crate::types::row::Row;

/// Lines of one field; the rest is counted.
const MAX_LINES: usize = 12;

/// File descriptors in the line of one process.
const MAX_FDS: usize = 12;

/// Owners that were resolved longer ago than this have the time shown.
const MAX_AGE: Duration = Duration::from_secs(12);

pub(crate) fn ownership_fields(context: &TextContext, row: &Row) -> Vec<DetailField> {
    let mut fields = vec![DetailField::new("memory", describe_memory(context, row))];
    if let Some(exported) = row.facts.exported() {
        fields.extend(exported_fields(exported));
        return fields;
    }
    let Some(ownership) = row.ownership.as_deref() else {
        fields.push(DetailField::new("owner", explain_unknown_owner(context)));
        return fields;
    };
    if ownership.is_orphan() == Some(true) {
        let is_held = row
            .facts
            .kernel()
            .is_some_and(|kernel| kernel.user_refs > 0);
        let unseen = if is_held {
            "; maybe by a pin in another mount namespace, or a descriptor in a socket message"
        } else {
            ""
        };
        let text = "orphan: not held by any visible process, pin, program or outer map";
        fields.push(DetailField::new("owner", format!("{text}{unseen}")));
    } else if let Some(Owner::Outer(_, Some(owner))) = ownership.owner() {
        fields.push(DetailField::new(
            "owner",
            format!("{owner}, through its outer map"),
        ));
    }
    fields.extend(list_fields(
        "process",
        "none",
        ownership.holders.as_deref(),
        describe_holder,
    ));
    fields.extend(list_fields(
        "program",
        "none",
        ownership.programs.as_deref(),
        |program| describe_program(program),
    ));
    fields.extend(list_fields(
        "pinned",
        "no",
        ownership.pins.as_deref(),
        ToString::to_string,
    ));
    if ownership
        .outer
        .as_ref()
        .is_some_and(|outer| !outer.is_empty())
    {
        fields.extend(list_fields("inner", "", ownership.outer.as_deref(), |id| {
            let outer = context.reading.and_then(|reading| {
                reading
                    .rows
                    .iter()
                    .find(|row| row.key().id == *id && row.key().node.is_none())
            });
            let name = outer.map_or("", |row| &row.facts.name);
            format!("in map {} {name}", id.0)
        }));
    }
    fields.push(DetailField::new("cgroup", describe_cgroup(ownership)));
    fields.extend(describe_owners_state(context).map(|text| DetailField::new("as of", text)));
    fields
}

/// A line for each item; `empty_text` if there are none.
fn list_fields<T>(
    name: &'static str,
    empty_text: &str,
    items: Option<&[T]>,
    describe: impl Fn(&T) -> String,
) -> Vec<DetailField> {
    let Some(items) = items else {
        return vec![DetailField::new(name, "?  could not be read")];
    };
    if items.is_empty() {
        return vec![DetailField::new(name, empty_text)];
    }
    let mut lines: Vec<_> = items.iter().take(MAX_LINES).map(describe).collect();
    if items.len() > MAX_LINES {
        lines.push(format!("and {} more", items.len() - MAX_LINES));
    }
    DetailField::list(name, lines).collect()
}

/// The ownership that an exporter knew of.
fn exported_fields(exported: &ExportedFields) -> Vec<DetailField> {
    let count =
        |number: Option<u64>| number.map_or("?".to_owned(), |number| format!("{number} in total"));
    let mut fields = vec![
        DetailField::new("owner", exported.owner.as_deref().unwrap_or("?")),
        DetailField::new("process", count(exported.holder_count)),
        DetailField::new("program", count(exported.program_count)),
    ];
    if let Some(pin) = &exported.pin {
        fields.push(DetailField::new("pinned", pin.to_string()));
    }
    fields
}

/// `8,808,448 B, preallocated for 65,536 entries`.
fn describe_memory(context: &TextContext, row: &Row) -> String {
    let cpus = context.reading.map_or(0, |reading| reading.cpus);
    let mut text = match row.memory {
        Some(memory) if memory.is_exact => {
            format!("{} B", units::with_thousands_separators(memory.bytes))
        }
        Some(memory) => format!("about {} B", units::with_thousands_separators(memory.bytes)),
        None if row.facts.is_exported() => "?  not exported".to_owned(),
        None => "?  not known on this kernel".to_owned(),
    };
    if let Some(more) = memory::describe(&row.facts, cpus) {
        text.push_str(", ");
        text.push_str(&more);
    }
    text
}

/// `2214 flowd  flowd.service  fd 11, 12  through a program`.
fn describe_holder(holder: &Holder) -> String {
    let process = &holder.process;
    let mut text = format!("{} {}", process.pid, process.comm);
    let workload = process
        .cgroup
        .as_deref()
        .map(Workload::from_path)
        .unwrap_or_default();
    for word in [workload.service(), workload.container()]
        .into_iter()
        .flatten()
    {
        text.push_str("  ");
        text.push_str(&word);
    }
    for via in &holder.via {
        text.push_str("  ");
        match via {
            HeldVia::Fd => {
                let fds: Vec<_> = holder
                    .fds
                    .iter()
                    .take(MAX_FDS)
                    .map(u32::to_string)
                    .collect();
                text.push_str("fd ");
                text.push_str(&fds.join(", "));
                if holder.fds.len() > MAX_FDS {
                    text.push_str(", ...");
                }
            }
            HeldVia::Mmap => text.push_str("mmap"),
            HeldVia::Link => text.push_str("through a link"),
            HeldVia::Program => text.push_str("through a program"),
        }
    }
    text
}

/// `812 tc_ingress  sched_cls  tcx ingress eth0`.
fn describe_program(program: &Program) -> String {
    let mut text = format!("{} {}  {}", program.id, program.name, program.program_type);
    let attached = program.attached.iter().flatten();
    let pins = program.pins.iter().flatten();
    for word in attached.chain(pins) {
        text.push_str("  ");
        text.push_str(word);
    }
    text
}

fn describe_cgroup(ownership: &Ownership) -> String {
    match &ownership.cgroup {
        Some(path) => format!("memory charged to {path}"),
        None => "none, or unknown".to_owned(),
    }
}

fn explain_unknown_owner(context: &TextContext) -> String {
    let owners = context.reading.and_then(|reading| reading.owners.as_ref());
    match owners {
        Some(_) => "?  not collected yet".to_owned(),
        None if context.is_replay() => "?  not recorded".to_owned(),
        None => "?  not collected yet, or not possible here; i shows more".to_owned(),
    }
}

/// When the owners were resolved and what is unknown; `None` if they are recent and complete.
fn describe_owners_state(context: &TextContext) -> Option<String> {
    let reading = context.reading?;
    let owners = reading.owners.as_ref()?;
    match (describe_age(context, reading, owners.at), &owners.note) {
        (age, Some(note)) => {
            let age = age.unwrap_or_else(|| "now".to_owned());
            Some(format!("{age}; unknown: {note}"))
        }
        (age, None) => age,
    }
}

/// When the owners were resolved, unless that was recently.
fn describe_age(context: &TextContext, reading: &Reading, resolved_at: Duration) -> Option<String> {
    let age = reading.moment.uptime.saturating_sub(resolved_at);
    // A recording has owners only when they change, so they are still valid.
    if age <= MAX_AGE || context.is_replay() {
        return None;
    }
    let at = context.clock(reading.wall_time_at(resolved_at));
    Some(format!("{at}, {} ago", units::time(age)))
}
