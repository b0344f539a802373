//! Finds out why the iterators cannot be loaded.

use libbpf_rs::ErrorKind as BpfError;

use super::host;
use super::host::is_before;
use crate::source::kernel::host::btf::has_btf;
use crate::source::kernel::host::capabilities::EffectiveCaps;
use crate::source::kernel::host::lockdown::is_confidential;
use crate::source::kernel::host::memlock::low_memlock_limit;
use crate::source::kernel::host::namespaces::is_in_user_namespace;
use crate::types::load_error::{FIRST_WITH_ITERATORS, LoadErrorKind};

/// What the error means on this machine, given its version, BTF, lockdown, capabilities and limits.
pub(crate) fn diagnose_load_error(kind: BpfError) -> LoadErrorKind {
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
    let effective = EffectiveCaps::read();
    let (held, missing) = ["CAP_BPF", "CAP_PERFMON"]
        .into_iter()
        .partition::<Vec<_>, _>(|name| effective.allow(name));
    if let Some(limit) = low_memlock_limit().filter(|_| missing.is_empty()) {
        return LoadErrorKind::LockedMemory { limit, uid };
    }
    LoadErrorKind::NotPermitted {
        missing,
        present: held,
        uid,
    }
}

/// Whether this release has no BPF iterators. A name without a version number is taken to have them.
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
