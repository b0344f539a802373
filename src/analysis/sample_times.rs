//! The times of samples.

use std::collections::VecDeque;
use std::time::Duration;

use super::series::in_ms;
use super::trend::TEN_MINUTES;

/// The fewest samples in a window, however long they take.
const MIN_WINDOW_SAMPLES: usize = 6;
/// Samples that are kept, however old.
const MIN_KEPT: usize = MIN_WINDOW_SAMPLES + 2;

/// When samples were taken, with prefix sums: [`Self::sums`] takes the same time for any range.
#[derive(Debug, Clone, Default)]
pub struct SampleTimes(VecDeque<SampleTime>);

#[derive(Debug, Clone, Copy, Default)]
struct SampleTime {
    at_ms: u64,
    /// Sum of all times up to this one.
    sum: u128,
    squares: u128,
}

impl SampleTimes {
    /// Adds a sample, and forgets those older than the long window.
    pub fn push(&mut self, now_ms: u64) {
        let last = self.0.back().copied().unwrap_or_default();
        let at = u128::from(now_ms);
        self.0.push_back(SampleTime {
            at_ms: now_ms,
            sum: last.sum + at,
            squares: last.squares + at * at,
        });
        let oldest = now_ms.saturating_sub(in_ms(TEN_MINUTES));
        // The one before the window stays, since sums are differences from it.
        while self.0.len() > MIN_KEPT && self.0[1].at_ms < oldest {
            self.0.pop_front();
        }
    }

    /// Adds earlier samples, in order. Those not before the first known one are left out.
    pub(crate) fn add_before(&mut self, times_ms: &[u64]) {
        let first = self.0.front().map_or(u64::MAX, |sample| sample.at_ms);
        let known: Vec<_> = self.0.iter().map(|sample| sample.at_ms).collect();
        let earlier = times_ms.iter().copied().filter(|at_ms| *at_ms < first);
        *self = Self::default();
        for at_ms in earlier.chain(known) {
            self.push(at_ms);
        }
    }

    /// The index of the first sample in the last `length`, or an earlier one if that would leave fewer than
    /// [`MIN_WINDOW_SAMPLES`].
    pub(super) fn first_within(&self, now_ms: u64, length: Duration) -> usize {
        let by_time = self.first_from(now_ms.saturating_sub(in_ms(length)));
        by_time.min(self.0.len().saturating_sub(MIN_WINDOW_SAMPLES))
    }

    /// When a sample was taken, in milliseconds of uptime; `None` past the last sample.
    pub(super) fn time_ms(&self, index: usize) -> Option<u64> {
        self.0.get(index).map(|sample| sample.at_ms)
    }

    /// The index of the first sample at or after a time.
    pub(super) fn first_from(&self, at_ms: u64) -> usize {
        self.0.partition_point(|sample| sample.at_ms < at_ms)
    }

    /// Number, sum and sum of squares of the times of samples `begin..end`, in seconds relative to `now_ms`, so that
    /// none is positive.
    #[expect(
        clippy::cast_precision_loss,
        reason = "ten minutes in milliseconds, squared, of some thousand samples: below 2^53"
    )]
    pub(super) fn sums(&self, begin: usize, end: usize, now_ms: u64) -> [f64; 3] {
        let Some(last) = end.checked_sub(1).filter(|last| begin <= *last) else {
            return [0.0; 3];
        };
        let (first, last) = (self.0[begin], self.0[last]);
        let count = (end - begin) as u128;
        let (first_ms, now) = (u128::from(first.at_ms), u128::from(now_ms));
        let sum = last.sum - first.sum + first_ms;
        let squares = last.squares - first.squares + first_ms * first_ms;
        // Sums over (now - t), in integers, so that they are exact.
        let back = count * now - sum;
        let back_squares = count * now * now + squares - 2 * now * sum;
        [
            count as f64,
            -(back as f64) / 1e3,
            back_squares as f64 / 1e6,
        ]
    }
}
