//! Fits a straight line to a level, by least squares.
//!
//! Ordinary formulas: slope = Sxy / Sxx, and its standard error is the root of
//! (Syy - slope * Sxy) / (n - 2) / Sxx.

use std::time::Duration;

use super::sample_times::SampleTimes;
use super::series::{Point, Series};

/// A straight line through the levels of a map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearFit {
    /// Entries per second.
    pub slope: f64,
    /// Standard error of the slope; 0 for a perfect fit, or for two points.
    pub error: f64,
    /// Number of samples.
    pub samples: u64,
    /// From the first sample to the last.
    pub span: Duration,
    /// How often the level changed in the window.
    pub changes: u32,
    /// From the first of these changes to the last.
    pub changing_for: Duration,
    /// Time since the last change.
    pub still_for: Duration,
}

/// A window of time up to now, with the samples in it.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    sample_times: &'a SampleTimes,
    now_ms: u64,
    /// Its samples are `begin..end` of the sample times.
    begin: usize,
    end: usize,
    /// When its first sample was taken.
    first_ms: u64,
}

impl<'a> Window<'a> {
    /// The last `length` before now, or the last six samples where that is longer.
    #[must_use]
    pub fn new(sample_times: &'a SampleTimes, now_ms: u64, length: Duration) -> Self {
        let begin = sample_times.first_within(now_ms, length);
        let end = sample_times.first_from(now_ms + 1);
        let first_ms = sample_times
            .time_ms(begin)
            .map_or(now_ms, |at_ms| at_ms.min(now_ms));
        Self {
            sample_times,
            now_ms,
            begin,
            end,
            first_ms,
        }
    }

    /// When its first sample was taken, in milliseconds of uptime.
    #[must_use]
    pub(crate) fn first_ms(&self) -> u64 {
        self.first_ms
    }

    /// The fit to a level that has not changed since a time; `None` if there are fewer than two samples
    /// since then.
    #[must_use]
    pub(crate) fn flat_since(&self, since_ms: u64) -> Option<LinearFit> {
        let since_ms = since_ms.max(self.first_ms);
        let begin = self.sample_times.first_from(since_ms).max(self.begin);
        (self.end >= begin + 2).then(|| {
            let span = Duration::from_millis(self.now_ms.saturating_sub(since_ms));
            LinearFit {
                slope: 0.0,
                error: 0.0,
                samples: (self.end - begin) as u64,
                span,
                changes: 0,
                changing_for: Duration::ZERO,
                still_for: span,
            }
        })
    }

    /// The fit to a series; `None` if the level is known at fewer than two samples. Old points of
    /// the series are at least `step_ms` apart.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts are far below 2^53, and a number of samples is whole"
    )]
    pub fn fit(&self, series: &Series, step_ms: u64) -> Option<LinearFit> {
        let latest = series.latest_first().next()?;
        if latest.at_ms <= self.first_ms {
            return latest.used().and(self.flat_since(latest.at_ms));
        }
        let origin = series.latest_first().find_map(Point::used)?;
        let (mut n, mut x, mut xx, mut y, mut yy, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        let (mut first, mut last) = (None, None);
        let (mut changes, mut changed_ms) = (0, latest.at_ms);
        let mut end = self.end;
        for (point, until_ms) in series.runs_latest_first(step_ms) {
            if end <= self.begin {
                break;
            }
            if point.at_ms > self.now_ms {
                continue;
            }
            if point.at_ms > self.first_ms {
                changes += 1;
                changed_ms = point.at_ms;
            }
            let start = self.sample_times.first_from(point.at_ms).max(self.begin);
            let stop = end.min(self.sample_times.first_from(until_ms));
            end = end.min(start);
            if start >= stop {
                continue;
            }
            if let Some(used) = point.used() {
                let [count, sum, squares] = self.sample_times.sums(start, stop, self.now_ms);
                // Relative to the latest count, so that large counts do not lose precision.
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
                first = self.sample_times.time_ms(start);
                last = last.or_else(|| self.sample_times.time_ms(stop - 1));
            }
        }
        let span = Duration::from_millis(last?.saturating_sub(first?));
        // Sxx, and below Sxy.
        let spread = xx - x * x / n;
        if n < 2.0 || spread <= 0.0 {
            return None;
        }
        let covariation = xy - x * y / n;
        let slope = covariation / spread;
        let residual = (yy - y * y / n - slope * covariation).max(0.0);
        let error = if n > 2.0 {
            (residual / (n - 2.0) / spread).sqrt()
        } else {
            0.0
        };
        Some(LinearFit {
            slope,
            error,
            samples: n as u64,
            span,
            changes,
            changing_for: Duration::from_millis(latest.at_ms - changed_ms),
            still_for: Duration::from_millis(self.now_ms.saturating_sub(latest.at_ms)),
        })
    }
}

impl LinearFit {
    /// The slope, or 0 where it cannot be distinguished from noise.
    #[must_use]
    pub fn growth(&self) -> f64 {
        if self.slope.abs() > self.error {
            self.slope
        } else {
            0.0
        }
    }
}
