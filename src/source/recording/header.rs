//! The first line of a recording: what made it, and where.

use anyhow::Result;
use compact_str::CompactString;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::line::{from_json, to_line};
use crate::text::sanitize::sanitize;
use crate::types::host::Host;

/// The version of this format.
pub const VERSION: u32 = 1;

/// The first line: what made the recording, and where.
#[derive(Debug, Serialize, Deserialize)]
pub struct Header {
    /// The version of the format.
    #[serde(rename = "mapstop_recording")]
    pub version: u32,
    #[serde(default)]
    mapstop: CompactString,
    #[serde(default)]
    host: CompactString,
    #[serde(default)]
    kernel: CompactString,
    #[serde(default)]
    boot_id: CompactString,
    /// The node's name in a fleet.
    #[serde(default)]
    node: Option<CompactString>,
}

impl Header {
    /// The header for a recording of this machine.
    pub fn new(host: &Host) -> Self {
        Self {
            version: VERSION,
            mapstop: env!("CARGO_PKG_VERSION").into(),
            host: host.name.clone(),
            kernel: host.kernel.clone(),
            boot_id: host.boot_id.clone(),
            node: None,
        }
    }

    /// Parses a header; `None` if the line is not one.
    pub fn read(line: &[u8]) -> Option<Self> {
        let header: Self = from_json(line).ok()?;
        (header.version > 0).then_some(header)
    }

    /// The line, with its end.
    pub(crate) fn to_line(&self) -> Result<Vec<u8>> {
        to_line(self)
    }

    /// The host, sanitized.
    pub fn host(&self) -> Host {
        Host {
            name: sanitize(self.host.as_bytes()),
            kernel: sanitize(self.kernel.as_bytes()),
            boot_id: sanitize(self.boot_id.as_bytes()),
        }
    }

    /// Whether snapshots under both headers can form one series.
    pub(crate) fn is_of_same_boot(&self, other: &Self) -> bool {
        self.boot_id == other.boot_id && self.node == other.node
    }
}

/// Whether the line is a JSON report, which users may take for a recording.
pub(crate) fn is_report(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Report {
        #[serde(rename = "version")]
        _version: u32,
        #[serde(rename = "maps")]
        _maps: IgnoredAny,
    }
    from_json::<Report>(line).is_ok()
}
