//! Where a level leads: a straight line through what was held, and when that is full.
//!
//! Least squares over one minute and over ten; the steeper line wins, since it is better to be told
//! too early. Ordinary formulas: slope = Sxy / Sxx, and its standard error is the root of
//! (Syy - slope * Sxy) / (n - 2) / Sxx.

use std::collections::VecDeque;
use std::time::Duration;

use super::series::{Point, Series, in_ms};

/// The short window.
pub const MINUTE: Duration = Duration::from_mins(1);
/// The long one.
pub const TEN_MINUTES: Duration = Duration::from_mins(10);

/// Samples that a line needs ...
const FEWEST: u64 = 5;
/// ... and the time that they have to span, when nothing shorter was asked for.
pub const SHORTEST: Duration = Duration::from_secs(10);

/// Changes of a level that are more than chance.
const FEWEST_CHANGES: u32 = 3;

/// A slope is believed when it is this many times its error ...
const FIRM: f64 = 2.0;
/// ... and worth a hint from here on.
const HINT: f64 = 1.0;

/// When samples were taken, with sums that make any stretch of them as cheap as one.
#[derive(Debug, Clone, Default)]
pub struct Beats(VecDeque<Beat>);

#[derive(Debug, Clone, Copy, Default)]
struct Beat {
    at_ms: u64,
    /// Of all times up to this one.
    sum: u128,
    squares: u128,
}

impl Beats {
    /// A sample was taken now; those older than the long window are forgotten.
    pub fn push(&mut self, now_ms: u64) {
        let last = self.0.back().copied().unwrap_or_default();
        let at = u128::from(now_ms);
        self.0.push_back(Beat {
            at_ms: now_ms,
            sum: last.sum + at,
            squares: last.squares + at * at,
        });
        let oldest = now_ms.saturating_sub(in_ms(TEN_MINUTES));
        // One more stays, for the sums before the first.
        while self.0.get(1).is_some_and(|next| next.at_ms < oldest) {
            self.0.pop_front();
        }
    }

    /// The first sample at or after a time.
    fn first_from(&self, at_ms: u64) -> usize {
        self.0.partition_point(|beat| beat.at_ms < at_ms)
    }

    /// The earliest sample at or after a time.
    #[must_use]
    pub fn earliest_from(&self, at_ms: u64) -> Option<u64> {
        self.0.get(self.first_from(at_ms)).map(|beat| beat.at_ms)
    }

    /// Number, sum and sum of squares of the times of samples `from..to`, in seconds before `now`.
    #[expect(
        clippy::cast_precision_loss,
        reason = "ten minutes in milliseconds, squared, of some thousand samples: below 2^53"
    )]
    fn sums(&self, from: usize, to: usize, now_ms: u64) -> [f64; 3] {
        let Some(last) = to.checked_sub(1).filter(|last| from <= *last) else {
            return [0.0; 3];
        };
        let (first, last) = (self.0[from], self.0[last]);
        let count = (to - from) as u128;
        let (from, now) = (u128::from(first.at_ms), u128::from(now_ms));
        let sum = last.sum - first.sum + from;
        let squares = last.squares - first.squares + from * from;
        // Of (now - t), in whole milliseconds, so that nothing is lost.
        let back = count * now - sum;
        let back_squares = count * now * now + squares - 2 * now * sum;
        [
            count as f64,
            -(back as f64) / 1e3,
            back_squares as f64 / 1e6,
        ]
    }
}

/// A straight line through what was held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// More each second.
    pub slope: f64,
    /// The standard error of that; 0 for a line that fits, or for two points.
    pub error: f64,
    /// Samples it goes through.
    pub samples: u64,
    /// From the first of them to the last.
    pub span: Duration,
    /// How often the level changed in that time.
    pub changes: u32,
    /// How long ago it last did.
    pub still_for: Duration,
}

/// A window of time up to now, and the line through what did not change in it.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    now_ms: u64,
    length: Duration,
    /// The first sample in it.
    first_ms: u64,
    flat: Option<Line>,
}

impl Window {
    /// The last `length` before now.
    #[must_use]
    pub fn new(beats: &Beats, now_ms: u64, length: Duration) -> Self {
        let begin = beats.first_from(now_ms.saturating_sub(in_ms(length)));
        let end = beats.first_from(now_ms + 1);
        let first_ms = beats.0.get(begin).map_or(now_ms, |beat| beat.at_ms);
        let flat = (end >= begin + 2).then(|| Line {
            slope: 0.0,
            error: 0.0,
            samples: (end - begin) as u64,
            span: Duration::from_millis(now_ms.saturating_sub(first_ms)),
            changes: 0,
            still_for: length,
        });
        Self {
            now_ms,
            length,
            first_ms,
            flat,
        }
    }

