//! The recording that the screens show.

use std::path::Path;
use std::sync::Arc;

use mapstop::source::Source;
use mapstop::source::recording::Writer;
use mapstop::test_util::{MapBuilder, host, map, snapshot};
use mapstop::types::count::CountMethod;
use mapstop::types::map_id::MapId;
use mapstop::types::ownership::{HeldVia, Holder, Ownership, Process, Program};
use mapstop::types::snapshot::Snapshot;

use super::recording;

/// A realistic machine: one map refuses updates, one fills up, some are full by design.
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

const CILIUM: &str = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod5d0e9f1c_6d0b_4a63_a7b2_0f6c1f9a3d11.slice/cri-containerd-3f2c9d0a7b6e5f4c3b2a19087f6e5d4c3b2a19087f6e5d4c3b2a190812345678.scope";

/// A map with its owners.
fn owned(map: MapBuilder) -> MapBuilder {
    let holder = |pid, comm: &str, cgroup: &str, via: &[HeldVia], fds: &[u32]| Holder {
        process: Arc::new(Process {
            pid,
            comm: comm.into(),
            cgroup: Some(cgroup.into()),
        }),
        via: via.to_vec(),
        fds: fds.to_vec(),
    };
    let program = |id, name: &str, program_type: &str, attached: &[&str]| {
        Arc::new(Program {
            id,
            name: name.into(),
            program_type: program_type.into(),
            attached: Some(attached.iter().map(|text| (*text).into()).collect()),
            pins: Some(Vec::new()),
        })
    };
    let known = Ownership {
        holders: Some(Vec::new()),
        programs: Some(Vec::new()),
        pins: Some(Vec::new()),
        outer: Some(Vec::new()),
        ..Ownership::default()
    };
    let cilium = || holder(1832, "cilium-agent", CILIUM, &[HeldVia::Fd], &[21]);
    let flowd = |via: &[HeldVia], fds: &[u32]| {
        holder(2214, "flowd", "/system.slice/flowd.service", via, fds)
    };
    let layout = match map.get_id() {
        2971 | 3021 | 512 | 513 | 640 => Ownership {
            holders: Some(vec![cilium()]),
            programs: Some(vec![program(
                901,
                "cil_from_netdev",
                "sched_cls",
                &["tcx ingress eth0"],
            )]),
            cgroup: Some(CILIUM.into()),
            ..known
        },
        3187 => Ownership {
            holders: Some(vec![
                flowd(&[HeldVia::Fd], &[11, 12]),
                holder(
                    9127,
                    "flowctl",
                    "/user.slice/user-1000.slice/session-4.scope",
                    &[HeldVia::Fd],
                    &[7],
                ),
            ]),
            programs: Some(vec![
                program(812, "tc_ingress", "sched_cls", &["tcx ingress eth0"]),
                program(813, "tc_egress", "sched_cls", &["tcx egress eth0"]),
                program(814, "ct_gc", "perf_event", &[]),
            ]),
            cgroup: Some("/system.slice/flowd.service".into()),
            ..known
        },
        377 | 2211 | 90 => Ownership {
            holders: Some(vec![flowd(&[HeldVia::Mmap, HeldVia::Program], &[])]),
            cgroup: Some("/system.slice/flowd.service".into()),
            ..known
        },
        3301 => Ownership {
            pins: Some(vec!["/sys/fs/bpf/fw/blocklist".into()]),
            ..known
        },
        13_020 => Ownership {
            outer: Some(vec![MapId(2971)]),
            ..known
        },
        2210 => Ownership {
            programs: Some(vec![program(
                901,
                "cil_from_netdev",
                "sched_cls",
                &["tcx ingress eth0"],
            )]),
            ..known
        },
        4410 => Ownership {
            holders: Some(vec![holder(
                871,
                "dnsmon",
                "/system.slice/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope",
                &[HeldVia::Fd],
                &[5],
            )]),
            ..known
        },
        1203 => known,
        9001 => Ownership::default(),
        _ => Ownership {
            cgroup: Some("/system.slice/bird.service".into()),
            ..known
        },
    };
    map.with_layout().owned(layout)
}

/// The maps at a sample, two seconds after the one before: `pol_ep_02366` becomes full, `conn_track_v4` grows,
/// `inner_00` is deleted after the fourth sample, `just_made` is created at the fifth.
fn sample(n: u32) -> Snapshot {
    let mut maps = maps();
    if n == 0 {
        maps[0] = map("pol_ep_02366")
            .id(2971)
            .used(16_380, 16_384)
            .sizes(4, 8);
    }
    maps[1] = map("conn_track_v4")
        .id(3187)
        .used(62_274 + 26 * u64::from(n), 65_536);
    if n < 4 {
        maps.push(map("inner_00").id(13_020).used(40, 1000));
    } else {
        maps.push(map("just_made").id(13_021).used(999, 1000));
    }
    let maps = maps.into_iter().map(owned);
    snapshot(2 * n, maps)
}

#[test]
fn the_recording_is_the_one_made_here() {
    let mut recording = recording();
    for n in 0..=10 {
        let read = recording.sample().expect("a sample").expect("one more");
        let made = sample(n);
        let (of_read, of_made) = (read.owners.clone(), made.owners.clone());
        let same = of_read.zip(of_made).map(|(a, b)| a.same_content(&b));
        assert_eq!(same, Some(true), "owners are recorded when they change");
        let owners = None;
        let (read, made) = (
            Snapshot {
                owners: owners.clone(),
                ..read
            },
            Snapshot { owners, ..made },
        );
        assert!(read == made, "sample {n}: {read:?}");
    }
    assert_eq!(recording.sample().expect("an end"), None);
}

/// Writes the recording again: `cargo test --test screens -- --ignored`.
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
