//! How urgently a map needs attention.

use serde::Serialize;

/// How urgently a map needs attention, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// No attention needed.
    None,
    /// Within the day: `^`.
    Warn,
    /// Now: `!`.
    Crit,
}

impl Mark {
    /// One cell wide.
    #[must_use]
    pub fn sign(self) -> char {
        match self {
            Self::None => ' ',
            Self::Warn => '^',
            Self::Crit => '!',
        }
    }

    /// The value of `mark` in JSON, CSV and filters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Warn => "warn",
            Self::Crit => "crit",
        }
    }
}
