//! What a checkup found missing becomes gaps, each with the commands that close it. Pure.

use compact_str::CompactString;
use serde::Serialize;

use crate::text::remedies::{
    CONTAINER, CONTAINER_OF_ADMIN, CONTAINER_OF_HOST_PIDS, CONTAINER_OF_HOST_USERS,
    CONTAINER_OF_READER, CONTAINER_OF_TRACER, CONTAINER_THAT_LOCKS, ENTER_MOUNTS, MOUNT_CGROUPS,
    MOUNT_MEMORY_CGROUPS, MOUNT_PROC, MOUNT_SYS, SETCAP, SUDO, UNLOCK,
};
use crate::types::doctor_report::{Checkup, Outcome, Trial};
use crate::types::ownership_gap::Unknown;

/// Something that is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// What: `maps`, `counts`, `losses`, `links` ...
    pub what: CompactString,
    /// Why.
    pub why: String,
    /// Commands of which any closes it; none if no command does.
    pub commands: Vec<&'static str>,
}

fn gap(what: &str, why: impl Into<String>, commands: &[&'static str]) -> Gap {
    Gap {
        what: what.into(),
        why: why.into(),
        commands: commands.to_vec(),
    }
}

/// The gaps, the most important first.
#[must_use]
pub fn gaps(of: &Checkup) -> Vec<Gap> {
    let mut gaps = Vec::new();
    gaps.extend(no_maps(of));
    gaps.extend(no_rights_either(of));
    gaps.extend(counts(of));
    gaps.extend(losses(of));
    for unknown in of.owners_unknown.iter().flatten() {
        gaps.push(gap(
            unknown.what(),
            unknown.why(),
            commands_for(*unknown, of),
        ));
    }
    if of.outcome == Outcome::Shown && of.owners_unknown.is_none() {
        gaps.push(gap("owners", "they could not be looked up", &[]));
    }
    if !of.system.tells_mounts() {
        let why = "/proc/self/mountinfo does not tell where they are";
        gaps.push(gap("cgroups", why, &[MOUNT_PROC]));
    } else if of.system.memory_cgroup.is_none() {
        let why = "no hierarchy that accounts for memory is mounted here";
        let mount = if of.system.memory_is_version_1 {
            MOUNT_MEMORY_CGROUPS
        } else {
            MOUNT_CGROUPS
        };
        gaps.push(gap("cgroups", why, &[mount]));
    }
    gaps
}

/// Why there is no table at all.
fn no_maps(of: &Checkup) -> Option<Gap> {
    Some(match &of.outcome {
        Outcome::Shown => return None,
        Outcome::NotPermitted(why) => {
            let commands: &[_] = if of.rights.first_user_namespace == Some(false) {
                &[CONTAINER_OF_HOST_USERS]
            } else if of.rights.has("CAP_BPF") && of.rights.has("CAP_PERFMON") {
                // What refuses is no capability.
                unlock(of)
            } else {
                permit(of)
            };
            gap("maps", format!("{why}{}", elsewhere(of)), commands)
        }
        Outcome::Hidden(why) => gap("maps", why, &[MOUNT_SYS]),
        Outcome::Unable(why) | Outcome::Failed(why) => gap("maps", why, &[]),
    })
}

/// What helps where mapstop is in no container, and is no command that is run from where it is.
fn elsewhere(of: &Checkup) -> &'static str {
    if of.rights.first_user_namespace == Some(false) {
        "; outside of it sudo mapstop shows them"
    } else if of.rights.uid == 0 && !(of.rights.has("CAP_BPF") && of.rights.has("CAP_PERFMON")) {
        "; a unit of systemd gives them by CapabilityBoundingSet=CAP_BPF CAP_PERFMON"
    } else {
        ""
    }
}

/// What would stand in the way next.
fn no_rights_either(of: &Checkup) -> Option<Gap> {
    let is_known = matches!(of.outcome, Outcome::Hidden(_));
    if !is_known || (of.rights.has("CAP_BPF") && of.rights.has("CAP_PERFMON")) {
        return None;
    }
    let why = "CAP_BPF and CAP_PERFMON are needed, too";
    Some(gap("maps", why, permit(of)))
}

/// What gives a process the capabilities for the table.
fn permit(of: &Checkup) -> &'static [&'static str] {
    match (of.rights.uid, of.rights.first_pid_namespace) {
        // It may not have them, and neither would what it starts: sudo gives it nothing.
        (0, _) => &[CONTAINER],
        (_, Some(false)) => &[SUDO, SETCAP, CONTAINER],
        (_, _) => &[SUDO, SETCAP],
    }
}

/// What lets a process lock what programs and maps take, if it lacks that.
fn unlock(of: &Checkup) -> &'static [&'static str] {
    match of.rights.memory_to_lock {
        None => &[],
        // It may not raise what it may lock, and neither may what it starts.
        Some(_) if of.rights.uid == 0 => &[CONTAINER_THAT_LOCKS],
        Some(_) => &[UNLOCK, SUDO],
    }
}

