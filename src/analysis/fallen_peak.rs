//! Peaks that a level fell from: below such a peak a rise says nothing about being full soon, since the
//! same rise ended without filling the map before.

use std::time::Duration;

/// A fall undoes at least one part in so many of the rise before it.
const MIN_FALL_OF_RISE: u64 = 2;
/// A fall is at least one part in so many of the peak; less is noise.
const MIN_FALL_OF_PEAK: u64 = 8;
/// A rise has passed a peak when it is above it by one part in so many, or by half of the room that the peak
/// left if that is less: the peaks of a cycle differ a little.
const PASSED_BY: u64 = 20;
/// How long a peak counts: as long as levels are remembered.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(2 * 60 * 60);

/// The highest peak that the level of one map fell from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FallenPeak {
    /// The lowest level since the last fall.
    trough: u64,
    /// The highest level since `trough`.
    top: u64,
    /// The peak, and when the level fell from it last.
    peak: Option<(u64, Duration)>,
}

impl FallenPeak {
    /// Begins with the first level of a map.
    pub fn new(level: u64) -> Self {
        Self {
            trough: level,
            top: level,
            peak: None,
        }
    }

    /// Adds a level that differs from the previous one.
    pub fn push(&mut self, level: u64, now: Duration) {
        if level > self.top {
            self.top = level;
            return;
        }
        let fell = self.top - level;
        let rose = self.top - self.trough;
        // Of the rise to the level that was seen first, nothing is known.
        let undone = if rose > 0 { rose } else { self.top };
        let is_fall = fell > 0
            && fell.saturating_mul(MIN_FALL_OF_RISE) >= undone
            && fell.saturating_mul(MIN_FALL_OF_PEAK) >= self.top;
        if is_fall && self.current(now).is_none_or(|peak| peak <= self.top) {
            self.peak = Some((self.top, now));
        }
        if is_fall || level < self.trough {
            (self.trough, self.top) = (level, level);
        }
    }

    /// Whether the level fell before from where it is now.
    pub fn is_above(&self, level: u64, capacity: u64, now: Duration) -> bool {
        self.current(now).is_some_and(|peak| {
            let room = capacity.saturating_sub(peak);
            level <= peak + (peak / PASSED_BY).min(room / 2)
        })
    }

    /// The peak, unless that was too long ago.
    fn current(&self, now: Duration) -> Option<u64> {
        let (level, fell_at) = self.peak?;
        (now.saturating_sub(fell_at) <= FORGOTTEN_AFTER).then_some(level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds at which the level is below a peak that it fell from before.
    fn below_peaks(capacity: u64, levels: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let mut peak: Option<FallenPeak> = None;
        let mut below = Vec::new();
        for (second, level) in (0..).zip(levels) {
            let now = Duration::from_secs(second);
            let peak = peak.get_or_insert_with(|| FallenPeak::new(level));
            peak.push(level, now);
            if peak.is_above(level, capacity, now) {
                below.push(second);
            }
        }
        below
    }

    #[test]
    fn a_sawtooth_is_below_its_peak_after_the_first_fall() {
        let below = below_peaks(5000, (0..600).map(|second| second % 120 * 18));
        assert_eq!(below, (120..600).collect::<Vec<_>>());
    }

    #[test]
    fn peaks_that_differ_by_a_few_entries_are_of_one_cycle() {
        let level = |second: u64| second % 120 * 18 + second / 120 * 10;
        let below = below_peaks(5000, (0..600).map(level));
        assert_eq!(below.len(), 480);
    }

    #[test]
    fn a_rise_above_the_highest_peak_counts_again() {
        // Twice as fast in the third cycle.
        let level = |second: u64| second % 120 * if second < 240 { 18 } else { 36 };
        let below = below_peaks(5000, (0..360).map(level));
        let passed = 240 + (119 * 18 * 105 / 100) / 36 + 1;
        assert_eq!(below.last(), Some(&(passed - 1)));
    }

    #[test]
    fn noisy_growth_is_below_no_peak() {
        let wavering = |second: u64| 1000 + second * 5 + second * 7919 % 13;
        assert_eq!(below_peaks(100_000, (0..3600).map(wavering)), [0; 0]);
    }

    #[test]
    fn a_peak_near_the_capacity_is_passed_before_the_map_is_full() {
        let mut peak = FallenPeak::new(0);
        for (second, level) in [(1, 990), (2, 10), (100, 985)] {
            peak.push(level, Duration::from_secs(second));
        }
        let now = Duration::from_secs(100);
        assert!(peak.is_above(995, 1000, now));
        assert!(!peak.is_above(996, 1000, now));
    }

    #[test]
    fn a_fall_from_the_first_level_counts() {
        let mut peak = FallenPeak::new(2000);
        peak.push(10, Duration::from_secs(1));
        assert!(peak.is_above(1500, 5000, Duration::from_secs(90)));
    }

    #[test]
    fn a_peak_is_forgotten_after_two_hours() {
        let mut peak = FallenPeak::new(0);
        peak.push(500, Duration::from_secs(1));
        peak.push(10, Duration::from_secs(2));
        assert!(peak.is_above(400, 1000, Duration::from_secs(7202)));
        assert!(!peak.is_above(400, 1000, Duration::from_secs(7203)));
    }
}
