//! What this process may do, where it is, and what the kernel describes and allows.

use std::fs;

use caps::CapSet;

use crate::source::kernel::host::btf::has_btf;
use crate::source::kernel::host::lockdown::lockdown;
use crate::source::kernel::host::namespaces::is_in_user_namespace;
use crate::source::kernel::owners;
use crate::types::doctor_report::{CAPABILITIES, Capability, KernelSupport, Privileges};

/// The one that allows what `CAP_BPF` and `CAP_PERFMON` do.
const ALL: &str = "CAP_SYS_ADMIN";

/// What this process may do, and where it is.
pub fn rights() -> Privileges {
    let is_first_user = is_in_user_namespace().map(|is_in| !is_in);
    let effective = caps::read(None, CapSet::Effective).unwrap_or_default();
    let names: Vec<_> = effective.iter().map(ToString::to_string).collect();
    let has = |name: &str| names.iter().any(|held| held == name);
    let capability = |(name, gives): (&'static str, _)| Capability {
        name,
        held: is_first_user != Some(false)
            && (has(name) || has(ALL) && matches!(name, "CAP_BPF" | "CAP_PERFMON")),
        gives,
    };
    Privileges {
        uid: rustix::process::geteuid().as_raw(),
        capabilities: CAPABILITIES.map(capability).into(),
        seccomp: seccomp(),
        first_pid_namespace: owners::is_first_pid_namespace(),
        first_user_namespace: is_first_user,
        first_mount_namespace: owners::first_mount_namespace(),
        // libbpf tries to raise it first.
        memory_to_lock: None,
    }
}

/// Whether system calls go through a filter.
fn seccomp() -> Option<bool> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("Seccomp:"))?;
    Some(line.trim() == "2")
}

/// What the kernel describes and allows, and what is mounted.
pub fn system() -> KernelSupport {
    KernelSupport {
        btf: has_btf(),
        lockdown: lockdown(),
        memory_cgroup: owners::memory_cgroup(),
        memory_is_version_1: owners::is_memory_of_version_1(),
        bpffs: owners::bpffs(),
    }
}
