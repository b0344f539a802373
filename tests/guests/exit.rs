//! `--fail-on loss` sets the exit code by the losses during one report.

use std::io::Read;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use libbpf_rs::{MapCore, MapFlags, MapHandle, MapType};
use serde_json::Value;

use crate::mapstop::Mapstop;
use crate::support::map;
use crate::traces::linked;
use crate::{is_guest, loss};

/// Starts a report on this map, and waits until its tracers are attached.
fn watch(map: &MapHandle, tracer: &str) -> Child {
    let id = crate::support::id(map);
    let arguments = "--once -d 3 --losses -j --fail-on loss -m".split(' ');
    let arguments: Vec<_> = arguments.chain([&*id]).collect();
    let child = Mapstop::spawn(&arguments);
    let start = Instant::now();
    while !linked().iter().any(|name| tracer.starts_with(&**name)) {
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", linked());
        sleep(Duration::from_millis(20));
    }
    // It counts once it knows that all are attached.
    sleep(Duration::from_millis(500));
    child
}

/// The exit code and the report.
fn end(mut child: Child) -> (Option<i32>, Value) {
    let mut text = String::new();
    let mut stdout = child.stdout.take().expect("a pipe");
    stdout.read_to_string(&mut text).expect("text");
    let status = child.wait().expect("its end");
    (
        status.code(),
        serde_json::from_str(&text).expect("a report"),
    )
}

fn put(map: &MapHandle, keys: std::ops::Range<u32>) -> usize {
    let put = |key: u32| map.update(&key.to_ne_bytes(), &[0; 8], MapFlags::ANY);
    keys.map(put).filter(Result::is_err).count()
}

#[test]
fn a_refused_update_is_exit_code_3() {
    if !is_guest() {
        return;
    }
    let map = map(MapType::Hash, "refuses", (4, 8), 10, 0);
    let child = watch(&map, "ms_hash_update");
    assert_eq!(put(&map, 0..23), 13);
    let (code, report) = end(child);
    let id = map.info().expect("info").info.id;
    assert_eq!(loss(&report, id)["failed_updates"], 13);
    assert_eq!(code, Some(3));
}

#[test]
fn no_loss_is_exit_code_0() {
    if !is_guest() {
        return;
    }
    let map = map(MapType::Hash, "takes_all", (4, 8), 10, 0);
    // Before tracing.
    assert_eq!(put(&map, 0..12), 2);
    let child = watch(&map, "ms_hash_update");
    assert_eq!(put(&map, 0..10), 0);
    let (code, report) = end(child);
    let id = map.info().expect("info").info.id;
    assert_eq!(loss(&report, id)["failed_updates"], 0);
    assert_eq!(code, Some(0));
}

#[test]
fn evictions_are_exit_code_0() {
    if !is_guest() {
        return;
    }
    let map = map(MapType::LruHash, "evicts", (4, 8), 100, 0);
    let child = watch(&map, "ms_lru_evict");
    assert_eq!(put(&map, 0..500), 0);
    let evicted = 500 - map.keys().count();
    let (code, report) = end(child);
    let id = map.info().expect("info").info.id;
    assert_eq!(loss(&report, id)["evictions"], evicted);
    assert_eq!(code, Some(0));
}
