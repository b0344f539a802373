//! Cgroups of our own, removed when they are dropped.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat, unlinkat};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

/// Cgroups below the root of the second hierarchy.
pub struct Cgroups {
    /// A mount that no one else sees, and that goes with its descriptor.
    root: OwnedFd,
    made: Vec<(String, OwnedFd)>,
}

impl Cgroups {
    pub fn new() -> Result<Self> {
        let mount = || {
            let context = fsopen("cgroup2", FsOpenFlags::FSOPEN_CLOEXEC)?;
            fsconfig_create(&context)?;
            fsmount(
                &context,
                FsMountFlags::FSMOUNT_CLOEXEC,
                MountAttrFlags::empty(),
            )
        };
        Ok(Self {
            root: mount().context("cannot mount cgroup2")?,
            made: Vec::new(),
        })
    }

    /// The first `count` of our cgroups.
    pub fn first(&mut self, count: usize) -> Result<impl Iterator<Item = &OwnedFd>> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        while self.made.len() < count {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("zoo-{}-{number}", std::process::id());
            mkdirat(&self.root, &name, Mode::RWXU).context("cannot make a cgroup")?;
            let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
            let fd = openat(&self.root, &name, flags, Mode::empty())?;
            self.made.push((name, fd));
        }
        Ok(self.made[..count].iter().map(|(_, fd)| fd))
    }
}

impl Drop for Cgroups {
    fn drop(&mut self) {
        for (name, _) in &self.made {
            // Nobody else knows of it, so it is empty.
            let _ = unlinkat(&self.root, name, AtFlags::REMOVEDIR);
        }
    }
}
