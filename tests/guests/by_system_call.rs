//! Losses caused by bpf(2) are counted and name the process.

use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd};

use libbpf_rs::libbpf_sys::bpf_map_create_opts;
use libbpf_rs::{MapCore, MapFlags, MapHandle, MapType};
use serde_json::{Value, json};

use crate::mapstop::Mapstop;
use crate::overfill::Overfill;
use crate::support::map;
use crate::{is_cause_known, is_guest, is_traceable, loss};

const NO_PREALLOC: u32 = 1;

/// A map, how it is overfilled, and the expected numbers.
struct Case {
    map: MapHandle,
    /// Attempted updates, each with another key.
    tries: u32,
    /// The value of all of them.
    value: Vec<u8>,
    /// How many are refused, and with which errno.
    refused: (u32, &'static str),
    /// Functions of which one has to be traceable.
    functions: &'static [&'static str],
}

impl Case {
    fn new(
        map: MapHandle,
        tries: u32,
        refused: (u32, &'static str),
        functions: &'static [&'static str],
    ) -> Self {
        let cpus = libbpf_rs::num_possible_cpus().expect("CPUs");
        let copies = if map.map_type().is_percpu() { cpus } else { 1 };
        let value = vec![0; map.value_size().next_multiple_of(4) as usize * copies];
        Self {
            map,
            tries,
            value,
            refused,
            functions,
        }
    }

    fn of_value(mut self, value: u32) -> Self {
        self.value[..4].copy_from_slice(&value.to_ne_bytes());
        self
    }

    /// Tries all updates and returns how many were refused.
    fn overfill(&self) -> u32 {
        let results = (0..self.tries).map(|number| self.update(number, MapFlags::ANY));
        u32::try_from(results.filter(Result::is_err).count()).expect("not so many")
    }

    fn update(&self, number: u32, flags: MapFlags) -> libbpf_rs::Result<()> {
        let number = match self.map.map_type() {
            // A whole address behind its length.
            MapType::LpmTrie => [32_u32.to_ne_bytes(), number.to_be_bytes()].concat(),
            MapType::Queue | MapType::Stack => Vec::new(),
            _ => number.to_ne_bytes().to_vec(),
        };
        if self.map.map_type().is_percpu() {
            let copies: Vec<_> = self.value.chunks(8).map(<[u8]>::to_vec).collect();
            return self.map.update_percpu(&number, &copies, flags);
        }
        self.map.update(&number, &self.value, flags)
    }
}

/// A hash of maps, and a map to insert.
fn outer() -> (MapHandle, MapHandle) {
    let inner = map(MapType::Array, "inner", (4, 8), 1, 0);
    let options = bpf_map_create_opts {
        sz: size_of::<bpf_map_create_opts>() as u64,
        inner_map_fd: inner.as_fd().as_raw_fd().cast_unsigned(),
        ..bpf_map_create_opts::default()
    };
    let outer = MapHandle::create(MapType::HashOfMaps, Some("outer"), 4, 4, 5, &options);
    (outer.expect("a map of maps"), inner)
}

/// This process, as another one sees it.
fn culprit() -> Value {
    if !is_cause_known() {
        return Value::Null;
    }
    let comm = std::fs::read_to_string("/proc/self/comm").expect("our name");
    json!({"pid": std::process::id(), "comm": comm.trim_end()})
}

