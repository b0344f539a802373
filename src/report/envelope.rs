//! The fields with which every JSON report about maps begins.

use serde::Serialize;

use crate::types::host::Host;
use crate::types::reading::Reading;

#[derive(Debug, Serialize)]
pub(crate) struct Envelope<'a> {
    /// The version of the fields that follow.
    version: u32,
    /// RFC 3339, UTC, milliseconds.
    time: String,
    /// Seconds since boot, time asleep included, for computing rates.
    #[serde(skip_serializing_if = "Option::is_none")]
    uptime_s: Option<f64>,
    host: &'a str,
    /// Differs from one boot to the next; null if it could not be read, and for a fleet.
    boot_id: Option<&'a str>,
    /// `uname -r`; null if it could not be read, and for a fleet.
    kernel: Option<&'a str>,
    source: &'static str,
}

impl<'a> Envelope<'a> {
    pub(crate) fn new(
        version: u32,
        reading: &Reading,
        host: &'a Host,
        source: &'static str,
    ) -> Self {
        Self {
            version,
            time: format_time(reading),
            uptime_s: None,
            host: &host.name,
            boot_id: non_empty(&host.boot_id),
            kernel: non_empty(&host.kernel),
            source,
        }
    }

    #[must_use]
    pub(crate) fn with_uptime(mut self, reading: &Reading) -> Self {
        self.uptime_s = Some(reading.moment.uptime.as_secs_f64());
        self
    }
}

/// The time of a reading in RFC 3339, with milliseconds.
pub(crate) fn format_time(reading: &Reading) -> String {
    format!("{:.3}", reading.moment.wall)
}

/// `None` for a text that is empty because it is not known.
fn non_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
