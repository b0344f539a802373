//! Counting one map exactly: the expected duration, and the result.

use std::time::Duration;

use crate::types::count::CountMethod;
use crate::types::host::Moment;
use crate::types::map_type::MapType;
use crate::types::row::Row;

/// The time to read one entry in a batch, measured with 64-bit values and 100,000 entries on two busy Xeon
/// cores under Linux 6.18 (`tests/kernel/walk.rs`): 0.6 to 2 us.
const TIME_PER_BATCH_ENTRY: Duration = Duration::from_nanos(700);
/// The time to read one key by itself, of a trie, the slowest type, measured likewise: 9 to 12 us.
const TIME_PER_KEY: Duration = Duration::from_micros(9);

/// Roughly how long it takes to count this many entries of a map of this type.
#[must_use]
pub(crate) fn estimated_duration(map_type: MapType, entries: u64) -> Duration {
    let time_per_entry = if map_type.supports_batch_lookup() {
        TIME_PER_BATCH_ENTRY
    } else {
        TIME_PER_KEY
    };
    time_per_entry.saturating_mul(u32::try_from(entries).unwrap_or(u32::MAX))
}

/// The result of an exact count. It is not part of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExactCount {
    /// Number of entries.
    pub entries: u64,
    /// When the last entry was read.
    pub at: Moment,
    /// How long the count took.
    pub took: Duration,
}

/// Why there is no point in counting a map; `None` if there is.
#[must_use]
pub(crate) fn not_countable_reason(row: &Row) -> Option<String> {
    let facts = &row.facts;
    if row.deleted_at.is_some() {
        return Some("it was deleted".to_owned());
    }
    if facts.used.is_some() && facts.count.method != CountMethod::Estimate {
        return Some("its count is exact already".to_owned());
    }
    let map_type = facts.map_type;
    (!map_type.is_iterable()).then(|| format!("a {map_type} has no keys to count"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{MapBuilder, map, reading};

    fn why(map: MapBuilder) -> Option<String> {
        not_countable_reason(&reading([map]).rows[0])
    }

    #[test]
    fn only_unknown_levels_of_maps_with_keys_are_counted() {
        assert_eq!(why(map("m").uncounted()), None);
        let estimate = map("m").used(3, 10).counted(CountMethod::Estimate);
        assert_eq!(why(estimate), None);
        assert!(why(map("m").used(3, 10)).is_some_and(|why| why.contains("is exact")));
        let buffer = map("m").named_type("ringbuf").uncounted();
        assert!(why(buffer).is_some_and(|why| why.contains("no keys")));
    }

    #[test]
    fn keys_that_are_read_one_by_one_take_longer() {
        let takes = |number| estimated_duration(MapType(number), 1_000_000);
        assert_eq!(takes(1), TIME_PER_BATCH_ENTRY * 1_000_000);
        assert_eq!(takes(11), TIME_PER_KEY * 1_000_000);
    }
}
