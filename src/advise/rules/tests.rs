use compact_str::CompactString;
use std::sync::Arc;

use super::*;
use crate::analysis::history::History;
use crate::test_util::{MapBuilder, map, snapshot, watched};
use crate::types::errno::Errno;
use crate::types::loss::{Backlog, Loss};
use crate::types::ownership::{HeldVia, Holder, Ownership, Process, Program};
use crate::types::snapshot::Snapshot;

/// The advice after these samples, measured like `mapstop advise` does.
fn advise_on(samples: impl IntoIterator<Item = Snapshot>) -> Vec<Advice> {
    let mut history = History::live();
    let mut observations = Observations::default();
    let mut last = None;
    for snapshot in samples {
        let reading = history.read(snapshot);
        observations.add(&reading);
        last = Some(reading);
    }
    let last = last.expect("a sample");
    advise(
        &last,
        &observations,
        &Filter::default(),
        Thresholds::default(),
    )
    .advice
}

/// The advice on one map after 20 seconds in which losses were not watched.
fn unwatched(map: impl Fn(u32) -> MapBuilder) -> Vec<Advice> {
    advise_on((0..=20).map(|second| snapshot(second, [map(second)])))
}

/// The same while losses were watched.
fn while_watched(map: impl Fn(u32) -> MapBuilder) -> Vec<Advice> {
    advise_on((0..=20).map(|second| watched(second, 0, [map(second)])))
}

fn topics_of(advice: &[Advice]) -> Vec<&str> {
    advice.iter().map(|advice| advice.topic).collect()
}

fn only(advice: Vec<Advice>) -> Advice {
    assert_eq!(advice.len(), 1, "{advice:#?}");
    advice.into_iter().next().expect("one")
}

/// A map that refuses 50 updates each second.
fn refusing(map: MapBuilder, errno: Errno, second: u32) -> MapBuilder {
    map.loss(Loss {
        is_traced: true,
        failed: Some([(errno, 1000 + 50 * u64::from(second))].into()),
        ..Loss::default()
    })
}

#[test]
fn each_error_of_a_refusal_has_a_topic_and_a_remedy_of_its_own() {
    let mut changes = Vec::new();
    for (errno, topic) in [
        (Errno::E2BIG, "refused_full"),
        (Errno::ENOSPC, "refused_full"),
        (Errno::ENOMEM, "refused_memory"),
        (Errno::EBUSY, "refused_busy"),
        (Errno::EDEADLK, "refused_deadlock"),
        (Errno::ETIMEDOUT, "refused_timeout"),
        (Errno(99), "refused"),
    ] {
        let advice = only(while_watched(|second| {
            refusing(map("conns").used(152, 1000), errno, second)
        }));
        assert_eq!(advice.topic, topic);
        let measured = format!(
            "1,000 updates refused with {errno} in 20s (50/s); peak 152 of 1,000 entries (15 %)"
        );
        assert_eq!(advice.measured, measured);
        changes.push(advice.change);
    }
    changes.dedup();
    assert_eq!(changes.len(), 6, "{changes:#?}");
}

#[test]
fn a_map_without_memory_is_not_advised_to_grow() {
    let growing = |second: u32| {
        let map = map("metrics")
            .flags(1)
            .used(10_000 + u64::from(second) * 1000, 200_000);
        refusing(map, Errno::ENOMEM, second)
    };
    let advice = only(while_watched(growing));
    assert_eq!(advice.topic, "refused_memory");
    assert!(
        advice.change.starts_with("do not make it larger"),
        "{advice:?}"
    );
    assert!(advice.change.contains("BPF_F_NO_PREALLOC"), "{advice:?}");
    let preallocated = only(while_watched(|second| {
        refusing(map("metrics").used(100, 1000), Errno::ENOMEM, second)
    }));
    assert!(!preallocated.change.contains("cgroup"), "{preallocated:?}");
}

#[test]
fn a_full_map_that_refuses_is_advised_once() {
    let advice = only(while_watched(|second| {
        refusing(map("labels").used(128, 128), Errno::E2BIG, second)
    }));
    assert_eq!(advice.topic, "refused_full");
    assert_eq!(
        advice.change,
        "make it larger, or find out why nothing is deleted"
    );
}

#[test]
fn a_refused_update_counts_whatever_the_size() {
    let advice = only(while_watched(|second| {
        refusing(map("total").used(1, 1), Errno::E2BIG, second)
    }));
    assert_eq!(advice.topic, "refused_full");
}

#[test]
fn a_map_that_is_meant_to_be_full_gets_no_advice() {
    assert_eq!(unwatched(|_| map("total").used(1, 1)), []);
    assert_eq!(unwatched(|_| map("allowed").used(3, 3).frozen()), []);
    assert_eq!(unwatched(|_| map("allowed").used(99, 100).frozen()), []);
}

