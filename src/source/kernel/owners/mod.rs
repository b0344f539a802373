//! Looks up whose the maps are: reads the iterators, `/proc`, bpffs and links, and joins them.
//!
//! It costs more than a sample, so that it has a thread and a slower beat of its own ([`OwnershipWorker`]).
//! Whatever is refused, for lack of a capability or of the kernel's age, makes its list unknown
//! and leaves the others as they are.

pub(crate) mod cgroup_index;
pub(crate) mod decode;
pub(crate) mod fixtures;
pub(crate) mod inner_maps;
pub(crate) mod iterators;
pub(crate) mod links;
pub(crate) mod mountinfo;
pub(crate) mod pins;
pub(crate) mod resolve;
#[cfg(test)]
mod tests;
pub(crate) mod worker;

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;

use anyhow::{Context, Result};
use libbpf_rs::Link;

use super::bpf::iter;
use super::host;
use crate::source::kernel::bpf::libbpf_log::{capture_log, take_log};
use crate::source::kernel::bpf::loader::btf_excerpt;
use crate::text::sanitize::sanitize;
use crate::types::ownership::Owners;
use crate::types::ownership_gap::{OwnershipGap, note};
use cgroup_index::Cgroups;
use decode::{HolderRecord, MemcgRecord, ProgMapRecord};
use mountinfo::Mount;
use pins::{PinCache, Pins};
use resolve::RawOwnership;

pub(super) use cgroup_index::is_memory_of_version_1;
pub(crate) use fixtures::{cgroup_of, mounted_at, owners_of};
pub(super) use iterators::Iterators;
pub use worker::OwnershipWorker;

/// The inode of the first pid namespace (`PROC_PID_INIT_INO`).
const FIRST_PID_NAMESPACE: u64 = 0xefff_fffc;

/// The inode of the first mount namespace (`MNT_NS_INIT_INO`), since 6.18; before, it is any.
const FIRST_MOUNT_NAMESPACE: u64 = 0xefff_fff8;

/// Looks up whose the maps are, whenever it is asked.
#[derive(Debug)]
pub struct OwnershipCollector {
    iterators: Iterators,
    /// Whether the processes that the iterators visit are all there are, under their own numbers, if
    /// that is known.
    sees_processes: Option<bool>,
    /// Whether this is the mount namespace of the first process, where pins are mostly made, if that
    /// is known.
    sees_mounts: Option<bool>,
    /// What the last look could not tell.
    unknown: Vec<OwnershipGap>,
    /// Those that pay for memory.
    payers: Cgroups,
    /// Those that programs are attached to.
    targets: Cgroups,
    opened: PinCache,
    /// Maps of our own, which are nobody's business, and with them the programs that use them.
    hidden: Vec<u32>,
    /// What the last read gave, kept so that its memory is used again.
    bytes: Vec<u8>,
}

impl OwnershipCollector {
    /// Loads the iterators that this kernel has.
    ///
    /// # Errors
    ///
    /// When not even the maps can be listed.
    pub fn new() -> Result<Self> {
        capture_log();
        let iterators = Iterators::load(btf_excerpt().as_ref());
        // What is not loaded is noted; the reasons are for those who debug.
        take_log();
        Self::over(iterators)
    }

    /// By these iterators, or by those that this kernel has, for which there may be an excerpt of its
    /// BTF.
    pub(super) fn with(loaded: Option<Iterators>, btf: Option<&File>) -> Result<Self> {
        Self::over(loaded.unwrap_or_else(|| {
            let iterators = Iterators::load(btf);
            // Of those that this kernel has not.
            take_log();
            iterators
        }))
    }

    /// Over iterators that are loaded.
    fn over(iterators: Iterators) -> Result<Self> {
        iterators.payers.as_ref().context("cannot list the maps")?;
        Ok(Self {
            iterators,
            sees_mounts: first_mount_namespace(),
            sees_processes: is_first_pid_namespace(),
            unknown: Vec::new(),
            payers: Cgroups::default(),
            targets: Cgroups::default(),
            opened: PinCache::default(),
            hidden: Vec::new(),
            bytes: Vec::new(),
        })
    }

