//! Marks and their reasons.

use serde::{Deserialize, Serialize};

/// How urgently a map needs attention, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// No attention needed.
    None,
    /// Needs attention soon: `^`.
    Warn,
    /// Needs attention now: `!`.
    Crit,
}

impl Mark {
    /// All of them, in order.
    pub(crate) const ALL: [Self; 3] = [Self::None, Self::Warn, Self::Crit];

    /// The value of `bpf_map_mark`: 0, 1 or 2.
    #[must_use]
    pub(crate) fn number(self) -> u64 {
        self as u64
    }

    /// The mark with this number.
    #[must_use]
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|mark| mark.number() == number)
    }

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

/// Why a map is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkReason {
    /// The backlog of a buffer stays high.
    Backlog,
    /// Its pressure is at or above the threshold of a warning.
    HighPressure,
    /// An LRU map replaces its entries within a short time.
    ShortLifetime,
    /// A part of the stacks is refused, since another stack is in their slot.
    Collisions,
    /// It was full when it was first seen, and has not changed since.
    FoundFull,
    /// At its growth it will be full soon.
    FullSoon,
    /// Its pressure is at or above the threshold of an alarm, and it grows.
    GrowingNearFull,
    /// It grew to its capacity while it was observed.
    BecameFull,
    /// It drops records.
    Drops,
    /// It refuses updates.
    Refusals,
}

/// A mark and its reason; no reason without a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Verdict {
    /// How urgently it needs attention.
    pub mark: Mark,
    /// Why.
    pub reason: Option<MarkReason>,
}

impl Verdict {
    /// Needs no attention.
    pub const NONE: Self = Self {
        mark: Mark::None,
        reason: None,
    };

    /// Needs attention soon.
    #[must_use]
    pub const fn warn(reason: MarkReason) -> Self {
        Self {
            mark: Mark::Warn,
            reason: Some(reason),
        }
    }

    /// Needs attention now.
    #[must_use]
    pub const fn crit(reason: MarkReason) -> Self {
        Self {
            mark: Mark::Crit,
            reason: Some(reason),
        }
    }
}
