//! What maps held before they were first seen.

use std::time::Duration;

use crate::types::map_id::MapKey;

/// What one map held before it was first seen, the oldest first: at a time, in milliseconds of the
/// uptime of snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill {
    /// Which map.
    pub key: MapKey,
    /// When, and what; `None` is not known.
    pub points: Vec<(Duration, Option<u64>)>,
}
