//! Counting one map exactly, against what was put into it, while others change it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use libbpf_rs::{MapCore, MapHandle, MapType};
use mapstop::source::kernel::count_exactly;
use mapstop::types::map_id::MapId;
use mapstop::types::map_type;

use crate::support::{create, create_with, id_of, zoo};
use crate::zoo::{put, take};

const NO_PREALLOC: u32 = 1;

/// The result of a count that is not stopped.
fn count(map: &MapHandle) -> u64 {
    let counted = count_exactly(MapId(id_of(map)), &mut |_| true);
    let counted = counted.unwrap_or_else(|error| panic!("{error:#}"));
    counted.expect("nobody stopped it")
}

/// A map of each type that has keys and takes plain entries.
fn of_each_type(max: u32) -> Vec<MapHandle> {
    vec![
        create(MapType::Hash, "walk_hash", (4, 8), max),
        create_with(MapType::Hash, "walk_no_pre", (4, 8), max, NO_PREALLOC),
        create(MapType::Hash, "walk_wide", (64, 4096), max),
        create(MapType::PercpuHash, "walk_percpu", (4, 12), max),
        create(MapType::LruHash, "walk_lru", (4, 8), max),
        create(MapType::LruPercpuHash, "walk_lru_pcpu", (4, 12), max),
        create_with(MapType::LpmTrie, "walk_trie", (8, 8), max, NO_PREALLOC),
    ]
}

#[test]
fn exact_counts_match_the_inserted_entries() {
    for map in of_each_type(5000) {
        let name = map.name().to_string_lossy().into_owned();
        assert_eq!(count(&map), 0, "{name}");
        for number in 0..1 {
            put(&map, number, 1).expect("room");
        }
        assert_eq!(count(&map), 1, "{name}");
        for number in 1..3001 {
            put(&map, number, 1).expect("room");
        }
        assert_eq!(count(&map), 3001, "{name}");
    }
}

#[test]
fn maps_of_maps_sockets_and_devices_are_counted() {
    let names = [
        "policy_maps",
        "sock_by_tuple",
        "dev_redirect",
        "stack_traces",
    ];
    let mut zoo = zoo(&[&names[..], &["inner_00"]].concat());
    for (name, entries) in names.into_iter().zip([10, 19, 97, 5]) {
        let filled = zoo.fill(name, entries).expect("entries");
        let Some(used) = filled else {
            println!("not tested: {name} cannot be filled here");
            continue;
        };
        let map = zoo.map(name).expect("the map");
        assert_eq!(count(&map), used, "{name}");
    }
}

#[test]
fn buckets_longer_than_a_batch_are_counted() {
    // A batch has room for only a few such values, and buckets of two or three are common.
    let map = create(MapType::Hash, "walk_few", (4, 60_000), 400);
    for number in 0..400 {
        put(&map, number, 1).expect("room");
    }
    assert_eq!(count(&map), 400);
}

#[test]
fn remaining_entries_are_counted_once_while_others_change() {
    const STAY: u32 = 20_000;
    const COME_AND_GO: u32 = 1000;
    for map in of_each_type(STAY + 2 * COME_AND_GO) {
        let name = map.name().to_string_lossy().into_owned();
        if map.value_size() > 1000 {
            continue;
        }
        for number in 0..STAY {
            put(&map, number, 1).expect("room");
        }
        let there = count(&map);
        // An LRU map may evict before it is full.
        let evicts = name.contains("lru");
        assert!(there == u64::from(STAY) || evicts, "{name}: {there}");
        let is_over = AtomicBool::new(false);
        let changes = AtomicU64::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    for number in STAY..STAY + COME_AND_GO {
                        put(&map, number, 2).expect("room");
                    }
                    for number in STAY..STAY + COME_AND_GO {
                        let _ = take(&map, number);
                    }
                    changes.fetch_add(1, Ordering::Relaxed);
                }
            });
            let mut counts = Vec::new();
            while counts.len() < 5 || changes.load(Ordering::Relaxed) < 3 {
                let counted = count_exactly(MapId(id_of(&map)), &mut |_| true);
                match counted {
                    Ok(counted) => counts.push(counted.expect("nobody stopped it")),
                    // Keys are read one by one; after a deleted key the walk starts again.
                    Err(error) => {
                        assert!(name.contains("trie"), "{name}: {error:#}");
                        let words = "it changes too fast to be read key by key";
                        assert_eq!(error.to_string(), words);
                        counts.push(there);
                    }
                }
            }
            is_over.store(true, Ordering::Relaxed);
            let least = if evicts { 1 } else { u64::from(STAY) };
            let most = u64::from(STAY + COME_AND_GO);
            for count in &counts {
                assert!((least..=most).contains(count), "{name}: {counts:?}");
            }
        });
    }
}

#[test]
fn a_count_can_be_stopped() {
    let map = create(MapType::Hash, "walk_stop", (4, 8), 20_000);
    for number in 0..20_000 {
        put(&map, number, 1).expect("room");
    }
    let mut reports = Vec::new();
    let counted = count_exactly(MapId(id_of(&map)), &mut |so_far| {
        reports.push(so_far);
        reports.len() < 2
    });
    assert_eq!(counted.expect("no failure"), None);
    assert_eq!(reports.len(), 2);
    assert!(reports[0] > 0 && reports[0] < reports[1], "{reports:?}");
}

#[test]
fn uncountable_maps_give_a_reason() {
    let fails = |id| {
        let counted = count_exactly(MapId(id), &mut |_| true);
        counted.expect_err("no count").to_string()
    };
    let queue = create(MapType::Queue, "walk_queue", (0, 8), 10);
    assert_eq!(fails(id_of(&queue)), "a queue has no keys to read");
    assert_eq!(fails(u32::MAX - 1), "it is gone");
    let of_type = |name| map_type::MapType::from_name(name).expect("a type");
    assert!(!of_type("task_storage").is_iterable() && of_type("sockhash").is_iterable());
}

#[test]
fn measures_the_cost_of_counting() {
    const ENTRIES: u32 = 100_000;
    let maps = [
        create(MapType::Hash, "cost_hash", (4, 8), ENTRIES),
        create(MapType::PercpuHash, "cost_percpu", (4, 8), ENTRIES),
        create(MapType::LruHash, "cost_lru", (4, 8), 2 * ENTRIES),
        create_with(MapType::LpmTrie, "cost_trie", (8, 8), ENTRIES, NO_PREALLOC),
    ];
    for map in maps {
        for number in 0..ENTRIES {
            put(&map, number, 1).expect("room");
        }
        let start = Instant::now();
        let counted = count(&map);
        let ns = start.elapsed().as_nanos() / u128::from(counted.max(1));
        assert_eq!(counted, u64::from(ENTRIES));
        let name = map.name().to_string_lossy().into_owned();
        println!("measured: an exact count takes {ns} ns a key of {name}");
    }
}
