//! When a map is full, and how sure that is.

use std::time::Duration;

use super::linear_fit::LinearFit;
use super::trend::MINUTE;
use crate::types::time_to_full::TimeToFull;

/// The fewest samples that make a trend.
const MIN_SAMPLES: u64 = 5;
/// The shortest span of samples that makes a trend, unless the user asked for a shorter one.
pub const MIN_SPAN: Duration = Duration::from_secs(10);

/// The fewest changes of a level that are more than chance.
const MIN_CHANGES: u32 = 3;

/// A slope of more than this many standard errors is a trend.
const CONFIDENT_SIGMA: f64 = 2.0;
/// A slope of more than this many standard errors is a hint.
const HINT_SIGMA: f64 = 1.0;

impl LinearFit {
    fn is_long_enough(&self, min_span: Duration) -> bool {
        self.samples >= MIN_SAMPLES && self.span >= min_span
    }

    /// Whether the level changed often enough, and recently. A good fit alone is no evidence of growth: after a single
    /// insert it is good, too, and so it is for a map that has stopped growing.
    fn has_evidence(&self) -> bool {
        self.changes >= MIN_CHANGES && self.is_still_growing()
    }

    /// Whether it grew more than once, but too rarely to be sure.
    fn is_tentative(&self) -> bool {
        (2..MIN_CHANGES).contains(&self.changes) && self.is_still_growing()
    }

    /// Whether the pause since the last change is not much longer than those between changes.
    fn is_still_growing(&self) -> bool {
        let between = self.changing_for / self.changes.saturating_sub(1).max(1);
        self.still_for <= MINUTE.max(between * 3)
    }

    /// Whether it falls beyond doubt.
    fn is_falling(&self) -> bool {
        self.slope < 0.0 && -self.slope > CONFIDENT_SIGMA * self.error
    }

    /// Whether it rises by more than this many standard errors.
    fn rises_beyond(&self, times: f64) -> bool {
        self.slope > 0.0 && self.slope > times * self.error
    }
}

impl TimeToFull {
    /// The time to full of a map with `room` for more entries. Fits over less than `min_span` do not
    /// count.
    #[must_use]
    pub(crate) fn from_fits(room: u64, fits: [Option<LinearFit>; 2], min_span: Duration) -> Self {
        if room == 0 {
            return Self::Now;
        }
        let long_enough = || {
            let fits = fits.iter().flatten();
            fits.filter(|fit| fit.is_long_enough(min_span))
        };
        if long_enough().next().is_none() {
            return Self::Measuring;
        }
        // A map that shrank in the last minute is not filling up, whatever it did before.
        let [minute, _] = fits;
        if minute.is_some_and(|fit| fit.is_long_enough(min_span) && fit.is_falling()) {
            return Self::Steady;
        }
        let steepest = |is_wanted: &dyn Fn(&LinearFit) -> bool| {
            let rising = long_enough().filter(|fit| is_wanted(fit));
            rising.map(|fit| fit.slope).max_by(f64::total_cmp)
        };
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let room = room as f64;
        if let Some(slope) =
            steepest(&|fit| fit.rises_beyond(CONFIDENT_SIGMA) && fit.has_evidence())
        {
            return Self::In(room / slope);
        }
        // A steep fit without evidence is not even a hint.
        match steepest(&|fit| fit.rises_beyond(HINT_SIGMA) && !fit.rises_beyond(CONFIDENT_SIGMA)) {
            Some(slope) => Self::Hint(room / slope),
            None if steepest(&|fit| fit.rises_beyond(CONFIDENT_SIGMA) && fit.is_tentative())
                .is_some() =>
            {
                Self::Measuring
            }
            None => Self::Steady,
        }
    }
}
