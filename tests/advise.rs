//! Advice about recordings made for these tests.

use std::path::Path;
use std::process::{Command, Output};

use mapstop::source::recording::Writer;
use mapstop::test_util::{MapBuilder, host, key, map, owners_of_all_kinds, snapshot, watched};
use mapstop::types::errno::Errno;
use mapstop::types::loss::{Backlog, Loss};
use mapstop::types::ownership::Ownership;
use mapstop::types::snapshot::Snapshot;
use serde_json::Value;

const RECORDING: &str = "tests/recordings/advice.mrec.zst";

/// The layout of a preallocated hash of 16-byte keys and 64-byte values.
fn hash(name: &str, used: u64, capacity: u32) -> MapBuilder {
    map(name).used(used, capacity).with_layout()
}

/// A minute of a machine with advice for most of its maps.
fn sample(second: u32) -> Snapshot {
    let owners = owners_of_all_kinds();
    let ownership = |id| -> Ownership { (**owners.get(&key(id)).expect("a map")).clone() };
    let grown = 50_000 + 100 * u64::from(second);
    let mut maps = vec![
        hash("conns", grown, 65_536).id(10).owned(ownership(3)),
        hash("refusing", 1024, 1024).id(11),
        // It was at a tenth for one sample only.
        hash("large", if second == 30 { 2000 } else { 40 }, 262_144).id(12),
        hash(
            "large_and_used",
            if second == 30 { 30_000 } else { 40 },
            262_144,
        )
        .id(13),
        hash("large_unknown", 1, 262_144).id(14).uncounted(),
        hash("lazy", 40, 262_144).id(15).flags(1),
        hash("small", 0, 64).id(16),
        hash("forgotten", 5, 1000).id(17).owned(ownership(4)),
        hash("not_looked_up", 5, 1000).id(18).owned(ownership(5)),
        hash(
            "lru_own_lists",
            if second.is_multiple_of(2) { 600 } else { 540 },
            1000,
        )
        .id(19)
        .named_type("lru_hash")
        .flags(2),
        hash("lru_quiet", 90, 100).id(22).named_type("lru_hash"),
        hash("queue", 0, 262_144).id(23).named_type("queue"),
        hash(
            "lru_small",
            if second.is_multiple_of(2) { 90 } else { 50 },
            100,
        )
        .id(20)
        .named_type("lru_hash"),
        hash("lru_full", 1000, 1000).id(21).named_type("lru_hash"),
    ];
    maps.extend((0..20).map(|n| hash("per_pod", 1, 1024).id(100 + n)));
    snapshot(second, maps)
}