    /// The line through what did not change in it.
    #[must_use]
    pub fn flat_line(&self) -> Option<Line> {
        self.flat
    }

    /// The line through what did not change in it, if this is the latest point and it did not.
    #[must_use]
    pub fn flat(&self, latest: Point) -> Option<Line> {
        self.flat.filter(|_| latest.at_ms <= self.first_ms)
    }

    /// The line through a series in this window, of which this is the latest point. Most maps change
    /// seldom, and cost nothing.
    #[must_use]
    pub fn line(&self, latest: Point, series: &Series, beats: &Beats) -> Option<Line> {
        if latest.at_ms <= self.first_ms {
            return latest.used().and(self.flat);
        }
        Line::through(series, beats, self.now_ms, self.length)
    }
}

impl Line {
    /// The line through the samples of the last `window`; `None` if they are fewer than two.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts are far below 2^53, and a number of samples is whole"
    )]
    pub fn through(series: &Series, beats: &Beats, now_ms: u64, window: Duration) -> Option<Self> {
        let begin = beats.first_from(now_ms.saturating_sub(in_ms(window)));
        let mut end = beats.first_from(now_ms + 1);
        let origin = series.latest_first().find_map(super::series::Point::used)?;
        let (mut n, mut x, mut xx, mut y, mut yy, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        let (mut first, mut last) = (None, None);
        let mut changes = 0;
        let begin_ms = beats.0.get(begin)?.at_ms;
        for point in series.latest_first() {
            if end <= begin {
                break;
            }
            if point.at_ms > now_ms {
                continue;
            }
            changes += u32::from(point.at_ms > begin_ms);
            let start = beats.first_from(point.at_ms).max(begin);
            if start >= end {
                continue;
            }
            if let Some(used) = point.used() {
                let [count, sum, squares] = beats.sums(start, end, now_ms);
                // From the latest, so that large counts lose nothing.
                let value = if used >= origin {
                    (used - origin) as f64
                } else {
                    -((origin - used) as f64)
                };
                n += count;
                x += sum;
                xx += squares;
                y += count * value;
                yy += count * value * value;
                xy += sum * value;
                first = beats.0.get(start).map(|beat| beat.at_ms);
                last = last.or_else(|| beats.0.get(end - 1).map(|beat| beat.at_ms));
            }
            end = start;
        }
        let span = Duration::from_millis(last?.saturating_sub(first?));
        let across = xx - x * x / n;
        if n < 2.0 || across <= 0.0 {
            return None;
        }
        let along = xy - x * y / n;
        let slope = along / across;
        let rest = (yy - y * y / n - slope * along).max(0.0);
        let error = if n > 2.0 {
            (rest / (n - 2.0) / across).sqrt()
        } else {
            0.0
        };
        Some(Self {
            slope,
            error,
            samples: n as u64,
            span,
            changes,
            still_for: Duration::from_millis(
                now_ms.saturating_sub(series.latest_first().next()?.at_ms),
            ),
        })
    }

    /// The slope, or none at all where it cannot be told from noise.
    #[must_use]
    pub fn growth(&self) -> f64 {
        if self.slope.abs() > self.error {
            self.slope
        } else {
            0.0
        }
    }

    fn is_long_enough(&self, shortest: Duration) -> bool {
        self.samples >= FEWEST && self.span >= shortest
    }

    /// Whether there is more to it than the fit: a single insert makes a good line, too, and what
    /// stood still for far longer than it ever did while it grew has stopped.
    fn has_evidence(&self) -> bool {
        let between = self.span / self.changes.max(1);
        self.changes >= FEWEST_CHANGES && self.still_for <= MINUTE.max(between * 3)
    }

    /// Whether it rises beyond doubt, by this many times its error.
    fn rises(&self, times: f64) -> bool {
        self.slope > 0.0 && self.slope > times * self.error
    }
}

/// When a map is full.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum FullIn {
    /// Its kind has no such time.
    #[default]
    Never,
    /// Its level is not known.
    Unknown,
    /// There are not enough samples yet.
    Measuring,
    /// Steady or shrinking.
    Steady,
    /// It may be in so many seconds: the trend is noisy. Never a reason to wake anybody.
    Hint(f64),
    /// In so many seconds, at this growth.
    In(f64),
    /// It is full.
    Now,
}

impl FullIn {
    /// Seconds, where that is more than a hint.
    #[must_use]
    pub fn seconds(self) -> Option<f64> {
        match self {
            Self::Now => Some(0.0),
            Self::In(seconds) => Some(seconds),
            Self::Never | Self::Unknown | Self::Measuring | Self::Steady | Self::Hint(_) => None,
        }
    }

