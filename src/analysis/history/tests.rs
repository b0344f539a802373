//! Snapshots in order, and what is remembered and said of them.

use super::*;
use crate::analysis::series::Point;
use crate::analysis::series::RESOLUTIONS;
use crate::test_util::{MapBuilder, key, map, moment, snapshot, watched};
use crate::types::errno::Errno;
use crate::types::fleet::ExportedFields;
use crate::types::loss::{Loss, LossCause, LossKind};
use crate::types::loss_state::LossState;
use crate::types::mark::Mark;
use crate::types::ownership::{Ownership, Program};
use crate::types::time_to_full::TimeToFull;

fn at(history: &mut History, second: u32, maps: impl IntoIterator<Item = MapBuilder>) -> Reading {
    history.read(snapshot(second, maps))
}

#[test]
fn a_map_that_came_later_is_known_to_be_made_then() {
    let mut history = History::default();
    at(&mut history, 1, [map("old").id(2)]);
    at(&mut history, 2, [map("old").id(2), map("new").id(3)]);
    let reading = at(&mut history, 5, [map("old").id(2), map("new").id(3)]);
    let made: Vec<_> = reading.rows.iter().map(|row| row.created_at).collect();
    assert_eq!(made, [None, Some(Duration::from_secs(2))]);
    assert_eq!(reading.began, moment(1));
}

#[test]
fn maps_that_come_and_go_keep_their_own_levels() {
    let mut history = History::default();
    at(
        &mut history,
        1,
        [
            map("a").id(2).used(20, 90),
            map("b").id(5).used(50, 90),
            map("c").id(9).used(80, 99),
        ],
    );
    let reading = at(
        &mut history,
        2,
        [
            map("x").id(1).used(1, 90),
            map("b").id(5).used(53, 90),
            map("y").id(10).used(1, 9),
        ],
    );
    let growth: Vec<_> = reading.rows.iter().map(|row| row.growth_per_s).collect();
    assert_eq!(growth, [None, Some(3.0), None]);
    assert_eq!(history.points(), 4, "those of the dead are gone");
    assert!(history.series(&key(2)).is_none());
}

#[test]
fn growth_in_reports_is_since_the_last_report_whatever_was_noted_between() {
    let mut history = History::default();
    at(&mut history, 10, [map("m").used(100, 1000)]);
    history.push_unreported(snapshot(12, [map("m").used(500, 1000)]));
    let reading = at(&mut history, 14, [map("m").used(80, 1000)]);
    assert_eq!(reading.rows[0].growth_per_s, Some(-5.0));
    assert_eq!(reading.interval, Some(Duration::from_secs(4)));
}

#[test]
fn growth_in_the_live_view_is_over_the_last_minute() {
    let mut history = History::live();
    let mut last = None;
    for second in 0..200 {
        // An entry each five seconds, which one second alone cannot tell.
        let used = u64::from(second / 5);
        last = Some(at(&mut history, second, [map("m").used(used, 1000)]));
    }
    let reading = last.expect("a reading");
    let growth = reading.rows[0].growth_per_s.expect("a growth");
    assert!((growth - 0.2).abs() < 0.01, "{growth}");
    assert_eq!(reading.interval, Some(MINUTE));
}

#[test]
fn a_first_snapshot_and_no_time_have_no_growth() {
    for mut history in [History::default(), History::live()] {
        for _ in 0..2 {
            let reading = at(&mut history, 7, [map("m")]);
            assert_eq!(
                (reading.interval, reading.rows[0].growth_per_s),
                (None, None)
            );
        }
    }
}

#[test]
fn a_map_that_fills_is_marked_before_it_is_full() {
    let mut history = History::live();
    let mut marks = Vec::new();
    for second in 0..=1000 {
        let reading = at(&mut history, second, [map("m").used(second.into(), 1000)]);
        marks.push(reading.rows[0].mark);
    }
    assert_eq!(marks[9], Some(Mark::None), "not enough samples yet");
    assert_eq!(marks[399], Some(Mark::None));
    let soon = marks.iter().position(|mark| *mark == Some(Mark::Crit));
    assert_eq!(soon, Some(400), "full in ten minutes");
    assert!(marks[400..].iter().all(|mark| *mark == Some(Mark::Crit)));
    let what: Vec<_> = history.events(&key(1)).map(|event| event.kind).collect();
    assert_eq!(
        what,
        [
            EventKind::Full,
            EventKind::RoseAbove(0.95),
            EventKind::RoseAbove(0.80)
        ]
    );
}

