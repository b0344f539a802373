//! What can stand between mapstop and the maps becomes what to do about it.

use caps::{CapSet, Capability};
use libbpf_rs::ErrorKind as BpfError;

use super::host;
use super::host::is_before;
use crate::source::kernel::host::btf::has_btf;
use crate::source::kernel::host::lockdown::is_confidential;
use crate::source::kernel::host::memlock::low_memlock_limit;
use crate::source::kernel::host::namespaces::is_in_user_namespace;
use crate::types::load_error::{FIRST_WITH_ITERATORS, LoadErrorKind};

/// What the error means here and now: asks for capabilities, version and BTF.
pub fn obstacle(kind: BpfError) -> LoadErrorKind {
    let release = host::release();
    if is_too_old(&release) {
        return LoadErrorKind::TooOld(release);
    }
    match has_btf() {
        Some(true) => {}
        Some(false) => return LoadErrorKind::NoBtf(release),
        None => return LoadErrorKind::NoSys,
    }
    if is_confidential() {
        return LoadErrorKind::LockedDown;
    }
    if kind != BpfError::PermissionDenied {
        return LoadErrorKind::Failed;
    }
    if is_in_user_namespace() == Some(true) {
        return LoadErrorKind::InUserNamespace;
    }
    let uid = rustix::process::geteuid().as_raw();
    let effective = caps::read(None, CapSet::Effective).unwrap_or_default();
    let (held, missing) = [
        (Capability::CAP_BPF, "CAP_BPF"),
        (Capability::CAP_PERFMON, "CAP_PERFMON"),
    ]
    .into_iter()
    // Either is part of what CAP_SYS_ADMIN allows.
    .partition::<Vec<_>, _>(|(capability, _)| {
        effective.contains(capability) || effective.contains(&Capability::CAP_SYS_ADMIN)
    });
    if let Some(limit) = low_memlock_limit().filter(|_| missing.is_empty()) {
        return LoadErrorKind::LockedMemory { limit, uid };
    }
    let names = |list: Vec<(Capability, &'static str)>| list.into_iter().map(|(_, n)| n).collect();
    LoadErrorKind::NotPermitted {
        missing: names(missing),
        held: names(held),
        uid,
    }
}

/// Whether a kernel that calls itself so is older than BPF iterators; one that does not say is
/// not.
fn is_too_old(release: &str) -> bool {
    is_before(release, FIRST_WITH_ITERATORS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_before_5_8_are_too_old() {
        for release in ["4.18.0-553.el8", "5.7.19", "3.10.0"] {
            assert!(is_too_old(release), "{release}");
        }
        for release in [
            "5.8.0",
            "5.10.0-46-cloud-amd64",
            "6.18.44-fc",
            "10.0",
            "strange",
        ] {
            assert!(!is_too_old(release), "{release}");
        }
    }
}
