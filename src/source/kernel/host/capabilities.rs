//! The capabilities of this process, and how it drops those that it no longer needs.

use anyhow::{Context, Result};
use caps::{CapSet, Capability, CapsHashSet};

/// Kernels before about 5.19 require these for every read (`BPF_ITER_CREATE`), and all kernels to attach
/// a tracer.
const NEEDED: [Capability; 2] = [Capability::CAP_BPF, Capability::CAP_PERFMON];

/// The effective capabilities of this thread.
#[derive(Debug)]
pub(crate) struct EffectiveCaps(CapsHashSet);

impl EffectiveCaps {
    /// None if they cannot be read.
    pub(crate) fn read() -> Self {
        Self(caps::read(None, CapSet::Effective).unwrap_or_default())
    }

    /// Whether the thread may do what this one allows. `CAP_SYS_ADMIN` includes `CAP_BPF` and
    /// `CAP_PERFMON`.
    pub(crate) fn allow(&self, name: &str) -> bool {
        let Ok(capability) = name.parse::<Capability>() else {
            return false;
        };
        self.0.contains(&capability)
            || NEEDED.contains(&capability) && self.0.contains(&Capability::CAP_SYS_ADMIN)
    }
}

/// The capabilities that a thread keeps, and passes to those it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DroppedCaps {
    /// No capability is needed.
    None,
    /// The names of those that reading needs.
    Kept(String),
}

/// Drops the capabilities of this thread, of those it starts, and of every program that those could
/// run, except for the few without which `can_read` fails, or that `keeps_needed` keeps.
///
/// # Errors
///
/// When the kernel does not let a process drop capabilities.
pub(crate) fn drop_capabilities(
    mut can_read: impl FnMut() -> bool,
    keeps_needed: bool,
) -> Result<DroppedCaps> {
    rustix::thread::set_no_new_privs(true).context("cannot give up privileges")?;
    let had = caps::read(None, CapSet::Effective)?;
    let mut kept = CapsHashSet::new();
    if keeps_needed || !is_enough(&kept, &mut can_read)? {
        kept = needed(&had);
        if !is_enough(&kept, &mut can_read)? {
            kept.clone_from(&had);
        }
    }
    // Clearing the bounding set takes CAP_SETPCAP, so that it comes first.
    caps::set(None, CapSet::Effective, &had)?;
    if had.contains(&Capability::CAP_SETPCAP) {
        caps::clear(None, CapSet::Bounding)?;
    }
    // Kernels without ambient capabilities have none to drop.
    let _ = caps::clear(None, CapSet::Ambient);
    caps::set(None, CapSet::Effective, &kept)?;
    caps::set(None, CapSet::Permitted, &kept)?;
    caps::clear(None, CapSet::Inheritable)?;
    let mut names: Vec<_> = kept.iter().map(ToString::to_string).collect();
    names.sort();
    Ok(if names.is_empty() {
        DroppedCaps::None
    } else {
        DroppedCaps::Kept(names.join(" and "))
    })
}

/// Whether reading works with these alone. The permitted set is untouched, so that this can be undone.
fn is_enough(kept: &CapsHashSet, can_read: &mut impl FnMut() -> bool) -> Result<bool> {
    caps::set(None, CapSet::Effective, kept)?;
    Ok(can_read())
}

/// The needed ones, or `CAP_SYS_ADMIN`, which includes them.
fn needed(had: &CapsHashSet) -> CapsHashSet {
    let needed = CapsHashSet::from(NEEDED);
    if needed.is_subset(had) {
        return needed;
    }
    let all = CapsHashSet::from([Capability::CAP_SYS_ADMIN]);
    had.intersection(&(&needed | &all)).copied().collect()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// What is left to a thread whose reads take these.
    fn left(needs: &'static [Capability], keeps_needed: bool) -> (DroppedCaps, Vec<CapsHashSet>) {
        let confined = thread::spawn(move || {
            let can_read = || {
                let has = caps::read(None, CapSet::Effective).expect("own capabilities");
                needs.iter().all(|need| has.contains(need))
            };
            let left = drop_capabilities(can_read, keeps_needed).expect("less than before");
            let sets = [
                CapSet::Effective,
                CapSet::Permitted,
                CapSet::Inheritable,
                CapSet::Ambient,
                CapSet::Bounding,
            ];
            let sets = sets.map(|set| caps::read(None, set).expect("own capabilities"));
            (left, sets.to_vec())
        });
        confined.join().expect("a thread")
    }

    #[test]
    fn cap_sys_admin_includes_cap_bpf_and_cap_perfmon_alone() {
        let admin = EffectiveCaps(CapsHashSet::from([Capability::CAP_SYS_ADMIN]));
        assert!(
            admin.allow("CAP_BPF") && admin.allow("CAP_PERFMON") && admin.allow("CAP_SYS_ADMIN")
        );
        assert!(!admin.allow("CAP_SYS_PTRACE") && !admin.allow("CAP_NONSENSE"));
        assert!(!EffectiveCaps(CapsHashSet::new()).allow("CAP_BPF"));
    }

    #[test]
    fn no_capability_is_kept_if_none_is_needed() {
        let (left, sets) = left(&[], false);
        assert_eq!(left, DroppedCaps::None);
        assert!(sets.iter().all(CapsHashSet::is_empty), "{sets:?}");
    }

    #[test]
    fn only_capabilities_for_reading_are_kept() {
        let needed = CapsHashSet::from(NEEDED);
        for (needs, keeps_needed) in [(&NEEDED[..], false), (&[], true)] {
            let (left, sets) = left(needs, keeps_needed);
            assert_eq!(
                left,
                DroppedCaps::Kept("CAP_BPF and CAP_PERFMON".to_owned())
            );
            assert_eq!(sets[..2], [needed.clone(), needed.clone()]);
            assert!(sets[2..].iter().all(CapsHashSet::is_empty), "{sets:?}");
        }
    }

    #[test]
    fn cap_sys_admin_is_kept_where_cap_bpf_does_not_exist() {
        let had = CapsHashSet::from([Capability::CAP_SYS_ADMIN, Capability::CAP_KILL]);
        let kept = CapsHashSet::from([Capability::CAP_SYS_ADMIN]);
        assert_eq!(needed(&had), kept);
        assert_eq!(needed(&CapsHashSet::new()), CapsHashSet::new());
    }
}
