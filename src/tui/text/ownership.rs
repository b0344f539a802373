//! Whose a map is and what it costs, in words: lines of the detail and the preview.

use std::time::Duration;

use super::detail::{DetailField, clock};
use crate::analysis::memory;
use crate::cgroup::workload::Workload;
use crate::text::units;
use crate::tui::state::App;
use crate::types::fleet::ExportedFields;
use crate::types::ownership::{HeldVia, Holder, Owner, Ownership, Program};
use crate::types::row::Row;

/// Lines of one sort at the most; the rest is counted.
const MAX_LINES: usize = 12;

/// What was looked up longer ago than this says when.
const OLD: Duration = Duration::from_secs(12);

/// Everything that is known of it.
pub fn facts(app: &App, row: &Row) -> Vec<DetailField> {
    let mut facts = vec![fact("memory", memory_of(app, row))];
    if let Some(told) = &row.facts.exported {
        facts.extend(told_facts(told));
        return facts;
    }
    let Some(of) = row.ownership.as_deref() else {
        facts.push(fact("owner", why_unknown(app)));
        return facts;
    };
    if of.is_orphan() == Some(true) {
        let unseen = if row.facts.user_refs > Some(0) {
            "; a pin in another mount namespace may, or a descriptor on its way through a socket"
        } else {
            ""
        };
        let text = "orphan: no process, pin, program or outer map that can be seen holds it";
        facts.push(fact("owner", format!("{text}{unseen}")));
    } else if let Some(Owner::Outer(_, Some(owner))) = of.owner() {
        facts.push(fact("owner", format!("{owner}, by its outer map")));
    }
    facts.extend(list(
        "process",
        "held by no process",
        of.holders.as_deref(),
        holder,
    ));
    facts.extend(list(
        "program",
        "used by no program",
        of.programs.as_deref(),
        |program| program_in_words(program),
    ));
    facts.extend(list(
        "pinned",
        "no",
        of.pins.as_deref(),
        ToString::to_string,
    ));
    if of.outer.as_ref().is_some_and(|outer| !outer.is_empty()) {
        facts.extend(list("inner", "", of.outer.as_deref(), |id| {
            let outer = app.reading.as_ref().and_then(|reading| {
                reading
                    .rows
                    .iter()
                    .find(|row| row.key().id == *id && row.key().node.is_none())
            });
            let name = outer.map_or("", |row| &row.facts.name);
            format!("in map {} {name}", id.0)
        }));
    }
    facts.push(fact("cgroup", cgroup(of)));
    facts.extend(age(app).map(|text| fact("as of", text)));
    facts
}

fn fact(name: &'static str, text: String) -> DetailField {
    DetailField { name, text }
}

/// A line for each, with the name before the first only.
fn list<T>(
    name: &'static str,
    none: &str,
    items: Option<&[T]>,
    say: impl Fn(&T) -> String,
) -> Vec<DetailField> {
    let Some(items) = items else {
        return vec![fact(name, "?  could not be looked up".to_owned())];
    };
    if items.is_empty() {
        return vec![fact(name, none.to_owned())];
    }
    let mut lines: Vec<_> = items.iter().take(MAX_LINES).map(say).collect();
    if items.len() > MAX_LINES {
        lines.push(format!("and {} more", items.len() - MAX_LINES));
    }
    let names = std::iter::once(name).chain(std::iter::repeat(""));
    names
        .zip(lines)
        .map(|(name, text)| fact(name, text))
        .collect()
}

/// What an exporter told of whose it is.
fn told_facts(told: &ExportedFields) -> Vec<DetailField> {
    // `1 holds it`, `2 hold it`.
    let who = |number: Option<u64>, verb: &str| match number {
        Some(1) => format!("1 {verb}s it"),
        Some(number) => format!("{number} {verb} it"),
        None => "?".to_owned(),
    };
    let mut facts = vec![
        fact("owner", told.owner.as_deref().unwrap_or("?").to_owned()),
        fact("process", who(told.holders, "hold")),
        fact("program", who(told.programs, "use")),
    ];
    if let Some(pin) = &told.pin {
        facts.push(fact("pinned", pin.to_string()));
    }
    facts
}

/// `8,808,448 B, preallocated for 65,536 entries`.
fn memory_of(app: &App, row: &Row) -> String {
    let cpus = app.reading.as_ref().map_or(0, |reading| reading.cpus);
    let mut text = match row.memory {
        Some(memory) if memory.is_exact => {
            format!("{} B", units::with_thousands_separators(memory.bytes))
        }
        Some(memory) => format!("about {} B", units::with_thousands_separators(memory.bytes)),
        None if row.facts.exported.is_some() => "?  its exporter does not tell".to_owned(),
        None => "?  it cannot be told from what this kernel shows".to_owned(),
    };
    if let Some(more) = memory::describe(&row.facts, cpus) {
        text.push_str(", ");
        text.push_str(&more);
    }
    text
}

/// `2214 flowd  flowd.service  fd 11, 12  by program`.
fn holder(holder: &Holder) -> String {
    let process = &holder.process;
    let mut text = format!("{} {}", process.pid, process.comm);
    let place = process
        .cgroup
        .as_deref()
        .map(Workload::from_path)
        .unwrap_or_default();
    for word in [place.service(), place.container()].into_iter().flatten() {
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
                    .take(MAX_LINES)
                    .map(u32::to_string)
                    .collect();
                text.push_str("fd ");
                text.push_str(&fds.join(", "));
                if holder.fds.len() > MAX_LINES {
                    text.push_str(", ...");
                }
            }
            HeldVia::Mmap => text.push_str("mmap"),
            HeldVia::Link => text.push_str("by a link"),
            HeldVia::Program => text.push_str("by a program"),
        }
    }
    text
}

/// `812 tc_ingress  sched_cls  tcx ingress eth0`.
fn program_in_words(program: &Program) -> String {
    let mut text = format!("{} {}  {}", program.id, program.name, program.program_type);
    let attached = program.attached.iter().flatten();
    let pins = program.pins.iter().flatten();
    for word in attached.chain(pins) {
        text.push_str("  ");
        text.push_str(word);
    }
    text
}

fn cgroup(ownership: &Ownership) -> String {
    match &ownership.cgroup {
        Some(path) => format!("{path} pays for it"),
        None => "none pays for it, or it is not known which".to_owned(),
    }
}

fn why_unknown(app: &App) -> String {
    let owners = app
        .reading
        .as_ref()
        .and_then(|reading| reading.owners.as_ref());
    match owners {
        Some(_) => "?  not looked up yet".to_owned(),
        None if app.player.is_some() => "?  it was not recorded".to_owned(),
        None => "?  not looked up yet, or it cannot be here".to_owned(),
    }
}

/// When this was looked up, if that was long ago, and what is missing in it.
fn age(app: &App) -> Option<String> {
    let reading = app.reading.as_ref()?;
    let owners = reading.owners.as_ref()?;
    let age = reading.moment.uptime.saturating_sub(owners.at);
    // In a recording it was looked up again and again, and said when it changed.
    let is_old = age > OLD && app.player.is_none();
    let when = || {
        let at = clock(app, reading.wall_time_at(owners.at));
        format!("{at}, {} ago", units::time(age))
    };
    match (&owners.note, is_old) {
        (Some(note), true) => Some(format!("{}; not known: {note}", when())),
        (Some(note), false) => Some(format!("now; not known: {note}")),
        (None, true) => Some(when()),
        (None, false) => None,
    }
}
