//! Cgroup paths, of a process or of an inode number.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::mountinfo::Mount;
use crate::text::sanitize::sanitize;

/// Folders that are searched for unknown inodes in one collection.
const MAX_FOLDERS: usize = 100_000;

/// The cgroup path of a process, as the process sees it; `None` if it cannot be read.
pub(crate) fn of_process(pid: u32) -> Option<Arc<str>> {
    in_lines(&fs::read(format!("/proc/{pid}/cgroup")).ok()?)
}

/// The path in the lines of `/proc/PID/cgroup`.
pub(super) fn in_lines(lines: &[u8]) -> Option<Arc<str>> {
    Some(sanitize(path_in(lines)?).as_str().into())
}

/// The path of the hierarchy that accounts for memory, in lines as `4:memory:/docker/ab` and
/// `0::/docker/ab`. That is version 1 if it has a line for memory; version 2 may be mounted, but empty,
/// beside it.
fn path_in(lines: &[u8]) -> Option<&[u8]> {
    let lines = || {
        lines.split(|byte| *byte == b'\n').filter_map(|line| {
            let mut parts = line.splitn(3, |byte| *byte == b':').skip(1);
            Some((parts.next()?, parts.next()?))
        })
    };
    let path_of = |wanted: &[u8]| {
        let mut lines = lines();
        lines.find(|(names, _)| names.split(|byte| *byte == b',').any(|name| name == wanted))
    };
    let found = path_of(b"memory")
        .or_else(|| path_of(b""))
        .or_else(|| path_of(b"name=systemd"));
    Some(found.or_else(|| lines().next())?.1)
}

/// The mount of the hierarchy that accounts for memory, if it is visible.
pub(crate) fn memory_mount(mounts: &[Mount]) -> Option<&Mount> {
    if is_memory_of_version_1() {
        // Inode numbers repeat between hierarchies: in version 2 they are other cgroups.
        let mut mounts = mounts.iter();
        return mounts.find(|mount| mount.kind == "cgroup" && mount.has("memory"));
    }
    unified_mount(mounts)
}

/// Whether memory is charged to a hierarchy of version 1, mounted or not.
pub(crate) fn is_memory_of_version_1() -> bool {
    let own = fs::read("/proc/self/cgroup").unwrap_or_default();
    let own = String::from_utf8_lossy(&own);
    let is_memory = |line: &str| {
        line.split(':')
            .nth(1)
            .is_some_and(|n| n.split(',').any(|n| n == "memory"))
    };
    own.lines().any(is_memory)
}

/// The hierarchy of version 2, to which programs are attached.
pub(crate) fn unified_mount(mounts: &[Mount]) -> Option<&Mount> {
    mounts.iter().find(|mount| mount.kind == "cgroup2")
}

/// The cgroups of one hierarchy by inode number. Numbers are never reused, so that results stay valid.
#[derive(Debug, Default)]
pub struct Cgroups {
    paths: HashMap<u64, Arc<str>>,
    /// Not found: deleted, or not visible to this process.
    missing: HashSet<u64>,
}

impl Cgroups {
    /// `None` unless [`Self::find`] found it.
    pub fn path(&self, inode: u64) -> Option<&Arc<str>> {
        self.paths.get(&inode)
    }

    /// Searches for those of these inodes that are unknown.
    pub fn find(&mut self, inodes: impl Iterator<Item = u64>, mount: Option<&Mount>) {
        let is_new = |inode: &u64| !self.paths.contains_key(inode) && !self.missing.contains(inode);
        let mut wanted: HashSet<u64> = inodes.filter(is_new).collect();
        let Some(mount) = mount.filter(|_| !wanted.is_empty()) else {
            return;
        };
        // A mount in a cgroup namespace may begin above what that names.
        let is_above = mount.root.starts_with("/..");
        let base = if is_above {
            Path::new("/")
        } else {
            &mount.root
        };
        if let Ok(root) = fs::metadata(&mount.path) {
            self.keep(root.ino(), base, &mut wanted);
        }
        let mut open = vec![(mount.path.clone(), base.to_owned())];
        let mut visited = 0;
        while let Some((folder, path)) = open.pop() {
            visited += 1;
            if wanted.is_empty() || visited > MAX_FOLDERS {
                break;
            }
            for (inode, name) in folders_in(&folder) {
                let path = path.join(&name);
                self.keep(inode, &path, &mut wanted);
                open.push((folder.join(&name), path));
            }
        }
        self.missing.extend(wanted);
    }

    fn keep(&mut self, inode: u64, path: &Path, wanted: &mut HashSet<u64>) {
        if wanted.remove(&inode) {
            let path = sanitize(path.as_os_str().as_encoded_bytes());
            self.paths.insert(inode, path.as_str().into());
        }
    }
}

/// The subfolders with their inodes, without a stat(2) for each; none if the folder is deleted.
fn folders_in(folder: &Path) -> impl Iterator<Item = (u64, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        is_folder.then(|| (entry.ino(), entry.file_name().into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hierarchy_of_memory_names_a_process() {
        let path = |lines: &str| {
            let path = path_in(lines.as_bytes())?;
            Some(String::from_utf8_lossy(path).into_owned())
        };
        let is = |lines, expected: &str| assert_eq!(path(lines).as_deref(), Some(expected));
        is("0::/user.slice/a:b\n", "/user.slice/a:b");
        is(
            "5:devices:/d\n4:memory,x:/m\n1:name=systemd:/s\n0::/\n",
            "/m",
        );
        is("5:devices:/d\n1:name=systemd:/s\n0::/u\n", "/u");
        is("5:devices:/d\n1:name=systemd:/s\n", "/s");
        is("5:devices:/d\n", "/d");
        assert_eq!(path("nonsense"), None);
    }

    #[test]
    fn cgroups_are_found_by_inode_and_misses_are_remembered() {
        let root = tempfile::tempdir().expect("a folder");
        let inner = root.path().join("a/b");
        fs::create_dir_all(&inner).expect("folders");
        let inode = |path: &Path| fs::metadata(path).expect("it is there").ino();
        let mount = Mount {
            device: (0, 0),
            root: "/docker".into(),
            path: root.path().to_owned(),
            kind: "cgroup2".to_owned(),
            options: String::new(),
        };
        let inodes = [inode(&inner), inode(root.path()), 1];
        let mut cgroups = Cgroups::default();
        cgroups.find(inodes.into_iter(), Some(&mount));
        let paths = inodes.map(|inode| cgroups.path(inode).map(ToString::to_string));
        assert_eq!(
            paths,
            [Some("/docker/a/b".into()), Some("/docker".into()), None]
        );
        assert_eq!(cgroups.missing, HashSet::from([1]));
        // Known, although it is no longer there.
        drop(root);
        cgroups.find(inodes.into_iter(), Some(&mount));
        assert!(cgroups.path(inodes[0]).is_some());
    }
}
