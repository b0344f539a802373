//! Forecasts and marks for recordings made for these tests.

use std::time::Duration;

use mapstop::analysis::events::EventKind;
use mapstop::analysis::history::History;
use mapstop::source::Source;
use mapstop::source::recording::{Recording, Writer};
use mapstop::test_util::{MapBuilder, host, key, map, snapshot};
use mapstop::types::count::CountMethod;
use mapstop::types::mark::Mark;
use mapstop::types::row::Row;
use mapstop::types::time_to_full::TimeToFull;

/// The row of the only map at each of these seconds, after a round trip through a recording.
fn rows(samples: impl IntoIterator<Item = (u32, MapBuilder)>) -> (Vec<Row>, History) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("made.mrec.zst");
    let mut writer = Writer::create(&path, &host()).expect("a recording");
    for (second, map) in samples {
        writer.write(&snapshot(second, [map])).expect("room");
    }
    drop(writer);
    let mut recording = Recording::open(&path).expect("a recording");
    let mut history = History::live();
    let mut rows = Vec::new();
    while let Some(sample) = recording.sample().expect("a sample") {
        rows.push(history.read(sample).rows.remove(0));
    }
    (rows, history)
}

fn seconds(row: &Row) -> f64 {
    row.full_in.seconds().expect("a time to full")
}

fn marks(rows: &[Row]) -> Vec<Option<Mark>> {
    rows.iter().map(|row| row.mark).collect()
}

/// Numbers without a pattern, from 0 to 99.
fn noise(n: u32) -> u64 {
    ((u64::from(n) * 2_654_435_761) >> 9) % 100
}

#[test]
fn a_straight_slope_is_right_within_two_percent() {
    let (rows, _) = rows((0..900).map(|n| (n, map("m").used(u64::from(n) * 13, 65_536))));
    for n in [10, 59, 61, 300, 899] {
        let left = 65_536.0 - 13.0 * f64::from(u32::try_from(n).expect("small"));
        let expected = left / 13.0;
        let found = seconds(&rows[n]);
        assert!(
            (found / expected - 1.0).abs() < 0.02,
            "{n}: {found} for {expected}"
        );
    }
    assert_eq!(rows[9].full_in, TimeToFull::Measuring);
}

#[test]
fn noise_is_silent() {
    let (rows, _) = rows((0..900).map(|n| (n, map("m").used(300 + noise(n), 1000))));
    let forecasts = rows
        .iter()
        .filter(|row| row.full_in.seconds().is_some())
        .count();
    // Twice the error is exceeded by chance now and then, but rarely.
    assert!(forecasts < rows.len() / 10, "{forecasts} of {}", rows.len());
    let wrong = marks(&rows)
        .iter()
        .filter(|mark| **mark != Some(Mark::None))
        .count();
    assert!(wrong < rows.len() / 10, "{wrong} marks");
}

#[test]
fn two_steps_are_not_steady_growth() {
    let used = |n: u32| u64::from(n / 15);
    let (rows, _) = rows((0..120).map(|n| (n, map("m").used(used(n), 20))));
    assert_eq!(rows[14].full_in, TimeToFull::Steady);
    assert_eq!(rows[20].full_in, TimeToFull::Steady, "once is no trend");
    assert_eq!(rows[32].full_in, TimeToFull::Measuring);
    assert_ne!(rows[32].mark, Some(Mark::Crit));
    assert!(
        matches!(rows[50].full_in, TimeToFull::In(_)),
        "{:?}",
        rows[50].full_in
    );
}

#[test]
fn a_step_is_forgotten() {
    let used = |n: u32| if n < 300 { 1000 } else { 4000 };
    let (rows, _) = rows((0..1200).map(|n| (n, map("m").used(used(n), 10_000))));
    assert_eq!(rows[299].full_in, TimeToFull::Steady);
    assert_eq!(rows[315].full_in, TimeToFull::Steady, "once is no trend");
    assert!(marks(&rows).iter().all(|mark| *mark == Some(Mark::None)));
    assert_eq!(
        rows[1000].full_in,
        TimeToFull::Steady,
        "ten minutes later it stands"
    );
}

#[test]
fn an_oscillating_ring_buffer_has_no_forecast() {
    let used = |n: u32| (u64::from(n) % 8) * 8000;
    let buffer = |n| map("m").named_type("ringbuf").used(used(n), 65_536);
    let (rows, _) = rows((0..300).map(|n| (n, buffer(n))));
    assert!(rows.iter().all(|row| row.full_in == TimeToFull::Never));
    assert!(marks(&rows).iter().all(|mark| *mark == Some(Mark::None)));
}

#[test]
fn a_sawtooth_has_no_lasting_forecast() {
    // Five seconds up to 60 %, and down again.
    let used = |n: u32| 100 * (u64::from(n) % 6) + 100;
    let (rows, _) = rows((0..900).map(|n| (n, map("m").used(used(n), 1000))));
    let settled = &rows[120..];
    let forecasts = settled
        .iter()
        .filter(|row| row.full_in.seconds().is_some())
        .count();
    assert_eq!(forecasts, 0);
}

#[test]
fn a_slow_leak_over_an_hour_is_found() {
    // Ten entries per hour are visible in the long trend only.
    let used = |n: u32| 5000 + u64::from(n) / 36;
    let (rows, history) = rows((0..3600).map(|n| (n, map("m").used(used(n), 10_000))));
    let last = rows.last().expect("a row");
    let expected = (10_000.0 - 5099.0) * 36.0;
    assert!(
        (seconds(last) / expected - 1.0).abs() < 0.10,
        "{}",
        seconds(last)
    );
    assert_eq!(
        last.mark,
        Some(Mark::None),
        "which is no reason to look today"
    );
    assert!(history.points() <= 100, "a leak costs a point an entry");
}

