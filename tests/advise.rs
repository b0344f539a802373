//! Advice about recordings made for these tests.

use std::path::Path;
use std::process::{Command, Output};

use mapstop::source::recording::Writer;
use mapstop::test_util::{MapBuilder, host, key, map, owners_of_all_kinds, snapshot, watched};
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
            ("near_full", "refusing"),
            ("near_full", "conns"),
            ("early_eviction", "lru_own_lists"),
            ("early_eviction", "lru_small"),
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
        let used = if second.is_multiple_of(2) { 90 } else { 50 };
        let lru = |name: &str| hash(name, used, 100).named_type("lru_hash");
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
        .map(|advice| (advice["name"].clone(), advice["measured"].clone()))
        .collect();
    let expected = [
        ("evicts", "peak 90 of 100 entries, and 70 evicted in 10s"),
        (
            "is_not_watched",
            "peak 90 of 100 entries, and 40 fewer from one sample to the next",
        ),
    ]
    .map(|(name, measured)| (Value::from(name), Value::from(measured)));
    assert_eq!(advice, expected);
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
    assert!(
        report.contains("10 of 10 entries: pushes are refused, or drop the oldest"),
        "{report}"
    );
}
