//! Examines this machine: tries what mapstop does, on small maps of its own, and closes it at once.

pub(crate) mod cost;
pub(crate) mod machine;
pub(crate) mod map_types;
pub(crate) mod tracers;

use jiff::Timestamp;

use super::owners::{Iterators, Looker};
use super::{Kernel, host};
use crate::source::kernel::host::memlock::memory_to_lock;
use crate::text::memlock::too_little_to_lock;
use crate::types::doctor_report::{Checkup, Outcome};
use crate::types::load_error::{CannotStart, Obstacle};
use tracers::trial;

/// Finds out what this kernel and the rights of this process let mapstop show. It takes some tenths
/// of a second: tracers are attached for a moment, and make updates a little slower meanwhile.
#[must_use]
pub fn examine() -> Checkup {
    let mut checkup = look();
    // libbpf has tried to raise it.
    checkup.rights.memory_to_lock = memory_to_lock();
    checkup
}

fn look() -> Checkup {
    let mut checkup = Checkup {
        host: host::host(),
        at: Timestamp::now(),
        outcome: Outcome::Shown,
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
    let mut kernel = Kernel::over(maps);
    let looker = Looker::with(owners, btf.as_ref());
    match cost::measure(&mut kernel, looker.ok()) {
        Ok((cost, owners_unknown)) => {
            checkup.cost = Some(cost);
            checkup.owners_unknown = owners_unknown;
        }
        Err(error) => {
            checkup.outcome = Outcome::Failed(format!("{error:#}"));
            return checkup;
        }
    }
    let (types, told) = map_types::look(&mut kernel);
    let mut losses = trial(&types);
    losses.types.extend(told);
    losses.types.sort_by_key(|of| of.map_type.0);
    checkup.types = types;
    checkup.losses = Some(losses);
    checkup
}

/// Why there are no maps to be shown, in a line.
fn outcome(error: &CannotStart) -> Outcome {
    let details = || error.details.clone();
    match &error.obstacle {
        Obstacle::NotPermitted { missing, .. } if missing.is_empty() => {
            let why =
                "something else than a missing capability forbids it: lockdown, seccomp or an LSM";
            Outcome::NotPermitted(format!("{why}; {}", details()))
        }
        Obstacle::NotPermitted { missing, .. } => {
            let verb = if missing.len() > 1 { "are" } else { "is" };
            Outcome::NotPermitted(format!("{} {verb} missing", missing.join(" and ")))
        }
        Obstacle::InUserNamespace => Outcome::NotPermitted(
            "in a user namespace no capability counts for the machine".to_owned(),
        ),
        Obstacle::LockedMemory { limit, .. } => Outcome::NotPermitted(too_little_to_lock(*limit)),
        Obstacle::LockedDown => Outcome::Unable(
            "lockdown=confidentiality lets no program read the kernel's memory".to_owned(),
        ),
        Obstacle::TooOld(_) => {
            Outcome::Unable("it is older than BPF iterators (Linux 5.8)".to_owned())
        }
        Obstacle::NoBtf(_) => Outcome::Unable(
            "it does not describe its structures: it was built without CONFIG_DEBUG_INFO_BTF=y"
                .to_owned(),
        ),
        Obstacle::NoSys => Outcome::Hidden(
            "/sys is not mounted here, where the kernel describes its structures".to_owned(),
        ),
        Obstacle::Failed => Outcome::Failed(details()),
    }
}