#[test]
fn for_a_map_that_was_always_full_only_watching_is_advised() {
    let advice = only(unwatched(|_| {
        map("allow").named_type("lpm_trie").used(3, 3)
    }));
    assert_eq!(advice.topic, "found_full");
    assert_eq!(
        advice.measured,
        "3 of 3 entries for 20s, since it was first seen"
    );
    assert!(advice.change.starts_with("run mapstop advise --losses"));
    assert_eq!(while_watched(|_| map("allow").used(3, 3).refused(0)), []);
    let cannot = only(while_watched(|_| {
        map("allow").used(3, 3).loss(Loss {
            reason: Some("this kernel refuses BPF trampolines".into()),
            ..Loss::default()
        })
    }));
    assert_eq!(
        cannot.change,
        "find out whether its updates fail; mapstop cannot watch refusals of this map: this kernel refuses BPF trampolines"
    );
}

#[test]
fn alike_maps_are_one_line() {
    let maps = || (0..5).map(|n| map("allow").id(10 + n).used(3, 3));
    let advice = only(advise_on((0..=20).map(|second| snapshot(second, maps()))));
    assert_eq!(advice.maps.len(), 5);
    assert_eq!(
        advice.measured,
        "5 maps of this name and type; the first: 3 of 3 entries for 20s, since it was first seen"
    );
}

#[test]
fn a_map_that_became_full_is_near_full() {
    let advice = only(unwatched(|second| {
        map("conns").used(u64::from(second.min(8)) + 92, 100)
    }));
    assert_eq!(advice.topic, "near_full");
    assert_eq!(
        advice.measured,
        "100 of 100 entries for 12s: inserts are refused"
    );
}

#[test]
fn a_sawtooth_below_its_earlier_peaks_is_not_advised_to_grow() {
    let level = |second: u32| map("batch").used(u64::from(second % 120) * 40, 5000);
    let samples = (0..230).map(|second| snapshot(second, [level(second)]));
    assert_eq!(advise_on(samples), []);
}

#[test]
fn nearly_full_and_steady_has_little_room() {
    let advice = only(unwatched(|_| map("rules").used(99, 100)));
    assert_eq!(advice.topic, "little_room");
    assert_eq!(
        advice.measured,
        "at 99 % for 20s without change: 99 of 100 entries"
    );
    assert!(
        advice.change.contains("room for 1 more entry,"),
        "{advice:?}"
    );
    let wavering = only(unwatched(|second| {
        map("rules").used(960 + u64::from(second % 2) * 10, 1000)
    }));
    assert_eq!(
        wavering.measured,
        "between 960 and 970 of 1,000 entries for 20s (97 %)"
    );
    assert_eq!(unwatched(|_| map("rules").used(80, 100)), []);
}

fn ring(unread: u64) -> MapBuilder {
    map("events").named_type("ringbuf").used(unread, 262_144)
}

#[test]
fn drops_are_reported_with_the_state_of_the_reader() {
    let stalled = only(while_watched(|second| {
        ring(262_072)
            .read_up_to(4096)
            .dropped(485 * u64::from(second))
    }));
    assert_eq!(stalled.topic, "drops");
    assert_eq!(
        stalled.measured,
        "9,700 records dropped in 20s (485/s); its reader has not moved for 20s; 262,072 of 262,144 bytes unread"
    );
    assert!(stalled.change.contains("does not read"), "{stalled:?}");

    let slow = only(while_watched(|second| {
        ring(250_000)
            .read_up_to(1000 * u64::from(second))
            .dropped(10 * u64::from(second))
    }));
    assert!(
        slow.measured
            .contains("its reader took 20,000 bytes in 20s"),
        "{slow:?}"
    );
    assert!(
        slow.change.starts_with("make the reader faster"),
        "{slow:?}"
    );

    // A reader that comes every other second has not stalled.
    let batches = only(while_watched(|second| {
        ring(250_000)
            .read_up_to(u64::from(second / 2) * 100_000)
            .dropped(10 * u64::from(second))
    }));
    assert!(
        batches
            .measured
            .contains("its reader took 1,000,000 bytes in 20s"),
        "{batches:?}"
    );

    let bursts = only(while_watched(|second| {
        ring(0)
            .read_up_to(1000 * u64::from(second))
            .dropped(10 * u64::from(second))
    }));
    assert!(
        bursts.change.starts_with("make the buffer larger"),
        "{bursts:?}"
    );
}

#[test]
fn a_stalled_reader_is_reported_where_drops_are_not_counted() {
    let advice = only(unwatched(|_| ring(262_072).read_up_to(4096)));
    assert_eq!(advice.topic, "slow_reader");
    assert_eq!(
        advice.measured,
        "its reader has not moved for 20s; 262,072 of 262,144 bytes unread"
    );
    assert_eq!(unwatched(|_| ring(100).read_up_to(4096)), []);
}

