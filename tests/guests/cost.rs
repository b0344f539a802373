//! What it costs to be watched: an update that is traced, against one that is not.

use std::time::Duration;

use crate::is_guest;
use crate::mapstop::Mapstop;
use crate::overfill::Overfill;

/// The least that a thousand updates of an entry take.
fn least(overfill: &mut Overfill) -> Duration {
    let runs = (0..20).filter_map(|_| overfill.repeat("work", 20));
    runs.map(|(_, took)| took)
        .min()
        .expect("every kernel has it")
}

#[test]
fn what_is_watched_works_on_and_takes_longer() {
    if !is_guest() {
        return;
    }
    let mut overfill = Overfill::load(&["worked"], &["work"]);
    let before = least(&mut overfill);
    let mut mapstop = Mapstop::start(&["--losses"]);
    mapstop.until(|report| report["losses_state"] == "on");
    let traced = least(&mut overfill);
    drop(mapstop);
    let ratio = traced.as_secs_f64() / before.as_secs_f64();
    println!(
        "measured: an update of a hash takes {ratio:.1} times as long while losses are watched (emulated)"
    );
    assert!(ratio > 1.0, "{before:?} and {traced:?}: was it traced?");
}
