//! A process that has loaded what it needs gives up what it no longer needs, for good.

use anyhow::{Context, Result};
use caps::{CapSet, Capability, CapsHashSet};

/// What takes capabilities at every read: kernels before 5.19 or so, at `BPF_ITER_CREATE`; and
/// tracers that are attached later.
const NEEDED: [Capability; 2] = [Capability::CAP_BPF, Capability::CAP_PERFMON];

/// What is left to a thread and all that it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DroppedCaps {
    /// None.
    None,
    /// These, named, as reading takes them.
    Kept(String),
}

/// Gives up the capabilities of this thread, of those it starts, and of all that those could run,
/// but for the few without which `can_read` says that reading fails, or that `keeps_needed` wants
/// kept.
///
/// # Errors
///
/// When the kernel refuses a process to have less than it has.
pub fn drop_capabilities(
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
    // The bounding set takes CAP_SETPCAP, so that it comes first.
    caps::set(None, CapSet::Effective, &had)?;
    if had.contains(&Capability::CAP_SETPCAP) {
        caps::clear(None, CapSet::Bounding)?;
    }
    // Kernels without ambient capabilities have none to give up.
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

/// Whether reading works with these alone, which can still be taken back.
fn is_enough(kept: &CapsHashSet, can_read: &mut impl FnMut() -> bool) -> Result<bool> {
    caps::set(None, CapSet::Effective, kept)?;
    Ok(can_read())
}

/// Those needed, or the one that allows all that they do.
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

    /// What a thread is left with whose reads take these.
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
    fn nothing_is_left_where_nothing_is_needed() {
        let (left, sets) = left(&[], false);
        assert_eq!(left, DroppedCaps::None);
        assert!(sets.iter().all(CapsHashSet::is_empty), "{sets:?}");
    }

    #[test]
    fn what_reading_takes_is_left_and_no_more() {
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
    fn the_capability_that_allows_everything_is_kept_where_there_is_no_other() {
        let had = CapsHashSet::from([Capability::CAP_SYS_ADMIN, Capability::CAP_KILL]);
        let kept = CapsHashSet::from([Capability::CAP_SYS_ADMIN]);
        assert_eq!(needed(&had), kept);
        assert_eq!(needed(&CapsHashSet::new()), CapsHashSet::new());
    }
}
