//! The memory of maps equals `memlock` in fdinfo, byte for byte.

use std::os::fd::{AsFd, AsRawFd};

use libbpf_rs::libbpf_sys::bpf_map_create_opts;
use libbpf_rs::{MapHandle, MapType};
use mapstop::analysis::memory::{bytes_freed_at, map_memory};
use mapstop::source::kernel::Kernel;
use mapstop::types::memory::Memory;
use mapstop::types::snapshot::MapFacts;

use crate::every_type::{COUNTER, release};
use crate::support::{counted, id_of, kernel, sample_map};
use crate::zoo::{Zoo, put};

/// The first kernel whose `memlock` is computed from the structures of the map.
const SUMS: (u32, u32) = (6, 4);

/// Types for which the kernel leaves out the entries.
const LEFT_OUT: [&str; 7] = [
    "sk_storage",
    "inode_storage",
    "task_storage",
    "cgrp_storage",
    "cgroup_storage",
    "percpu_cgroup_storage",
    "arena",
];

/// `memlock` of a map, in bytes.
fn memlock(map: &MapHandle) -> u64 {
    let path = format!("/proc/self/fdinfo/{}", map.as_fd().as_raw_fd());
    let text = std::fs::read_to_string(path).expect("fdinfo");
    let line = text.lines().find_map(|line| line.strip_prefix("memlock:"));
    line.and_then(|number| number.trim().parse().ok())
        .expect("memlock")
}

fn cpus() -> u32 {
    let cpus = libbpf_rs::num_possible_cpus().expect("CPUs");
    cpus.try_into().expect("a number of CPUs")
}

/// Whether mapstop and the kernel agree on a map, and a line with both numbers.
fn compared(facts: &MapFacts, map: &MapHandle) -> (bool, String) {
    let memlock_bytes = memlock(map);
    let found = map_memory(facts, cpus());
    let kind = facts.map_type.to_string();
    let line = format!(
        "{kind} {} flags {:?} {:?}+{:?} x {}: {found:?}, kernel {memlock_bytes}, {:?}",
        facts.name,
        facts.flags,
        facts.key_size,
        facts.value_size,
        facts.max_entries,
        facts.layout()
    );
    let is_arena_with_pages =
        kind == "arena" && facts.layout().is_some_and(|layout| layout.elem_size > 0);
    let same = if LEFT_OUT.contains(&kind.as_str()) && !is_arena_with_pages {
        let empty = MapFacts {
            used: Some(0),
            ..facts.clone()
        };
        let base = map_memory(&empty, cpus()).map_or(0, |memory| memory.bytes);
        // For an arena the kernel reports 0.
        let is_base = memlock_bytes == if kind == "arena" { 0 } else { base };
        let is_more = |found: Memory| !found.is_exact && found.bytes > base;
        is_base && found.map_or(facts.used.is_none(), is_more)
    } else {
        let exact = Memory {
            bytes: memlock_bytes,
            is_exact: true,
        };
        found == Some(exact)
    };
    (same, line)
}