fn advise(more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mapstop"))
        .args(["advise", "--replay", RECORDING])
        .args(more)
        .output()
        .expect("mapstop runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn advice_as_text() {
    let output = advise(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    insta::assert_snapshot!(text(&output.stdout));
}

#[test]
fn programs_read_the_same() {
    let report: Value = serde_json::from_slice(&advise(&["--json"]).stdout).expect("JSON");
    assert_eq!(report["measured_s"], 60.0);
    assert_eq!(report["samples"], 61);
    let seen: Vec<_> = report["advice"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|advice| {
            let topic = advice["topic"].as_str().expect("a topic");
            let name = advice["name"].as_str().expect("a name");
            (topic, name)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("near_full", "conns"),
            ("early_eviction", "lru_own_lists"),
            ("early_eviction", "lru_small"),
            ("found_full", "refusing"),
            ("oversized", "large"),
            ("many", "per_pod"),
            ("orphan", "forgotten"),
        ]
    );
    let oversized = &report["advice"][4];
    // 262,144 elements and buckets become 4,096: twice the peak of 2,000, rounded up.
    let freed = (262_144 - 4096) * (128 + 16);
    assert_eq!(oversized["frees_bytes"], freed);
}

#[test]
fn a_filter_limits_the_advice() {
    let output = advise(&["-f", "name:lru_full"]);
    assert!(text(&output.stdout).ends_with("nothing to change\n"));
}

#[test]
fn a_recording_has_its_own_time() {
    let output = advise(&["-d", "5"]);
    assert_eq!(output.status.code(), Some(2));
}

/// Writes the recording again: `cargo test --test advise -- --ignored`.
#[test]
#[ignore = "writes into the repository"]
fn write_the_recording() {
    let path = Path::new(RECORDING);
    let _ = std::fs::remove_file(path);
    let mut writer = Writer::create(path, &host()).expect("a file");
    for second in 0..=60 {
        writer.write(&sample(second)).expect("room");
    }
}

#[test]
fn early_eviction_is_advised_from_traced_evictions() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("evicting");
    let mut writer = Writer::create(&path, &host()).expect("a file");
    for second in 0..=10u32 {
        let used = if second.is_multiple_of(2) { 900 } else { 500 };
        let lru = |name: &str| hash(name, used, 1000).named_type("lru_hash");
        let maps = [
            lru("evicts").id(1).evicted(100 + 7 * u64::from(second)),
            // Entries are deleted, too.
            lru("is_emptied").id(2).evicted(5),
            lru("is_not_watched").id(3),
        ];
        writer.write(&watched(second, 0, maps)).expect("room");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_mapstop"))
        .args(["advise", "--json", "--replay"])
        .arg(path)
        .output()
        .expect("mapstop runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let advice: Vec<_> = report["advice"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|advice| {
            ["topic", "name", "measured"].map(|field| advice[field].as_str().expect("a text"))
        })
        .collect();
    let expected = [
        [
            "early_eviction",
            "evicts",
            "peak 900 of 1,000 entries, and 70 evicted in 10s",
        ],
        [
            "early_eviction",
            "is_not_watched",
            "peak 900 of 1,000 entries, and 400 fewer from one sample to the next, in 10s",
        ],
    ];
    assert_eq!(advice, expected);
}

/// A map that lost this much.
fn lossy(map: MapBuilder, change: impl FnOnce(&mut Loss)) -> MapBuilder {
    let mut loss = Loss {
        is_traced: true,
        ..Loss::default()
    };
    change(&mut loss);
    map.loss(loss)
}

/// A second of a machine whose maps refuse, drop and evict.
fn losing_sample(second: u32) -> Snapshot {
    let n = u64::from(second);
    let refused = |name: &str, used, errno, per_s: u64| {
        lossy(hash(name, used, 1024), |loss| {
            loss.failed = Some([(errno, per_s * n)].into());
        })
    };
    let ring = |name: &str| map(name).named_type("ringbuf");
    let lru = |name: &str, per_s: u64| {
        let map = hash(name, 8100, 8192).named_type("lru_hash");
        lossy(map, |loss| loss.evictions = Some(per_s * n))
    };
    let owned = |pin: &str| Ownership {
        holders: Some(Vec::new()),
        programs: Some(Vec::new()),
        pins: Some(vec![pin.into()]),
        outer: Some(Vec::new()),
        ..Ownership::default()
    };
    let maps = [
        refused("labels", 1024, Errno::E2BIG, 20).id(1),
        refused("metrics", 150, Errno::ENOMEM, 31).id(2).flags(1),
        refused("traced", 150, Errno::EBUSY, 3).id(3),
        refused("nested", 150, Errno::EDEADLK, 2).id(4),
        refused("contended", 150, Errno::ETIMEDOUT, 1).id(5),
        lossy(ring("events").used(262_072, 262_144), |loss| {
            loss.drops = Some(485 * n);
        })
        .read_up_to(4096)
        .id(6),
        lossy(
            map("perf").named_type("perf_event_array").used(4, 4),
            |loss| {
                loss.is_traced = false;
                loss.drops = Some(3 * n);
                loss.backlog = Some(Backlog {
                    bytes: 65_536,
                    room: 262_144,
                    fullest: 1.0,
                });
            },
        )
        .read_up_to(100 * n)
        .id(7),
        ring("no_reader").used(262_072, 262_144).read_up_to(0).id(8),
        lru("cache", 768).id(9),
        lru("calm", 1).id(10),
        hash("rules", 99, 100).id(11),
        hash("allow", 3, 3).id(12),
        hash("total", 1, 1).id(13),
        hash("pinned", 5, 1000)
            .id(14)
            .owned(owned("/sys/fs/bpf/pinned")),
    ];
    watched(second, 0, maps)
}

#[test]
fn losses_and_leftovers_have_topics() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("losing");
    let mut writer = Writer::create(&path, &host()).expect("a file");
    for second in 0..=60 {
        writer.write(&losing_sample(second)).expect("room");
    }
    drop(writer);
    let output = Command::new(env!("CARGO_BIN_EXE_mapstop"))
        .args(["advise", "--replay"])
        .arg(path)
        .output()
        .expect("mapstop runs");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    insta::assert_snapshot!(text(&output.stdout));
}

#[test]
fn no_size_advice_for_empty_maps_or_overwriting_queues() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("empty");
    let mut writer = Writer::create(&path, &host()).expect("a file");
    for second in 0..=3 {
        let maps = [
            hash("empty", 0, 262_144).id(1),
            hash("ring", 10, 10).id(2).named_type("queue"),
        ];
        writer.write(&snapshot(second, maps)).expect("room");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_mapstop"))
        .args(["advise", "--replay"])
        .arg(path)
        .output()
        .expect("mapstop runs");
    let report = text(&output.stdout);
    assert!(report.starts_with("measured 2 maps for 3.0 s"), "{report}");
    assert!(!report.contains("empty"), "{report}");
    assert!(report.contains("found_full  2 ring"), "{report}");
}