#[test]
fn only_a_map_that_refuses_inserts_has_growth_and_a_time_to_full() {
    for map_type in [2, 3, 9, 27, 28] {
        let mut history = History::default();
        at(&mut history, 1, [map("m").of_type(map_type).used(1, 9)]);
        let reading = at(&mut history, 2, [map("m").of_type(map_type).used(3, 9)]);
        let row = &reading.rows[0];
        assert_eq!(
            (row.growth_per_s, row.full_in),
            (None, TimeToFull::Never),
            "type {map_type}"
        );
    }
}

#[test]
fn memory_has_a_bound_and_the_finest_goes_first() {
    let mut history = History::live();
    history.budget.max_points = 5000;
    let count = 50;
    for second in 0..200 {
        let maps = (0..count).map(|id| map("m").id(id).used(second.into(), 1000));
        at(&mut history, second, maps);
    }
    assert!(history.points() <= 5000, "{}", history.points());
    let detail = history.degraded_resolution().expect("it is coarser");
    assert!(detail.fine < RESOLUTIONS[0].fine);
    assert_eq!(detail.total, RESOLUTIONS[0].total);
}

#[test]
fn what_was_made_coarser_is_finer_again_when_there_is_little() {
    let mut history = History::live();
    history.budget.max_points = 5000;
    for second in 0..200 {
        let maps = (0..50).map(|id| map("m").id(id).used(second.into(), 1000));
        at(&mut history, second, maps);
    }
    assert!(history.degraded_resolution().is_some());
    for second in 200..3600 {
        at(&mut history, second, [map("m").used(second.into(), 9000)]);
    }
    assert_eq!(history.degraded_resolution(), None);
}

#[test]
fn a_line_through_what_was_thinned_out_is_as_steep() {
    let mut history = History::live();
    history.budget.max_points = 150;
    for second in 0..700 {
        let reading = at(
            &mut history,
            second,
            [map("m").used((13 * second).into(), 65_536)],
        );
        if second > 20 {
            let TimeToFull::In(seconds) = reading.rows[0].full_in else {
                panic!("at {second}: {:?}", reading.rows[0].full_in);
            };
            let expected = f64::from(65_536 - 13 * second) / 13.0;
            assert!(
                (seconds / expected - 1.0).abs() < 0.001,
                "at {second}: {seconds}"
            );
        }
    }
    assert!(history.degraded_resolution().is_some());
}

#[test]
fn the_highest_level_is_remembered_however_long_ago_it_was() {
    let mut history = History::live();
    for second in 0..4000 {
        let used = if second == 7 {
            900
        } else {
            u64::from(second % 5) + 1
        };
        at(&mut history, second, [map("m").used(used, 1000)]);
    }
    let extremes = history.extremes(&key(1)).expect("it changed");
    assert_eq!(
        extremes.highest,
        Point::new(in_ms(moment(7).uptime), Some(900))
    );
    assert_eq!(extremes.lowest.used(), Some(1));
    let series = history.series(&key(1)).expect("it is there");
    assert!(series.latest_first().all(|point| point.used() < Some(900)));
}

#[test]
fn samples_that_are_minutes_apart_forecast_too() {
    for step in [30, 150, 600] {
        let mut history = History::live();
        let mut last = None;
        for n in 0..6 {
            last = Some(at(
                &mut history,
                n * step,
                [map("m").used((n * 10).into(), 100)],
            ));
        }
        let row = &last.expect("a reading").rows[0];
        let TimeToFull::In(seconds) = row.full_in else {
            panic!("{step} s apart: {:?}", row.full_in);
        };
        assert!((seconds - f64::from(5 * step)).abs() < 1.0, "{seconds}");
        assert_eq!(row.growth_per_s, Some(10.0 / f64::from(step)));
    }
}

