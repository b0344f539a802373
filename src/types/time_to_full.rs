//! When a map is full.

/// When a map is full.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum TimeToFull {
    /// Its kind has no such time.
    #[default]
    Never,
    /// Its level is not known.
    Unknown,
    /// There are not enough samples or changes yet.
    Measuring,
    /// Steady or shrinking.
    Steady,
    /// Perhaps in this many seconds: the trend is noisy. Never a reason for an alarm.
    Hint(f64),
    /// In this many seconds, at the current growth.
    In(f64),
    /// It is full.
    Now,
}

impl TimeToFull {
    /// Seconds until it is full, unless that is unknown or only a hint.
    #[must_use]
    pub fn seconds(self) -> Option<f64> {
        match self {
            Self::Now => Some(0.0),
            Self::In(seconds) => Some(seconds),
            Self::Never | Self::Unknown | Self::Measuring | Self::Steady | Self::Hint(_) => None,
        }
    }
}
