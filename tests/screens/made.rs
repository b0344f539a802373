//! The recording that screens are fed from: the machine that the interface was designed with.

use std::path::Path;

use mapstop::model::snapshot::CountMethod;
use mapstop::model::source::Source;
use mapstop::recording::Writer;
use mapstop::testing::{MapBuilder, host, map, snapshot};

use super::recording;

/// A machine as in the field: one map refuses, one fills up, some are full by design.
fn maps() -> Vec<MapBuilder> {
    vec![
        map("pol_ep_02366")
            .id(2971)
            .used(16_384, 16_384)
            .sizes(4, 8),
        map("conn_track_v4").id(3187).used(62_300, 65_536),
        map("dns_inflight")
            .id(4410)
            .named_type("percpu_hash")
            .used(8192, 10_240),
        map("events")
            .id(377)
            .named_type("ringbuf")
            .counted(CountMethod::Field)
            .used(12 << 20, 16 << 20)
            .sizes(0, 0),
        map("svc_backends").id(3021).used(7790, 8192),
        map("ct4_global")
            .id(512)
            .named_type("lru_hash")
            .used(524_288, 524_288),
        map("snat_v4_ext")
            .id(513)
            .named_type("lru_percpu_hash")
            .used(131_072, 524_288),
        map("stack_traces")
            .id(700)
            .named_type("stack_trace")
            .counted(CountMethod::Scan)
            .used(4200, 16_384),
        map("fib_trie")
            .id(88)
            .named_type("lpm_trie")
            .counted(CountMethod::Field)
            .used(12_400, 65_536)
            .flags(1),
        map("tcp_conns").id(3300).used(1200, 65_536),
        map("").id(3301).used(218, 10_000),
        map("dev_redirect")
            .id(3302)
            .named_type("devmap_hash")
            .counted(CountMethod::Field)
            .used(6, 256),
        map("jmp_table")
            .id(2210)
            .named_type("prog_array")
            .counted(CountMethod::Scan)
            .used(31, 64),
        map("prog_stats")
            .id(2211)
            .named_type("percpu_array")
            .used(0, 256)
            .uncounted(),
        map("agent.rodata")
            .id(90)
            .named_type("array")
            .used(0, 1)
            .uncounted()
            .flags(1 << 7 | 1 << 10),
        map("sk_flow_state")
            .id(640)
            .named_type("sk_storage")
            .counted(CountMethod::Walk)
            .used(218, 0)
            .unlimited(),
        map("pid_seen")
            .id(701)
            .named_type("bloom_filter")
            .uncounted()
            .unlimited(),
        map("quota")
            .id(1203)
            .named_type("percpu_hash")
            .used(0, 4096)
            .uncounted(),
        map("from_tomorrow")
            .id(9001)
            .of_type(99)
            .uncounted()
            .unlimited(),
    ]
}

/// The maps at a sample, two seconds after the one before: `conn_track_v4` grows, `inner_00` goes
/// after the fourth sample, `just_made` comes with the fifth.
fn sample(n: u32) -> mapstop::model::snapshot::Snapshot {
    let mut maps = maps();
    maps[1] = map("conn_track_v4")
        .id(3187)
        .used(62_274 + 26 * u64::from(n), 65_536);
    if n < 4 {
        maps.push(map("inner_00").id(13_020).used(40, 1000));
    } else {
        maps.push(map("just_made").id(13_021).used(999, 1000));
    }
    snapshot(2 * n, maps)
}

#[test]
fn the_recording_is_the_one_made_here() {
    let mut recording = recording();
    for n in 0..=10 {
        let read = recording.sample().expect("a sample");
        assert_eq!(read, Some(sample(n)), "sample {n}");
    }
    assert_eq!(recording.sample().expect("an end"), None);
}

/// Writes the recording anew: `cargo test --test screens -- --ignored`.
#[test]
#[ignore = "writes into the repository"]
fn write_the_recording() {
    let path = Path::new(super::RECORDING);
    let _ = std::fs::remove_file(path);
    let mut writer = Writer::create(path, &host()).expect("a recording");
    for n in 0..=10 {
        writer.write(&sample(n)).expect("a sample");
    }
}