    /// Leaves out these maps, by their ids, and those programs that use no others.
    fn hide(&mut self, maps: &[u32]) {
        self.hidden.clear();
        self.hidden.extend(maps);
    }

    /// Looks once.
    ///
    /// # Errors
    ///
    /// When not even the maps can be listed; a later look may succeed.
    pub fn collect(&mut self) -> Result<Owners> {
        let at = host::now().uptime;
        // Maps first: one made meanwhile would seem to have no owner. Then those who hand a map on,
        // before those who get it: what goes from a process to a pin is then seen twice, not never.
        let mut found = RawOwnership {
            maps: self.maps()?,
            ..RawOwnership::default()
        };
        if self.sees_processes == Some(true) {
            (found.descriptors, found.mappings) = self.holders();
        }
        found.uses = self.uses();
        let mounts = mountinfo::mounts();
        let some_mounts = mounts.as_deref().unwrap_or_default();
        found.pins = mounts
            .is_some()
            .then(|| self.opened.scan_mounts(some_mounts));
        if let Some(pins) = &mut found.pins
            && self.sees_mounts != Some(true)
        {
            pins.is_elsewhere = true;
        }
        found.outer = inner_maps::look(&found.maps);
        found.links = links::links(&mut self.targets, cgroup_index::unified_mount(some_mounts));
        let inodes = || found.maps.iter().filter_map(decode::charged_cgroup);
        self.payers
            .find(inodes(), cgroup_index::memory_mount(some_mounts));
        found.cgroup_paths = inodes()
            .filter_map(|inode| Some((inode, self.payers.path(inode)?.clone())))
            .collect();
        let pids: HashSet<u32> = found.pids().collect();
        found.cgroup_of_process = pids
            .into_iter()
            .filter_map(|pid| Some((pid, cgroup_index::of_process(pid)?)))
            .collect::<HashMap<_, _>>();
        self.unknown = ownership_gaps(&found, self.sees_processes, self.sees_mounts);
        // Of pins that could not be opened; else it would pile up.
        take_log();
        Ok(found.join(at, note(&self.unknown)))
    }

    /// What the last look could not tell.
    #[must_use]
    pub fn unknown(&self) -> &[OwnershipGap] {
        &self.unknown
    }

    /// Reads what the processes hold, and gives how many descriptors and mappings of maps,
    /// programs and links there were: the part of a look that grows with the machine.
    pub fn count_held(&mut self) -> Option<usize> {
        let (descriptors, mappings) = self.holders();
        Some(descriptors?.len() + mappings.map_or(0, |held| held.len()))
    }

    fn maps(&mut self) -> Result<Vec<MemcgRecord>> {
        let link = self.iterators.payers.as_ref();
        let link = link.context("there is no iterator of maps")?;
        iter::drain(link, "map", &[], &mut self.bytes)?;
        let maps = decode::memcgs(&self.bytes);
        let is_shown = |map: &MemcgRecord| !self.hidden.contains(&map.map_id);
        Ok(maps.filter(is_shown).collect())
    }

    /// What processes other than this one hold, by descriptors and by mappings.
    fn holders(&mut self) -> (Option<Vec<HolderRecord>>, Option<Vec<HolderRecord>>) {
        let own = std::process::id();
        let mut read = |link: Option<&Link>, what| {
            iter::drain(link?, what, &[], &mut self.bytes).ok()?;
            let others = decode::holders(&self.bytes).filter(|held| held.tgid != own);
            Some(others.collect())
        };
        (
            read(self.iterators.descriptors.as_ref(), "descriptor"),
            read(self.iterators.mappings.as_ref(), "mapping"),
        )
    }