#[test]
fn levels_that_are_passed_either_way_are_events_and_breath_is_none() {
    let mut history = History::live();
    let levels = [50, 100, 99, 100, 96, 94, 100, 81, 79, 81, 74, 79];
    for (second, used) in (0..).zip(levels) {
        at(&mut history, second, [map("m").used(used, 100)]);
    }
    let mut events: Vec<_> = history
        .events(&key(1))
        .map(|event| (event.at.as_secs() - moment(0).uptime.as_secs(), event.kind))
        .collect();
    events.reverse();
    assert_eq!(
        events,
        [
            (1, EventKind::Full),
            (4, EventKind::NoLongerFull),
            (6, EventKind::Full),
            (7, EventKind::NoLongerFull),
            (7, EventKind::FellBelow(0.95)),
            (10, EventKind::FellBelow(0.80)),
        ]
    );
}

#[test]
fn a_map_that_is_only_estimated_to_be_full_is_not_said_to_be() {
    let mut history = History::live();
    for second in 0..=60 {
        // Around the brim by chance.
        let used = 995 + 4 * u64::from(second % 2);
        let map = map("m").used(used, 1000).estimated(30);
        let reading = at(&mut history, second, [map]);
        let row = &reading.rows[0];
        assert!(
            !matches!(row.full_in, TimeToFull::Now | TimeToFull::In(_)),
            "{second}"
        );
        assert_eq!(row.mark, Some(Mark::Warn));
    }
    assert_eq!(history.events(&key(1)).count(), 0);
}

#[test]
fn a_map_that_was_made_and_filled_between_two_samples_became_full() {
    let mut history = History::live();
    at(&mut history, 1, [map("full before").id(1).used(9, 9)]);
    let both = || {
        [
            map("full before").id(1).used(9, 9),
            map("new").id(2).used(9, 9),
        ]
    };
    at(&mut history, 2, both());
    let what = |id| -> Vec<_> { history.events(&key(id)).map(|event| event.kind).collect() };
    assert_eq!(what(1), []);
    assert_eq!(what(2), [EventKind::Full, EventKind::Created]);
}

/// What a map lost each second, by kind.
fn rates(reading: &Reading) -> [Option<f64>; 3] {
    let rates = reading.rows[0].loss_rates.as_deref();
    LossKind::ALL.map(|kind| rates?.get(kind))
}

#[test]
fn losses_are_told_by_the_second_since_the_sample_before_or_in_reports_since_the_report() {
    let lru = |count| map("lru").named_type("lru_hash").refused(0).evicted(count);
    let [mut live, mut reports] = [History::live(), History::default()];
    for history in [&mut live, &mut reports] {
        assert_eq!(rates(&history.read(watched(0, 0, [lru(100)]))), [None; 3]);
        history.push_unreported(watched(1, 0, [lru(100)]));
        history.push_unreported(watched(2, 0, [lru(130)]));
    }
    let per_s = |history: &mut History| rates(&history.read(watched(4, 0, [lru(140)])));
    assert_eq!(per_s(&mut live), [Some(0.0), None, Some(5.0)]);
    assert_eq!(per_s(&mut reports), [Some(0.0), None, Some(10.0)]);
}

#[test]
fn a_watch_that_begins_anew_has_nothing_to_compare_with() {
    let mut history = History::live();
    let mut read = |second, since, count| {
        rates(&history.read(watched(second, since, [map("m").refused(count)])))[0]
    };
    assert_eq!(read(0, 0, 5), None);
    assert_eq!(read(1, 0, 6), Some(1.0));
    // The counter is higher, and yet another.
    assert_eq!(read(2, 2, 9), None);
    assert_eq!(read(3, 2, 10), Some(1.0));
    assert_eq!(read(4, 2, 3), None, "and never negative");
    assert_eq!(read(5, 2, 5), Some(2.0));
}

#[test]
fn what_was_watched_by_nobody_in_between_has_nothing_to_compare_with() {
    let mut history = History::live();
    history.read(watched(0, 0, [map("m").refused(5)]));
    let unwatched = history.read(snapshot(1, [map("m")]));
    assert_eq!(unwatched.rows[0].loss_state(), LossState::Untraced);
    let again = history.read(watched(2, 2, [map("m").refused(7)]));
    assert_eq!(again.rows[0].loss_state(), LossState::Measuring);
}

