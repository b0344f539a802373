//! The straight line that fits a level best, by least squares.
//!
//! Ordinary formulas: slope = Sxy / Sxx, and its standard error is the root of
//! (Syy - slope * Sxy) / (n - 2) / Sxx.

use std::time::Duration;

use super::sample_times::SampleTimes;
use super::series::{Point, Series};

/// A straight line through what was held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearFit {
    /// More each second.
    pub slope: f64,
    /// The standard error of that; 0 for a line that fits, or for two points.
    pub error: f64,
    /// Samples it goes through.
    pub samples: u64,
    /// From the first of them to the last.
    pub span: Duration,
    /// How often the level changed in that time ...
    pub changes: u32,
    /// ... from the first time to the last.
    pub moving: Duration,
    /// How long ago it last did.
    pub still_for: Duration,
}

/// A window of time up to now, with the samples in it.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    beats: &'a SampleTimes,
    now_ms: u64,
    /// The places of its samples among the beats, the last left out.
    begin: usize,
    end: usize,
    /// When the first of them was taken.
    first_ms: u64,
}

impl<'a> Window<'a> {
    /// The last `length` before now, or the last few samples where that is longer.
    #[must_use]
    pub fn new(beats: &'a SampleTimes, now_ms: u64, length: Duration) -> Self {
        let begin = beats.first_within(now_ms, length);
        let end = beats.first_from(now_ms + 1);
        let first_ms = beats.at_ms(begin).map_or(now_ms, |at_ms| at_ms.min(now_ms));
        Self {
            beats,
            now_ms,
            begin,
            end,
            first_ms,
        }
    }

    /// When its first sample was taken, in milliseconds of uptime.
    #[must_use]
    pub fn first_ms(&self) -> u64 {
        self.first_ms
    }

    /// The line through what has not changed since a time; `None` if there are fewer than two
    /// samples since.
    #[must_use]
    pub fn flat_since(&self, since_ms: u64) -> Option<LinearFit> {
        let since_ms = since_ms.max(self.first_ms);
        let begin = self.beats.first_from(since_ms).max(self.begin);
        (self.end >= begin + 2).then(|| {
            let span = Duration::from_millis(self.now_ms.saturating_sub(since_ms));
            LinearFit {
                slope: 0.0,
                error: 0.0,
                samples: (self.end - begin) as u64,
                span,
                changes: 0,
                moving: Duration::ZERO,
                still_for: span,
            }
        })
    }

    /// The line through a series; `None` if fewer than two of the samples know its level. Its old
    /// points are known to be thinned out in steps of `step_ms`.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts are far below 2^53, and a number of samples is whole"
    )]
    pub fn line(&self, series: &Series, step_ms: u64) -> Option<LinearFit> {
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
            let start = self.beats.first_from(point.at_ms).max(self.begin);
            let stop = end.min(self.beats.first_from(until_ms));
            end = end.min(start);
            if start >= stop {
                continue;
            }
            if let Some(used) = point.used() {
                let [count, sum, squares] = self.beats.sums(start, stop, self.now_ms);
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
                first = self.beats.at_ms(start);
                last = last.or_else(|| self.beats.at_ms(stop - 1));
            }
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
        Some(LinearFit {
            slope,
            error,
            samples: n as u64,
            span,
            changes,
            moving: Duration::from_millis(latest.at_ms - changed_ms),
            still_for: Duration::from_millis(self.now_ms.saturating_sub(latest.at_ms)),
        })
    }
}

impl LinearFit {
    /// The slope, or none at all where it cannot be told from noise.
    #[must_use]
    pub fn growth(&self) -> f64 {
        if self.slope.abs() > self.error {
            self.slope
        } else {
            0.0
        }
    }
}
