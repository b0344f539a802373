//! Memory: the number of points, and rows that are reused.

use super::*;

#[test]
fn points_are_bounded_and_the_finest_are_thinned_first() {
    let mut history = History::live();
    history.budget.max_points = 5000;
    let count = 50;
    for second in 0..200 {
        let maps = (0..count).map(|id| map("m").id(id).used(second.into(), 1000));
        read_at(&mut history, second, maps);
    }
    assert!(history.points() <= 5000, "{}", history.points());
    let resolution = history.degraded_resolution().expect("a coarser resolution");
    assert!(resolution.fine < RESOLUTIONS[0].fine);
    assert_eq!(resolution.total, RESOLUTIONS[0].total);
}

#[test]
fn full_resolution_returns_when_there_are_few_points() {
    let mut history = History::live();
    history.budget.max_points = 5000;
    for second in 0..200 {
        let maps = (0..50).map(|id| map("m").id(id).used(second.into(), 1000));
        read_at(&mut history, second, maps);
    }
    assert!(history.degraded_resolution().is_some());
    for second in 200..3600 {
        read_at(&mut history, second, [map("m").used(second.into(), 9000)]);
    }
    assert_eq!(history.degraded_resolution(), None);
}

#[test]
fn thinning_keeps_the_slope_of_a_fit() {
    let mut history = History::live();
    history.budget.max_points = 150;
    for second in 0..700 {
        let reading = read_at(
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
fn recycled_rows_are_cleared() {
    let mut histories = [History::live(), History::live()];
    let mut old = None;
    for (second, count) in [(1, 50), (2, 3), (3, 80), (4, 0), (5, 7)] {
        if let Some(old) = old.take() {
            histories[0].recycle(old);
        }
        let maps = (0..count).map(|id| map("m").id(id).used(u64::from(second * id), 1000));
        let snapshot = snapshot(second, maps);
        let [reused, fresh] = histories
            .each_mut()
            .map(|history| history.read(snapshot.clone()));
        assert_eq!(reused, fresh);
        let max_capacity = 2 * reused.rows.len() + 1;
        assert!(reused.rows.capacity() <= max_capacity, "{second}");
        old = Some(reused);
    }
}