#[test]
fn a_map_that_refuses_below_its_maximum_is_full_now_and_marked_until_three_quiet_samples() {
    let mut history = History::live();
    let mut read = |second, count| {
        let maps = [map("m").used(10, 100).refused(count)];
        let row = history.read(watched(second, 0, maps)).rows.remove(0);
        (row.full_in == TimeToFull::Now, row.mark)
    };
    let [none, crit] = [Some(Mark::None), Some(Mark::Crit)];
    assert_eq!(read(0, 7), (false, none), "what was before is no news");
    assert_eq!(read(1, 8), (true, crit));
    let after = [2, 3, 4].map(|second| read(second, 8));
    assert_eq!(after, [(false, crit), (false, crit), (false, none)]);
}

#[test]
fn a_buffer_that_drops_is_marked_and_an_lru_map_that_evicts_is_not() {
    for (name, drops, mark) in [
        ("ringbuf", true, Mark::Crit),
        ("perf_event_array", true, Mark::Crit),
        ("devmap", true, Mark::None),
        ("lru_hash", false, Mark::None),
    ] {
        let mut history = History::live();
        let mut read = |second: u32| {
            let map = map("m").named_type(name);
            let map = if drops {
                map.dropped(second.into())
            } else {
                map.evicted(second.into())
            };
            history.read(watched(second, 0, [map])).rows[0].mark
        };
        read(0);
        assert_eq!(read(1), Some(mark), "{name}");
    }
}

#[test]
fn what_a_map_lost_before_its_first_sample_is_a_rate_if_it_was_made_while_all_was_watched() {
    for mut history in [History::live(), History::default()] {
        history.read(watched(1, 0, []));
        let first = history.read(watched(3, 0, [map("new").used(10, 10).refused(8)]));
        assert_eq!(rates(&first)[0], Some(4.0));
        assert_eq!(first.rows[0].mark, Some(Mark::Crit));
        let began = EventKind::LossBegan(LossKind::Failed, 4.0);
        assert!(history.events(&key(1)).any(|event| event.kind == began));
        let second = history.read(watched(4, 0, [map("new").used(10, 10).refused(8)]));
        assert_eq!(rates(&second)[0], Some(0.0), "once");
    }
}

#[test]
fn what_a_map_lost_before_anyone_watched_it_is_no_rate() {
    let mut history = History::live();
    history.read(snapshot(1, []));
    history.read(snapshot(2, [map("new")]));
    let first = history.read(watched(3, 2, [map("new").refused(8)]));
    assert_eq!(rates(&first)[0], None);
    // Neither is it after a sample in which nothing could be read.
    let mut history = History::live();
    history.read(watched(1, 0, []));
    history.read(watched(2, 0, [map("new").refused(8)]));
    let unread = history.read(watched(3, 0, [map("new")]));
    assert_eq!(unread.rows[0].loss_state(), LossState::Unknown);
    let again = history.read(watched(4, 0, [map("new").refused(9)]));
    assert_eq!(rates(&again)[0], None);
}

#[test]
fn a_map_whose_tracers_are_being_attached_is_not_unwatched() {
    let mut history = History::live();
    let maps = [map("m"), map("array").id(2).named_type("array")];
    let rows = history.read(watched(1, 0, maps.clone())).rows;
    assert_eq!(rows[0].loss_state(), LossState::Measuring);
    assert_eq!(
        rows[1].loss_state(),
        LossState::Untraced,
        "it loses nothing"
    );
    let rows = history.read(snapshot(2, maps)).rows;
    assert_eq!(rows[0].loss_state(), LossState::Untraced);
}

fn by_program(count: u64, programs: &[u32]) -> MapBuilder {
    let program = |id: &u32| {
        Arc::new(Program {
            id: *id,
            name: "tc_ingress".into(),
            program_type: "sched_cls".into(),
            attached: None,
            pins: None,
        })
    };
    let loss = Loss {
        is_traced: true,
        failed: Some([(Errno::E2BIG, count)].into()),
        cause: Some(LossCause::Program),
        ..Loss::default()
    };
    map("m").loss(loss).owned(Ownership {
        programs: Some(programs.iter().map(program).collect()),
        ..Ownership::default()
    })
}

