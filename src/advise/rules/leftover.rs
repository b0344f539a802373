//! Maps that only pins keep: no process holds them, and nothing runs that uses them.

use super::{
    Find, Finding, Measurement, Rule, format_memory, format_time, merge_alike, old_generation,
};
use crate::types::ownership::{Ownership, Program};
use crate::types::row::Row;

pub(super) const RULE: Rule = Rule {
    topic: "leftover",
    find: Find::AllMaps(find),
};

fn find(measurement: &Measurement<'_>) -> Vec<Finding> {
    let newer = old_generation::NewestHeld::of_measurement(measurement);
    let found = measurement.judge_each(|row, measurement| {
        let is_old = old_generation::judge(row, measurement, &newer).is_some();
        judge(row, measurement).filter(|_| !is_old)
    });
    merge_alike(found)
}

fn judge(row: &Row, measurement: &Measurement<'_>) -> Option<Finding> {
    let ownership = row.ownership.as_deref()?;
    if !is_kept_by_pins(ownership)? || row.facts.map_type.is_held_by_kernel() {
        return None;
    }
    let observations = measurement.observations;
    let observation = observations.get(row.key())?;
    // Somebody opens the pin.
    if observation.samples > 0 && observation.lowest != observation.peak {
        return None;
    }
    let programs = ownership.programs.as_deref()?;
    let used_by = match programs {
        [] => "used by no program",
        _ => "used only by pinned programs that no link attaches",
    };
    let pins = ownership.pins.as_deref()?;
    let program_pins = programs.iter().flat_map(|program| &program.pins).flatten();
    let pin = pins.first().or_else(|| program_pins.clone().next())?;
    let more = pins.len() + program_pins.count() - 1;
    let others = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let memory = row.memory.filter(|memory| memory.bytes > 0);
    let takes = memory.map_or(String::new(), |memory| {
        format!("; takes {}", format_memory(memory))
    });
    let measured = format!(
        "pinned at {pin}{others}, held by no process, {used_by}, unchanged for {}{takes}",
        format_time(observations.observed_for(observation)),
    );
    let change = if programs.is_empty() {
        "remove the pin, unless a process will open it again"
    } else {
        "remove the pins of the map and of its programs, unless these are attached without a link (tc, ip link, \
         bpftool net) or a process will open them again"
    };
    Some(Finding {
        frees: memory.map(|memory| memory.bytes),
        ..Finding::new(row, measured, change)
    })
}

/// Whether pins alone keep a map; `None` if that is unknown. A program that is neither pinned nor attached by a
/// link, nor held by a process, is held in a way that mapstop does not see, such as by tc, and may run.
fn is_kept_by_pins(ownership: &Ownership) -> Option<bool> {
    let programs = ownership.programs.as_deref()?;
    let is_pinned = !ownership.pins.as_ref()?.is_empty() || !programs.is_empty();
    let is_held = !ownership.holders.as_ref()?.is_empty() || !ownership.outer.as_ref()?.is_empty();
    let is_idle = |program: &Program| {
        let attached = program.attached.as_ref()?;
        let pins = program.pins.as_ref()?;
        Some(attached.is_empty() && !pins.is_empty())
    };
    for program in programs {
        if !is_idle(program)? {
            return Some(false);
        }
    }
    Some(is_pinned && !is_held)
}
