//! The level of one map over time. A run of equal counts is one point.

use std::collections::VecDeque;
use std::time::Duration;

/// The count of a map from this time until the next point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Milliseconds of uptime.
    pub at_ms: u64,
    used: u64,
}

/// An unknown count: an `Option` would take 24 bytes instead of 16.
const UNKNOWN: u64 = u64::MAX;

impl Point {
    /// `used` is `None` if the count is unknown.
    #[must_use]
    pub fn new(at_ms: u64, used: Option<u64>) -> Self {
        Self {
            at_ms,
            used: used.unwrap_or(UNKNOWN),
        }
    }

    /// The count; `None` if it is unknown.
    #[must_use]
    pub fn used(self) -> Option<u64> {
        (self.used != UNKNOWN).then_some(self.used)
    }
}

/// How long points are kept, and how far apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolution {
    /// Age up to which every change is kept.
    pub fine: Duration,
    /// Distance of older points.
    pub step: Duration,
    /// Age at which points are dropped.
    pub total: Duration,
}

impl Resolution {
    const fn new(fine_secs: u64, step_secs: u64, total_mins: u64) -> Self {
        Self {
            fine: Duration::from_secs(fine_secs),
            step: Duration::from_secs(step_secs),
            total: Duration::from_secs(total_mins * 60),
        }
    }
}

/// From the finest to the coarsest: first `fine` gets shorter, down to a minute, then `step` longer,
/// then `total` shorter, and in the end `fine` again.
pub(crate) const RESOLUTIONS: [Resolution; 17] = [
    Resolution::new(600, 10, 120),
    Resolution::new(300, 10, 120),
    Resolution::new(150, 10, 120),
    Resolution::new(60, 10, 120),
    Resolution::new(60, 20, 120),
    Resolution::new(60, 40, 120),
    Resolution::new(60, 80, 120),
    Resolution::new(60, 80, 60),
    Resolution::new(60, 80, 30),
    Resolution::new(60, 80, 15),
    Resolution::new(30, 80, 15),
    Resolution::new(15, 80, 15),
    Resolution::new(8, 160, 15),
    Resolution::new(4, 160, 15),
    Resolution::new(2, 160, 10),
    Resolution::new(1, 160, 5),
    Resolution::new(1, 320, 5),
];

/// A time in milliseconds, saturating.
#[must_use]
pub(crate) fn in_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The points of one map, the oldest first.
#[derive(Debug, Clone, Default)]
pub struct Series {
    points: VecDeque<Point>,
    /// How many of them are the result of thinning.
    thinned_count: usize,
}

impl Series {
    /// Adds the current count. Returns the change in the number of points.
    pub fn push(&mut self, now_ms: u64, used: Option<u64>) -> isize {
        let point = Point::new(now_ms, used);
        if self
            .points
            .back()
            .is_some_and(|last| last.used == point.used)
        {
            return 0;
        }
        self.points.push_back(point);
        1
    }

    /// The time of the first point.
    #[must_use]
    pub(crate) fn first_ms(&self) -> Option<u64> {
        Some(self.points.front()?.at_ms)
    }

    /// Adds points before the first one, the oldest first. Returns the change in the number of points.
    pub(crate) fn add_before(&mut self, earlier: impl IntoIterator<Item = Point>) -> isize {
        let before = self.points.len();
        let first = self.points.front().map_or(u64::MAX, |point| point.at_ms);
        let rest = std::mem::take(self);
        let points = earlier.into_iter().filter(|point| point.at_ms < first);
        for point in points.chain(rest.points) {
            self.push(point.at_ms, point.used());
        }
        length_change(before, self.points.len())
    }

    /// Thins out old points. Returns the change in the number of points, which is never positive.
    pub(crate) fn thin(&mut self, now_ms: u64, resolution: Resolution) -> isize {
        let before = self.points.len();
        let oldest = now_ms.saturating_sub(in_ms(resolution.total));
        // The last point before `oldest` is kept: it has the count at that time.
        while self.points.get(1).is_some_and(|next| next.at_ms <= oldest) {
            self.points.pop_front();
            self.thinned_count = self.thinned_count.saturating_sub(1);
        }
        let fine = now_ms.saturating_sub(in_ms(resolution.fine));
        let step = in_ms(resolution.step).max(1);
        let old = self.points.partition_point(|point| point.at_ms < fine);
        if old > self.thinned_count {
            let begin = self.thinned_count.saturating_sub(1);
            let rest = self.points.split_off(begin);
            let moved = old - begin;
            for (n, point) in rest.into_iter().enumerate() {
                let is_in_step = |last: &Point| last.at_ms / step == point.at_ms / step;
                match self.points.back_mut() {
                    // The last point of a step replaces the others.
                    Some(last) if n < moved && self.thinned_count > 0 && is_in_step(last) => {
                        *last = point;
                    }
                    _ => {
                        self.points.push_back(point);
                        if n < moved {
                            self.thinned_count = self.points.len();
                        }
                    }
                }
            }
        }
        if self.points.capacity() > 2 * self.points.len() + 8 {
            self.points.shrink_to_fit();
        }
        length_change(before, self.points.len())
    }

