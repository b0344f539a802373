//! When a map is full, and how sure that is.

use std::time::Duration;

use super::linear_fit::LinearFit;
use super::trend::MINUTE;
use crate::types::time_to_full::TimeToFull;

/// Samples that a line needs ...
const MIN_SAMPLES: u64 = 5;
/// ... and the time that they have to span, when nothing shorter was asked for.
pub const MIN_SPAN: Duration = Duration::from_secs(10);

/// Changes of a level that are more than chance.
const MIN_CHANGES: u32 = 3;

/// A slope is believed when it is this many times its error ...
const CONFIDENT_SIGMA: f64 = 2.0;
/// ... and worth a hint from here on.
const HINT_SIGMA: f64 = 1.0;

impl LinearFit {
    fn is_long_enough(&self, shortest: Duration) -> bool {
        self.samples >= MIN_SAMPLES && self.span >= shortest
    }

    /// Whether there is more to it than the fit: a single insert makes a good line, too, and what
    /// stood still for far longer than it ever did while it grew has stopped.
    fn has_evidence(&self) -> bool {
        self.changes >= MIN_CHANGES && self.is_still_growing()
    }

    /// Whether it grew again, lately, but too seldom to be sure: once is no trend.
    fn is_tentative(&self) -> bool {
        (2..MIN_CHANGES).contains(&self.changes) && self.is_still_growing()
    }

    /// Whether it has not stood still for far longer than it ever did while it grew.
    fn is_still_growing(&self) -> bool {
        let between = self.moving / self.changes.saturating_sub(1).max(1);
        self.still_for <= MINUTE.max(between * 3)
    }

    /// Whether it falls beyond doubt.
    fn falls(&self) -> bool {
        self.slope < 0.0 && -self.slope > CONFIDENT_SIGMA * self.error
    }

    /// Whether it rises beyond doubt, by this many times its error.
    fn rises(&self, times: f64) -> bool {
        self.slope > 0.0 && self.slope > times * self.error
    }
}

impl TimeToFull {
    /// What these lines say of a map in which `left` more fit. `shortest` is the time they have to
    /// span.
    #[must_use]
    pub fn from_fits(left: u64, lines: [Option<LinearFit>; 2], shortest: Duration) -> Self {
        if left == 0 {
            return Self::Now;
        }
        let long_enough = || {
            let lines = lines.iter().flatten();
            lines.filter(|line| line.is_long_enough(shortest))
        };
        if long_enough().next().is_none() {
            return Self::Measuring;
        }
        // What emptied lately does not fill, whatever it did before that.
        let [minute, _] = lines;
        if minute.is_some_and(|line| line.is_long_enough(shortest) && line.falls()) {
            return Self::Steady;
        }
        let steepest = |is_meant: &dyn Fn(&LinearFit) -> bool| {
            let rising = long_enough().filter(|line| is_meant(line));
            rising.map(|line| line.slope).max_by(f64::total_cmp)
        };
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let left = left as f64;
        if let Some(slope) = steepest(&|line| line.rises(CONFIDENT_SIGMA) && line.has_evidence()) {
            return Self::In(left / slope);
        }
        // A line that is sure of itself and has no evidence is no hint, either.
        match steepest(&|line| line.rises(HINT_SIGMA) && !line.rises(CONFIDENT_SIGMA)) {
            Some(slope) => Self::Hint(left / slope),
            None if steepest(&|line| line.rises(CONFIDENT_SIGMA) && line.is_tentative())
                .is_some() =>
            {
                Self::Measuring
            }
            None => Self::Steady,
        }
    }
}
