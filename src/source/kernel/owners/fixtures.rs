//! What the kernel said, given from elsewhere: any bytes become whose the maps are. For tests.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::resolve::RawOwnership;
use super::{cgroup_index, decode, mountinfo};
use crate::types::ownership::Owners;

/// Whose maps are when three iterators gave these bytes: who pays, who holds, and what uses them.
pub(crate) fn owners_of([payers, held, uses]: [&[u8]; 3], at: Duration) -> Owners {
    let found = RawOwnership {
        maps: decode::memcgs(payers).collect(),
        descriptors: Some(decode::holders(held).collect()),
        uses: Some(decode::prog_maps(uses).collect()),
        links: Some(Vec::new()),
        ..RawOwnership::default()
    };
    found.join(at, None)
}

/// The cgroup of a process with these lines in `/proc/PID/cgroup`.
pub(crate) fn cgroup_of(lines: &[u8]) -> Option<Arc<str>> {
    cgroup_index::in_lines(lines)
}

/// Where file systems are mounted by this `/proc/self/mountinfo`, and which of their folders.
pub(crate) fn mounted_at(mountinfo: &[u8]) -> Vec<(PathBuf, PathBuf)> {
    let mounts = mountinfo::in_text(mountinfo).into_iter();
    mounts.map(|mount| (mount.path, mount.root)).collect()
}
