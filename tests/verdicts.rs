//! Which maps are marked over time, and why: each case is a situation from a real machine.

use mapstop::analysis::history::History;
use mapstop::test_util::{MapBuilder, map, snapshot, watched};
use mapstop::types::errno::Errno;
use mapstop::types::fleet::ExportedFields;
use mapstop::types::loss::Loss;
use mapstop::types::mark::{Mark, MarkReason, Verdict};
use mapstop::types::row::Row;
use mapstop::types::time_to_full::TimeToFull;

/// What the live view makes of the only map in each of these seconds.
fn live(seconds: u32, map: impl Fn(u32) -> MapBuilder) -> Vec<Row> {
    let mut history = History::live();
    let row = |second| history.read(snapshot(second, [map(second)])).rows.remove(0);
    (0..seconds).map(row).collect()
}

/// The same while losses are watched.
fn live_watched(seconds: u32, map: impl Fn(u32) -> MapBuilder) -> Vec<Row> {
    let mut history = History::live();
    let row = |second| {
        history
            .read(watched(second, 0, [map(second)]))
            .rows
            .remove(0)
    };
    (0..seconds).map(row).collect()
}

fn verdict(row: &Row) -> Verdict {
    Verdict {
        mark: row.mark.expect("a mark"),
        reason: row.mark_reason,
    }
}

#[test]
fn a_map_with_room_for_one_entry_is_never_marked_for_being_full() {
    for row in live(20, |second| map("@total").used(u64::from(second > 5), 1)) {
        assert_eq!(verdict(&row), Verdict::NONE);
        assert_eq!(row.full_in, TimeToFull::Never);
    }
}

#[test]
fn a_frozen_map_is_never_marked_for_being_full() {
    for row in live(20, |_| map("allowed").used(3, 3).frozen()) {
        assert_eq!(verdict(&row), Verdict::NONE);
    }
}

#[test]
fn a_map_that_was_full_when_first_seen_is_a_warning() {
    let rows = live(700, |_| map("allow").named_type("lpm_trie").used(3, 3));
    for row in rows {
        assert_eq!(verdict(&row), Verdict::warn(MarkReason::FoundFull));
    }
}

#[test]
fn a_map_that_was_full_when_first_seen_fits_after_ten_minutes_without_a_refusal() {
    let rows = live_watched(700, |_| map("allow").used(3, 3).refused(0));
    assert_eq!(verdict(&rows[599]), Verdict::warn(MarkReason::FoundFull));
    // A mark is kept for three samples.
    assert_eq!(verdict(&rows[603]), Verdict::NONE);
}

#[test]
fn a_refusal_is_an_alarm_whatever_the_size() {
    for (size, fit) in [(1, 1), (3, 3)] {
        let refused = |second: u32| second.saturating_sub(650).into();
        let rows = live_watched(655, |second| {
            map("allow").used(size, fit).refused(refused(second))
        });
        assert_eq!(verdict(&rows[650]), Verdict::NONE);
        assert_eq!(verdict(&rows[651]), Verdict::crit(MarkReason::Refusals));
    }
}

#[test]
fn a_map_that_grew_to_its_limit_is_an_alarm() {
    let rows = live(100, |second| {
        map("conns").used(u64::from(second.min(50)) * 2, 100)
    });
    assert_eq!(verdict(&rows[50]), Verdict::crit(MarkReason::BecameFull));
    assert_eq!(verdict(&rows[99]), Verdict::crit(MarkReason::BecameFull));
}

/// 5,000 entries, filled to 2,175 and emptied every 120 seconds.
#[test]
fn a_table_that_is_emptied_again_and_again_is_no_alarm_from_its_second_cycle_on() {
    let rows = live(600, |second| {
        map("batch").used(u64::from(second % 120) * 18, 5000)
    });
    let crit = |row: &&Row| row.mark == Some(Mark::Crit);
    assert!(
        rows[..120].iter().any(|row| crit(&row)),
        "the first rise is one"
    );
    assert_eq!(rows[125..].iter().filter(crit).count(), 0);
    assert!(matches!(rows[230].full_in, TimeToFull::Hint(_)));
}

