//! Single facts of a map, each before and after it changes.

use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use libbpf_rs::{MapHandle, MapType};
use mapstop::source::kernel::Kernel;

use crate::every_type::release;
use crate::support::{create, create_with, id_of, kernel, look, mount, runs_programs, zoo};
use crate::zoo::{Zoo, put, take};

/// References and those of user space. Another reader of the maps holds one while it passes by,
/// so that only the least of several looks is the map's own.
fn refs(kernel: &mut Kernel, map: &MapHandle) -> (u64, u64) {
    let looks = (0..20).map(|_| look(kernel, id_of(map)));
    looks
        .filter_map(|facts| Some((facts.kernel()?.refs, facts.kernel()?.user_refs)))
        .min()
        .expect("twenty looks")
}

#[test]
fn a_map_is_frozen_once_it_is_frozen() {
    let mut kernel = kernel();
    let map = create(MapType::Array, "to_freeze", (4, 8), 3);
    let mut is_frozen = || Some(look(&mut kernel, id_of(&map)).kernel()?.is_frozen);
    assert_eq!(is_frozen(), Some(false));
    map.freeze().expect("it can be frozen");
    assert_eq!(is_frozen(), Some(true));
}

#[test]
fn a_nameless_map_has_an_empty_name_and_its_neighbours_keep_theirs() {
    let mut kernel = kernel();
    let names = ["left_of_it", "", "right_of_it"];
    let maps = names.map(|name| create(MapType::Hash, name, (4, 8), 3));
    for (map, name) in maps.iter().zip(names) {
        assert_eq!(look(&mut kernel, id_of(map)).name, name);
    }
}

#[test]
fn a_name_of_fifteen_bytes_is_whole() {
    let map = create(MapType::Hash, "fifteen_bytes_x", (4, 8), 3);
    assert_eq!(look(&mut kernel(), id_of(&map)).name, "fifteen_bytes_x");
}

#[test]
fn sizes_and_flags_are_not_mixed_up() {
    const NO_PREALLOC: u32 = 1;
    let map = create_with(MapType::Hash, "distinct", (12, 40), 77, NO_PREALLOC);
    let facts = look(&mut kernel(), id_of(&map));
    let sizes = (facts.key_size, facts.value_size, facts.max_entries);
    assert_eq!(sizes, (Some(12), Some(40), 77));
    assert_eq!(
        facts.flags.map(|flags| flags.to_string()).as_deref(),
        Some("no_prealloc")
    );
}

#[test]
fn a_duplicated_descriptor_is_the_same_reference_and_a_second_open_another() {
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
fn a_pin_is_a_reference_of_user_space() {
    let mut kernel = kernel();
    let mut map = create(MapType::Hash, "pinned", (4, 8), 3);
    let bpffs = mount("bpf");
    let pin = format!("/proc/self/fd/{}/pin", bpffs.as_raw_fd());
    map.pin(&pin).expect("a pin");
    assert_eq!(refs(&mut kernel, &map), (2, 2));
    map.unpin(&pin).expect("the pin goes");
    // Its reference goes a moment later, when no one can be looking at the file any more.
    let start = Instant::now();
    while refs(&mut kernel, &map) != (1, 1) {
        assert!(start.elapsed() < Duration::from_secs(5), "it stays");
    }
}

#[test]
fn a_program_is_a_reference_but_not_of_user_space() {
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
fn an_outer_map_is_a_reference_but_not_of_user_space() {
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
        let facts = look(&mut kernel, id_of(map));
        (
            facts.used,
            facts.kernel().and_then(|kernel| kernel.consumer_pos),
        )
    };
    assert_eq!(position(&waits).1, Some(0));
    assert_eq!(position(&overwrites), (Some(0), None));
}

#[test]
fn a_hash_is_counted_at_every_change() {
    let mut kernel = kernel();
    let map = create(MapType::Hash, "up_and_down", (4, 8), 5);
    // On old kernels it is looked at in turns with others.
    let mut has = |used| {
        let mut looks = (0..100).map(|_| look(&mut kernel, id_of(&map)).used);
        assert!(looks.any(|told| told == Some(used)), "{used}");
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
fn a_ring_buffer_holds_headers_too_and_rounds_records_up_to_eight_bytes() {
    if !runs_programs() {
        return;
    }
    let mut kernel = kernel();
    let mut zoo = zoo(&["events"]);
    let events = zoo.map("events").expect("a ring buffer");
    let mut before = 0;
    for (size, takes) in [(1, 16), (8, 16), (9, 24), (16, 24), (57, 72), (64, 72)] {
        assert_eq!(zoo.write_events(3, size).expect("three records"), 3);
        let facts = look(&mut kernel, id_of(&events));
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
    assert_eq!(look(&mut kernel, id_of(&events)).used, Some(used));
    assert!(used <= 64 * 1024 && used + 72 > 64 * 1024, "{used}");
}
