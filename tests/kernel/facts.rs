//! Single facts of a map, each before and after it changes.

use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use libbpf_rs::{MapHandle, MapType};
use mapstop::source::kernel::Kernel;

use crate::every_type::release;
use crate::support::{create, create_with, id_of, kernel, mount, runs_programs, sample_map, zoo};
use crate::zoo::{Zoo, put, take};

/// All references and those of user space. Other readers of maps hold one for a moment, so the minimum
/// of several samples is used.
fn refs(kernel: &mut Kernel, map: &MapHandle) -> (u64, u64) {
    let samples = (0..20).map(|_| sample_map(kernel, id_of(map)));
    samples
        .filter_map(|facts| Some((facts.kernel()?.refs, facts.kernel()?.user_refs)))
        .min()
        .expect("twenty looks")
}

#[test]
fn frozen_maps_are_shown_as_frozen() {
    let mut kernel = kernel();
    let map = create(MapType::Array, "to_freeze", (4, 8), 3);
    let mut is_frozen = || Some(sample_map(&mut kernel, id_of(&map)).kernel()?.is_frozen);
    assert_eq!(is_frozen(), Some(false));
    map.freeze().expect("it can be frozen");
    assert_eq!(is_frozen(), Some(true));
}

#[test]
fn a_nameless_map_has_an_empty_name() {
    let mut kernel = kernel();
    let names = ["left_of_it", "", "right_of_it"];
    let maps = names.map(|name| create(MapType::Hash, name, (4, 8), 3));
    for (map, name) in maps.iter().zip(names) {
        assert_eq!(sample_map(&mut kernel, id_of(map)).name, name);
    }
}

#[test]
fn names_of_fifteen_bytes_are_complete() {
    let map = create(MapType::Hash, "fifteen_bytes_x", (4, 8), 3);
    assert_eq!(
        sample_map(&mut kernel(), id_of(&map)).name,
        "fifteen_bytes_x"
    );
}

#[test]
fn sizes_and_flags_are_not_mixed_up() {
    const NO_PREALLOC: u32 = 1;
    let map = create_with(MapType::Hash, "distinct", (12, 40), 77, NO_PREALLOC);
    let facts = sample_map(&mut kernel(), id_of(&map));
    let sizes = (facts.key_size, facts.value_size, facts.max_entries);
    assert_eq!(sizes, (Some(12), Some(40), 77));
    assert_eq!(
        facts.flags.map(|flags| flags.to_string()).as_deref(),
        Some("no_prealloc")
    );
}

#[test]
fn dup_shares_a_reference_and_a_second_open_adds_one() {
    let mut kernel = kernel();
    let map = create(MapType::Hash, "opened_twice", (4, 8), 3);
    assert_eq!(refs(&mut kernel, &map), (1, 1));
    let duplicate = MapHandle::try_from(&map).expect("a dup");
    assert_eq!(refs(&mut kernel, &map), (1, 1));
    let second = MapHandle::from_map_id(id_of(&map)).expect("a second descriptor");
    assert_eq!(refs(&mut kernel, &map), (2, 2));
    drop((duplicate, second));
    assert_eq!(refs(&mut kernel, &map), (1, 1));
}

#[test]
fn a_pin_holds_a_user_reference() {
    let mut kernel = kernel();
    let mut map = create(MapType::Hash, "pinned", (4, 8), 3);
    let bpffs = mount("bpf");
    let pin = format!("/proc/self/fd/{}/pin", bpffs.as_raw_fd());
    map.pin(&pin).expect("a pin");
    assert_eq!(refs(&mut kernel, &map), (2, 2));
    map.unpin(&pin).expect("the pin goes");
    // The reference is dropped a moment later, after an RCU grace period.
    let start = Instant::now();
    while refs(&mut kernel, &map) != (1, 1) {
        assert!(start.elapsed() < Duration::from_secs(5), "it stays");
    }
}

#[test]
fn a_program_holds_a_kernel_reference() {
    if !runs_programs() {
        return;
    }
    let mut kernel = kernel();
    let events = create(MapType::RingBuf, "events", (0, 0), 64 * 1024);
    let user = Zoo::load(|map| map.name() == "events" && map.reuse_fd(events.as_fd()).is_ok());
    let mut user = user.expect("the zoo loads");
    assert!(user.program("write_events").is_some());
    assert_eq!(refs(&mut kernel, &events), (2, 1));
}

#[test]
fn an_outer_map_holds_a_kernel_reference() {
    let mut kernel = kernel();
    let mut zoo = zoo(&["svc_slots", "inner_00"]);
    let inner = zoo.map("inner_00").expect("an inner map");
    assert_eq!(refs(&mut kernel, &inner), (1, 1));
    zoo.fill("svc_slots", 3).expect("three slots");
    assert_eq!(refs(&mut kernel, &inner), (4, 1));
}

#[test]
fn a_ring_buffer_that_overwrites_does_not_wait_for_its_reader() {
    /// `BPF_F_RB_OVERWRITE`.
    const OVERWRITE: u32 = 1 << 19;
    if release() < (6, 19) {
        println!("not tested: this kernel has none");
        return;
    }
    let mut kernel = kernel();
    let make = |flags| create_with(MapType::RingBuf, "overwrites", (0, 0), 4096, flags);
    let (waits, overwrites) = (make(0), make(OVERWRITE));
    let mut position = |map| {
        let facts = sample_map(&mut kernel, id_of(map));
        let position = facts.kernel().and_then(|kernel| kernel.consumer_pos);
        (facts.used, position)
    };
    assert_eq!(position(&waits).1, Some(0));
    assert_eq!(position(&overwrites), (Some(0), None));
}

#[test]
fn a_hash_is_counted_after_every_change() {
    let mut kernel = kernel();
    let map = create(MapType::Hash, "up_and_down", (4, 8), 5);
    // On old kernels maps are scanned in turns.
    let mut has = |used| {
        let mut samples = (0..100).map(|_| sample_map(&mut kernel, id_of(&map)).used);
        assert!(samples.any(|count| count == Some(used)), "{used}");
    };
    has(0);
    for number in 0..5 {
        put(&map, number, 7).expect("it has room");
        has(u64::from(number) + 1);
    }
    put(&map, 5, 7).expect_err("full");
    put(&map, 4, 8).expect("an entry it has may change");
    has(5);
    take(&map, 2).expect("it is in it");
    has(4);
}

#[test]
fn a_ring_buffer_counts_headers_and_padding() {
    if !runs_programs() {
        return;
    }
    let mut kernel = kernel();
    let mut zoo = zoo(&["events"]);
    let events = zoo.map("events").expect("a ring buffer");
    let mut before = 0;
    for (size, takes) in [(1, 16), (8, 16), (9, 24), (16, 24), (57, 72), (64, 72)] {
        assert_eq!(zoo.write_events(3, size).expect("three records"), 3);
        let facts = sample_map(&mut kernel, id_of(&events));
        assert_eq!(
            facts.used,
            Some(before + 3 * takes),
            "records of {size} bytes"
        );
        assert_eq!(facts.capacity, Some(64 * 1024));
        before += 3 * takes;
    }
    let full = zoo.write_events(1024, 64).expect("as many as have room");
    assert!(full < 1024);
    let used = before + u64::from(full) * 72;
    assert_eq!(sample_map(&mut kernel, id_of(&events)).used, Some(used));
    assert!(used <= 64 * 1024 && used + 72 > 64 * 1024, "{used}");
}
