//! A temporary folder of a helper, with a bpffs and a cgroup that are removed with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::mount::{MoveMountFlags, UnmountFlags, move_mount, unmount};
use tempfile::TempDir;

use crate::support::mount;

/// A folder for a helper, optionally with a bpffs.
pub struct Folder {
    dir: TempDir,
    cgroup: Option<PathBuf>,
    is_mounted: bool,
}

impl Folder {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a folder"),
            cgroup: None,
            is_mounted: false,
        }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn pin(&self, name: &str) -> String {
        self.path().join("bpffs").join(name).display().to_string()
    }

    pub fn with_bpffs(mut self) -> Self {
        let place = self.path().join("bpffs");
        fs::create_dir(&place).expect("a folder");
        let mount = mount("bpf");
        let here = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
        move_mount(&mount, "", rustix::fs::CWD, &place, here).expect("it is mounted");
        self.is_mounted = true;
        self
    }

    /// Adds a cgroup under this one, whose path is written to a file.
    pub fn with_cgroup(mut self, root: &Path) -> Self {
        let cgroup = root.join(format!("mapstop-{}-{}", std::process::id(), self.name()));
        fs::create_dir(&cgroup).unwrap_or_else(|error| panic!("{}: {error}", cgroup.display()));
        fs::write(self.path().join("cgroup"), cgroup.display().to_string()).expect("a file");
        self.cgroup = Some(cgroup);
        self
    }

    fn name(&self) -> String {
        let name = self.path().file_name().expect("a name");
        name.to_string_lossy().replace('.', "")
    }

    /// The path of the cgroup in its hierarchy, if that begins at the root of its mount.
    pub fn cgroup(&self) -> String {
        let cgroup = self.cgroup.as_ref().expect("it was asked for");
        format!("/{}", cgroup.file_name().expect("a name").to_string_lossy())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = unmount(self.path().join("bpffs"), UnmountFlags::DETACH);
        }
        let Some(cgroup) = &self.cgroup else {
            return;
        };
        // Processes that ended in it may remain for a moment.
        let start = Instant::now();
        while fs::remove_dir(cgroup).is_err() && start.elapsed() < Duration::from_secs(2) {
            sleep(Duration::from_millis(20));
        }
    }
}
