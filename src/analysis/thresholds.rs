//! From which level, or time to full, on maps are marked.

use crate::types::mark::Mark;
use crate::types::time_to_full::TimeToFull;

/// Full so soon, in seconds, it is to be looked at now ...
pub(crate) const CRIT_TIME_TO_FULL_S: f64 = 600.0;

/// ... and so soon today, if it is ...
pub(crate) const WARN_TIME_TO_FULL_S: f64 = 3600.0;

/// ... this full already.
pub(crate) const MIN_PRESSURE_FOR_WARN: f64 = 0.5;

/// The pressures at which maps that refuse inserts are marked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// From here on `^`.
    pub warn: f64,
    /// From here on `!`, if it grows.
    pub crit: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            warn: 0.80,
            crit: 0.95,
        }
    }
}

impl Thresholds {
    /// The mark that a map which refuses inserts deserves by its level and where that leads.
    #[must_use]
    pub fn of_bounded(self, pressure: f64, full_in: TimeToFull) -> Mark {
        let left = match full_in {
            TimeToFull::In(seconds) => seconds,
            _ => f64::INFINITY,
        };
        let grows = left.is_finite();
        if full_in == TimeToFull::Now
            || left <= CRIT_TIME_TO_FULL_S
            || (grows && pressure >= self.crit)
        {
            Mark::Crit
        } else if pressure >= self.warn
            || (left <= WARN_TIME_TO_FULL_S && pressure > MIN_PRESSURE_FOR_WARN)
        {
            Mark::Warn
        } else {
            Mark::None
        }
    }
}
