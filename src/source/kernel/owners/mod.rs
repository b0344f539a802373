//! Ownership of maps: reads the iterators, `/proc`, bpffs and the links, and joins them.
//!
//! This costs more than a sample, so a thread does it at a longer interval ([`OwnershipWorker`]). What
//! cannot be read, for lack of a capability or on an old kernel, is unknown; the rest is not affected.

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

/// Collects the owners of all maps.
#[derive(Debug)]
pub struct OwnershipCollector {
    iterators: Iterators,
    /// Whether the iterators visit all processes, with the pids that this process sees; `None` if that is
    /// unknown.
    sees_processes: Option<bool>,
    /// Whether this is the mount namespace of the first process, where most pins are; `None` if that is
    /// unknown.
    sees_mounts: Option<bool>,
    /// What the last collection could not read.
    gaps: Vec<OwnershipGap>,
    /// Cgroups that maps are charged to.
    memcgs: Cgroups,
    /// Cgroups that programs are attached to.
    targets: Cgroups,
    pin_cache: PinCache,
    /// Ids of mapstop's own maps, excluded together with the programs that use only them.
    hidden: Vec<u32>,
    /// The last read, kept to use its memory again.
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
        // What is not loaded shows up as a gap; the log is for debugging.
        take_log();
        Self::from_iterators(iterators)
    }

    /// Uses these iterators, or else loads those that this kernel has, with an excerpt of its BTF if there
    /// is one.
    pub(super) fn with(loaded: Option<Iterators>, btf: Option<&File>) -> Result<Self> {
        Self::from_iterators(loaded.unwrap_or_else(|| {
            let iterators = Iterators::load(btf);
            // About the iterators that this kernel lacks.
            take_log();
            iterators
        }))
    }

    fn from_iterators(iterators: Iterators) -> Result<Self> {
        iterators.memcgs.as_ref().context("cannot list the maps")?;
        Ok(Self {
            iterators,
            sees_mounts: is_first_mount_namespace(),
            sees_processes: is_first_pid_namespace(),
            gaps: Vec::new(),
            memcgs: Cgroups::default(),
            targets: Cgroups::default(),
            pin_cache: PinCache::default(),
            hidden: Vec::new(),
            bytes: Vec::new(),
        })
    }

    /// Leaves out these maps, by their ids, and the programs that use only them.
    fn hide(&mut self, maps: &[u32]) {
        self.hidden.clear();
        self.hidden.extend(maps);
    }

    /// Reads everything once.
    ///
    /// # Errors
    ///
    /// When not even the maps can be listed; a later call may succeed.
    pub fn collect(&mut self) -> Result<Owners> {
        let at = host::now().uptime;
        // Maps first: a map created meanwhile would seem to have no owner. Then processes before pins: a map
        // that moves from a process to a pin meanwhile is seen twice instead of not at all.
        let mut found = RawOwnership {
            maps: self.read_maps()?,
            ..RawOwnership::default()
        };
        if self.sees_processes == Some(true) {
            (found.descriptors, found.mappings) = self.read_holders();
        }
        found.uses = self.read_uses();
        let mounts = mountinfo::read_mounts();
        let some_mounts = mounts.as_deref().unwrap_or_default();
        found.pins = mounts
            .is_some()
            .then(|| self.pin_cache.scan_mounts(some_mounts));
        if let Some(pins) = &mut found.pins
            && self.sees_mounts != Some(true)
        {
            pins.is_elsewhere = true;
        }
        found.outer = inner_maps::read_outer_maps(&found.maps);
        found.links =
            links::read_links(&mut self.targets, cgroup_index::unified_mount(some_mounts));
        let inodes = || found.maps.iter().filter_map(decode::charged_cgroup);
        self.memcgs
            .find(inodes(), cgroup_index::memory_mount(some_mounts));
        found.cgroup_paths = inodes()
            .filter_map(|inode| Some((inode, self.memcgs.path(inode)?.clone())))
            .collect();
        let pids: HashSet<u32> = found.pids().collect();
        found.cgroup_of_process = pids
            .into_iter()
            .filter_map(|pid| Some((pid, cgroup_index::of_process(pid)?)))
            .collect::<HashMap<_, _>>();
        self.gaps = find_gaps(&found, self.sees_processes, self.sees_mounts);
        // Messages about pins that could not be opened: they would pile up.
        take_log();
        Ok(found.join(at, note(&self.gaps)))
    }

    /// What the last collection could not read.
    #[must_use]
    pub fn gaps(&self) -> &[OwnershipGap] {
        &self.gaps
    }

    /// Reads what the processes hold, and returns the number of descriptors and mappings of maps, programs
    /// and links: the part of a collection that grows with the machine.
    pub fn count_held(&mut self) -> Option<usize> {
        let (descriptors, mappings) = self.read_holders();
        Some(descriptors?.len() + mappings.map_or(0, |held| held.len()))
    }

    fn read_maps(&mut self) -> Result<Vec<MemcgRecord>> {
        let link = self.iterators.memcgs.as_ref();
        let link = link.context("there is no iterator of maps")?;
        iter::drain(link, "map", &[], &mut self.bytes)?;
        let maps = decode::memcgs(&self.bytes);
        let is_shown = |map: &MemcgRecord| !self.hidden.contains(&map.map_id);
        Ok(maps.filter(is_shown).collect())
    }

    /// What other processes hold, by descriptors and by mappings.
    fn read_holders(&mut self) -> (Option<Vec<HolderRecord>>, Option<Vec<HolderRecord>>) {
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

    fn read_uses(&mut self) -> Option<Vec<ProgMapRecord>> {
        let link = self.iterators.programs.as_ref()?;
        iter::drain(link, "program", &[], &mut self.bytes).ok()?;
        let uses = decode::prog_maps(&self.bytes);
        let is_shown =
            |found: &ProgMapRecord| found.map_id != 0 && !self.hidden.contains(&found.map_id);
        Some(uses.filter(is_shown).collect())
    }
}