#[test]
fn a_table_that_is_emptied_is_no_alarm_whatever_its_cycle() {
    for period in [12, 20, 25, 35, 45, 61, 90, 300, 650] {
        let level = |second: u32| u64::from(second % period * 2175 / period);
        let rows = live(period * 6, |second| map("batch").used(level(second), 5000));
        let from = usize::try_from(period + 40).expect("small");
        let crit = |row: &&Row| row.mark == Some(Mark::Crit);
        let crits = rows.iter().skip(from).filter(crit).count();
        assert_eq!(crits, 0, "{period} s");
    }
}

#[test]
fn a_sawtooth_that_climbs_is_an_alarm_above_its_earlier_peaks() {
    // Each cycle fills twice as fast.
    let level = |second: u32| u64::from(second % 120) * (4 << (second / 120));
    let rows = live(480, |second| map("batch").used(level(second), 5000));
    assert_eq!(rows[359].mark, Some(Mark::Crit));
    assert_eq!(rows[479].mark, Some(Mark::Crit));
}

/// So many of the stacks collided in each second.
fn stacks(collided: u64, attempts: u64) -> impl Fn(u32) -> MapBuilder {
    move |second| {
        let second = u64::from(second);
        map("stacks")
            .named_type("stack_trace")
            .used(252 + second * (attempts - collided), 131_072)
            .loss(Loss {
                is_traced: true,
                failed: Some([(Errno::EEXIST, collided * second)].into()),
                attempts: Some(attempts * second),
                ..Loss::default()
            })
    }
}

#[test]
fn a_few_stack_collisions_are_no_fault() {
    for row in live_watched(60, stacks(1, 20)) {
        assert_eq!(verdict(&row), Verdict::NONE);
        assert_eq!(row.full_in, TimeToFull::Never);
    }
    let last = live_watched(60, stacks(10, 20)).pop().expect("rows");
    assert_eq!(verdict(&last), Verdict::crit(MarkReason::Collisions));
}

#[test]
fn an_lru_map_that_replaces_its_entries_every_ten_seconds_is_a_warning() {
    let lru = |per_s: u64| {
        move |second: u32| {
            map("cache")
                .named_type("lru_hash")
                .used(8100, 8192)
                .evicted(per_s * u64::from(second))
        }
    };
    let last = live_watched(60, lru(768)).pop().expect("rows");
    assert_eq!(verdict(&last), Verdict::warn(MarkReason::ShortLifetime));
    let lifetime = last.entry_lifetime().expect("a lifetime").as_secs_f64();
    assert!((lifetime - 8100.0 / 768.0).abs() < 0.01, "{lifetime}");
    let fields = mapstop::query::filter::Filter::parse("lifetime<60 lifetime>10s");
    assert!(fields.expect("a filter").matches(&last));
    let calm = live_watched(60, lru(100)).pop().expect("rows");
    assert_eq!(verdict(&calm), Verdict::NONE);
}

/// What a fleet shows of a full map with this mark of its exporter.
fn exported(mark: Option<Mark>) -> Row {
    let fields = ExportedFields {
        mark,
        ..ExportedFields::default()
    };
    let map = |_| {
        map("allow")
            .used(3, 3)
            .node("web-3")
            .exported(fields.clone())
    };
    live(5, map).pop().expect("rows")
}

#[test]
fn a_fleet_has_the_marks_of_its_exporters() {
    // The exporter watched losses for long enough, or saw the map grow.
    for (mark, reason) in [
        (Mark::None, None),
        (Mark::Warn, Some(MarkReason::FoundFull)),
        (Mark::Crit, None),
    ] {
        let row = exported(Some(mark));
        assert_eq!((row.mark, row.mark_reason), (Some(mark), reason));
    }
    let judged = verdict(&exported(None));
    assert_eq!(judged, Verdict::warn(MarkReason::FoundFull));
}

#[test]
fn a_batch_of_evictions_now_and_then_is_no_warning() {
    let rows = live_watched(300, |second| {
        map("cache")
            .named_type("lru_hash")
            .used(8100, 8192)
            .evicted(256 * u64::from(second / 20))
    });
    assert!(rows.iter().all(|row| verdict(row) == Verdict::NONE));
}
