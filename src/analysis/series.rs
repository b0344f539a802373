//! How full one map was: what it held, from when on. A run that does not change is one point.

use std::collections::VecDeque;
use std::time::Duration;

/// What a map held from a time on, until the next point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Milliseconds of uptime.
    pub at_ms: u64,
    used: u64,
}

/// Stands for a count that was not known.
const UNKNOWN: u64 = u64::MAX;

impl Point {
    /// What a map held from then on.
    #[must_use]
    pub fn new(at_ms: u64, used: Option<u64>) -> Self {
        Self {
            at_ms,
            used: used.unwrap_or(UNKNOWN),
        }
    }

    /// What it held; `None` if that was not known.
    #[must_use]
    pub fn used(self) -> Option<u64> {
        (self.used != UNKNOWN).then_some(self.used)
    }
}

/// How much is remembered, and how finely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolution {
    /// Every sample is remembered for so long.
    pub fine: Duration,
    /// Then a point in so long.
    pub step: Duration,
    /// Until it is this old.
    pub whole: Duration,
}

impl Resolution {
    const fn new(fine_secs: u64, step_secs: u64, whole_mins: u64) -> Self {
        Self {
            fine: Duration::from_secs(fine_secs),
            step: Duration::from_secs(step_secs),
            whole: Duration::from_secs(whole_mins * 60),
        }
    }
}

/// From all that is wanted to the least: first what is fine gets shorter, down to a minute, then
/// steps get longer, then the whole gets shorter, and in the end what is fine once more.
pub(crate) const DETAILS: [Resolution; 17] = [
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

/// In milliseconds, which hold half a billion years.
#[must_use]
pub(crate) fn in_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The points of one map, the oldest first.
#[derive(Debug, Clone, Default)]
pub struct Series {
    points: VecDeque<Point>,
    /// How many of them have been thinned out already.
    thinned: usize,
}

impl Series {
    /// Adds what the map holds now; gives how many points there are more.
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

    /// When the first of them was, in milliseconds of uptime.
    #[must_use]
    pub(crate) fn first_ms(&self) -> Option<u64> {
        Some(self.points.front()?.at_ms)
    }

    /// Adds what the map held before the first point, the oldest first; gives how many points there
    /// are more.
    pub(crate) fn add_before(&mut self, earlier: impl IntoIterator<Item = Point>) -> isize {
        let before = self.points.len();
        let first = self.points.front().map_or(u64::MAX, |point| point.at_ms);
        let rest = std::mem::take(self);
        let points = earlier.into_iter().filter(|point| point.at_ms < first);
        for point in points.chain(rest.points) {
            self.push(point.at_ms, point.used());
        }
        change(before, self.points.len())
    }

    /// Thins out what is old; gives how many points there are more, which are never more.
    pub(crate) fn thin(&mut self, now_ms: u64, detail: Resolution) -> isize {
        let before = self.points.len();
        let oldest = now_ms.saturating_sub(in_ms(detail.whole));
        // What was held at the beginning of that time is in the point before it.
        while self.points.get(1).is_some_and(|next| next.at_ms <= oldest) {
            self.points.pop_front();
            self.thinned = self.thinned.saturating_sub(1);
        }
        let fine = now_ms.saturating_sub(in_ms(detail.fine));
        let step = in_ms(detail.step).max(1);
        let old = self.points.partition_point(|point| point.at_ms < fine);
        if old > self.thinned {
            let from = self.thinned.saturating_sub(1);
            let rest = self.points.split_off(from);
            let moved = old - from;
            for (n, point) in rest.into_iter().enumerate() {
                let is_in_step = |last: &Point| last.at_ms / step == point.at_ms / step;
                match self.points.back_mut() {
                    // The last of a step is what it ends with.
                    Some(last) if n < moved && self.thinned > 0 && is_in_step(last) => {
                        *last = point;
                    }
                    _ => {
                        self.points.push_back(point);
                        if n < moved {
                            self.thinned = self.points.len();
                        }
                    }
                }
            }
        }
        if self.points.capacity() > 2 * self.points.len() + 8 {
            self.points.shrink_to_fit();
        }
        change(before, self.points.len())
    }

    /// Forgets that old points were thinned out: they are to be again, and coarser.
    pub(crate) fn thin_again(&mut self) {
        self.thinned = 0;
    }

    /// How many points there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The points, the latest first.
    pub fn latest_first(&self) -> impl Iterator<Item = Point> + '_ {
        self.points.iter().rev().copied()
    }

    /// The points, the latest first, each with the time until which it is known that nothing changed.
    /// Of what was thinned out in steps of `step_ms`, only the last change of a step is known.
    pub(crate) fn runs_latest_first(
        &self,
        step_ms: u64,
    ) -> impl Iterator<Item = (Point, u64)> + '_ {
        let step_ms = step_ms.max(1);
        let next_of = move |n: usize| match self.points.get(n + 1) {
            None => u64::MAX,
            Some(next) if n + 1 < self.thinned => {
                let begin = next.at_ms / step_ms * step_ms;
                begin.max(self.points[n].at_ms + 1)
            }
            Some(next) => next.at_ms,
        };
        let points = self.points.iter().copied().enumerate().rev();
        points.map(move |(n, point)| (point, next_of(n)))
    }

    /// The points that say what was held between two times, the oldest first: one at or before the
    /// first of them, where there is one.
    pub fn between(&self, from_ms: u64, to_ms: u64) -> impl Iterator<Item = Point> + '_ {
        let first = self.points.partition_point(|point| point.at_ms <= from_ms);
        let end = self.points.partition_point(|point| point.at_ms <= to_ms);
        let first = first.saturating_sub(1);
        self.points.range(first..end.max(first)).copied()
    }
}

fn change(before: usize, now: usize) -> isize {
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
    fn what_does_not_change_is_one_point() {
        let mut series = Series::default();
        for second in 0..10_000 {
            series.push(second * 1000, Some(7));
        }
        series.push(10_000_000, None);
        assert_eq!(points(&series), [(0, Some(7)), (10_000_000, None)]);
    }

    #[test]
    fn the_old_is_thinned_out_and_the_new_is_whole() {
        let mut series = Series::default();
        let mut count = 0;
        for second in 0..3 * 3600u64 {
            count += series.push(second * 1000, Some(second));
            if second % 60 == 59 {
                count += series.thin(second * 1000, DETAILS[0]);
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
    fn coarser_and_coarser_ends_in_next_to_nothing() {
        let mut series = Series::default();
        for second in 0..3600u64 {
            series.push(second * 1000, Some(second));
        }
        let mut length = series.len();
        for detail in DETAILS {
            series.thin_again();
            series.thin(3_600_000, detail);
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
                series.thin(now, DETAILS[0]);
                let begin = now.saturating_sub(in_ms(DETAILS[0].whole));
                let old = series.between(0, begin).count();
                prop_assert!(old <= 1, "{old} older than the whole");
                prop_assert_eq!(series.latest_first().next().and_then(Point::used), Some(used));
                let all: Vec<_> = series.between(0, u64::MAX).collect();
                prop_assert!(all.is_sorted_by_key(|point| point.at_ms));
            }
        }
    }
}
