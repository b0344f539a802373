//! What is the same for all maps of one sample.

use std::time::Duration;

use super::linear_fit::Window;
use super::thresholds::Thresholds;
use crate::types::time_to_full::TimeToFull;

/// What growth is measured over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Growth {
    /// From one report to the next.
    #[default]
    SinceReport,
    /// A line through the last minute, which is calm to look at.
    OverMinute,
}

/// What is the same for all maps of a snapshot.
#[derive(Debug)]
pub(crate) struct SampleContext<'a> {
    pub(crate) now: Duration,
    pub(crate) now_ms: u64,
    /// The last minute and the last ten.
    pub(crate) windows: [Window<'a>; 2],
    /// Coarsest resolution of old points.
    pub(crate) step_ms: u64,
    pub(crate) growth: Growth,
    pub(crate) interval: Option<Duration>,
    /// What losses are measured over: in reports as growth is, else since the sample before.
    pub(crate) loss_interval: Option<Duration>,
    /// Whether losses have been watched from a later time on than in the sample before.
    pub(crate) is_watched_anew: bool,
    /// Since when losses are watched.
    pub(crate) watched_since: Option<Duration>,
    /// Whether they are, or are about to be.
    pub(crate) is_watching: bool,
    pub(crate) shortest: Duration,
    pub(crate) thresholds: Thresholds,
    pub(crate) still: FlatTrend,
}

/// What is said of maps that do not change: the same of all that stand still since the same time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FlatTrend {
    pub(crate) since_ms: Option<u64>,
    pub(crate) growth: Option<f64>,
    pub(crate) full_in: TimeToFull,
}

impl FlatTrend {
    pub(crate) fn since(
        &mut self,
        since_ms: u64,
        windows: &[Window<'_>; 2],
        shortest: Duration,
    ) -> Self {
        let since_ms = since_ms.max(windows[1].first_ms());
        if self.since_ms != Some(since_ms) {
            let lines = windows.map(|window| window.flat_since(since_ms));
            *self = Self {
                since_ms: Some(since_ms),
                growth: lines[0].map(|line| line.growth()),
                full_in: TimeToFull::from_fits(1, lines, shortest),
            };
        }
        *self
    }
}