/// Why no losses can be watched.
fn losses(of: &Checkup) -> Option<Gap> {
    let losses = of.losses.as_ref()?;
    let commands = match losses.trial {
        Trial::Untried => unlock(of),
        Trial::Refused | Trial::Attached => &[],
    };
    Some(gap("losses", losses.refused.as_deref()?, commands))
}

/// Types that ought to be counted and are not, together by the reason.
fn counts(of: &Checkup) -> Vec<Gap> {
    let mut gaps: Vec<(&str, Vec<String>)> = Vec::new();
    for check in &of.types {
        // Others have nothing to count, on any kernel.
        let ought = check.map_type.kind().has_pressure();
        let Some(note) = check.note.as_deref() else {
            continue;
        };
        if !ought || check.counted != Some(false) {
            continue;
        }
        let name = check.map_type.to_string();
        match gaps.iter_mut().find(|(why, _)| *why == note) {
            Some((_, types)) => types.push(name),
            None => gaps.push((note, vec![name])),
        }
    }
    let said = gaps.into_iter().map(|(why, types)| {
        let why = format!("{}: {why}", types.join(", "));
        gap("counts", why, &[])
    });
    said.collect()
}

/// What lets something about owners be known.
fn commands_for(unknown: Unknown, of: &Checkup) -> &'static [&'static str] {
    let is_here = of.rights.first_pid_namespace == Some(true);
    // Root lacks a capability where it may not have it, and then sudo does not give it. What holds it
    // is refused for another reason.
    let with = |capability, for_root: &'static [_]| -> &'static [_] {
        match of.rights.uid {
            _ if of.rights.has(capability) => &[],
            0 => for_root,
            _ => &[SUDO],
        }
    };
    match unknown {
        Unknown::OtherProcesses => &[CONTAINER_OF_HOST_PIDS],
        Unknown::AllProcesses | Unknown::Mounts => &[MOUNT_PROC],
        Unknown::Links | Unknown::OuterMaps => with("CAP_SYS_ADMIN", &[CONTAINER_OF_ADMIN]),
        Unknown::SomePins => with("CAP_DAC_READ_SEARCH", &[CONTAINER_OF_READER]),
        // The first process can be asked for its namespace.
        Unknown::AllPins if is_here && !of.rights.has("CAP_SYS_PTRACE") => {
            with("CAP_SYS_PTRACE", &[CONTAINER_OF_TRACER])
        }
        Unknown::OtherPins if is_here => &[ENTER_MOUNTS],
        // What is mounted there is not in the container, and what root may not look at it may not enter;
        // the rest is the kernel's or the machine's.
        Unknown::OtherPins
        | Unknown::AllPins
        | Unknown::Descriptors
        | Unknown::Mappings
        | Unknown::Programs
        | Unknown::SomePrograms
        | Unknown::ManyPins
        | Unknown::LargeOuterMaps => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::checkup;
    use crate::types::count::CountMethod;
    use crate::types::map_type::MapType;

    fn said(of: &Checkup) -> Vec<String> {
        let line = |gap: Gap| format!("{}: {} [{}]", gap.what, gap.why, gap.commands.join("] ["));
        gaps(of).into_iter().map(line).collect()
    }

    #[test]
    fn a_machine_that_shows_everything_has_no_gap() {
        assert_eq!(said(&checkup()), [""; 0]);
    }

    fn without(capabilities: &[&str]) -> Checkup {
        let mut of = checkup();
        of.outcome = Outcome::NotPermitted("CAP_BPF is missing".to_owned());
        of.rights.uid = 1000;
        for capability in &mut of.rights.capabilities {
            capability.held = !capabilities.contains(&capability.name);
        }
        of
    }

    #[test]
    fn whoever_is_not_permitted_gets_the_two_commands_that_help() {
        let line = format!("maps: CAP_BPF is missing [{SUDO}] [{SETCAP}]");
        assert_eq!(said(&without(&["CAP_BPF"])), [line]);
    }

    #[test]
    fn root_that_may_have_no_capability_is_not_sent_to_sudo() {
        let mut of = without(&["CAP_BPF"]);
        of.rights.uid = 0;
        let [line] = &said(&of)[..] else {
            panic!("{of:?}");
        };
        assert!(line.contains("a unit of systemd"), "{line}");
        assert!(line.ends_with(&format!("[{CONTAINER}]")), "{line}");
    }

    #[test]
    fn what_no_capability_gives_is_not_answered_with_sudo() {
        assert_eq!(said(&without(&[])), ["maps: CAP_BPF is missing []"]);
    }

    #[test]
    fn too_little_memory_to_lock_has_a_command_of_its_own() {
        let mut of = without(&[]);
        of.rights.memory_to_lock = Some(64 << 10);
        assert!(said(&of)[0].ends_with(&format!("[{UNLOCK}] [{SUDO}]")));
    }

    #[test]
    fn a_container_is_told_what_to_be_started_with() {
        let mut of = without(&["CAP_BPF"]);
        of.rights.first_pid_namespace = Some(false);
        assert!(said(&of)[0].contains(CONTAINER));
        // There all capabilities are held, and none counts.
        of.rights.first_user_namespace = Some(false);
        assert!(said(&of)[0].contains("--userns=host"));
    }

    #[test]
    fn types_that_are_not_counted_for_one_reason_stand_together() {
        let mut of = checkup();
        for (number, note) in [
            (1, "too old"),
            (9, "too old"),
            (30, "never"),
            (33, "a tree"),
        ] {
            let check = of
                .types
                .iter_mut()
                .find(|of| of.map_type == MapType(number));
            let check = check.expect("a type");
            check.counted = Some(false);
            check.count_method = Some(CountMethod::None);
            check.note = Some(note.into());
        }
        let lines = [
            "counts: hash, lru_hash: too old []",
            "counts: arena: a tree []",
        ];
        assert_eq!(said(&of), lines);
    }

    #[test]
    fn what_could_not_be_watched_for_want_of_memory_has_that_command_and_no_other_has() {
        let mut of = checkup();
        of.rights.memory_to_lock = Some(64 << 10);
        let losses = of.losses.as_mut().expect("they were tried");
        losses.refused = Some("no".into());
        assert_eq!(said(&of), ["losses: no []"]);
        of.losses.as_mut().expect("they were tried").trial = Trial::Untried;
        assert_eq!(said(&of), [format!("losses: no [{CONTAINER_THAT_LOCKS}]")]);
        of.rights.uid = 1000;
        assert_eq!(said(&of), [format!("losses: no [{UNLOCK}] [{SUDO}]")]);
    }

    #[test]
    fn what_is_mounted_is_not_said_to_be_missing_where_nothing_tells() {
        let mut of = checkup();
        of.system.memory_cgroup = None;
        assert!(said(&of)[0].ends_with(&format!("[{MOUNT_CGROUPS}]")));
        of.system.memory_is_version_1 = true;
        assert!(said(&of)[0].ends_with(&format!("[{MOUNT_MEMORY_CGROUPS}]")));
        of.system.bpffs = None;
        assert!(said(&of)[0].ends_with(&format!("[{MOUNT_PROC}]")));
        of.outcome = Outcome::Hidden("no /sys".to_owned());
        assert_eq!(said(&of)[0], format!("maps: no /sys [{MOUNT_SYS}]"));
        assert_eq!(said(&of).len(), 2);
        // What would stand in the way next is told at once.
        of.rights.capabilities[0].held = false;
        of.rights.uid = 1000;
        assert!(said(&of)[1].ends_with(&format!("[{SUDO}] [{SETCAP}]")));
    }

    #[test]
    fn what_is_not_known_of_owners_has_the_command_that_tells() {
        let mut of = checkup();
        let mut commands = |change: fn(&mut Checkup), unknown| {
            change(&mut of);
            of.owners_unknown = Some(vec![unknown]);
            let [gap] = &gaps(&of)[..] else {
                panic!("{unknown}");
            };
            gap.commands.clone()
        };
        let as_it_is = |_: &mut Checkup| {};
        assert_eq!(commands(as_it_is, Unknown::Links), [""; 0]);
        assert_eq!(commands(as_it_is, Unknown::SomePins), [""; 0]);
        assert_eq!(commands(as_it_is, Unknown::OtherPins), [ENTER_MOUNTS]);
        assert_eq!(
            commands(as_it_is, Unknown::AllPins),
            [""; 0],
            "it asked as root already"
        );
        assert_eq!(commands(as_it_is, Unknown::ManyPins), [""; 0]);
        assert_eq!(commands(as_it_is, Unknown::AllProcesses), [MOUNT_PROC]);
        let without_any = |of: &mut Checkup| {
            for capability in &mut of.rights.capabilities {
                capability.held = false;
            }
        };
        assert_eq!(commands(without_any, Unknown::Links), [CONTAINER_OF_ADMIN]);
        assert_eq!(commands(as_it_is, Unknown::SomePins), [CONTAINER_OF_READER]);
        assert_eq!(commands(as_it_is, Unknown::AllPins), [CONTAINER_OF_TRACER]);
        let as_user = |of: &mut Checkup| of.rights.uid = 1000;
        assert_eq!(commands(as_user, Unknown::Links), [SUDO]);
        assert_eq!(commands(as_it_is, Unknown::SomePins), [SUDO]);
        assert_eq!(commands(as_it_is, Unknown::AllPins), [SUDO]);
        let in_container = |of: &mut Checkup| of.rights.first_pid_namespace = Some(false);
        assert_eq!(
            commands(in_container, Unknown::OtherProcesses),
            [CONTAINER_OF_HOST_PIDS]
        );
        assert_eq!(commands(as_it_is, Unknown::OtherPins), [""; 0]);
    }
}