#[test]
fn a_program_is_the_culprit_only_if_no_other_used_the_map_when_it_lost_something() {
    let mut history = History::live();
    let mut read = |second, count, programs: &[u32]| {
        let reading = history.read(watched(second, 0, [by_program(count, programs)]));
        reading.rows[0].causing_program().map(|program| program.id)
    };
    assert_eq!(read(1, 5, &[812]), None, "it was lost before");
    assert_eq!(read(2, 6, &[812]), Some(812));
    assert_eq!(read(3, 6, &[812]), Some(812));
    // Another came, which never ran.
    assert_eq!(read(4, 6, &[812, 813]), None);
    assert_eq!(read(5, 6, &[813]), None);
    assert_eq!(read(6, 6, &[813]), None);
    // It was the only one only at the end of that.
    assert_eq!(read(7, 7, &[814]), None);
    assert_eq!(read(8, 8, &[814]), Some(814));
}

#[test]
fn what_could_not_be_counted_in_between_has_no_known_culprit() {
    let mut history = History::live();
    let unknown = Loss {
        is_traced: true,
        reason: Some("what was counted cannot be read".into()),
        ..Loss::default()
    };
    history.read(watched(1, 0, [by_program(5, &[812]).loss(unknown)]));
    let reading = history.read(watched(2, 0, [by_program(6, &[812])]));
    assert_eq!(reading.rows[0].causing_program(), None);
}

#[test]
fn errors_are_those_of_now_and_not_of_all_the_time() {
    let mut history = History::live();
    let mut read = |second, errors: &[(u16, u64)]| {
        let errors = errors.iter().map(|(errno, count)| (Errno(*errno), *count));
        let loss = Loss {
            is_traced: true,
            failed: Some(errors.collect()),
            ..Loss::default()
        };
        let row = history.read(watched(second, 0, [map("m").used(10, 100).loss(loss)]));
        let row = &row.rows[0];
        let errors = row.last_lost.as_ref().map(|last| last.errors.clone());
        let is_full_now = row.full_in == TimeToFull::Now;
        (errors.unwrap_or_default(), row.mark, is_full_now)
    };
    let crit = Some(Mark::Crit);
    read(1, &[(7, 900)]);
    let now = read(2, &[(7, 900), (16, 3)]);
    assert_eq!(now, (vec![(Errno::EBUSY, 3)], crit, false), "EBUSY");
    let now = read(3, &[(7, 901), (16, 5)]);
    assert_eq!(
        now,
        (vec![(Errno::EBUSY, 2), (Errno::E2BIG, 1)], crit, true)
    );
    assert_eq!(read(4, &[(7, 901), (16, 5)]).0, []);
}

#[test]
fn what_was_lost_last_is_known_where_only_one_kind_was() {
    let mut history = History::live();
    let mut read = |second, refused, evicted| {
        let lru = map("lru").named_type("lru_hash");
        let maps = [lru.refused(refused).evicted(evicted)];
        history.read(watched(second, 0, maps)).rows[0].last_lost_kind()
    };
    assert_eq!(
        read(1, 0, 5),
        Some(LossKind::Evicted),
        "there is nothing else"
    );
    assert_eq!(read(2, 1, 6), None);
    assert_eq!(read(3, 2, 6), Some(LossKind::Failed));
    assert_eq!(read(4, 2, 6), Some(LossKind::Failed));
    assert_eq!(read(5, 2, 7), Some(LossKind::Evicted));
}

/// A map of a fleet that refused so many updates when it was collected at that second.
fn collected(second: u64, refused: u64) -> MapBuilder {
    let told = ExportedFields {
        scraped_at: Some(Duration::from_secs(second)),
        growth_per_s: Some(0.0),
        ..ExportedFields::default()
    };
    map("m").node("a").exported(told).refused(refused)
}

