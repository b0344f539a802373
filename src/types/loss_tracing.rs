//! The state of loss tracing.

use std::time::Duration;

use compact_str::CompactString;

/// The state of loss tracing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LossTracing {
    /// Not requested: no tracer is attached, and updates cost nothing extra.
    #[default]
    Off,
    /// Tracers are being attached.
    Starting,
    /// Tracers count.
    On {
        /// The uptime from which on all of them count.
        since: Duration,
        /// Whether updates are traced. Where no function can be traced, only xdp redirects are.
        sees_updates: bool,
        /// What they do not count, in a few words: types that cannot be traced here, maps without a slot,
        /// missed calls.
        note: Option<CompactString>,
        /// Refused updates and dropped records of deleted maps, including maps that were never in a sample.
        deleted_map_losses: u64,
    },
    /// This kernel does not allow tracing; why, in a few words.
    Refused(CompactString),
}

impl LossTracing {
    /// The value of `losses_state` in JSON.
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

    /// Refused updates and dropped records of deleted maps.
    #[must_use]
    pub fn deleted_map_losses(&self) -> u64 {
        match self {
            Self::On {
                deleted_map_losses, ..
            } => *deleted_map_losses,
            _ => 0,
        }
    }

    /// What is not counted, or why nothing is; `None` if all is, or nothing was requested.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        match self {
            Self::On { note, .. } => note.as_deref(),
            Self::Refused(why) => Some(why),
            Self::Off | Self::Starting => None,
        }
    }
}
