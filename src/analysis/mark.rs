//! The mark of a map over time: raised at once, lowered after a delay.

use super::thresholds::{STREAM_WARN_PRESSURE, STREAM_WARN_SAMPLES, Thresholds};
use crate::types::map_type::Kind;
use crate::types::mark::Mark;
use crate::types::time_to_full::TimeToFull;

/// Samples in a row that deserve less before a mark is lowered. docs/reading-the-table.md has it as a word.
const MARK_HOLD_SAMPLES: u8 = 3;

/// The mark of a map over time: raised at once, lowered after [`MARK_HOLD_SAMPLES`], so that a row does
/// not flicker.
#[derive(Debug, Clone, Copy, Default)]
pub struct MarkHysteresis {
    mark: Option<Mark>,
    /// Samples in a row that deserve a lower mark.
    quiet_samples: u8,
    /// The highest mark that one of these samples deserves.
    highest_quiet: Option<Mark>,
    /// Samples in a row at [`STREAM_WARN_PRESSURE`].
    backlogged_samples: u8,
    /// Samples for which the last refusal still counts.
    refusal_hold: u8,
}

impl MarkHysteresis {
    /// Adds a sample, and returns the mark; `None` if the level of a map that could be marked is unknown.
    /// `refuses` says whether the map is refusing updates or dropping records.
    pub fn judge(
        &mut self,
        kind: Kind,
        pressure: Option<f64>,
        full_in: TimeToFull,
        refuses: bool,
        thresholds: Thresholds,
    ) -> Option<Mark> {
        self.refusal_hold = if refuses {
            MARK_HOLD_SAMPLES
        } else {
            self.refusal_hold.saturating_sub(1)
        };
        let deserved = match (kind, pressure) {
            _ if refuses => Mark::Crit,
            // Without a level, the refusal alone decides, until it no longer counts.
            (Kind::Bounded | Kind::Stream, None) if self.refusal_hold > 0 => Mark::Crit,
            (Kind::Bounded, Some(pressure)) => thresholds.mark_bounded(pressure, full_in),
            (Kind::Stream, Some(backlog)) => {
                self.backlogged_samples = if backlog >= STREAM_WARN_PRESSURE {
                    (self.backlogged_samples + 1).min(STREAM_WARN_SAMPLES)
                } else {
                    0
                };
                if self.backlogged_samples >= STREAM_WARN_SAMPLES {
                    Mark::Warn
                } else {
                    Mark::None
                }
            }
            (Kind::Bounded | Kind::Stream, None) => {
                *self = Self::default();
                return None;
            }
            _ => Mark::None,
        };
        let shown = self.mark.unwrap_or(Mark::None);
        if deserved >= shown {
            (self.quiet_samples, self.highest_quiet) = (0, None);
            self.mark = Some(deserved);
        } else {
            self.quiet_samples += 1;
            self.highest_quiet = self.highest_quiet.max(Some(deserved));
            if self.quiet_samples >= MARK_HOLD_SAMPLES {
                self.mark = self.highest_quiet;
                (self.quiet_samples, self.highest_quiet) = (0, None);
            }
        }
        self.mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn once(kind: Kind, pressure: f64, full_in: TimeToFull) -> Option<Mark> {
        let pressure = Some(pressure);
        MarkHysteresis::default().judge(kind, pressure, full_in, false, Thresholds::default())
    }

    #[test]
    fn a_map_that_refuses_is_marked_by_its_level_and_where_that_leads() {
        let mark = |pressure, full_in| once(Kind::Bounded, pressure, full_in);
        for (pressure, full_in, expected) in [
            (0.799, TimeToFull::Steady, Mark::None),
            (0.80, TimeToFull::Measuring, Mark::Warn),
            (0.99, TimeToFull::Steady, Mark::Warn),
            (0.95, TimeToFull::In(1e9), Mark::Crit),
            (0.949, TimeToFull::In(1e9), Mark::Warn),
            (1.0, TimeToFull::Now, Mark::Crit),
            (0.01, TimeToFull::In(600.0), Mark::Crit),
            (0.51, TimeToFull::In(601.0), Mark::Warn),
            (0.5, TimeToFull::In(601.0), Mark::None),
            (0.7, TimeToFull::In(3601.0), Mark::None),
            (0.7, TimeToFull::Hint(5.0), Mark::None),
        ] {
            assert_eq!(
                mark(pressure, full_in),
                Some(expected),
                "{pressure} {full_in:?}"
            );
        }
    }

    #[test]
    fn what_is_full_by_design_is_never_marked() {
        for kind in [Kind::Evicting, Kind::Slots, Kind::Fixed, Kind::Uncounted] {
            assert_eq!(
                once(kind, 1.0, TimeToFull::Never),
                Some(Mark::None),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_backlog_is_marked_when_it_stays() {
        let mut hysteresis = MarkHysteresis::default();
        let mut judge = |backlog| {
            let thresholds = Thresholds::default();
            hysteresis.judge(
                Kind::Stream,
                Some(backlog),
                TimeToFull::Never,
                false,
                thresholds,
            )
        };
        let marks: Vec<_> = [0.8, 0.8, 0.1, 0.8, 1.0, 0.75].map(&mut judge).to_vec();
        assert_eq!(marks.last(), Some(&Some(Mark::Warn)));
        assert!(marks[..5].iter().all(|mark| *mark == Some(Mark::None)));
    }

    #[test]
    fn a_mark_falls_to_what_was_deserved_most_while_it_was_held() {
        let mut hysteresis = MarkHysteresis::default();
        let mut judge = |pressure, full_in| {
            hysteresis.judge(
                Kind::Bounded,
                Some(pressure),
                full_in,
                false,
                Thresholds::default(),
            )
        };
        judge(1.0, TimeToFull::Now);
        let marks = [0.85, 0.85, 0.79, 0.81].map(|pressure| judge(pressure, TimeToFull::Steady));
        assert_eq!(marks[1], Some(Mark::Crit));
        assert_eq!(marks[2..], [Some(Mark::Warn), Some(Mark::Warn)]);
    }

    #[test]
    fn what_is_not_known_has_no_mark() {
        let mut hysteresis = MarkHysteresis::default();
        let thresholds = Thresholds::default();
        let unknown = hysteresis.judge(Kind::Bounded, None, TimeToFull::Unknown, false, thresholds);
        assert_eq!(unknown, None);
    }

    #[test]
    fn what_refuses_is_marked_at_any_level_and_for_two_samples_more() {
        for (kind, pressure, after) in [
            (Kind::Bounded, Some(0.1), Some(Mark::None)),
            (Kind::Bounded, Some(0.85), Some(Mark::Warn)),
            (Kind::Bounded, None, None),
            (Kind::Stream, Some(0.1), Some(Mark::None)),
            // The slots of a perf_event_array have no level.
            (Kind::Slots, None, Some(Mark::None)),
        ] {
            let mut hysteresis = MarkHysteresis::default();
            let marks = [true, false, false, false].map(|refuses| {
                let thresholds = Thresholds::default();
                hysteresis.judge(kind, pressure, TimeToFull::Unknown, refuses, thresholds)
            });
            let crit = Some(Mark::Crit);
            assert_eq!(marks, [crit, crit, crit, after], "{kind:?} {pressure:?}");
        }
    }

    proptest! {
        #[test]
        fn a_mark_goes_up_at_once_and_stays_for_three_samples(
            pressures in proptest::collection::vec(0.7f64..1.0, 3..100),
        ) {
            let mut hysteresis = MarkHysteresis::default();
            let marks: Vec<_> = pressures
                .iter()
                .map(|pressure| {
                    let thresholds = Thresholds::default();
                    hysteresis.judge(
                        Kind::Bounded,
                        Some(*pressure),
                        TimeToFull::Steady,
                        false,
                        thresholds,
                    )
                })
                .collect();
            for (mark, pressure) in marks.iter().zip(&pressures) {
                prop_assert!(*pressure < 0.8 || *mark == Some(Mark::Warn), "up at once");
            }
            for window in marks.windows(3) {
                let blinks = window[0] < window[1] && window[1] > window[2];
                prop_assert!(!blinks, "{window:?}");
            }
        }
    }
}