#[test]
fn one_full_perf_buffer_beside_empty_ones_is_seen() {
    let perf = |second: u32, dropped: u64| {
        map("events")
            .named_type("perf_event_array")
            .used(4, 4)
            .read_up_to(64 * u64::from(second))
            .loss(Loss {
                drops: Some(dropped * u64::from(second)),
                drops_before: Some(12_290),
                backlog: Some(Backlog {
                    bytes: 1000,
                    room: 4000,
                    fullest: 1.0,
                }),
                ..Loss::default()
            })
    };
    let advice = only(unwatched(|second| perf(second, 3)));
    assert_eq!(advice.topic, "drops");
    assert_eq!(
        advice.measured,
        "60 records dropped in 20s (3/s); its reader took 1,280 bytes in 20s; \
         1,000 of 4,000 bytes unread in all buffers, 100 % in the fullest one"
    );
    assert!(advice.change.contains("one CPU writes most"), "{advice:?}");
    // Another CPU's buffer is read.
    let behind = only(unwatched(|second| perf(second, 0)));
    assert_eq!(behind.topic, "slow_reader");
    assert!(
        behind
            .measured
            .contains("; at least 100 % in every sample for 20s;"),
        "{behind:?}"
    );
    // Nothing is read, and drops were before.
    let still = only(unwatched(|_| perf(0, 0)));
    assert_eq!(still.topic, "slow_reader");
    assert!(
        still
            .measured
            .ends_with("; 12,290 records dropped before the measurement")
    );
}

fn lru(id: u32, used: u64, capacity: u32, evicted: u64) -> MapBuilder {
    map("cache")
        .id(id)
        .named_type("lru_hash")
        .used(used, capacity)
        .evicted(evicted)
}

#[test]
fn lru_maps_that_thrash_come_first_and_the_most_evictions_first_among_them() {
    let maps = |second: u64| {
        [
            lru(1, 90, 100, second * 128 / 20),
            lru(2, 8100, 8192, second * 86_272 / 20),
            // Entries stay for half an hour.
            lru(3, 8192, 8192, second * 4),
        ]
    };
    let advice = advise_on((0..=20).map(|second| watched(second, 0, maps(second.into()))));
    assert_eq!(topics_of(&advice), ["thrash", "thrash"]);
    assert_eq!(advice[0].maps, [MapId(2)]);
    assert_eq!(
        advice[0].measured,
        "entries stay for 1.9 s: 86,272 evicted in 20s (4.3K/s), at 8,100 of 8,192 entries"
    );
    assert_eq!(
        advice[0].change,
        "make it larger, or insert fewer entries: about 259K entries would stay for 1m00s"
    );
    assert!(
        advice[1]
            .change
            .starts_with("make it larger, or insert fewer entries"),
        "{advice:#?}"
    );
    let own_lists = only(while_watched(|second| {
        lru(1, 600, 1000, u64::from(second) * 50).flags(2)
    }));
    assert_eq!(own_lists.topic, "thrash");
    assert!(
        own_lists
            .change
            .starts_with("create it without BPF_F_NO_COMMON_LRU"),
        "{own_lists:?}"
    );
}

#[test]
fn early_evictions_are_ranked_and_a_large_lru_map_that_is_full_has_none() {
    let maps = |second: u64| {
        [
            lru(1, 1900, 2000, second),
            lru(2, 1900, 2000, second * 10),
            lru(3, 99_950, 100_000, second * 10),
        ]
    };
    let advice = advise_on((0..=20).map(|second| watched(second, 0, maps(second.into()))));
    assert_eq!(topics_of(&advice), ["early_eviction"; 2]);
    assert_eq!([advice[0].maps[0].0, advice[1].maps[0].0], [2, 1]);
}

#[test]
fn many_collisions_of_stacks_are_reported() {
    let stacks = |collided: u64| {
        move |second: u32| {
            map("stacks")
                .named_type("stack_trace")
                .used(300, 1024)
                .loss(Loss {
                    is_traced: true,
                    failed: Some([(Errno::EEXIST, collided * u64::from(second))].into()),
                    attempts: Some(20 * u64::from(second)),
                    ..Loss::default()
                })
        }
    };
    let advice = only(while_watched(stacks(10)));
    assert_eq!(advice.topic, "collisions");
    assert_eq!(
        advice.measured,
        "200 of 400 stack traces (50 %) collided with another one in 20s; 300 of 1,024 entries"
    );
    assert_eq!(while_watched(stacks(1)), []);
}