#[test]
fn what_a_fleet_loses_is_by_the_second_between_two_collections_however_often_it_is_looked_at() {
    let looks = [
        (0, 0, 5, None),
        (2, 0, 5, None),
        (4, 0, 5, None),
        // 30 in the 15 seconds between the collections, not in the two since the last look.
        (16, 15, 35, Some(2.0)),
        (18, 15, 35, Some(2.0)),
        (30, 30, 35, Some(0.0)),
        // Its exporter was started again.
        (46, 45, 3, None),
        (61, 60, 18, Some(1.0)),
    ];
    for mut history in [History::live(), History::default()] {
        for (second, at, count, per_s) in looks {
            let reading = history.read(watched(second, 0, [collected(at, count)]));
            assert_eq!(rates(&reading)[0], per_s, "after {second} s");
        }
    }
}

#[test]
fn what_a_machine_lost_before_it_was_heard_of_is_no_news() {
    let mut history = History::live();
    let here = || map("m").id(1).node("b");
    history.read(watched(0, 0, [here()]));
    history.read(watched(15, 0, [here()]));
    let reading = history.read(watched(30, 0, [collected(29, 1_000_000), here()]));
    assert_eq!(rates(&reading), [None; 3]);
    let row = &reading.rows[0];
    assert_eq!((row.mark, row.created_at), (Some(Mark::None), None));
}

#[test]
fn a_machine_that_is_heard_of_again_has_no_new_maps_and_none_that_are_gone() {
    let mut history = History::live();
    let places = [("a", 1), ("b", 2), ("b", 3)];
    let [a, b, c] = places.map(|(node, id)| map("m").id(id).node(node));
    let keys = places.map(|(node, id)| MapKey {
        node: Some(node.into()),
        ..key(id)
    });
    history.read(snapshot(0, [a.clone(), b.clone(), c.clone()]));
    history.read(snapshot(15, [a.clone()]));
    history.read(snapshot(30, [a.clone(), b.clone(), c]));
    let what = |history: &History| {
        keys.each_ref()
            .map(|key| -> Vec<_> { history.events(key).map(|event| event.kind).collect() })
    };
    assert_eq!(what(&history), [vec![], vec![], vec![]]);
    // One that goes while its machine is heard of is gone.
    history.read(snapshot(45, [a, b]));
    assert_eq!(what(&history), [vec![], vec![], vec![EventKind::Deleted]]);
}

#[test]
fn growth_that_was_not_told_is_not_made_up_from_the_steps_between_collections() {
    let mut history = History::default();
    let told = |used| {
        map("m")
            .node("a")
            .used(used, 1000)
            .exported(ExportedFields::default())
    };
    history.read(snapshot(0, [told(10)]));
    let reading = history.read(snapshot(1, [told(160)]));
    let row = &reading.rows[0];
    assert_eq!(
        (row.growth_per_s, row.full_in),
        (None, TimeToFull::Measuring)
    );
}

#[test]
fn nobody_waits_for_tracers_of_a_machine_without_any() {
    let mut history = History::live();
    let quiet = || map("m").id(2).node("b").exported(ExportedFields::default());
    history.read(watched(0, 0, [collected(0, 5), quiet()]));
    let reading = history.read(watched(15, 0, [collected(15, 5), quiet()]));
    assert_eq!(reading.rows[1].loss_state(), LossState::Untraced);
}

fn earlier(id: u32, points: &[(u32, Option<u64>)]) -> Backfill {
    let point = |(second, used): &(u32, Option<u64>)| (moment(*second).uptime, *used);
    Backfill {
        key: key(id),
        points: points.iter().map(point).collect(),
    }
}

/// What a map held, the oldest first, by the second.
fn levels(history: &History, id: u32) -> Vec<(u64, Option<u64>)> {
    let series = history.series(&key(id)).expect("it is there");
    let latest_first = series.latest_first();
    let mut levels: Vec<_> = latest_first
        .map(|point| (point.at_ms / 1000, point.used()))
        .collect();
    levels.reverse();
    levels
}

