//! What maps held before they were first seen.

use std::time::Duration;

use crate::types::map_id::MapKey;

/// Levels of one map from before it was first sampled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill {
    /// The map.
    pub key: MapKey,
    /// Uptimes and counts, the oldest first. A count is `None` if it is unknown.
    pub points: Vec<(Duration, Option<u64>)>,
}