fn read_namespace(process: &str, kind: &str) -> Option<u64> {
    let about = fs::metadata(format!("/proc/{process}/ns/{kind}"));
    about.map(|about| about.ino()).ok()
}

/// Whether this process is in the first pid namespace; `None` if that is unknown.
pub(super) fn is_first_pid_namespace() -> Option<bool> {
    Some(read_namespace("self", "pid")? == FIRST_PID_NAMESPACE)
}

/// Whether this process is in the mount namespace of process 1; `None` if that is unknown: then a map
/// without pins may have some elsewhere. Reading the namespace of process 1 needs `CAP_SYS_PTRACE`; in
/// another pid namespace, process 1 is another one.
pub(super) fn is_first_mount_namespace() -> Option<bool> {
    let ours = read_namespace("self", "mnt")?;
    if ours == FIRST_MOUNT_NAMESPACE {
        return Some(true);
    }
    let first = read_namespace("1", "mnt").filter(|_| is_first_pid_namespace() == Some(true));
    Some(ours == first?)
}

/// The hierarchy that accounts for memory, in words; `None` if none is visible.
pub(super) fn find_memory_cgroup() -> Option<String> {
    let mounts = mountinfo::read_mounts()?;
    let mount = cgroup_index::memory_mount(&mounts)?;
    let version = if mount.kind == "cgroup2" { 2 } else { 1 };
    Some(format!("{} (version {version})", sanitize_path(mount)))
}

/// Where a bpffs is mounted; `None` if that is unknown.
pub(super) fn find_bpffs() -> Option<Vec<String>> {
    let mounts = mountinfo::read_mounts()?;
    let mounts = mounts.iter().filter(|mount| mount.kind == "bpf");
    Some(mounts.map(sanitize_path).collect())
}

fn sanitize_path(mount: &Mount) -> String {
    sanitize(mount.path.as_os_str().as_encoded_bytes()).into()
}

/// What could not be read. `sees_processes` and `sees_mounts` are as in [`OwnershipCollector`].
fn find_gaps(
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
    missing.map(|(_, gap)| gap).collect()
}