#[test]
fn what_a_map_held_before_it_was_first_seen_is_put_before_that() {
    let mut history = History::live();
    for (second, used) in [(100, 50), (115, 60)] {
        let maps = [map("a").id(1).used(used, 1000), map("b").id(2).used(7, 9)];
        at(&mut history, second, maps);
    }
    assert_eq!(history.points(), 3);
    // What was seen is not learned again.
    let past = earlier(
        1,
        &[
            (40, Some(20)),
            (55, Some(20)),
            (70, None),
            (85, Some(30)),
            (100, Some(99)),
            (115, Some(99)),
        ],
    );
    let whole = [
        (40, Some(20)),
        (70, None),
        (85, Some(30)),
        (100, Some(50)),
        (115, Some(60)),
    ];
    // Once more is no more, in whichever order it comes.
    let mut turned = past.clone();
    turned.points.reverse();
    for past in [&turned, &past] {
        history.backfill(past);
        assert_eq!(levels(&history, 1), whole);
        assert_eq!(history.points(), 6);
        assert_eq!(history.began(), Some(moment(40)));
    }
    assert_eq!(levels(&history, 2), [(100, Some(7))]);
    // Nobody remembers a map that is not there.
    history.backfill(&earlier(9, &[(1, Some(1))]));
    assert_eq!(history.points(), 6);
    assert_eq!(history.began(), Some(moment(40)));
    history.backfill(&earlier(2, &[]));
    assert_eq!(history.began(), Some(moment(40)));
}

#[test]
fn growth_is_that_of_what_was_learned() {
    let mut history = History::live();
    at(&mut history, 600, [map("m").used(600, 9000)]);
    let now = moment(600).uptime;
    assert_eq!(history.lines(&key(1), now), [None; 2]);
    let points: Vec<_> = (0..40).map(|n| (n * 15, Some(u64::from(n * 15)))).collect();
    history.backfill(&earlier(1, &points));
    for line in history.lines(&key(1), now) {
        let growth = line.expect("a line").growth();
        assert!((growth - 1.0).abs() < 0.01, "{growth}");
    }
}

#[test]
fn what_was_learned_may_be_the_most_or_the_least_that_a_map_held() {
    let extremes = |levels: &[(u32, u64)], past: &[(u32, Option<u64>)]| {
        let mut history = History::live();
        for (second, used) in levels {
            at(&mut history, *second, [map("m").used(*used, 1000)]);
        }
        history.backfill(&earlier(1, past));
        let extremes = history.extremes(&key(1))?;
        let told = |point: Point| (point.at_ms / 1000, point.used());
        Some((told(extremes.highest), told(extremes.lowest)))
    };
    let of = |highest: (u64, u64), lowest: (u64, u64)| {
        let known = |(second, used)| (second, Some(used));
        Some((known(highest), known(lowest)))
    };
    let past = [(10, Some(80)), (20, Some(80)), (30, None), (40, Some(20))];
    let both = [(100, 50), (110, 60)];
    assert_eq!(extremes(&both, &past), of((20, 80), (40, 20)));
    // The latest counts.
    assert_eq!(extremes(&both, &[(10, Some(60))]), of((110, 60), (100, 50)));
    // One that did not change since it was first seen.
    assert_eq!(extremes(&[(100, 50)], &past), of((20, 80), (40, 20)));
    let same = [(10, Some(50)), (20, None)];
    assert_eq!(extremes(&[(100, 50)], &same), None);
    // What was seen already is not learned.
    assert_eq!(
        extremes(&both, &[(100, Some(900))]),
        of((110, 60), (100, 50))
    );
}

#[test]
fn room_that_is_used_again_holds_nothing_of_what_was_there() {
    let mut histories = [History::live(), History::live()];
    let mut old = None;
    for (second, count) in [(1, 50), (2, 3), (3, 80), (4, 0), (5, 7)] {
        if let Some(old) = old.take() {
            histories[0].recycle(old);
        }
        let maps = (0..count).map(|id| map("m").id(id).used(u64::from(second * id), 1000));
        let snapshot = snapshot(second, maps);
        let [reused, other] = histories
            .each_mut()
            .map(|history| history.read(snapshot.clone()));
        assert_eq!(reused, other);
        let most = 2 * reused.rows.len() + 1;
        assert!(reused.rows.capacity() <= most, "{second}");
        old = Some(reused);
    }
}