    /// What these lines say of a map in which `left` more fit. `shortest` is the time they have to
    /// span.
    #[must_use]
    pub fn of(left: u64, lines: [Option<Line>; 2], shortest: Duration) -> Self {
        if left == 0 {
            return Self::Now;
        }
        let long_enough = || {
            let lines = lines.iter().flatten();
            lines.filter(|line| line.is_long_enough(shortest))
        };
        if long_enough().next().is_none() {
            return Self::Measuring;
        }
        let steepest = |is_meant: &dyn Fn(&Line) -> bool| {
            let rising = long_enough().filter(|line| is_meant(line));
            rising.map(|line| line.slope).max_by(f64::total_cmp)
        };
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let left = left as f64;
        if let Some(slope) = steepest(&|line| line.rises(FIRM) && line.has_evidence()) {
            return Self::In(left / slope);
        }
        match steepest(&|line| line.rises(HINT)) {
            Some(slope) => Self::Hint(left / slope),
            None => Self::Steady,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A series of these values, a second apart, and when they were taken.
    fn series(values: impl IntoIterator<Item = u64>) -> (Series, Beats, u64) {
        let (mut series, mut beats, mut now) = (Series::default(), Beats::default(), 0);
        for (second, value) in (1_000_000..).zip(values) {
            now = second * 1000;
            beats.push(now);
            series.push(now, Some(value));
        }
        (series, beats, now)
    }

    fn line(values: impl IntoIterator<Item = u64>, window: Duration) -> Line {
        let (series, beats, now) = series(values);
        Line::through(&series, &beats, now, window).expect("a line")
    }

    fn full_in(capacity: u64, values: impl IntoIterator<Item = u64>) -> FullIn {
        let values: Vec<_> = values.into_iter().collect();
        let left = capacity.saturating_sub(values.last().copied().unwrap_or(0));
        let (series, beats, now) = series(values);
        let lines = [MINUTE, TEN_MINUTES].map(|w| Line::through(&series, &beats, now, w));
        FullIn::of(left, lines, SHORTEST)
    }

    #[test]
    fn two_points_are_joined() {
        let line = line([10, 17], MINUTE);
        assert!((line.slope - 7.0).abs() < 1e-9);
        assert_eq!((line.error, line.samples), (0.0, 2));
    }

    #[test]
    fn a_straight_slope_is_exact_in_both_windows_however_large_the_counts() {
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
    fn a_line_is_the_one_that_least_squares_gives_the_long_way() {
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
    fn the_time_to_full_is_what_is_left_by_the_steeper_line() {
        let FullIn::In(seconds) = full_in(10_000, (0..700).map(|n| n * 5)) else {
            panic!("a time")
        };
        assert!(
            (seconds - (10_000.0 - 3495.0) / 5.0).abs() < 0.01,
            "{seconds}"
        );
        // Steady for ten minutes, then twenty a second for one.
        let step = std::iter::repeat_n(1000, 600).chain((1..=60).map(|n| 1000 + 20 * n));
        let FullIn::In(seconds) = full_in(10_000, step) else {
            panic!("a time")
        };
        assert!((seconds - 390.0).abs() < 5.0, "{seconds}");
    }

    #[test]
    fn noise_says_nothing_and_a_noisy_trend_hints() {
        let noise = |n: u64| ((n * 2_654_435_761) >> 7) % 100;
        assert_eq!(
            full_in(10_000, (0..600).map(|n| 500 + noise(n))),
            FullIn::Steady
        );
        assert_eq!(full_in(10_000, (0..600).map(|n| 900 - n)), FullIn::Steady);
        assert_eq!(full_in(100, std::iter::repeat_n(99, 60)), FullIn::Steady);
        // Half an entry a second in noise of a hundred, over ten seconds.
        let hints = (11..40).filter(|count| {
            let values = (0..*count).map(|n| 1000 + n * 2 + noise(n + count));
            matches!(full_in(10_000, values), FullIn::Hint(_))
        });
        assert!(hints.count() > 0);
    }

    #[test]
    fn nothing_is_said_before_five_samples_that_span_ten_seconds() {
        assert_eq!(full_in(1000, 0..10), FullIn::Measuring);
        assert!(matches!(full_in(1000, 0..11), FullIn::In(_)));
        assert_eq!(full_in(1000, [1000]), FullIn::Now);
    }

    #[test]
    fn samples_that_were_late_or_left_out_change_nothing() {
        let (mut series, mut beats) = (Series::default(), Beats::default());
        let mut now = 0;
        for second in [0, 1, 2, 5, 6, 30, 31, 31, 40, 59] {
            now = 1_000_000 + second * 1000;
            beats.push(now);
            series.push(now, Some(7 * second));
        }
        let line = Line::through(&series, &beats, now, MINUTE).expect("a line");
        assert!((line.slope - 7.0).abs() < 1e-9, "{}", line.slope);
    }
}
