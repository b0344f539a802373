//! Losses that the kernel counts without tracers.

use libbpf_rs::{MapCore, PerfBufferBuilder};
use serde_json::Value;

use crate::mapstop::Mapstop;
use crate::overfill::Overfill;
use crate::{find_map, is_guest, loss};

/// Whether the kernel keeps the records that an event lost (Linux 6.0).
fn counts_lost_samples() -> bool {
    let types = std::fs::read("/sys/kernel/btf/vmlinux").expect("BTF");
    let name = b"\0lost_samples\0";
    types.windows(name.len()).any(|bytes| bytes == name)
}

#[test]
fn perf_event_losses_need_no_tracer() {
    if !is_guest() {
        return;
    }
    let mut overfill = Overfill::load(&["perf"], &["fill_perf"]);
    let map = overfill.map("perf");
    let id = map.info().expect("info").info.id;
    let events = PerfBufferBuilder::new(&map).pages(1).sample_cb(|_, _| ());
    let _events = events.build().expect("an event for each CPU");
    let mut overfilled = || overfill.run("fill_perf").expect("every kernel has it").0;
    let earlier = overfilled();
    assert!(earlier > 0);

    let mut mapstop = Mapstop::start(&[]);
    let counted = |lost: u32| {
        if counts_lost_samples() {
            Value::from(lost)
        } else {
            Value::Null
        }
    };
    let report = mapstop.report();
    assert_eq!(
        loss(&report, id)["drops"],
        counted(0),
        "{}",
        loss(&report, id)
    );
    // Every buffer may have had room when this CPU's had none.
    let more: u32 = (0..3).map(|_| overfilled()).sum();
    let report = mapstop.report_of_now();
    let loss = loss(&report, id);
    assert_eq!(loss["drops"], counted(more), "{loss}");
    assert_eq!(loss["drops_before"], counted(earlier), "{loss}");
    assert_eq!(loss["watched"], counts_lost_samples(), "{loss}");
    // The reader has not moved since the buffer of this CPU became full.
    assert!(loss["fullest_buffer"].as_f64() > Some(0.9), "{loss}");
    let stalled = &find_map(&report, id)["stalled_s"];
    assert!(stalled.as_f64() > Some(0.0), "{stalled}");
    assert_eq!(loss["reason"].is_null(), counts_lost_samples(), "{loss}");
}
