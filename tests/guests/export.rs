//! The exporter where losses can be counted, and where reading takes capabilities.

use std::fs;

use libbpf_rs::MapCore;
use rustix::system::uname;

use crate::overfill::Overfill;
use crate::support::exporter::{Exporter, value};
use crate::support::prometheus::wait_until;
use crate::{is_guest, is_traceable};

/// What `fill_hash` inserts beyond the capacity of `hash`.
const REFUSED_UPDATES: f64 = 31.0;
/// Different keys that `fill_lru` inserts.
const LRU_KEYS: u32 = 400;
/// Records that `fill_output` writes and that do not fit.
const DROPPED_RECORDS: f64 = 61.0;

/// A field of `/proc/PID/status`.
fn status_field(pid: u32, name: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.expect(name).trim().to_owned()
}

#[test]
fn loss_counters_start_at_zero() {
    if !is_guest() {
        return;
    }
    let mut overfill = Overfill::load(
        &["hash", "lru", "ring_output"],
        &["fill_hash", "fill_lru", "fill_output"],
    );
    let is_traced = is_traceable(&["htab_map_update_elem"])
        && is_traceable(&["htab_lru_map_update_elem", "htab_lru_map_delete_node"]);
    assert!(is_traced, "every kernel lets hashes be traced");
    let exporter = Exporter::start(&["--losses"]);
    wait_until("losses are watched", || {
        value(&exporter.scrape(), "mapstop_losses_watched", &[]) == Some(1.0)
    });
    let refused = |text: &str| {
        let labels = ["name=\"hash\"", "errno=\"E2BIG\""];
        value(text, "bpf_map_failed_updates_total", &labels)
    };
    let evicted = |text: &str| value(text, "bpf_map_evictions_total", &["name=\"lru\""]);
    let dropped = |text: &str| value(text, "bpf_map_drops_total", &["name=\"ring_output\""]);
    let text = exporter.scrape();
    assert_eq!((refused(&text), evicted(&text)), (Some(0.0), Some(0.0)));
    for program in ["fill_hash", "fill_lru", "fill_output"] {
        overfill.run(program).expect("every kernel has it");
    }
    let remaining = u32::try_from(overfill.map("lru").keys().count()).expect("a few keys");
    let evictions = f64::from(LRU_KEYS - remaining);
    wait_until("all losses are counted", || {
        let text = exporter.scrape();
        (refused(&text), evicted(&text)) == (Some(REFUSED_UPDATES), Some(evictions))
    });
    let is_ringbuf_traced = is_traceable(&["bpf_ringbuf_reserve", "bpf_ringbuf_output"]);
    let text = exporter.scrape();
    assert_eq!(dropped(&text), is_ringbuf_traced.then_some(DROPPED_RECORDS));
    overfill.run("fill_hash").expect("every kernel has it");
    wait_until("more losses are added", || {
        refused(&exporter.scrape()).is_some_and(|count| count > REFUSED_UPDATES)
    });
}

#[test]
fn capabilities_are_kept_where_reads_need_them() {
    if !is_guest() {
        return;
    }
    let exporter = Exporter::start(&[]);
    assert_eq!(
        value(&exporter.scrape(), "bpf_maps", &[]),
        None,
        "no maps yet"
    );
    let _map = crate::support::create_hash("seen_later", 3, 10);
    wait_until("the new map is exported", || {
        let text = exporter.scrape();
        value(&text, "bpf_map_max_entries", &["seen_later"]) == Some(10.0)
    });
    let release = uname().release().to_string_lossy().into_owned();
    // CAP_PERFMON is 38, CAP_BPF is 39.
    let kept = match &*release {
        old if old.starts_with("5.") => "000000c000000000",
        _ => "0000000000000000",
    };
    for name in ["CapPrm:", "CapEff:"] {
        assert_eq!(status_field(exporter.pid(), name), kept, "{name} {release}");
    }
    for name in ["CapInh:", "CapBnd:", "CapAmb:"] {
        assert_eq!(
            status_field(exporter.pid(), name),
            "0000000000000000",
            "{name}"
        );
    }
}