#[test]
fn memory_of_every_type_matches_the_kernel() {
    let mut zoo = Zoo::load(|_| true).expect("the zoo loads");
    let mut kernel = kernel();
    let mut wrong = Vec::new();
    let mut compared_types = Vec::new();
    for name in zoo.names() {
        let map = zoo.map(&name).expect("of the zoo");
        // Maps that cannot be filled are compared empty.
        if let Err(error) = zoo.fill(&name, 3) {
            println!("not filled: {error:#}");
        }
        if release() < SUMS {
            // There is no number to compare with, but it must not be 0.
            let facts = counted(&mut kernel, id_of(&map));
            let is_known = map_memory(&facts, cpus()).is_some();
            // Older kernels do not keep the number of functions of a struct_ops.
            let is_open = facts.used.is_none() || facts.map_type.to_string() == "struct_ops";
            assert!(is_known || is_open, "{facts:?}");
            continue;
        }
        let facts = counted(&mut kernel, id_of(&map));
        let (same, line) = compared(&facts, &map);
        println!("{} {line}", if same { "same" } else { "OTHER" });
        if !same {
            wrong.push(line);
        }
        compared_types.push(facts.map_type.0);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    compared_types.sort_unstable();
    compared_types.dedup();
    println!("{} types compared", compared_types.len());
    assert!(release() < (6, 13) || compared_types.len() >= 30);
}

/// A map to create: type, key and value, `max_entries`, flags, `map_extra`, entries to insert.
type Recipe = (MapType, (u32, u32), u32, u32, u64, u32);

const NO_PREALLOC: u32 = 1 << 0;
const NO_COMMON_LRU: u32 = 1 << 1;
const STACK_BUILD_ID: u32 = 1 << 5;
const MMAPABLE: u32 = 1 << 10;

/// Odd sizes and every flag that changes the memory of a map.
#[rustfmt::skip]
const RECIPES: [Recipe; 58] = {
    use MapType::*;
    [
        (Hash,            (4, 4),      1,       0,              0, 1),
        (Hash,            (4, 8),      1000,    0,              0, 700),
        (Hash,            (7, 13),     77,      0,              0, 5),
        (Hash,            (64, 1001),  65_537,  0,              0, 3),
        (Hash,            (4, 8),      65_536,  NO_PREALLOC,    0, 0),
        (Hash,            (7, 13),     77,      NO_PREALLOC,    0, 41),
        (Hash,            (16, 200),   5000,    NO_PREALLOC,    0, 2000),
        (PercpuHash,      (4, 8),      100,     0,              0, 3),
        (PercpuHash,      (5, 13),     1023,    0,              0, 3),
        (PercpuHash,      (4, 8),      100,     NO_PREALLOC,    0, 0),
        (PercpuHash,      (5, 13),     1023,    NO_PREALLOC,    0, 501),
        (LruHash,         (4, 8),      4096,    0,              0, 300),
        (LruHash,         (6, 21),     1001,    0,              0, 3),
        (LruHash,         (4, 8),      1001,    NO_COMMON_LRU,  0, 300),
        (LruPercpuHash,   (4, 8),      4096,    0,              0, 300),
        (LruPercpuHash,   (6, 21),     1001,    0,              0, 3),
        (LruPercpuHash,   (6, 21),     1001,    NO_COMMON_LRU,  0, 3),
        (Array,           (4, 4),      1,       0,              0, 1),
        (Array,           (4, 13),     1001,    0,              0, 3),
        (Array,           (4, 5000),   300,     0,              0, 3),
        (Array,           (4, 8),      1,       MMAPABLE,       0, 1),
        (Array,           (4, 4096),   1,       MMAPABLE,       0, 1),
        (Array,           (4, 13),     1001,    MMAPABLE,       0, 3),
        (PercpuArray,     (4, 4),      1,       0,              0, 1),
        (PercpuArray,     (4, 13),     1001,    0,              0, 3),
        (ProgArray,       (4, 4),      3,       0,              0, 0),
        (ProgArray,       (4, 4),      5000,    0,              0, 0),
        (PerfEventArray,  (4, 4),      129,     0,              0, 0),
        (CgroupArray,     (4, 4),      33,      0,              0, 0),
        (Queue,           (0, 4),      1,       0,              0, 1),
        (Queue,           (0, 13),     1001,    0,              0, 7),
        (Stack,           (0, 13),     1001,    0,              0, 7),
        (StackTrace,      (4, 80),     1000,    0,              0, 0),
        (StackTrace,      (4, 1016),   16_384,  0,              0, 0),
        (StackTrace,      (4, 320),    1000,    STACK_BUILD_ID, 0, 0),
        (RingBuf,         (0, 0),      4096,    0,              0, 0),
        (RingBuf,         (0, 0),      1 << 22, 0,              0, 0),
        (UserRingBuf,     (0, 0),      4096,    0,              0, 0),
        (LpmTrie,         (8, 4),      1000,    NO_PREALLOC,    0, 0),
        (LpmTrie,         (8, 13),     1000,    NO_PREALLOC,    0, 313),
        (BloomFilter,     (0, 4),      1,       0,              0, 1),
        (BloomFilter,     (0, 4),      1000,    0,              0, 9),
        (BloomFilter,     (0, 13),     70_000,  0,              3, 9),
        (BloomFilter,     (0, 4),      100_000, 0,             15, 9),
        (Devmap,          (4, 4),      3,       0,              0, 1),
        (Devmap,          (4, 8),      1001,    0,              0, 1),
        (DevmapHash,      (4, 4),      3,       0,              0, 1),
        (DevmapHash,      (4, 8),      1001,    0,              0, 1),
        (Cpumap,          (4, 4),      1,       0,              0, 0),
        (Cpumap,          (4, 8),      2,       0,              0, 0),
        (Xskmap,          (4, 4),      3,       0,              0, 0),
        (Xskmap,          (4, 4),      1001,    0,              0, 0),
        (Sockmap,         (4, 4),      3,       0,              0, 0),
        (Sockmap,         (4, 8),      1001,    0,              0, 0),
        (Sockhash,        (4, 4),      3,       0,              0, 0),
        (Sockhash,        (13, 8),     1001,    0,              0, 0),
        (ReuseportSockarray, (4, 4),   3,       0,              0, 0),
        (ReuseportSockarray, (4, 8),   1001,    0,              0, 0),
    ]
};

/// Creates a filled map; `None` if this kernel cannot.
fn made(
    (map_type, (key, value), max_entries, map_flags, map_extra, entries): Recipe,
) -> Option<MapHandle> {
    let options = bpf_map_create_opts {
        sz: size_of::<bpf_map_create_opts>() as u64,
        map_flags,
        map_extra,
        ..bpf_map_create_opts::default()
    };
    let map = MapHandle::create(map_type, Some("memory"), key, value, max_entries, &options);
    let map = match map {
        Ok(map) => map,
        Err(error) => {
            println!("not made: {map_type:?} {key}+{value} x {max_entries}: {error}");
            return None;
        }
    };
    for number in 0..entries {
        // Index 1 is the loopback device.
        let value = match map_type {
            MapType::Devmap | MapType::DevmapHash => 1,
            _ => number,
        };
        put(&map, number, value).expect("room for an entry");
    }
    Some(map)
}

fn compare_recipes(kernel: &mut Kernel, recipes: &[Recipe]) -> (usize, Vec<String>) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for map in recipes.iter().filter_map(|recipe| made(*recipe)) {
        let facts = counted(kernel, id_of(&map));
        let (same, line) = compared(&facts, &map);
        count += 1;
        if !same {
            wrong.push(line);
        }
    }
    (count, wrong)
}

