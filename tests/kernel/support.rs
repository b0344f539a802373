//! What the tests share: a kernel, its snapshots by id, and maps.

use std::os::fd::OwnedFd;

use libbpf_rs::libbpf_sys::bpf_map_create_opts;
use libbpf_rs::{MapCore, MapHandle, MapType, ProgramType};
use mapstop::source::Source;
use mapstop::source::kernel::Kernel;
use mapstop::types::count::CountNote;
use mapstop::types::map_id::MapId;
use mapstop::types::snapshot::{MapFacts, Snapshot};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

use crate::zoo::Zoo;

/// Samples in which everything that can be counted must have been.
const MAX_SAMPLES: u32 = 500;

pub fn kernel() -> Kernel {
    Kernel::new().unwrap_or_else(|error| panic!("{error}"))
}

/// A zoo of these maps only.
pub fn zoo(names: &[&str]) -> Zoo {
    Zoo::load(|map| names.iter().any(|name| map.name() == *name)).expect("the zoo loads")
}

/// Whether this kernel runs programs by bpf(2) (Linux 5.14), as those that write to ring buffers are.
pub fn runs_programs() -> bool {
    let is_supported = ProgramType::Syscall.is_supported().expect("an answer");
    if !is_supported {
        println!("not tested: this kernel runs no program by bpf(2)");
    }
    is_supported
}

/// Makes a map with a key and a value of these sizes.
pub fn create(map_type: MapType, name: &str, sizes: (u32, u32), max_entries: u32) -> MapHandle {
    create_with(map_type, name, sizes, max_entries, 0)
}

/// The same, with flags.
pub fn create_with(
    map_type: MapType,
    name: &str,
    (key, value): (u32, u32),
    max_entries: u32,
    flags: u32,
) -> MapHandle {
    let options = bpf_map_create_opts {
        sz: size_of::<bpf_map_create_opts>() as u64,
        map_flags: flags,
        ..bpf_map_create_opts::default()
    };
    MapHandle::create(map_type, Some(name), key, value, max_entries, &options)
        .unwrap_or_else(|error| panic!("cannot make a {map_type:?} '{name}': {error}"))
}

/// A detached mount of a file system, removed with its descriptor.
pub fn mount(kind: &str) -> OwnedFd {
    let mount = || {
        let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_create(&context)?;
        let flags = FsMountFlags::FSMOUNT_CLOEXEC;
        fsmount(&context, flags, MountAttrFlags::empty())
    };
    mount().unwrap_or_else(|error| panic!("cannot mount {kind}: {error}"))
}

pub fn id_of(map: &impl MapCore) -> u32 {
    map.info().expect("bpf(2) knows the map").info.id
}

/// The facts of a map in a snapshot.
pub fn find(snapshot: &Snapshot, id: u32) -> Option<&MapFacts> {
    snapshot.maps.iter().find(|facts| facts.key.id == MapId(id))
}

pub fn sample(kernel: &mut Kernel) -> Snapshot {
    let snapshot = kernel.sample().expect("a sample");
    snapshot.expect("a kernel always has one more")
}

/// Samples once and returns the facts of a map.
pub fn sample_map(kernel: &mut Kernel, id: u32) -> MapFacts {
    let snapshot = sample(kernel);
    let facts = find(&snapshot, id);
    facts
        .unwrap_or_else(|| panic!("map {id} is not in the snapshot"))
        .clone()
}

/// Whether another sample would add to the count of this map.
pub fn is_open(facts: &MapFacts) -> bool {
    matches!(
        facts.count.note,
        Some(
            CountNote::Incomplete { .. }
                | CountNote::ListsTooLong { .. }
                | CountNote::ChainsCut { .. }
        )
    )
}

/// Samples until this map is counted to its end.
pub fn counted(kernel: &mut Kernel, id: u32) -> MapFacts {
    let mut facts = sample_map(kernel, id);
    for _ in 0..MAX_SAMPLES {
        if !is_open(&facts) {
            return facts;
        }
        facts = sample_map(kernel, id);
    }
    panic!("after {MAX_SAMPLES} samples: {:?}", facts.count)
}
