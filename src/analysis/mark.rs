//! The mark of a map over time: raised at once, lowered after a delay.

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::thresholds::{STREAM_WARN_PRESSURE, STREAM_WARN_SAMPLES, Thresholds};
use crate::types::map_type::Kind;
use crate::types::mark::{MarkReason, Verdict};
use crate::types::time_to_full::TimeToFull;

/// Samples in a row that deserve less before a mark is lowered. docs/reading-the-table.md has it as a word.
const MARK_HOLD_SAMPLES: u8 = 3;

/// How long a full map must have been watched without a refusal until it counts as sized to fit.
pub(super) const FULL_WITHOUT_REFUSAL: Duration = Duration::from_secs(10 * 60);

/// What being full means for a map that refuses updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fullness {
    /// It is not full, or its level is unknown.
    NotFull,
    /// It is meant to be: it has room for one entry, or is frozen.
    ByDesign,
    /// It was full when it was first seen and has not changed; refusals were not watched for
    /// [`FULL_WITHOUT_REFUSAL`].
    Found,
    /// The same, but they were, and there was none.
    SizedToFit,
    /// It grew to its capacity while it was observed.
    Became,
}

/// What it loses just now, if that is a fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Losing {
    Nothing,
    /// It refuses updates.
    Refusals,
    /// It drops records.
    Drops,
    /// This part of the stacks found another stack in their slot.
    Collisions(f64),
}

/// What a mark is judged by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Evidence {
    pub kind: Kind,
    /// The lowest that the pressure can be; `None` if it is unknown.
    pub pressure: Option<f64>,
    pub full_in: TimeToFull,
    pub fullness: Fullness,
    pub losing: Losing,
    /// How long an entry stays in an LRU map; `None` if evictions are not counted, or there are none.
    pub lifetime: Option<Duration>,
}

impl Evidence {
    /// The verdict on this sample alone; `None` if nothing can be said.
    fn judge(&self, thresholds: Thresholds) -> Option<Verdict> {
        match self.losing {
            Losing::Refusals => return Some(Verdict::crit(MarkReason::Refusals)),
            Losing::Drops => return Some(Verdict::crit(MarkReason::Drops)),
            Losing::Collisions(part) => {
                if let Some(verdict) = thresholds.judge_collisions(part) {
                    return Some(verdict);
                }
            }
            Losing::Nothing => {}
        }
        match (self.kind, self.fullness) {
            (Kind::Bounded, Fullness::Found) => Some(Verdict::warn(MarkReason::FoundFull)),
            (Kind::Bounded, Fullness::Became) => Some(Verdict::crit(MarkReason::BecameFull)),
            (Kind::Bounded, Fullness::NotFull) => {
                Some(thresholds.judge_level(self.pressure?, self.full_in))
            }
            (Kind::Evicting, _) => Some(thresholds.judge_lifetime(self.lifetime)),
            (Kind::Stream, _) => self.pressure.map(|_| Verdict::NONE),
            // Also a bounded map that is meant to be full.
            _ => Some(Verdict::NONE),
        }
    }
}

/// The mark of a map over time: raised at once, lowered after [`MARK_HOLD_SAMPLES`], so that a row does
/// not flicker.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MarkHysteresis {
    verdict: Option<Verdict>,
    /// Samples in a row that deserve a lower mark.
    quiet_samples: u8,
    /// The highest verdict on one of these samples.
    highest_quiet: Option<Verdict>,
    /// Samples in a row at [`STREAM_WARN_PRESSURE`].
    backlogged_samples: u8,
    /// Samples for which the last refusal still counts.
    refusal_hold: u8,
}

impl MarkHysteresis {
    /// Adds a sample, and returns the verdict; `None` if the level of a map that could be marked is unknown.
    pub fn judge(&mut self, evidence: &Evidence, thresholds: Thresholds) -> Option<Verdict> {
        let deserved = evidence.judge(thresholds);
        self.refusal_hold = match evidence.losing {
            Losing::Refusals | Losing::Drops => MARK_HOLD_SAMPLES,
            _ => self.refusal_hold.saturating_sub(1),
        };
        let deserved = match (deserved, self.verdict) {
            (Some(_), _) if self.is_backlogged(evidence) => {
                deserved.max(Some(Verdict::warn(MarkReason::Backlog)))?
            }
            (Some(deserved), _) => deserved,
            // Without a level, the refusal alone decides, until it no longer counts.
            (None, Some(held)) if self.refusal_hold > 0 => held,
            (None, _) => {
                *self = Self::default();
                return None;
            }
        };
        match self.verdict {
            Some(shown) if deserved.mark < shown.mark => {
                self.quiet_samples += 1;
                self.highest_quiet = self.highest_quiet.max(Some(deserved));
                if self.quiet_samples >= MARK_HOLD_SAMPLES {
                    self.verdict = self.highest_quiet;
                    (self.quiet_samples, self.highest_quiet) = (0, None);
                }
            }
            _ => {
                (self.quiet_samples, self.highest_quiet) = (0, None);
                self.verdict = Some(deserved);
            }
        }
        self.verdict
    }

    /// Whether the reader of a buffer has been too slow for [`STREAM_WARN_SAMPLES`].
    fn is_backlogged(&mut self, evidence: &Evidence) -> bool {
        let is_high = evidence.kind == Kind::Stream
            && evidence
                .pressure
                .is_some_and(|backlog| backlog >= STREAM_WARN_PRESSURE);
        self.backlogged_samples = if is_high {
            (self.backlogged_samples + 1).min(STREAM_WARN_SAMPLES)
        } else {
            0
        };
        self.backlogged_samples >= STREAM_WARN_SAMPLES
    }
}
