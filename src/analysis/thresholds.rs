//! The thresholds at which maps are marked, and the rule for maps that refuse inserts.

use std::time::Duration;

use crate::types::mark::{MarkReason, Verdict};
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

/// Part of the stacks that found another stack in their slot, from which a profile misses enough to warn.
/// A stack collides with the probability that a slot is used, so that a map a quarter full is enough.
const WARN_COLLISIONS: f64 = 0.25;
/// The part from which most of the profile may be missing: as many stacks are lost as are kept.
const CRIT_COLLISIONS: f64 = 0.5;

/// What is marked from which value on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Pressure of a map that refuses updates that is marked `^`.
    pub warn: f64,
    /// Pressure that is marked `!` if the map grows.
    pub crit: f64,
    /// Lifetime of the entries of an LRU map below which it is marked `^`.
    pub lifetime: Duration,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            warn: 0.80,
            crit: 0.95,
            lifetime: Duration::from_secs(60),
        }
    }
}

impl Thresholds {
    /// The verdict on a map that refuses updates and is not full, by its pressure and time to full.
    #[must_use]
    pub(crate) fn judge_level(self, pressure: f64, full_in: TimeToFull) -> Verdict {
        let left = match full_in {
            TimeToFull::Now => 0.0,
            TimeToFull::In(seconds) => seconds,
            _ => f64::INFINITY,
        };
        if left <= CRIT_TIME_TO_FULL_S {
            Verdict::crit(MarkReason::FullSoon)
        } else if left.is_finite() && pressure >= self.crit {
            Verdict::crit(MarkReason::GrowingNearFull)
        } else if left <= WARN_TIME_TO_FULL_S && pressure > MIN_PRESSURE_FOR_WARN {
            Verdict::warn(MarkReason::FullSoon)
        } else if pressure >= self.warn {
            Verdict::warn(MarkReason::HighPressure)
        } else {
            Verdict::NONE
        }
    }

    /// The verdict on an LRU map, by how long its entries stay.
    pub(super) fn judge_lifetime(self, lifetime: Option<Duration>) -> Verdict {
        match lifetime {
            Some(lifetime) if lifetime < self.lifetime => Verdict::warn(MarkReason::ShortLifetime),
            _ => Verdict::NONE,
        }
    }

    /// The verdict on a stack trace map, by the part of the stacks that collided; `None` if these are few.
    #[expect(clippy::unused_self, reason = "all rules are asked in one way")]
    pub(super) fn judge_collisions(self, part: f64) -> Option<Verdict> {
        match part {
            part if part >= CRIT_COLLISIONS => Some(Verdict::crit(MarkReason::Collisions)),
            part if part >= WARN_COLLISIONS => Some(Verdict::warn(MarkReason::Collisions)),
            _ => None,
        }
    }
}
