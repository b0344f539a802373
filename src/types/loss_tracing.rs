//! Whether losses are traced, and what came of it.

use std::time::Duration;

use compact_str::CompactString;

/// Whether somebody asked for what maps lose, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LossTracing {
    /// Nobody did: no tracer is attached, and updates cost what they always do.
    #[default]
    Off,
    /// Tracers are being attached.
    Starting,
    /// Tracers count.
    On {
        /// The uptime from which on all of them do.
        since: Duration,
        /// Whether updates are seen. Where no function can be traced they are not: only xdp redirects are.
        sees_updates: bool,
        /// What they do not see, in a few words: kinds of maps that cannot be watched here, maps
        /// without a place to be counted in, events that were missed.
        note: Option<CompactString>,
        /// Updates that were refused and records that were dropped by maps that are gone, whether or
        /// not one of them was ever in a sample.
        gone: u64,
    },
    /// This kernel does not let itself be traced, and why, in a few words.
    Refused(CompactString),
}

impl LossTracing {
    /// The word for it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Starting => "starting",
            Self::On {
                sees_updates: true, ..
            } => "on",
            Self::On { .. } => "part",
            Self::Refused(_) => "refused",
        }
    }

    /// The uptime from which on tracers count; `None` if none do.
    #[must_use]
    pub fn since(&self) -> Option<Duration> {
        match self {
            Self::On { since, .. } => Some(*since),
            _ => None,
        }
    }

    /// Updates that were refused and records that were dropped by maps that are gone.
    #[must_use]
    pub fn gone(&self) -> u64 {
        match self {
            Self::On { gone, .. } => *gone,
            _ => 0,
        }
    }

    /// What is not seen, or why nothing is; `None` if there is nothing to say.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        match self {
            Self::On { note, .. } => note.as_deref(),
            Self::Refused(why) => Some(why),
            Self::Off | Self::Starting => None,
        }
    }
}
