//! What this process may do, and what the kernel supports.

use std::fs;

use crate::source::kernel::host::btf::has_btf;
use crate::source::kernel::host::capabilities::EffectiveCaps;
use crate::source::kernel::host::lockdown::lockdown;
use crate::source::kernel::host::namespaces::is_in_user_namespace;
use crate::source::kernel::owners;
use crate::types::doctor_report::{CAPABILITIES, Capability, KernelSupport, Privileges};

/// The capabilities of this process, and its namespaces.
pub fn privileges() -> Privileges {
    let is_first_user = is_in_user_namespace().map(|is_in| !is_in);
    let effective = EffectiveCaps::read();
    let capability = |(name, gives): (&'static str, _)| Capability {
        name,
        is_effective: is_first_user != Some(false) && effective.allow(name),
        purpose: gives,
    };
    Privileges {
        uid: rustix::process::geteuid().as_raw(),
        capabilities: CAPABILITIES.map(capability).into(),
        seccomp: seccomp(),
        first_pid_namespace: owners::is_first_pid_namespace(),
        first_user_namespace: is_first_user,
        first_mount_namespace: owners::is_first_mount_namespace(),
        // Read later: libbpf tries to raise it first.
        insufficient_memlock_limit: None,
    }
}

/// Whether a seccomp filter is installed; `None` if that is unknown.
fn seccomp() -> Option<bool> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("Seccomp:"))?;
    Some(line.trim() == "2")
}

/// What the kernel supports, and what is mounted.
pub(crate) fn kernel_support() -> KernelSupport {
    KernelSupport {
        btf: has_btf(),
        lockdown: lockdown(),
        memory_cgroup: owners::find_memory_cgroup(),
        memory_is_version_1: owners::is_memory_of_version_1(),
        bpffs: owners::find_bpffs(),
    }
}
