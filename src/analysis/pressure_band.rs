//! The bands of pressure between the thresholds: leaving one is an event.

use super::thresholds::Thresholds;

/// How far below a threshold a pressure has to fall until that is an event: levels fluctuate.
const HYSTERESIS: f64 = 0.05;
/// The same below full: a full map fluctuates less.
const HYSTERESIS_FULL: f64 = 0.01;

/// The highest threshold that a pressure is at or above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PressureBand {
    Below,
    Warn,
    Crit,
    Full,
}

impl PressureBand {
    pub const FROM_FULL_DOWN: [Self; 3] = [Self::Full, Self::Crit, Self::Warn];

    /// The lowest pressure of this band.
    pub fn threshold(self, thresholds: Thresholds) -> f64 {
        match self {
            Self::Below => f64::NEG_INFINITY,
            Self::Warn => thresholds.warn,
            Self::Crit => thresholds.crit,
            Self::Full => 1.0,
        }
    }

    pub fn from_pressure(pressure: f64, thresholds: Thresholds) -> Self {
        let is_passed = |band: &Self| pressure >= band.threshold(thresholds);
        let passed = Self::FROM_FULL_DOWN.into_iter().find(is_passed);
        passed.unwrap_or(Self::Below)
    }

    /// The band after the pressure fell: a band is kept until the pressure is well below its threshold.
    pub fn after_fall(pressure: f64, before: Self, thresholds: Thresholds) -> Self {
        let is_kept = |band: &Self| {
            let release = if *band == Self::Full {
                HYSTERESIS_FULL
            } else {
                HYSTERESIS
            };
            *band <= before && pressure >= band.threshold(thresholds) - release
        };
        let kept = Self::FROM_FULL_DOWN.into_iter().find(is_kept);
        kept.unwrap_or(Self::Below)
    }
}
