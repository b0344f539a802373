//! The machine that is sampled, and its two clocks.

use std::time::Duration;

use compact_str::CompactString;
use jiff::Timestamp;

/// The machine that is sampled; for a fleet, the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Host {
    /// Its name (`uname -n`).
    pub name: CompactString,
    /// Its kernel (`uname -r`).
    pub kernel: CompactString,
    /// Differs from one boot to the next; empty when it could not be read.
    pub boot_id: CompactString,
}

/// When a snapshot was taken, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Since boot, time asleep included (`CLOCK_BOOTTIME`). All rates are computed from it.
    pub uptime: Duration,
    /// The time of day, which may jump. Only ever shown.
    pub wall: Timestamp,
}
