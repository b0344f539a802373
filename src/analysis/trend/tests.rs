//! Lines through made series, and what is said of where they lead.

use super::*;
use crate::analysis::linear_fit::{LinearFit, Window};
use crate::analysis::sample_times::SampleTimes;
use crate::analysis::series::Series;
use crate::analysis::time_to_full::MIN_SPAN;
use crate::types::time_to_full::TimeToFull;

/// A series of these values, a second apart, and when they were taken.
fn series(values: impl IntoIterator<Item = u64>) -> (Series, SampleTimes, u64) {
    let (mut series, mut beats, mut now) = (Series::default(), SampleTimes::default(), 0);
    for (second, value) in (1_000_000..).zip(values) {
        now = second * 1000;
        beats.push(now);
        series.push(now, Some(value));
    }
    (series, beats, now)
}

fn line(values: impl IntoIterator<Item = u64>, window: Duration) -> LinearFit {
    let (series, beats, now) = series(values);
    Window::new(&beats, now, window)
        .fit(&series, 1)
        .expect("a line")
}

fn full_in(capacity: u64, values: impl IntoIterator<Item = u64>) -> TimeToFull {
    let values: Vec<_> = values.into_iter().collect();
    let left = capacity.saturating_sub(values.last().copied().unwrap_or(0));
    let (series, beats, now) = series(values);
    let lines = [MINUTE, TEN_MINUTES].map(|w| Window::new(&beats, now, w).fit(&series, 1));
    TimeToFull::from_fits(left, lines, MIN_SPAN)
}

#[test]
fn two_points_are_joined() {
    let line = line([10, 17], MINUTE);
    assert!((line.slope - 7.0).abs() < 1e-9);
    assert_eq!((line.error, line.samples), (0.0, 2));
}

#[test]
fn a_straight_slope_is_exact_in_both_windows() {
    for base in [0, 4_000_000_000] {
        let values = || (0..1200).map(|n| base + 13 * n);
        for (window, samples) in [(MINUTE, 61), (TEN_MINUTES, 601)] {
            let line = line(values(), window);
            assert!((line.slope - 13.0).abs() < 1e-6, "{}", line.slope);
            assert!(line.error < 1e-6, "{}", line.error);
            assert_eq!((line.samples, line.span), (samples, window));
        }
    }
}

#[test]
fn prefix_sums_give_the_least_squares_fit() {
    let values: Vec<u64> = (0..50).map(|n| 100 + n * 3 + (n * n * 7) % 11).collect();
    let (n, mean_x) = (50.0, 24.5);
    let y: Vec<f64> = values
        .iter()
        .map(|v| f64::from(u32::try_from(*v).expect("small")))
        .collect();
    let mean_y = y.iter().sum::<f64>() / n;
    let x = |at: usize| f64::from(u32::try_from(at).expect("small")) - mean_x;
    let across: f64 = (0..50).map(|at| x(at) * x(at)).sum();
    let along: f64 = (0..50).map(|at| x(at) * (y[at] - mean_y)).sum();
    let slope = along / across;
    let rest: f64 = (0..50)
        .map(|at| (y[at] - mean_y - slope * x(at)).powi(2))
        .sum();
    let line = line(values, MINUTE);
    assert!((line.slope - slope).abs() < 1e-9);
    assert!((line.error - (rest / 48.0 / across).sqrt()).abs() < 1e-9);
}

#[test]
fn the_time_to_full_uses_the_steeper_fit() {
    let TimeToFull::In(seconds) = full_in(10_000, (0..700).map(|n| n * 5)) else {
        panic!("a time")
    };
    assert!(
        (seconds - (10_000.0 - 3495.0) / 5.0).abs() < 0.01,
        "{seconds}"
    );
    // Steady for ten minutes, then twenty a second for one.
    let step = std::iter::repeat_n(1000, 600).chain((1..=60).map(|n| 1000 + 20 * n));
    let TimeToFull::In(seconds) = full_in(10_000, step) else {
        panic!("a time")
    };
    assert!((seconds - 390.0).abs() < 5.0, "{seconds}");
}

#[test]
fn noise_says_nothing_and_a_noisy_trend_hints() {
    let noise = |n: u64| ((n * 2_654_435_761) >> 7) % 100;
    assert_eq!(
        full_in(10_000, (0..600).map(|n| 500 + noise(n))),
        TimeToFull::Steady
    );
    assert_eq!(
        full_in(10_000, (0..600).map(|n| 900 - n)),
        TimeToFull::Steady
    );
    assert_eq!(
        full_in(100, std::iter::repeat_n(99, 60)),
        TimeToFull::Steady
    );
    // Half an entry a second in noise of a hundred, over ten seconds.
    let hints = (11..40).filter(|count| {
        let values = (0..*count).map(|n| 1000 + n * 2 + noise(n + count));
        matches!(full_in(10_000, values), TimeToFull::Hint(_))
    });
    assert!(hints.count() > 0);
}

#[test]
fn a_forecast_takes_five_samples_over_ten_seconds() {
    assert_eq!(full_in(1000, 0..10), TimeToFull::Measuring);
    assert!(matches!(full_in(1000, 0..11), TimeToFull::In(_)));
    assert_eq!(full_in(1000, [1000]), TimeToFull::Now);
}

#[test]
fn samples_that_were_late_or_left_out_change_nothing() {
    let (mut series, mut beats) = (Series::default(), SampleTimes::default());
    let mut now = 0;
    for second in [0, 1, 2, 5, 6, 30, 31, 31, 40, 59] {
        now = 1_000_000 + second * 1000;
        beats.push(now);
        series.push(now, Some(7 * second));
    }
    let line = Window::new(&beats, now, MINUTE)
        .fit(&series, 1)
        .expect("a line");
    assert!((line.slope - 7.0).abs() < 1e-9, "{}", line.slope);
}