    fn uses(&mut self) -> Option<Vec<ProgMapRecord>> {
        let link = self.iterators.programs.as_ref()?;
        iter::drain(link, "program", &[], &mut self.bytes).ok()?;
        let uses = decode::prog_maps(&self.bytes);
        let is_shown =
            |found: &ProgMapRecord| found.map_id != 0 && !self.hidden.contains(&found.map_id);
        Some(uses.filter(is_shown).collect())
    }
}

/// The inode of a namespace of a process.
fn namespace(process: &str, kind: &str) -> Option<u64> {
    let about = fs::metadata(format!("/proc/{process}/ns/{kind}"));
    about.map(|about| about.ino()).ok()
}

/// Whether this process is in the first pid namespace; `None` if that cannot be told.
pub(super) fn is_first_pid_namespace() -> Option<bool> {
    Some(namespace("self", "pid")? == FIRST_PID_NAMESPACE)
}

/// Whether this process is in the mount namespace of the first one; `None` if that cannot be told:
/// pins are then not known to be none. To ask for that of the first process takes `CAP_SYS_PTRACE`;
/// in a pid namespace, which has a first process of its own, there is nobody to ask.
pub(super) fn first_mount_namespace() -> Option<bool> {
    let ours = namespace("self", "mnt")?;
    if ours == FIRST_MOUNT_NAMESPACE {
        return Some(true);
    }
    let first = namespace("1", "mnt").filter(|_| is_first_pid_namespace() == Some(true));
    Some(ours == first?)
}

/// The hierarchy whose cgroups pay for memory, in words; `None` if none can be seen.
pub(super) fn memory_cgroup() -> Option<String> {
    let mounts = mountinfo::mounts()?;
    let mount = cgroup_index::memory_mount(&mounts)?;
    let version = if mount.kind == "cgroup2" { 2 } else { 1 };
    Some(format!("{} (version {version})", path_of(mount)))
}

/// Where a bpffs is mounted; `None` if that cannot be told.
pub(super) fn bpffs() -> Option<Vec<String>> {
    let mounts = mountinfo::mounts()?;
    let mounts = mounts.iter().filter(|mount| mount.kind == "bpf");
    Some(mounts.map(path_of).collect())
}

fn path_of(mount: &Mount) -> String {
    sanitize(mount.path.as_os_str().as_encoded_bytes()).into()
}

/// What is missing in what was found; and whether all processes and all mounts are seen, if that is
/// known.
fn ownership_gaps(
    found: &RawOwnership,
    sees_processes: Option<bool>,
    sees_mounts: Option<bool>,
) -> Vec<OwnershipGap> {
    let is_asked = sees_processes == Some(true);
    let pins = found.pins.as_ref();
    let has = |is_so: fn(&Pins) -> bool| pins.is_some_and(is_so);
    let all = [
        (sees_processes == Some(false), OwnershipGap::OtherProcesses),
        (sees_processes.is_none(), OwnershipGap::AllProcesses),
        (
            is_asked && found.descriptors.is_none(),
            OwnershipGap::Descriptors,
        ),
        (is_asked && found.mappings.is_none(), OwnershipGap::Mappings),
        (found.uses.is_none(), OwnershipGap::Programs),
        (
            found.uses.is_some() && !found.has_all_uses(),
            OwnershipGap::SomePrograms,
        ),
        (found.links.is_none(), OwnershipGap::Links),
        (pins.is_none(), OwnershipGap::Mounts),
        (has(|pins| pins.is_unreadable), OwnershipGap::SomePins),
        (
            pins.is_some() && sees_mounts == Some(false),
            OwnershipGap::OtherPins,
        ),
        (
            pins.is_some() && sees_mounts.is_none(),
            OwnershipGap::AllPins,
        ),
        (has(|pins| pins.is_cut), OwnershipGap::ManyPins),
        (found.outer.is_refused, OwnershipGap::OuterMaps),
        (found.outer.is_cut, OwnershipGap::LargeOuterMaps),
    ];
    let missing = all.into_iter().filter(|(is_missing, _)| *is_missing);
    missing.map(|(_, unknown)| unknown).collect()
}