fn program(name: &str, attached: &[&str], pins: &[&str]) -> Program {
    let texts = |texts: &[&str]| {
        Some(
            texts
                .iter()
                .map(|text| CompactString::from(*text))
                .collect(),
        )
    };
    Program {
        id: 812,
        name: name.into(),
        program_type: "xdp".into(),
        attached: texts(attached),
        pins: texts(pins),
    }
}

/// Held by so many processes, with these programs and pins.
fn ownership(holders: u32, programs: &[Program], pins: &[&str]) -> Ownership {
    let holder = |pid| Holder {
        process: Arc::new(Process {
            pid,
            comm: "flowd".into(),
            cgroup: None,
        }),
        via: vec![HeldVia::Fd],
        fds: Vec::new(),
    };
    Ownership {
        holders: Some((1..=holders).map(holder).collect()),
        programs: Some(programs.iter().cloned().map(Arc::new).collect()),
        pins: Some(pins.iter().map(|pin| (*pin).into()).collect()),
        outer: Some(Vec::new()),
        ..Ownership::default()
    }
}

#[test]
fn what_only_pins_keep_is_a_leftover() {
    let pinned = |programs: &[Program]| {
        let owned = ownership(0, programs, &["/sys/fs/bpf/conns"]);
        unwatched(|_| map("conns").with_layout().owned(owned.clone()))
    };
    let advice = only(pinned(&[]));
    assert_eq!(advice.topic, "leftover");
    assert!(advice.measured.starts_with(
        "pinned at /sys/fs/bpf/conns, held by no process, used by no program, unchanged for 20s; takes "
    ));
    assert!(advice.frees > Some(0));
    let idle = program("xdp_drop", &[], &["/sys/fs/bpf/xdp"]);
    assert!(only(pinned(&[idle])).change.contains("of its programs"));
    // It is attached, or held by something that mapstop does not see, such as tc.
    assert_eq!(
        pinned(&[program("xdp_drop", &["xdp eth0"], &["/sys/fs/bpf/xdp"])]),
        []
    );
    assert_eq!(pinned(&[program("tc_drop", &[], &[])]), []);
    let unknown = Program {
        attached: None,
        ..program("xdp_drop", &[], &["/sys/fs/bpf/xdp"])
    };
    assert_eq!(pinned(&[unknown]), []);
    // Somebody opens the pin.
    let owned = ownership(0, &[], &["/sys/fs/bpf/conns"]);
    let updated = unwatched(|second| {
        map("conns")
            .used(second.into(), 100_000)
            .owned(owned.clone())
    });
    assert_eq!(updated, []);
}

#[test]
fn an_older_generation_beside_a_newer_map_is_reported() {
    let both = |old: Ownership, new: Ownership| {
        let maps = |second: u64| {
            [
                map("conns").id(10).owned(old.clone()),
                map("conns").id(20).used(second, 1000).owned(new.clone()),
            ]
        };
        advise_on((0..=20).map(|second| snapshot(second, maps(second.into()))))
    };
    let attached = program("xdp_flow", &["xdp eth0"], &[]);
    let new = ownership(1, &[program("xdp_flow", &["xdp eth1"], &[])], &[]);
    let advice = only(both(
        ownership(0, std::slice::from_ref(&attached), &[]),
        new.clone(),
    ));
    assert_eq!(advice.topic, "old_generation");
    assert_eq!(advice.maps, [MapId(10)]);
    assert!(advice.measured.starts_with(
        "held by no process and unchanged for 20s; flowd(1) holds 20 of the same name and type, \
         used by a program xdp_flow too"
    ));
    assert!(
        advice
            .change
            .contains("detach the program that still uses it (xdp_flow, attached at xdp eth0)")
    );

    let pinned = |path| ownership(0, &[], &[path]);
    let new = ownership(1, &[], &["/sys/fs/bpf/flow/conns"]);
    let old = both(pinned("/sys/fs/bpf/flow/conns_v1"), new.clone());
    assert_eq!(topics_of(&old), ["old_generation"]);
    // The name alone proves nothing.
    let other = both(pinned("/sys/fs/bpf/other/conns"), new.clone());
    assert_eq!(topics_of(&other), ["leftover"]);
    // Held by a process, too.
    assert_eq!(both(ownership(1, &[attached], &[]), new), []);
}

#[test]
fn nothing_is_advised_that_frees_nothing() {
    let maps = || (0..20).map(|n| map("per_pod").id(100 + n));
    let advice = only(advise_on((0..=20).map(|second| snapshot(second, maps()))));
    assert_eq!(advice.topic, "many");
    assert!(!advice.change.contains(" 0 bytes"), "{advice:?}");
    let orphan = only(unwatched(|_| {
        map("forgotten").owned(ownership(0, &[], &[]))
    }));
    assert_ne!(orphan.frees, Some(0));
}
