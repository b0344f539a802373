//! Derives the gaps from the doctor's report, each with the commands that close it. No I/O.

#[cfg(test)]
mod tests;

use compact_str::CompactString;
use serde::Serialize;

use crate::text::remedies::{
    CONTAINER, CONTAINER_OF_HOST_PIDS, CONTAINER_OF_HOST_USERS, DOCKER_CAP_DAC_READ_SEARCH,
    DOCKER_CAP_SYS_ADMIN, DOCKER_CAP_SYS_PTRACE, DOCKER_ULIMIT_MEMLOCK, ENTER_MOUNTS,
    MOUNT_CGROUPS, MOUNT_MEMORY_CGROUPS, MOUNT_PROC, MOUNT_SYS, SETCAP, SUDO, UNLOCK,
};
use crate::types::doctor_report::{DoctorReport, MapAccess, TracerProbe};
use crate::types::ownership_gap::OwnershipGap;

/// Something that is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// What: `maps`, `counts`, `losses`, `links` ...
    #[serde(rename = "what")]
    pub name: CompactString,
    /// Why.
    pub why: String,
    /// Commands of which any closes it; none if no command does.
    pub commands: Vec<&'static str>,
}

fn new_gap(name: &str, why: impl Into<String>, commands: &[&'static str]) -> Gap {
    Gap {
        name: name.into(),
        why: why.into(),
        commands: commands.to_vec(),
    }
}

/// The gaps, the most important first.
#[must_use]
pub(crate) fn find_gaps(doctor_report: &DoctorReport) -> Vec<Gap> {
    let mut gaps = Vec::new();
    gaps.extend(find_maps_gap(doctor_report));
    gaps.extend(find_capability_gap(doctor_report));
    gaps.extend(find_count_gaps(doctor_report));
    gaps.extend(find_loss_gap(doctor_report));
    for unknown in doctor_report.ownership_gaps.iter().flatten() {
        gaps.push(new_gap(
            unknown.what(),
            unknown.why(),
            commands_for(*unknown, doctor_report),
        ));
    }
    if doctor_report.map_access == MapAccess::Shown && doctor_report.ownership_gaps.is_none() {
        gaps.push(new_gap("owners", "could not be looked up", &[]));
    }
    if !doctor_report.kernel_support.has_mount_info() {
        let why = "cannot read /proc/self/mountinfo";
        gaps.push(new_gap("cgroups", why, &[MOUNT_PROC]));
    } else if doctor_report.kernel_support.memory_cgroup.is_none() {
        let why = "no hierarchy with the memory controller is mounted";
        let mount = if doctor_report.kernel_support.memory_is_version_1 {
            MOUNT_MEMORY_CGROUPS
        } else {
            MOUNT_CGROUPS
        };
        gaps.push(new_gap("cgroups", why, &[mount]));
    }
    gaps
}

/// Why no maps can be shown at all.
fn find_maps_gap(doctor_report: &DoctorReport) -> Option<Gap> {
    Some(match &doctor_report.map_access {
        MapAccess::Shown => return None,
        MapAccess::NotPermitted(why) => {
            let commands: &[_] = if doctor_report.privileges.first_user_namespace == Some(false) {
                &[CONTAINER_OF_HOST_USERS]
            } else if doctor_report.privileges.has("CAP_BPF")
                && doctor_report.privileges.has("CAP_PERFMON")
            {
                // No missing capability is the cause.
                memlock_commands(doctor_report)
            } else {
                capability_commands(doctor_report)
            };
            new_gap(
                "maps",
                format!("{why}{}", outside_container_hint(doctor_report)),
                commands,
            )
        }
        MapAccess::Hidden(why) => new_gap("maps", why, &[MOUNT_SYS]),
        MapAccess::Unable(why) | MapAccess::Failed(why) => new_gap("maps", why, &[]),
    })
}

/// A remedy outside any container that is not a command to run here.
fn outside_container_hint(doctor_report: &DoctorReport) -> &'static str {
    if doctor_report.privileges.first_user_namespace == Some(false) {
        "; outside the namespace, sudo mapstop works"
    } else if doctor_report.privileges.uid == 0
        && !(doctor_report.privileges.has("CAP_BPF") && doctor_report.privileges.has("CAP_PERFMON"))
    {
        "; in a systemd unit, set CapabilityBoundingSet=CAP_BPF CAP_PERFMON"
    } else {
        ""
    }
}

