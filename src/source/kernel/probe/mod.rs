//! Probes this machine: tries everything that mapstop does on small maps, which are closed at once.

pub(crate) mod cost;
pub(crate) mod machine;
pub(crate) mod map_types;
pub(crate) mod tracers;

use jiff::Timestamp;

use super::owners::{Iterators, OwnershipCollector};
use super::{Kernel, host};
use crate::source::kernel::host::memlock::low_memlock_limit;
use crate::text::memlock::memlock_message;
use crate::types::doctor_report::{DoctorReport, MapAccess};
use crate::types::load_error::{LoadError, LoadErrorKind};
use tracers::probe_tracers;

/// Finds out what this kernel and the privileges of this process let mapstop show. Takes some tenths of
/// a second: tracers are attached for a moment, and make updates a little slower meanwhile.
#[must_use]
pub fn examine_machine() -> DoctorReport {
    let mut report = probe();
    // libbpf has tried to raise it.
    report.privileges.insufficient_memlock_limit = low_memlock_limit();
    report
}

fn probe() -> DoctorReport {
    let mut report = DoctorReport {
        host: host::host(),
        at: Timestamp::now(),
        map_access: MapAccess::Shown,
        privileges: machine::privileges(),
        kernel_support: machine::kernel_support(),
        types: Vec::new(),
        losses: None,
        ownership_gaps: None,
        cost: None,
    };
    let (maps, owners, btf) = match Iterators::load_with_maps() {
        Ok(loaded) => loaded,
        Err(error) => {
            report.map_access = classify_error(&error);
            return report;
        }
    };
    let mut kernel = Kernel::from_link(maps);
    let collector = OwnershipCollector::with(owners, btf.as_ref());
    match cost::measure(&mut kernel, collector.ok()) {
        Ok((cost, owners_unknown)) => {
            report.cost = Some(cost);
            report.ownership_gaps = owners_unknown;
        }
        Err(error) => {
            report.map_access = MapAccess::Failed(format!("{error:#}"));
            return report;
        }
    }
    let (types, untraced) = map_types::probe_map_types(&mut kernel);
    let mut losses = probe_tracers(&types);
    losses.types.extend(untraced);
    losses.types.sort_by_key(|losses| losses.map_type.0);
    report.types = types;
    report.losses = Some(losses);
    report
}

fn classify_error(error: &LoadError) -> MapAccess {
    let details = || error.details.clone();
    match &error.kind {
        LoadErrorKind::NotPermitted { missing, .. } if missing.is_empty() => {
            let why = "lockdown, seccomp or an LSM forbids it, not a missing capability";
            MapAccess::NotPermitted(format!("{why}; {}", details()))
        }
        LoadErrorKind::NotPermitted { missing, .. } => {
            let verb = if missing.len() > 1 { "are" } else { "is" };
            MapAccess::NotPermitted(format!("{} {verb} missing", missing.join(" and ")))
        }
        LoadErrorKind::InUserNamespace => MapAccess::NotPermitted(
            "capabilities in a user namespace do not apply to the host".to_owned(),
        ),
        LoadErrorKind::LockedMemory { limit, .. } => {
            MapAccess::NotPermitted(memlock_message(*limit))
        }
        LoadErrorKind::LockedDown => MapAccess::Unable(
            "lockdown=confidentiality: BPF programs may not read the kernel's memory".to_owned(),
        ),
        LoadErrorKind::TooOld(_) => {
            MapAccess::Unable("too old: BPF iterators need Linux 5.8 or later".to_owned())
        }
        LoadErrorKind::NoBtf(_) => MapAccess::Unable(
            "no BTF: the kernel was built without CONFIG_DEBUG_INFO_BTF=y".to_owned(),
        ),
        LoadErrorKind::NoSys => {
            MapAccess::Hidden("/sys is not mounted, so the kernel's BTF cannot be read".to_owned())
        }
        LoadErrorKind::Failed => MapAccess::Failed(details()),
    }
}
