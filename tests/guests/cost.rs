//! The overhead of tracing: a traced update compared with one that is not.

use std::time::Duration;

use libbpf_rs::MapCore;

use crate::mapstop::Mapstop;
use crate::overfill::Overfill;
use crate::{is_guest, loss};

/// The shortest time of a thousand updates of one entry.
fn least(overfill: &mut Overfill) -> Duration {
    let runs = (0..300).filter_map(|_| overfill.run("work"));
    runs.map(|(_, took)| took)
        .min()
        .expect("every kernel has it")
}

#[test]
fn measures_the_overhead_of_tracing() {
    if !is_guest() {
        return;
    }
    let mut overfill = Overfill::load(&["worked"], &["work"]);
    let before = least(&mut overfill);
    let mut mapstop = Mapstop::start(&["--losses"]);
    mapstop.until(|report| report["losses_state"] == "on");
    let traced = least(&mut overfill);
    let id = overfill.map("worked").info().expect("info").info.id;
    let report = mapstop.report_of_now();
    let loss = loss(&report, id);
    assert_eq!(loss["watched"], true, "{loss}");
    assert_eq!(loss["failed_updates"], 0, "{loss}");
    let ratio = traced.as_secs_f64() / before.as_secs_f64();
    println!(
        "measured: an update of a hash takes {ratio:.1} times as long while losses are watched (emulated)"
    );
}