/// The next obstacle after mounting /sys.
fn find_capability_gap(doctor_report: &DoctorReport) -> Option<Gap> {
    let is_known = matches!(doctor_report.map_access, MapAccess::Hidden(_));
    if !is_known
        || (doctor_report.privileges.has("CAP_BPF") && doctor_report.privileges.has("CAP_PERFMON"))
    {
        return None;
    }
    let why = "CAP_BPF and CAP_PERFMON are also needed";
    Some(new_gap("maps", why, capability_commands(doctor_report)))
}

/// The commands that grant a process the capabilities for the table.
fn capability_commands(doctor_report: &DoctorReport) -> &'static [&'static str] {
    match (
        doctor_report.privileges.uid,
        doctor_report.privileges.first_pid_namespace,
    ) {
        // The bounding set excludes them for this process and its children, so sudo does not help.
        (0, _) => &[CONTAINER],
        (_, Some(false)) => &[SUDO, SETCAP, CONTAINER],
        (_, _) => &[SUDO, SETCAP],
    }
}

/// The commands that raise the memlock limit, if it is too low.
fn memlock_commands(doctor_report: &DoctorReport) -> &'static [&'static str] {
    match doctor_report.privileges.insufficient_memlock_limit {
        None => &[],
        // Neither this process nor its children may raise the limit.
        Some(_) if doctor_report.privileges.uid == 0 => &[DOCKER_ULIMIT_MEMLOCK],
        Some(_) => &[UNLOCK, SUDO],
    }
}

/// Why no losses can be traced.
fn find_loss_gap(doctor_report: &DoctorReport) -> Option<Gap> {
    let losses = doctor_report.losses.as_ref()?;
    let commands = match losses.tracers {
        TracerProbe::Untried => memlock_commands(doctor_report),
        TracerProbe::Refused | TracerProbe::Attached => &[],
    };
    let why = losses.refused.as_deref()?;
    let is_locked_down = doctor_report
        .kernel_support
        .lockdown
        .as_deref()
        .is_some_and(|lockdown| lockdown != "none");
    // Lockdown can be lifted, and what was not tried may work.
    if is_locked_down || losses.tracers == TracerProbe::Untried {
        return Some(new_gap("losses", why, commands));
    }
    let why = format!("{why}; nothing fixes that on this kernel");
    Some(new_gap("losses", why, commands))
}

/// Types that should be counted and are not, grouped by reason.
fn find_count_gaps(doctor_report: &DoctorReport) -> Vec<Gap> {
    let mut gaps: Vec<(&str, Vec<String>)> = Vec::new();
    for check in &doctor_report.types {
        // Other types have nothing to count, on any kernel.
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
    let described = gaps.into_iter().map(|(why, types)| {
        let why = format!("{}: {why}", types.join(", "));
        new_gap("counts", why, &[])
    });
    described.collect()
}

/// The commands that close a gap about owners.
fn commands_for(unknown: OwnershipGap, doctor_report: &DoctorReport) -> &'static [&'static str] {
    let is_here = doctor_report.privileges.first_pid_namespace == Some(true);
    // If root lacks a capability, its bounding set excludes it, and sudo does not help. If root has
    // it, access is denied for another reason.
    let with = |capability, for_root: &'static [_]| -> &'static [_] {
        match doctor_report.privileges.uid {
            _ if doctor_report.privileges.has(capability) => &[],
            0 => for_root,
            _ => &[SUDO],
        }
    };
    match unknown {
        OwnershipGap::OtherProcesses => &[CONTAINER_OF_HOST_PIDS],
        OwnershipGap::AllProcesses | OwnershipGap::Mounts => &[MOUNT_PROC],
        OwnershipGap::Links | OwnershipGap::OuterMaps => {
            with("CAP_SYS_ADMIN", &[DOCKER_CAP_SYS_ADMIN])
        }
        OwnershipGap::SomePins => with("CAP_DAC_READ_SEARCH", &[DOCKER_CAP_DAC_READ_SEARCH]),
        // The namespace of process 1 can be entered.
        OwnershipGap::AllPins if is_here && !doctor_report.privileges.has("CAP_SYS_PTRACE") => {
            with("CAP_SYS_PTRACE", &[DOCKER_CAP_SYS_PTRACE])
        }
        OwnershipGap::OtherPins if is_here => &[ENTER_MOUNTS],
        // A mount on the host does not appear in the container, and root cannot enter what it may not
        // inspect; other gaps are due to the kernel or the machine.
        OwnershipGap::OtherPins
        | OwnershipGap::AllPins
        | OwnershipGap::Descriptors
        | OwnershipGap::Mappings
        | OwnershipGap::Programs
        | OwnershipGap::SomePrograms
        | OwnershipGap::ManyPins
        | OwnershipGap::LargeOuterMaps => &[],
    }
}
