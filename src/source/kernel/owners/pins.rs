//! What is pinned where in every visible bpffs.
//!
//! A file has to be opened to learn what it pins, which adds a reference for a moment. So each file is
//! opened once, and the result is cached for as long as the file stays the same.

use std::collections::{HashMap, HashSet};
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use compact_str::CompactString;
use libbpf_rs::Link;

use super::mountinfo::Mount;
use crate::text::sanitize::sanitize;

/// Files and folders that are visited in one collection.
const MAX_FILES: usize = 65_536;
/// Nesting of folders.
const MAX_DEPTH: usize = 32;

/// What a file pins: of a link, also what the link holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pinned {
    /// The map that is pinned, or that the link belongs to.
    pub map: Option<u32>,
    /// The program that is pinned, or that of the link.
    pub program: Option<u32>,
    pub link: Option<u32>,
}

impl Pinned {
    /// Parses a file of `/proc/self/fdinfo`.
    fn parse(fdinfo: &str) -> Option<Self> {
        let field = |wanted: &str| {
            let mut lines = fdinfo.lines().filter_map(|line| line.split_once(':'));
            lines
                .find(|(name, _)| *name == wanted)?
                .1
                .trim()
                .parse()
                .ok()
        };
        let found = Self {
            map: field("map_id"),
            program: field("prog_id"),
            link: field("link_id"),
        };
        (found != Self::default()).then_some(found)
    }
}

#[derive(Debug, Default)]
pub struct Pins {
    /// Sanitized paths, sorted, and what is pinned there.
    pub list: Vec<(CompactString, Pinned)>,
    /// Some could not be read: there may be more.
    pub is_unreadable: bool,
    /// There were too many to visit.
    pub is_cut: bool,
    /// There may be others in another mount namespace.
    pub is_elsewhere: bool,
}

/// The content of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Pinned(Pinned),
    /// It is deleted, or an iterator of the kernel, which cannot be opened as an object.
    Nothing,
    /// Opening it is not permitted.
    Refused,
}

/// Identifies an unchanged file: inode number and change time.
type InodeVersion = (u64, i64, i64);

/// What each file pinned when it was opened.
#[derive(Debug, Default)]
pub struct PinCache {
    files: HashMap<PathBuf, (InodeVersion, Content)>,
}

impl PinCache {
    /// Visits the bpffs among these mounts, and opens new files.
    pub(crate) fn scan_mounts(&mut self, mounts: &[Mount]) -> Pins {
        let mut walk = Walk {
            before: std::mem::take(&mut self.files),
            after: HashMap::new(),
            seen: HashSet::new(),
            pins: Pins::default(),
        };
        for mount in mounts.iter().filter(|mount| mount.kind == "bpf") {
            walk.mount(mount);
        }
        self.files = walk.after;
        walk.pins.list.sort_by(|(a, _), (b, _)| a.cmp(b));
        walk.pins
    }
}

struct Walk {
    before: HashMap<PathBuf, (InodeVersion, Content)>,
    after: HashMap<PathBuf, (InodeVersion, Content)>,
    /// Device and inode: a file that is mounted twice is listed once.
    seen: HashSet<(u64, u64)>,
    pins: Pins,
}

impl Walk {
    fn mount(&mut self, mount: &Mount) {
        let root = match fs::symlink_metadata(&mount.path) {
            Ok(root) => root,
            Err(error) => {
                self.pins.is_unreadable |= error.kind() != ErrorKind::NotFound;
                return;
            }
        };
        let device = root.dev();
        if (rustix::fs::major(device), rustix::fs::minor(device)) != mount.device {
            // Another mount hides it.
            return;
        }
        if !self.seen.insert((device, root.ino())) {
            return;
        }
        let mut open = vec![(mount.path.clone(), 0)];
        while let Some((folder, depth)) = open.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    self.pins.is_unreadable |= error.kind() != ErrorKind::NotFound;
                    continue;
                }
            };
            for path in entries.flatten().map(|entry| entry.path()) {
                // Deleted meanwhile.
                let Ok(about) = fs::symlink_metadata(&path) else {
                    continue;
                };
                if about.dev() != device || !self.seen.insert((device, about.ino())) {
                    continue;
                }
                if self.seen.len() > MAX_FILES || depth >= MAX_DEPTH {
                    self.pins.is_cut = true;
                    return;
                }
                if about.is_dir() {
                    open.push((path, depth + 1));
                } else if about.is_file() {
                    self.file(path, &about);
                }
            }
        }
    }

    fn file(&mut self, path: PathBuf, about: &Metadata) {
        let identity = (about.ino(), about.ctime(), about.ctime_nsec());
        let content = match self.before.remove(&path) {
            Some((before, content)) if before == identity => content,
            _ => open(&path),
        };
        match content {
            Content::Pinned(pinned) => {
                let path = sanitize(path.as_os_str().as_encoded_bytes());
                self.pins.list.push((path, pinned));
            }
            Content::Nothing => {}
            Content::Refused => self.pins.is_unreadable = true,
        }
        self.after.insert(path, (identity, content));
    }
}

fn open(path: &Path) -> Content {
    // Opens an object of any kind, despite its name.
    let object = match Link::open(path) {
        Ok(object) => object,
        Err(error) if error.kind() == libbpf_rs::ErrorKind::NotFound => return Content::Nothing,
        Err(_) => return Content::Refused,
    };
    let fdinfo = format!("/proc/self/fdinfo/{}", object.as_fd().as_raw_fd());
    let fdinfo = fs::read_to_string(fdinfo).ok();
    let pinned = fdinfo.and_then(|text| Pinned::parse(&text));
    pinned.map_or(Content::Refused, Content::Pinned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fdinfo_identifies_maps_programs_and_links() {
        let pinned = |text: &str| Pinned::parse(text).map(|p| (p.map, p.program, p.link));
        let map = "pos:\t0\nmap_type:\t1\nmap_id:\t17\nfrozen:\t0\n";
        assert_eq!(pinned(map), Some((Some(17), None, None)));
        let program = "prog_type:\t6\nprog_id:\t8\n";
        assert_eq!(pinned(program), Some((None, Some(8), None)));
        let link = "link_type:\txdp\nlink_id:\t3\nprog_tag:\tab\nprog_id:\t8\nifindex:\t2\n";
        assert_eq!(pinned(link), Some((None, Some(8), Some(3))));
        let struct_ops = "link_type:\tstruct_ops\nlink_id:\t4\nmap_id:\t17\n";
        assert_eq!(pinned(struct_ops), Some((Some(17), None, Some(4))));
        assert_eq!(pinned("pos:\t0\n"), None);
    }
}
