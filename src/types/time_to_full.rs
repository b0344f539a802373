//! When a map is full.

/// When a map is full.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum TimeToFull {
    /// Its kind has no such time.
    #[default]
    Never,
    /// Its level is not known.
    Unknown,
    /// There are not enough samples yet, or changes.
    Measuring,
    /// Steady or shrinking.
    Steady,
    /// It may be in so many seconds: the trend is noisy. Never a reason to wake anybody.
    Hint(f64),
    /// In so many seconds, at this growth.
    In(f64),
    /// It is full.
    Now,
}

impl TimeToFull {
    /// Seconds, where that is more than a hint.
    #[must_use]
    pub fn seconds(self) -> Option<f64> {
        match self {
            Self::Now => Some(0.0),
            Self::In(seconds) => Some(seconds),
            Self::Never | Self::Unknown | Self::Measuring | Self::Steady | Self::Hint(_) => None,
        }
    }
}