#[test]
fn stopped_growth_ends_the_forecast() {
    let used = |n: u32| u64::from(n.min(300)) * 20;
    let (rows, _) = rows((0..1500).map(|n| (n, map("m").used(used(n), 10_000))));
    assert!(rows[300].full_in.seconds().is_some());
    assert_eq!(rows[300].mark, Some(Mark::Crit));
    assert_eq!(rows[1000].full_in, TimeToFull::Steady);
    assert_eq!(rows[1000].mark, Some(Mark::None));
    let growth = rows[400].growth_per_s.expect("a growth");
    assert!(
        growth.abs() < 1e-9,
        "the last minute stands still: {growth}"
    );
}

#[test]
fn a_recreated_map_starts_over() {
    let made = |n: u32| {
        let id = if n < 100 { 1 } else { 2 };
        map("m").id(id).used(u64::from(n % 100) * 5, 1000)
    };
    let (rows, history) = rows((0..200).map(|n| (n, made(n))));
    assert!(rows[99].full_in.seconds().is_some());
    assert_eq!(rows[100].full_in, TimeToFull::Measuring);
    assert_eq!(rows[100].growth_per_s, None);
    assert_eq!(rows[100].created_at, Some(Duration::from_secs(100)));
    let of_first: Vec<_> = history.events(&key(1)).map(|event| event.kind).collect();
    assert_eq!(of_first, [EventKind::Deleted]);
}

#[test]
fn gaps_and_late_samples_change_nothing() {
    // Asleep from 100 to 400, and a sample missing here and there.
    let taken = (0..600).filter(|n| !(100..400).contains(n) && n % 7 != 3);
    let (rows, _) = rows(taken.map(|n| (n, map("m").used(u64::from(n) * 10, 10_000))));
    let last = rows.last().expect("a row");
    assert!((seconds(last) - 401.0).abs() < 5.0, "{}", seconds(last));
    let growth = last.growth_per_s.expect("a growth");
    assert!((growth - 10.0).abs() < 1e-6, "{growth}");
}

#[test]
fn a_mark_never_blinks() {
    // Around the threshold, up and down each sample.
    let used = |n: u32| if n.is_multiple_of(2) { 81 } else { 79 };
    let (rows, _) = rows((0..100).map(|n| (n, map("m").used(used(n), 100))));
    assert!(marks(&rows).iter().all(|mark| *mark == Some(Mark::Warn)));
}

#[test]
fn a_single_insert_sets_no_mark() {
    let used = |n: u32| if n < 30 { 1 } else { 2 };
    let (rows, _) = rows((0..120).map(|n| (n, map("m").used(used(n), 10))));
    assert!(marks(&rows).iter().all(|mark| *mark == Some(Mark::None)));
}

#[test]
fn a_map_that_only_filled_at_the_start_has_no_forecast() {
    let used = |n: u32| u64::from(n.min(60)) * 10;
    let (rows, _) = rows((0..300).map(|n| (n, map("m").used(used(n), 1000))));
    assert!(rows[50].full_in.seconds().is_some());
    assert!(
        rows[125..]
            .iter()
            .all(|row| row.full_in.seconds().is_none())
    );
    assert_eq!(rows[130].mark, Some(Mark::None));
}

#[test]
fn nothing_fits_into_nothing() {
    let (rows, _) = rows((0..20).map(|n| (n, map("m").used(0, 0))));
    let last = rows.last().expect("a row");
    assert_eq!((last.full_in, last.mark), (TimeToFull::Unknown, None));
}

#[test]
fn a_burst_is_forgotten_within_a_minute() {
    let used = |n: u32| match n {
        0..100 => 0,
        100 => 300,
        101 => 600,
        _ => 900,
    };
    let (rows, _) = rows((0..700).map(|n| (n, map("m").used(used(n), 1000))));
    for (n, row) in rows.iter().enumerate().skip(165) {
        assert_eq!(row.full_in, TimeToFull::Steady, "at {n}");
        assert_eq!(row.mark, Some(Mark::Warn), "at {n}");
    }
}

#[test]
fn a_recently_emptied_map_has_no_forecast() {
    // It grows for nine minutes and is emptied in one.
    let used = |n: u32| {
        if n < 540 {
            u64::from(n)
        } else {
            540_u64.saturating_sub(u64::from(n - 540) * 5)
        }
    };
    let (rows, _) = rows((0..640).map(|n| (n, map("m").used(used(n), 1000))));
    for (n, row) in rows.iter().enumerate().skip(570) {
        assert!(
            !matches!(row.full_in, TimeToFull::In(_)),
            "at {n}: {:?}",
            row.full_in
        );
    }
}

#[test]
fn one_sample_out_of_turn_changes_nothing() {
    // Every five minutes, and once two seconds after another.
    let at = |n: u32| n * 300;
    let times = (0..12).map(at).chain([at(11) + 2]).chain((12..15).map(at));
    let (rows, _) = rows(times.map(|n| (n, map("m").used(u64::from(n), 20_000))));
    for (n, row) in rows.iter().enumerate().skip(5) {
        assert!(
            matches!(row.full_in, TimeToFull::In(_)),
            "at {n}: {:?}",
            row.full_in
        );
    }
}

#[test]
fn an_estimate_is_never_full() {
    let estimate = || map("m").counted(CountMethod::Estimate).used(1000, 1000);
    let (rows, _) = rows((0..30).map(|n| (n, estimate())));
    assert!(rows.iter().all(|row| row.full_in != TimeToFull::Now));
    assert!(rows.iter().all(|row| row.mark == Some(Mark::Warn)));
}
