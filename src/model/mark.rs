//! Marks: a map's level becomes the one sign at the left edge that says whether to look at it.

use serde::Serialize;

use super::map_type::Kind;

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

/// Pressure at which a map that refuses inserts is worth a look.
pub const WARN: f64 = 0.80;

/// Backlog at which a buffer's reader is worth a look.
pub const STREAM_WARN: f64 = 0.75;

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

    /// The mark a level deserves by itself, without a history; `None` if the map can be marked
    /// but its level is not known.
    #[must_use]
    pub fn of_level(kind: Kind, pressure: Option<f64>) -> Option<Self> {
        match kind {
            Kind::Bounded => pressure.map(|pressure| {
                if pressure >= 1.0 {
                    Self::Crit
                } else if pressure >= WARN {
                    Self::Warn
                } else {
                    Self::None
                }
            }),
            Kind::Stream => pressure.map(|backlog| {
                if backlog >= STREAM_WARN {
                    Self::Warn
                } else {
                    Self::None
                }
            }),
            Kind::Evicting | Kind::Slots | Kind::Fixed | Kind::Uncounted => Some(Self::None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_that_refuses_is_marked_by_its_level() {
        let mark = |pressure| Mark::of_level(Kind::Bounded, Some(pressure));
        assert_eq!(mark(0.799), Some(Mark::None));
        assert_eq!(mark(0.80), Some(Mark::Warn));
        assert_eq!(mark(0.999), Some(Mark::Warn));
        assert_eq!(mark(1.0), Some(Mark::Crit));
        assert_eq!(mark(1.2), Some(Mark::Crit));
    }

    #[test]
    fn what_is_full_by_design_is_never_marked() {
        for kind in [Kind::Evicting, Kind::Slots, Kind::Fixed, Kind::Uncounted] {
            assert_eq!(
                Mark::of_level(kind, Some(1.0)),
                Some(Mark::None),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_backlog_warns_from_three_quarters_on() {
        assert_eq!(Mark::of_level(Kind::Stream, Some(0.74)), Some(Mark::None));
        assert_eq!(Mark::of_level(Kind::Stream, Some(1.0)), Some(Mark::Warn));
    }

    #[test]
    fn an_unknown_level_has_no_verdict() {
        assert_eq!(Mark::of_level(Kind::Bounded, None), None);
    }
}
