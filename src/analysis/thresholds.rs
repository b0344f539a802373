//! The thresholds at which maps are marked, and the rule for maps that refuse inserts.

use crate::types::mark::Mark;
use crate::types::time_to_full::TimeToFull;

/// Time to full, in seconds, that makes a map critical.
pub(crate) const CRIT_TIME_TO_FULL_S: f64 = 600.0;

/// Time to full, in seconds, that warns if the pressure is above [`MIN_PRESSURE_FOR_WARN`].
pub(crate) const WARN_TIME_TO_FULL_S: f64 = 3600.0;

/// Pressure up to which a time to full of more than [`CRIT_TIME_TO_FULL_S`] is no warning.
pub(crate) const MIN_PRESSURE_FOR_WARN: f64 = 0.5;

/// Backlog of a buffer, as a fraction of its capacity, from which its reader counts as too slow.
pub(crate) const STREAM_WARN_PRESSURE: f64 = 0.75;

/// Samples in a row at [`STREAM_WARN_PRESSURE`] after which a buffer is marked. The help and
/// docs/reading-the-table.md have it as a word.
pub(crate) const STREAM_WARN_SAMPLES: u8 = 3;

/// The pressures at which maps that refuse inserts are marked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Pressure that is marked `^`.
    pub warn: f64,
    /// Pressure that is marked `!` if the map grows.
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
    /// The mark of a map that refuses inserts, by its pressure and time to full.
    #[must_use]
    pub(crate) fn mark_bounded(self, pressure: f64, full_in: TimeToFull) -> Mark {
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