#[test]
fn memory_of_odd_sizes_and_all_flags_matches_the_kernel() {
    if release() < COUNTER {
        println!("this kernel does not tell");
        return;
    }
    let (count, wrong) = compare_recipes(&mut kernel(), &RECIPES);
    println!("{count} of {} maps compared", RECIPES.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count >= 50);
}

#[test]
fn shrinking_a_map_frees_the_predicted_memory() {
    if release() < COUNTER {
        println!("this kernel does not tell");
        return;
    }
    let mut kernel = kernel();
    let mut compared = 0;
    let mut wrong = Vec::new();
    for recipe in RECIPES {
        let (map_type, sizes, max, flags, extra, entries) = recipe;
        for smaller in [max / 2, max / 3, max - 1, max] {
            let entries = entries.min(smaller);
            let (Some(large), Some(small)) = (
                made((map_type, sizes, max, flags, extra, entries)),
                (smaller > 0)
                    .then(|| made((map_type, sizes, smaller, flags, extra, entries)))
                    .flatten(),
            ) else {
                continue;
            };
            let facts = sample_map(&mut kernel, id_of(&large));
            let predicted = bytes_freed_at(&facts, cpus(), smaller);
            let (large, small) = (memlock(&large), memlock(&small));
            let freed = large.checked_sub(small);
            let expected = freed.filter(|_| map_type != MapType::LpmTrie);
            if predicted != expected {
                wrong.push(format!(
                    "{recipe:?} to {smaller}: {predicted:?}, not {large} - {small}"
                ));
            }
            compared += 1;
        }
    }
    println!("{compared} smaller maps compared");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(compared >= 150);
}
