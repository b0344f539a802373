//! Growth, time to full and extremes.

use super::*;

#[test]
fn each_map_keeps_its_own_levels() {
    let mut history = History::default();
    read_at(
        &mut history,
        1,
        [
            map("a").id(2).used(20, 90),
            map("b").id(5).used(50, 90),
            map("c").id(9).used(80, 99),
        ],
    );
    let reading = read_at(
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
    assert_eq!(history.points(), 4, "points of deleted maps are dropped");
    assert!(history.series(&key(2)).is_none());
}

#[test]
fn growth_in_reports_is_since_the_last_report() {
    let mut history = History::default();
    read_at(&mut history, 10, [map("m").used(100, 1000)]);
    history.push_unreported(snapshot(12, [map("m").used(500, 1000)]));
    let reading = read_at(&mut history, 14, [map("m").used(80, 1000)]);
    assert_eq!(reading.rows[0].growth_per_s, Some(-5.0));
    assert_eq!(reading.interval, Some(Duration::from_secs(4)));
}

#[test]
fn growth_in_the_live_view_is_over_the_last_minute() {
    let mut history = History::live();
    let mut latest = None;
    for second in 0..200 {
        // An entry every five seconds: two samples in a row cannot show that.
        let used = u64::from(second / 5);
        latest = Some(read_at(&mut history, second, [map("m").used(used, 1000)]));
    }
    let reading = latest.expect("a reading");
    let growth = reading.rows[0].growth_per_s.expect("a growth");
    assert!((growth - 0.2).abs() < 0.01, "{growth}");
    assert_eq!(reading.interval, Some(MINUTE));
}

#[test]
fn no_elapsed_time_means_no_growth() {
    for mut history in [History::default(), History::live()] {
        for _ in 0..2 {
            let reading = read_at(&mut history, 7, [map("m")]);
            assert_eq!(
                (reading.interval, reading.rows[0].growth_per_s),
                (None, None)
            );
        }
    }
}

#[test]
fn only_maps_that_refuse_inserts_have_growth_and_a_time_to_full() {
    for name in [
        "array",
        "prog_array",
        "lru_hash",
        "ringbuf",
        "inode_storage",
    ] {
        let mut history = History::default();
        read_at(&mut history, 1, [map("m").named_type(name).used(1, 9)]);
        let reading = read_at(&mut history, 2, [map("m").named_type(name).used(3, 9)]);
        let row = &reading.rows[0];
        assert_eq!(
            (row.growth_per_s, row.full_in),
            (None, TimeToFull::Never),
            "{name}"
        );
    }
}

#[test]
fn extremes_are_kept_after_their_points_are_dropped() {
    let mut history = History::live();
    for second in 0..4000 {
        let used = if second == 7 {
            900
        } else {
            u64::from(second % 5) + 1
        };
        read_at(&mut history, second, [map("m").used(used, 1000)]);
    }
    let extremes = history.extremes(&key(1)).expect("it changed");
    assert_eq!(
        extremes.highest,
        Point::new(in_ms(moment(7).uptime), Some(900))
    );
    assert_eq!(extremes.lowest.used(), Some(1));
    let series = history.series(&key(1)).expect("the map");
    assert!(series.latest_first().all(|point| point.used() < Some(900)));
}

#[test]
fn samples_minutes_apart_give_a_forecast() {
    for step in [30, 150, 600] {
        let mut history = History::live();
        let mut latest = None;
        for n in 0..6 {
            latest = Some(read_at(
                &mut history,
                n * step,
                [map("m").used((n * 10).into(), 100)],
            ));
        }
        let row = &latest.expect("a reading").rows[0];
        let TimeToFull::In(seconds) = row.full_in else {
            panic!("{step} s apart: {:?}", row.full_in);
        };
        assert!((seconds - f64::from(5 * step)).abs() < 1.0, "{seconds}");
        assert_eq!(row.growth_per_s, Some(10.0 / f64::from(step)));
    }
}
