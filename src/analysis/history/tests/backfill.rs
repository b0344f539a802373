//! Levels from before the first sample.

use super::*;

fn backfill_of(id: u32, points: &[(u32, Option<u64>)]) -> Backfill {
    let point = |(second, used): &(u32, Option<u64>)| (moment(*second).uptime, *used);
    Backfill {
        key: key(id),
        points: points.iter().map(point).collect(),
    }
}

/// The levels of a map by second, the oldest first.
fn levels(history: &History, id: u32) -> Vec<(u64, Option<u64>)> {
    let series = history.series(&key(id)).expect("the map");
    let latest_first = series.latest_first();
    let mut levels: Vec<_> = latest_first
        .map(|point| (point.at_ms / 1000, point.used()))
        .collect();
    levels.reverse();
    levels
}

#[test]
fn earlier_points_come_before_the_first_sample() {
    let mut history = History::live();
    for (second, used) in [(100, 50), (115, 60)] {
        let maps = [map("a").id(1).used(used, 1000), map("b").id(2).used(7, 9)];
        read_at(&mut history, second, maps);
    }
    assert_eq!(history.points(), 3);
    // Points at or after the first sample are ignored.
    let past = backfill_of(
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
    let expected = [
        (40, Some(20)),
        (70, None),
        (85, Some(30)),
        (100, Some(50)),
        (115, Some(60)),
    ];
    // Points in any order are sorted, and adding them twice changes nothing.
    let mut reversed = past.clone();
    reversed.points.reverse();
    for past in [&reversed, &past] {
        history.backfill(past);
        assert_eq!(levels(&history, 1), expected);
        assert_eq!(history.points(), 6);
        assert_eq!(history.began(), Some(moment(40)));
    }
    assert_eq!(levels(&history, 2), [(100, Some(7))]);
    // A map that does not exist.
    history.backfill(&backfill_of(9, &[(1, Some(1))]));
    assert_eq!(history.points(), 6);
    assert_eq!(history.began(), Some(moment(40)));
    history.backfill(&backfill_of(2, &[]));
    assert_eq!(history.began(), Some(moment(40)));
}

#[test]
fn growth_includes_earlier_points() {
    let mut history = History::live();
    read_at(&mut history, 600, [map("m").used(600, 9000)]);
    let now = moment(600).uptime;
    assert_eq!(history.fits(&key(1), now), [None; 2]);
    let points: Vec<_> = (0..40).map(|n| (n * 15, Some(u64::from(n * 15)))).collect();
    history.backfill(&backfill_of(1, &points));
    for line in history.fits(&key(1), now) {
        let growth = line.expect("a line").growth();
        assert!((growth - 1.0).abs() < 0.01, "{growth}");
    }
}

#[test]
fn extremes_include_earlier_points() {
    let extremes = |levels: &[(u32, u64)], past: &[(u32, Option<u64>)]| {
        let mut history = History::live();
        for (second, used) in levels {
            read_at(&mut history, *second, [map("m").used(*used, 1000)]);
        }
        history.backfill(&backfill_of(1, past));
        let extremes = history.extremes(&key(1))?;
        let by_second = |point: Point| (point.at_ms / 1000, point.used());
        Some((by_second(extremes.highest), by_second(extremes.lowest)))
    };
    let expected = |highest: (u64, u64), lowest: (u64, u64)| {
        let known = |(second, used)| (second, Some(used));
        Some((known(highest), known(lowest)))
    };
    let past = [(10, Some(80)), (20, Some(80)), (30, None), (40, Some(20))];
    let both = [(100, 50), (110, 60)];
    assert_eq!(extremes(&both, &past), expected((20, 80), (40, 20)));
    // Of equal levels the latest counts.
    assert_eq!(
        extremes(&both, &[(10, Some(60))]),
        expected((110, 60), (100, 50))
    );
    // A map that did not change since its first sample.
    assert_eq!(extremes(&[(100, 50)], &past), expected((20, 80), (40, 20)));
    let same = [(10, Some(50)), (20, None)];
    assert_eq!(extremes(&[(100, 50)], &same), None);
    // A point at the time of a sample is ignored.
    assert_eq!(
        extremes(&both, &[(100, Some(900))]),
        expected((110, 60), (100, 50))
    );
}
