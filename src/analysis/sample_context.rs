//! What all maps of a sample have in common.

use std::time::Duration;

use super::linear_fit::Window;
use super::thresholds::Thresholds;
use crate::types::time_to_full::TimeToFull;

/// What growth is measured over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum GrowthBasis {
    /// From one report to the next.
    #[default]
    SinceReport,
    /// A fit to the last minute, so that the number on the screen does not jump.
    OverMinute,
}

/// What all maps of a sample have in common.
#[derive(Debug)]
pub(crate) struct SampleContext<'a> {
    pub(crate) now: Duration,
    pub(crate) now_ms: u64,
    /// The last minute and the last ten.
    pub(crate) windows: [Window<'a>; 2],
    /// Coarsest resolution of old points.
    pub(crate) step_ms: u64,
    pub(crate) growth: GrowthBasis,
    pub(crate) interval: Option<Duration>,
    /// The interval of loss rates: in reports that of growth, else the time since the previous sample.
    pub(crate) loss_interval: Option<Duration>,
    /// Whether loss tracing was restarted since the previous sample.
    pub(crate) is_tracing_restarted: bool,
    /// Uptime at which loss tracing began.
    pub(crate) tracing_since: Option<Duration>,
    /// Whether losses are traced, or tracers are being attached.
    pub(crate) is_tracing: bool,
    pub(crate) min_span: Duration,
    pub(crate) thresholds: Thresholds,
    pub(crate) flat_trend: FlatTrend,
}

/// The trend of maps that do not change, cached: it is the same for all that have not changed since the
/// same time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FlatTrend {
    pub(crate) since_ms: Option<u64>,
    pub(crate) growth: Option<f64>,
    pub(crate) full_in: TimeToFull,
}

impl FlatTrend {
    /// The trend of a map that has not changed since this time.
    pub(crate) fn update(
        &mut self,
        since_ms: u64,
        windows: &[Window<'_>; 2],
        min_span: Duration,
    ) -> Self {
        let since_ms = since_ms.max(windows[1].first_ms());
        if self.since_ms != Some(since_ms) {
            let fits = windows.map(|window| window.flat_since(since_ms));
            *self = Self {
                since_ms: Some(since_ms),
                growth: fits[0].map(|fit| fit.growth()),
                full_in: TimeToFull::from_fits(1, fits, min_span),
            };
        }
        *self
    }
}
