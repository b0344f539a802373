//! More maps than a process may have descriptors: pinned in a detached mount, which the kernel removes
//! with the process.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};

use libbpf_rs::libbpf_sys::bpf_map_create_opts;
use libbpf_rs::{MapCore, MapFlags, MapHandle, MapType};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

/// What a map of a crowd costs at most, in KiB.
const MAX_OF_A_MAP: usize = 40;

/// Many small maps, mostly hashes, and some of what else is common.
pub struct Crowd {
    /// A detached bpffs: closing its descriptor removes it and its pins.
    _pins: OwnedFd,
}

impl Crowd {
    /// Makes so many maps: `crowd_0`, with no entry, to `crowd_N`, with up to 16.
    pub fn new(count: u32) -> Self {
        let free = available_kib();
        let needed = count as usize * MAX_OF_A_MAP;
        assert!(
            free > needed,
            "{count} maps may take {needed} KiB of memory, and there are {free} KiB"
        );
        let pins = bpffs();
        for n in 0..count {
            let (map_type, value, max, entries) = Self::shape(n);
            let name = format!("crowd_{n}");
            let map = create(map_type, &name, value, max);
            for key in 0..entries {
                map.update(&key.to_ne_bytes(), &[0; 8], MapFlags::ANY)
                    .expect("room");
            }
            let mut map = map;
            map.pin(format!("/proc/self/fd/{}/{name}", pins.as_raw_fd()))
                .expect("a pin");
        }
        Self { _pins: pins }
    }

    /// The type of the map of this number, the size of its values, how many fit, and how many there
    /// are.
    pub fn shape(n: u32) -> (MapType, u32, u32, u32) {
        match n % 20 {
            0..=11 => (MapType::Hash, 8, 16, n % 17),
            12..=14 => (MapType::LruHash, 8, 16, n % 9),
            15..=18 => (MapType::Array, 8, 4, 0),
            _ => (MapType::ProgArray, 4, 8, 0),
        }
    }
}

fn create(map_type: MapType, name: &str, value: u32, max: u32) -> MapHandle {
    let options = bpf_map_create_opts {
        sz: size_of::<bpf_map_create_opts>() as u64,
        ..Default::default()
    };
    MapHandle::create(map_type, Some(name), 4, value, max, &options).expect("a map; root?")
}

fn bpffs() -> OwnedFd {
    let mount = || {
        let context = fsopen("bpf", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_create(&context)?;
        let flags = FsMountFlags::FSMOUNT_CLOEXEC;
        fsmount(&context, flags, MountAttrFlags::empty())
    };
    mount().unwrap_or_else(|error| panic!("cannot mount a bpffs: {error}"))
}

/// Available memory, in KiB.
fn available_kib() -> usize {
    let lines = fs::read_to_string("/proc/meminfo").expect("/proc");
    let line = lines.lines().find(|line| line.starts_with("MemAvailable:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.expect("a number").parse().expect("a number")
}
