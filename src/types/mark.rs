//! The verdict on a map.

use serde::Serialize;

/// The verdict on a map. Orders from calm to urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// No need to look.
    None,
    /// Look today: `^`.
    Warn,
    /// Look now: `!`.
    Crit,
}

impl Mark {
    /// The sign, one cell wide.
    #[must_use]
    pub fn sign(self) -> char {
        match self {
            Self::None => ' ',
            Self::Warn => '^',
            Self::Crit => '!',
        }
    }

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Warn => "warn",
            Self::Crit => "crit",
        }
    }
}
