//! Gaps in time: clocks that jump, and hours in which mapstop or the machine did not run.

use std::time::Duration;

use jiff::SignedDuration;
use mapstop::analysis::history::History;
use mapstop::test_util::{map, snapshot, watched};
use mapstop::types::mark::Mark;
use mapstop::types::reading::Reading;
use mapstop::types::row::Row;
use mapstop::types::snapshot::Snapshot;

const HOUR: u32 = 3600;

/// The row of one map at each of these seconds.
fn read(history: &mut History, samples: impl Iterator<Item = (u32, u64)>) -> Vec<Reading> {
    let one = |(second, used)| snapshot(second, [map("m").used(used, 100_000)]);
    samples.map(|sample| history.read(one(sample))).collect()
}

fn last(readings: &[Reading]) -> &Row {
    &readings.last().expect("a reading").rows[0]
}

fn is_about(number: Option<f64>, expected: f64) -> bool {
    number.is_some_and(|number| (number / expected - 1.0).abs() < 0.03)
}

#[test]
fn a_wall_clock_jump_changes_nothing() {
    let numbers = |jump: i64, mut history: History| -> Vec<(Row, Option<Duration>)> {
        let taken = |second: u32| {
            let mut taken: Snapshot = watched(
                second,
                0,
                [map("m").used(second.into(), 200).refused(second.into())],
            );
            if second >= 60 {
                taken.moment.wall += SignedDuration::from_secs(jump);
            }
            taken
        };
        let readings = (0..120).map(|second| history.read(taken(second)));
        readings
            .map(|mut reading| (reading.rows.remove(0), reading.interval))
            .collect()
    };
    let hour = i64::from(HOUR);
    for jump in [-24 * hour, -hour, -1, 1, hour, 365 * 24 * hour] {
        assert_eq!(
            numbers(jump, History::live()),
            numbers(0, History::live()),
            "{jump}"
        );
        assert_eq!(
            numbers(jump, History::default()),
            numbers(0, History::default()),
            "{jump}"
        );
    }
}

#[test]
fn suspend_to_ram_is_not_growth() {
    let mut history = History::live();
    let before = read(&mut history, (0..=120).map(|n| (n, 10 * u64::from(n))));
    assert!(is_about(last(&before).growth_per_s, 10.0));
    // The machine was suspended: nothing changed meanwhile.
    let woken = read(&mut history, [(120 + HOUR, 1200)].into_iter());
    let row = last(&woken);
    assert!(
        row.growth_per_s.is_none_or(|growth| growth.abs() < 0.01),
        "{:?}",
        row.growth_per_s
    );
    assert_eq!(row.full_in.seconds(), None, "{:?}", row.full_in);
    assert_eq!(row.mark, Some(Mark::None));
    let after = (1..=30).map(|n| (120 + HOUR + n, 1200 + 10 * u64::from(n)));
    let after = read(&mut history, after);
    for (n, reading) in (1..).zip(&after) {
        let row = &reading.rows[0];
        let growth = row.growth_per_s;
        assert!(
            growth.is_none_or(|growth| growth < 10.1),
            "{n} s later: {growth:?}"
        );
        // While the measured interval spans the gap, the forecast may be too long.
        let left = 98_800.0 - 10.0 * f64::from(n);
        let is_too_soon = |seconds: f64| seconds < 0.97 * left / 10.0;
        let full_in = row.full_in;
        assert!(
            !full_in.seconds().is_some_and(is_too_soon),
            "{n} s later: {full_in:?}"
        );
        assert_eq!(row.mark, Some(Mark::None));
    }
    let row = last(&after);
    assert!(is_about(row.growth_per_s, 10.0), "{:?}", row.growth_per_s);
    assert!(is_about(row.full_in.seconds(), 9850.0), "{:?}", row.full_in);
}

#[test]
fn growth_is_current_after_an_hour_of_being_stopped() {
    let mut history = History::live();
    let used = |second: u32| 10 * u64::from(second);
    let seconds = (0..=120).chain(120 + HOUR..=150 + HOUR);
    let readings = read(&mut history, seconds.map(|second| (second, used(second))));
    for reading in &readings[121..] {
        let row = &reading.rows[0];
        assert!(
            row.growth_per_s
                .is_none_or(|growth| is_about(Some(growth), 10.0)),
            "{:?}: {:?}",
            reading.moment.uptime,
            row.growth_per_s
        );
        let second = u32::try_from(reading.moment.uptime.as_secs()).expect("an hour");
        let left = f64::from(100_000 - 10 * second) / 10.0;
        let is_right = |seconds: f64| is_about(Some(seconds), left);
        assert!(
            row.full_in.seconds().is_none_or(is_right),
            "{second}: {:?}",
            row.full_in
        );
    }
    assert!(last(&readings).full_in.seconds().is_some());
}

#[test]
fn growth_during_a_stop_is_spread_over_the_stop() {
    // One was emptied and one filled; neither changes any more.
    for (before, now) in [(90_000, 5), (1000, 90_000_u64)] {
        let mut history = History::live();
        let seconds = (0..=120).map(|second| (second, before + 10 * u64::from(second)));
        read(&mut history, seconds);
        let woken = read(&mut history, (0..30).map(|n| (120 + HOUR + n, now)));
        for (n, reading) in woken.iter().enumerate() {
            let row = &reading.rows[0];
            let growth = row.growth_per_s.expect("growth");
            // Growth is measured over at least six samples.
            let most = if n < 5 { 26.0 } else { 0.01 };
            assert!(growth.abs() < most, "{n}: {growth}");
            assert!((growth > 0.0) == (now > before) || n >= 5, "{n}: {growth}");
            assert!(
                n < 5 || row.full_in.seconds().is_none(),
                "{n}: {:?}",
                row.full_in
            );
        }
    }
}

#[test]
fn a_report_after_an_hour_covers_it() {
    let mut history = History::default();
    let readings = read(
        &mut history,
        [(0, 0), (1, 10), (1 + HOUR, 3610)].into_iter(),
    );
    assert_eq!(readings[2].interval, Some(Duration::from_secs(HOUR.into())));
    assert!(is_about(last(&readings).growth_per_s, 1.0));
}

#[test]
fn losses_of_an_hour_are_spread_over_it() {
    let mut history = History::live();
    let lost = |second, refused| watched(second, 0, [map("m").used(9, 10).refused(refused)]);
    history.read(lost(10, 0));
    history.read(lost(11, 5));
    let woken = history.read(lost(11 + HOUR, 5 + 7200));
    let rates = woken.rows[0].loss_per_s();
    assert!(is_about(rates, 2.0), "{rates:?}");
}
