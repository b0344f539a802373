//! Examines this machine: tries what mapstop does, on small maps of its own, and closes it at once.

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

/// Finds out what this kernel and the rights of this process let mapstop show. It takes some tenths
/// of a second: tracers are attached for a moment, and make updates a little slower meanwhile.
#[must_use]
pub fn examine() -> DoctorReport {
    let mut checkup = look();
    // libbpf has tried to raise it.
    checkup.rights.memory_to_lock = low_memlock_limit();
    checkup
}

fn look() -> DoctorReport {
    let mut checkup = DoctorReport {
        host: host::host(),
        at: Timestamp::now(),
        outcome: MapAccess::Shown,
        rights: machine::rights(),
        system: machine::system(),
        types: Vec::new(),
        losses: None,
        owners_unknown: None,
        cost: None,
    };
    let (maps, owners, btf) = match Iterators::load_with_maps() {
        Ok(loaded) => loaded,
        Err(error) => {
            checkup.outcome = outcome(&error);
            return checkup;
        }
    };
    let mut kernel = Kernel::from_link(maps);
    let looker = OwnershipCollector::with(owners, btf.as_ref());
    match cost::measure(&mut kernel, looker.ok()) {
        Ok((cost, owners_unknown)) => {
            checkup.cost = Some(cost);
            checkup.owners_unknown = owners_unknown;
        }
        Err(error) => {
            checkup.outcome = MapAccess::Failed(format!("{error:#}"));
            return checkup;
        }
    }
    let (types, told) = map_types::look(&mut kernel);
    let mut losses = probe_tracers(&types);
    losses.types.extend(told);
    losses.types.sort_by_key(|of| of.map_type.0);
    checkup.types = types;
    checkup.losses = Some(losses);
    checkup
}

/// Why there are no maps to be shown, in a line.
fn outcome(error: &LoadError) -> MapAccess {
    let details = || error.details.clone();
    match &error.obstacle {
        LoadErrorKind::NotPermitted { missing, .. } if missing.is_empty() => {
            let why =
                "something else than a missing capability forbids it: lockdown, seccomp or an LSM";
            MapAccess::NotPermitted(format!("{why}; {}", details()))
        }
        LoadErrorKind::NotPermitted { missing, .. } => {
            let verb = if missing.len() > 1 { "are" } else { "is" };
            MapAccess::NotPermitted(format!("{} {verb} missing", missing.join(" and ")))
        }
        LoadErrorKind::InUserNamespace => MapAccess::NotPermitted(
            "in a user namespace no capability counts for the machine".to_owned(),
        ),
        LoadErrorKind::LockedMemory { limit, .. } => {
            MapAccess::NotPermitted(memlock_message(*limit))
        }
        LoadErrorKind::LockedDown => MapAccess::Unable(
            "lockdown=confidentiality lets no program read the kernel's memory".to_owned(),
        ),
        LoadErrorKind::TooOld(_) => {
            MapAccess::Unable("it is older than BPF iterators (Linux 5.8)".to_owned())
        }
        LoadErrorKind::NoBtf(_) => MapAccess::Unable(
            "it does not describe its structures: it was built without CONFIG_DEBUG_INFO_BTF=y"
                .to_owned(),
        ),
        LoadErrorKind::NoSys => MapAccess::Hidden(
            "/sys is not mounted here, where the kernel describes its structures".to_owned(),
        ),
        LoadErrorKind::Failed => MapAccess::Failed(details()),
    }
}