#[test]
fn losses_by_a_process_are_all_counted_and_name_it() {
    if !is_guest() {
        return;
    }
    let (outer, inner) = outer();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let descriptor = |fd: i32| fd.cast_unsigned();
    let new = |map_type, name, max, flags| map(map_type, name, (4, 8), max, flags);
    let tries = |map, tries, refused, functions| Case::new(map, tries, refused, functions);
    #[rustfmt::skip]
    let cases = [
        tries(new(MapType::Hash, "hash", 10, 0), 17, (7, "E2BIG"), &["htab_map_update_elem"]),
        tries(new(MapType::Hash, "grown", 8, NO_PREALLOC), 19, (11, "E2BIG"), &["htab_map_update_elem"]),
        tries(new(MapType::PercpuHash, "percpu", 6, 0), 19, (13, "E2BIG"), &["bpf_percpu_hash_update"]),
        tries(map(MapType::LpmTrie, "trie", (8, 8), 9, NO_PREALLOC), 26, (17, "ENOSPC"), &["trie_update_elem", "bpf_map_update_value"]),
        tries(map(MapType::Queue, "queue", (0, 8), 4, 0), 23, (19, "E2BIG"), &["queue_stack_map_push_elem", "bpf_map_update_value"]),
        tries(map(MapType::Stack, "stack", (0, 8), 3, 0), 26, (23, "E2BIG"), &["queue_stack_map_push_elem", "bpf_map_update_value"]),
        tries(outer, 34, (29, "E2BIG"), &["bpf_fd_htab_map_update_elem"])
            .of_value(descriptor(inner.as_fd().as_raw_fd())),
        tries(new(MapType::Sockhash, "sockets", 2, 0), 33, (31, "E2BIG"), &["sock_hash_update_common"])
            .of_value(descriptor(socket.as_raw_fd())),
        tries(map(MapType::DevmapHash, "devices", (4, 4), 7, 0), 44, (37, "E2BIG"), &["dev_map_hash_update_elem"])
            .of_value(1),
    ];
    let mut mapstop = Mapstop::start(&["--losses"]);
    mapstop.until(|report| report["losses_state"] == "on");
    for case in &cases {
        assert_eq!(case.overfill(), case.refused.0, "{:?}", case.map.name());
    }
    // Errors of the caller are not losses.
    let hash = &cases[0];
    hash.update(3, MapFlags::NO_EXIST).expect_err("it is there");
    hash.update(99, MapFlags::EXIST)
        .expect_err("it is not there");
    // A batch ends at the first refused update.
    let (keys, values) = ([[9_u8; 4], [8; 4]].concat(), [0; 16]);
    let batch = hash
        .map
        .update_batch(&keys, &values, 2, MapFlags::ANY, MapFlags::ANY);
    batch.expect_err("full");

    let report = mapstop.report_of_now();
    let mut wrong = Vec::new();
    for case in &cases {
        let (mut count, errno) = case.refused;
        count += u32::from(std::ptr::eq(case, hash));
        let is_seen = case
            .functions
            .iter()
            .any(|function| is_traceable(&[function]));
        let info = case.map.info().expect("info");
        let loss = loss(&report, info.info.id);
        let reported = (
            &loss["watched"],
            &loss["failed_updates"],
            &loss["by_errno"],
            &loss["culprit"],
        );
        let expected = if is_seen {
            (json!(true), json!(count), json!({errno: count}), culprit())
        } else {
            (json!(false), Value::Null, Value::Null, Value::Null)
        };
        // A reason is given where only bpf(2) is traced, and for devices, whose own drops are not.
        let is_of_devices = case.functions[0].starts_with("dev_map");
        let is_whole = is_traceable(&case.functions[..1]) && !is_of_devices;
        let has_reason = loss["reason"].is_string();
        let (watched, failed, errors, by) = &expected;
        if reported != (watched, failed, errors, by) || has_reason == is_whole {
            wrong.push(format!("{:?}: {loss}, not {expected:?}", info.name()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn evictions_are_inserted_keys_minus_remaining_ones() {
    if !is_guest() {
        return;
    }
    let maps = [
        (MapType::LruHash, 100, 0, 700),
        (MapType::LruPercpuHash, 100, 0, 500),
        // A list for each CPU.
        (MapType::LruHash, 100, 2, 300),
        (MapType::LruHash, 1000, 0, 2000),
    ];
    let cases = maps.map(|(map_type, max, flags, keys)| {
        Case::new(map(map_type, "lru", (4, 8), max, flags), keys, (0, ""), &[])
    });
    let mut mapstop = Mapstop::start(&["--losses"]);
    mapstop.until(|report| report["losses_state"] == "on");
    for case in &cases {
        assert_eq!(case.overfill(), 0);
    }
    let report = mapstop.report_of_now();
    for case in &cases {
        let left = case.map.keys().count();
        let evicted = case.tries as usize - left;
        assert!(evicted > 0);
        let loss = loss(&report, case.map.info().expect("info").info.id);
        assert_eq!(loss["evictions"], evicted, "{loss}");
        assert_eq!(loss["failed_updates"], 0, "{loss}");
        assert_eq!(loss["culprit"], culprit(), "{loss}");
    }
}

#[test]
fn exceeding_optmem_is_a_refused_update() {
    if !is_guest() {
        return;
    }
    std::fs::write("/proc/sys/net/core/optmem_max", "2048").expect("a limit");
    let overfill = Overfill::load(&["storage"], &[]);
    let storage = overfill.map("storage");
    let mut mapstop = Mapstop::start(&["--losses"]);
    mapstop.until(|report| report["losses_state"] == "on");
    for _ in 0..13 {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let key = socket.as_raw_fd().to_ne_bytes();
        let refused = storage.update(&key, &[0; 4000], MapFlags::ANY);
        refused.expect_err("more than it may keep");
    }
    let report = mapstop.report_of_now();
    let loss = loss(&report, storage.info().expect("info").info.id);
    assert_eq!(loss["by_errno"], json!({"ENOMEM": 13}), "{loss}");
}