    /// Makes the next [`Self::thin`] consider all points again, for a coarser resolution.
    pub(crate) fn reset_thinning(&mut self) {
        self.thinned_count = 0;
    }

    /// Number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there are no points.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The points, the latest first.
    pub fn latest_first(&self) -> impl Iterator<Item = Point> + '_ {
        self.points.iter().rev().copied()
    }

    /// The points, the latest first, each with the time until which the count is known not to have changed.
    /// Of points thinned out in steps of `step_ms`, only the last change of each step is known.
    pub(crate) fn runs_latest_first(
        &self,
        step_ms: u64,
    ) -> impl Iterator<Item = (Point, u64)> + '_ {
        let step_ms = step_ms.max(1);
        let next_of = move |n: usize| match self.points.get(n + 1) {
            None => u64::MAX,
            Some(next) if n + 1 < self.thinned_count => {
                let begin = next.at_ms / step_ms * step_ms;
                begin.max(self.points[n].at_ms + 1)
            }
            Some(next) => next.at_ms,
        };
        let points = self.points.iter().copied().enumerate().rev();
        points.map(move |(n, point)| (point, next_of(n)))
    }

    /// The points between two times, the oldest first, and before them the one that has the count at the
    /// first time, if there is one.
    pub fn between(&self, first_ms: u64, last_ms: u64) -> impl Iterator<Item = Point> + '_ {
        let first = self.points.partition_point(|point| point.at_ms <= first_ms);
        let end = self.points.partition_point(|point| point.at_ms <= last_ms);
        let first = first.saturating_sub(1);
        self.points.range(first..end.max(first)).copied()
    }
}

fn length_change(before: usize, now: usize) -> isize {
    now.cast_signed() - before.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(series: &Series) -> Vec<(u64, Option<u64>)> {
        let points = series.between(0, u64::MAX);
        points.map(|point| (point.at_ms, point.used())).collect()
    }

    #[test]
    fn unchanged_counts_share_a_point() {
        let mut series = Series::default();
        for second in 0..10_000 {
            series.push(second * 1000, Some(7));
        }
        series.push(10_000_000, None);
        assert_eq!(points(&series), [(0, Some(7)), (10_000_000, None)]);
    }

    #[test]
    fn old_points_are_thinned_and_new_ones_kept() {
        let mut series = Series::default();
        let mut count = 0;
        for second in 0..3 * 3600u64 {
            count += series.push(second * 1000, Some(second));
            if second % 60 == 59 {
                count += series.thin(second * 1000, RESOLUTIONS[0]);
            }
        }
        assert_eq!(usize::try_from(count), Ok(series.len()));
        let points = points(&series);
        let last = 3 * 3600 - 1;
        let fine: Vec<_> = points
            .iter()
            .filter(|(at, _)| *at >= (last - 600) * 1000)
            .collect();
        assert_eq!(fine.len(), 601, "ten minutes, sample by sample");
        let coarse = points.len() - fine.len();
        assert!((655..=665).contains(&coarse), "{coarse}: ten seconds apart");
        assert!(points[0].0 <= (last - 7200) * 1000, "two hours");
        assert!(points.is_sorted());
    }

    #[test]
    fn the_coarsest_resolution_keeps_few_points() {
        let mut series = Series::default();
        for second in 0..3600u64 {
            series.push(second * 1000, Some(second));
        }
        let mut length = series.len();
        for resolution in RESOLUTIONS {
            series.reset_thinning();
            series.thin(3_600_000, resolution);
            assert!(series.len() <= length);
            length = series.len();
        }
        assert!(length < 10, "{length}");
    }

    proptest! {
        #[test]
        fn a_series_never_exceeds_its_bound(
            changes in proptest::collection::vec((1u64..200_000, 0u64..5), 0..500),
        ) {
            let mut series = Series::default();
            let mut now = 0;
            for (step, used) in changes {
                now += step;
                series.push(now, Some(used));
                series.thin(now, RESOLUTIONS[0]);
                let begin = now.saturating_sub(in_ms(RESOLUTIONS[0].total));
                let old = series.between(0, begin).count();
                prop_assert!(old <= 1, "{old} older than the total time");
                prop_assert_eq!(series.latest_first().next().and_then(Point::used), Some(used));
                let all: Vec<_> = series.between(0, u64::MAX).collect();
                prop_assert!(all.is_sorted_by_key(|point| point.at_ms));
            }
        }
    }
}
