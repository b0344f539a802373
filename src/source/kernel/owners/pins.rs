//! Every bpffs that this process can see becomes a list of what is pinned where.
//!
//! To learn what a file pins takes opening it, which adds a reference for a moment; so each file is
//! opened once and remembered for as long as it stays the same.

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

/// Files and folders that are looked at in one look.
const MAX_FILES: usize = 65_536;
/// Folders in folders.
const MAX_DEPTH: usize = 32;

/// What a file pins. Of a link, what that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pinned {
    /// A map: pinned, or one that the link is made of.
    pub map: Option<u32>,
    /// A program: pinned, or the link's.
    pub program: Option<u32>,
    /// A link.
    pub link: Option<u32>,
}

impl Pinned {
    /// As `/proc/self/fdinfo` describes a descriptor of it.
    fn parse(fdinfo: &str) -> Option<Self> {
        let of = |wanted: &str| {
            let mut lines = fdinfo.lines().filter_map(|line| line.split_once(':'));
            lines
                .find(|(name, _)| *name == wanted)?
                .1
                .trim()
                .parse()
                .ok()
        };
        let found = Self {
            map: of("map_id"),
            program: of("prog_id"),
            link: of("link_id"),
        };
        (found != Self::default()).then_some(found)
    }
}

/// What is pinned.
#[derive(Debug, Default)]
pub struct Pins {
    /// What is pinned where; paths are harmless and in order.
    pub list: Vec<(CompactString, Pinned)>,
    /// Some could not be read: there may be more.
    pub is_unreadable: bool,
    /// There were too many to look at.
    pub is_cut: bool,
    /// Others may be in a mount namespace that is not looked into.
    pub is_elsewhere: bool,
}

/// What there is to know of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Pinned(Pinned),
    /// It is gone, or an iterator of the kernel's own, which cannot be opened as an object.
    Nothing,
    /// It may not be opened.
    Refused,
}

/// By which a file is known to be the same one: inode number and change time.
type InodeVersion = (u64, i64, i64);

/// What the files pinned when they were opened.
#[derive(Debug, Default)]
pub struct PinCache {
    files: HashMap<PathBuf, (InodeVersion, Content)>,
}

impl PinCache {
    /// Goes through the bpffs among these mounts; opens what is new.
    pub fn scan_mounts(&mut self, mounts: &[Mount]) -> Pins {
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
    /// Device and inode: what is mounted twice is listed once.
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
                // Gone meanwhile.
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

/// What a file pins.
fn open(path: &Path) -> Content {
    // Opens any object, whatever libbpf-rs calls it, and closes it again.
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
    fn maps_programs_and_links_are_told_apart() {
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
