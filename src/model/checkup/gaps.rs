//! What a checkup found missing becomes gaps, each with the commands that close it. Pure.

use compact_str::CompactString;
use serde::Serialize;

use super::{Checkup, Outcome};

/// What gives an ordinary user the table.
const SETCAP: &str = "sudo setcap cap_bpf,cap_perfmon=ep $(command -v mapstop)";
const SUDO: &str = "sudo mapstop";
/// For the shell that mapstop is started from.
const UNLOCK: &str = "sudo prlimit --pid $$ --memlock=unlimited";
/// For a container; the rest of its command line is its own.
const CONTAINER: &str = "docker run --pid=host --cap-add=BPF --cap-add=PERFMON ...";

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
    gaps.extend(counts(of));
    if let Some(refused) = of.losses.as_ref().and_then(|of| of.refused.as_ref()) {
        let commands: &[_] = if refused.contains("ulimit -l") {
            &[UNLOCK, SUDO]
        } else {
            &[]
        };
        gaps.push(gap("losses", refused.as_str(), commands));
    }
    for unknown in of.owners_unknown.iter().flatten() {
        let (what, why) = unknown.split_once(": ").unwrap_or(("owners", unknown));
        gaps.push(gap(what, why, commands_for(unknown, of)));
    }
    if of.outcome == Outcome::Shown && of.owners_unknown.is_none() {
        gaps.push(gap("owners", "they could not be looked up", &[]));
    }
    if of.system.memory_cgroup.is_none() {
        let mount = "sudo mount -t cgroup2 none /sys/fs/cgroup";
        let why = "no hierarchy that accounts for memory is mounted here";
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
                &["docker run --userns=host --pid=host --cap-add=BPF --cap-add=PERFMON ..."]
            } else if why.contains("ulimit -l") {
                &[UNLOCK, SUDO]
            } else if of.rights.has("CAP_BPF") && of.rights.has("CAP_PERFMON") {
                // What refuses is no capability.
                &[]
            } else if of.rights.uid == 0 {
                // It may not have them, and neither would what it starts: sudo gives it nothing.
                &[CONTAINER]
            } else if of.rights.first_pid_namespace == Some(false) {
                &[SUDO, SETCAP, CONTAINER]
            } else {
                &[SUDO, SETCAP]
            };
            gap("maps", why, commands)
        }
        Outcome::Unable(why) | Outcome::Failed(why) => gap("maps", why, &[]),
    })
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

/// What lets something about owners be known, by how the look for them puts it.
fn commands_for(unknown: &str, of: &Checkup) -> &'static [&'static str] {
    let is_here = of.rights.first_pid_namespace == Some(true);
    if unknown.contains("CAP_SYS_ADMIN") || unknown == "pins: some could not be read" {
        return &[SUDO];
    }
    if unknown.contains("pid namespace") {
        return &["docker run --pid=host ..."];
    }
    if unknown.contains("mount namespace") {
        // Where that of the first process cannot be asked for, it may be ours.
        return match (of.rights.first_mount_namespace, is_here) {
            (None, true) if !of.rights.has("CAP_SYS_PTRACE") => &[SUDO],
            (_, true) => &["sudo nsenter --target 1 --mount mapstop"],
            // What is in there is not in the container.
            (_, false) => &[],
        };
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::map_type::MapType;
    use crate::model::snapshot::CountMethod;
    use crate::testing::checkup;

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
        let line = format!("maps: CAP_BPF is missing [{CONTAINER}]");
        assert_eq!(said(&of), [line]);
    }

    #[test]
    fn what_no_capability_gives_is_not_answered_with_sudo() {
        assert_eq!(said(&without(&[])), ["maps: CAP_BPF is missing []"]);
    }

    #[test]
    fn too_little_memory_to_lock_has_a_command_of_its_own() {
        let mut of = without(&[]);
        of.outcome = Outcome::NotPermitted("a user may lock 64 KiB (ulimit -l)".to_owned());
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
    fn what_is_not_known_of_owners_has_the_command_that_tells() {
        let mut of = checkup();
        let unknown = |text: &str| Some(vec![text.into()]);
        of.owners_unknown = unknown("links: listing them takes CAP_SYS_ADMIN");
        let line = "links: listing them takes CAP_SYS_ADMIN [sudo mapstop]";
        assert_eq!(said(&of), [line]);
        of.owners_unknown = unknown("pins: mapstop is in a mount namespace of its own");
        of.rights.first_mount_namespace = Some(false);
        assert!(said(&of)[0].ends_with("[sudo nsenter --target 1 --mount mapstop]"));
        of.rights.first_mount_namespace = None;
        assert!(said(&of)[0].contains("nsenter"), "it asked as root already");
        for capability in &mut of.rights.capabilities {
            capability.held = false;
        }
        assert!(said(&of)[0].ends_with("[sudo mapstop]"));
        of.owners_unknown =
            unknown("holders: mapstop is in a pid namespace and does not see every process");
        assert!(said(&of)[0].ends_with("[docker run --pid=host ...]"));
        of.owners_unknown = unknown("pins: too many to look at");
        assert!(said(&of)[0].ends_with("[]"));
    }
}
