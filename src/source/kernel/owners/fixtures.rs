//! Entry points for fuzz and property tests, with arbitrary bytes in place of the kernel's records.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::resolve::RawOwnership;
use super::{cgroup_index, decode, mountinfo};
use crate::types::ownership::Owners;

/// The owners of maps from the bytes of the iterators of memory cgroups, holders and programs.
pub(crate) fn owners_of([memcgs, holders, prog_maps]: [&[u8]; 3], at: Duration) -> Owners {
    let found = RawOwnership {
        maps: decode::memcgs(memcgs).collect(),
        descriptors: Some(decode::holders(holders).collect()),
        uses: Some(decode::prog_maps(prog_maps).collect()),
        links: Some(Vec::new()),
        ..RawOwnership::default()
    };
    found.join(at, None)
}

/// The cgroup path in the lines of `/proc/PID/cgroup`.
pub(crate) fn cgroup_of(lines: &[u8]) -> Option<Arc<str>> {
    cgroup_index::in_lines(lines)
}

/// Mount points and mounted folders in the text of `/proc/self/mountinfo`.
pub(crate) fn mounted_at(mountinfo: &[u8]) -> Vec<(PathBuf, PathBuf)> {
    let mounts = mountinfo::in_text(mountinfo).into_iter();
    mounts.map(|mount| (mount.path, mount.root)).collect()
}
