//! Maps that were replaced by a newer one of the same name and type, and are still there.

use std::collections::HashMap;

use super::{Find, Finding, Measurement, Rule, format_memory, format_time};
use crate::types::ownership::Ownership;
use crate::types::row::Row;

pub(super) const RULE: Rule = Rule {
    topic: "old_generation",
    find: Find::AllMaps(find),
};

/// What two generations of a map have in common: machine, name, type, and the sizes of key and value.
type Likeness<'a> = (Option<&'a str>, &'a str, u32, Option<u32>, Option<u32>);

/// The newest map of each likeness that a process holds.
pub(super) struct NewestHeld<'a>(HashMap<Likeness<'a>, &'a Row>);

impl<'a> NewestHeld<'a> {
    pub(super) fn of_measurement(measurement: &Measurement<'a>) -> Self {
        let mut newest = HashMap::new();
        // In the order of their ids.
        for row in &measurement.rows {
            let is_held = row.holders().is_some_and(|holders| holders > 0);
            if is_held && !row.facts.name.is_empty() {
                newest.insert(likeness(row), *row);
            }
        }
        Self(newest)
    }
}

fn likeness(row: &Row) -> Likeness<'_> {
    let facts = &row.facts;
    (
        facts.key.node.as_deref(),
        &facts.name,
        facts.map_type.0,
        facts.key_size,
        facts.value_size,
    )
}

fn find(measurement: &Measurement<'_>) -> Vec<Finding> {
    let newest = NewestHeld::of_measurement(measurement);
    measurement.judge_each(|row, measurement| judge(row, measurement, &newest))
}

pub(super) fn judge(
    row: &Row,
    measurement: &Measurement<'_>,
    newest: &NewestHeld<'_>,
) -> Option<Finding> {
    let ownership = row.ownership.as_deref()?;
    let is_held = !ownership.holders.as_ref()?.is_empty() || !ownership.outer.as_ref()?.is_empty();
    let newer = *newest.0.get(&likeness(row))?;
    if is_held || newer.key().id < row.key().id || ownership.is_orphan() != Some(false) {
        return None;
    }
    let shared = describe_shared(ownership, newer.ownership.as_deref()?)?;
    let observations = measurement.observations;
    let observation = observations.get(row.key())?;
    // A map without a count may be updated unseen.
    if observation.samples == 0 || observation.lowest != observation.peak {
        return None;
    }
    let memory = row.memory.filter(|memory| memory.bytes > 0);
    let takes = memory.map_or(String::new(), |memory| {
        format!("; takes {}", format_memory(memory))
    });
    let measured = format!(
        "held by no process and unchanged for {}; {} holds {} of the same name and type{shared}{takes}",
        format_time(observations.observed_for(observation)),
        newer.owner()?,
        newer.key().id.0,
    );
    let attached = ownership.programs.iter().flatten().find_map(|program| {
        let place = program.attached.as_ref()?.first()?;
        Some(format!("{}, attached at {place}", program.name))
    });
    let change = match attached {
        Some(program) => format!(
            "if {} replaced it, detach the program that still uses it ({program}), and remove all pins",
            newer.key().id.0
        ),
        None if ownership.programs.iter().flatten().next().is_some() => format!(
            "if {} replaced it, remove the pins of the map and of its programs",
            newer.key().id.0
        ),
        None => format!("if {} replaced it, remove its pins", newer.key().id.0),
    };
    Some(Finding {
        frees: memory.map(|memory| memory.bytes),
        ..Finding::new(row, measured, change)
    })
}

/// What shows that both are of one application, since a name such as `events` alone does not: a folder of pins, or
/// the name of a program. `None` if nothing does.
fn describe_shared(old: &Ownership, new: &Ownership) -> Option<String> {
    fn folders(ownership: &Ownership) -> impl Iterator<Item = &str> {
        let pins = ownership.pins.iter().flatten();
        pins.filter_map(|pin| Some(pin.rsplit_once('/')?.0))
    }
    fn programs(ownership: &Ownership) -> impl Iterator<Item = &str> {
        let programs = ownership.programs.iter().flatten();
        let names = programs.map(|program| program.name.as_str());
        names.filter(|name| !name.is_empty())
    }
    let folder = folders(old).find(|folder| folders(new).any(|other| other == *folder));
    let program = programs(old).find(|name| programs(new).any(|other| other == *name));
    match (folder, program) {
        (Some(folder), _) => Some(format!(", pinned in {folder} too")),
        (None, Some(program)) => Some(format!(", used by a program {program} too")),
        (None, None) => None,
    }
}
