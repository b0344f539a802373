//! Counting one map exactly: what it will take, and what came of it.

use std::time::Duration;

use crate::types::count::CountMethod;
use crate::types::host::Moment;
use crate::types::map_type::MapType;
use crate::types::row::Row;

/// What reading one entry takes in a batch, and reading one key by itself, the slowest of which are
/// those of a trie: 64-bit values, 100,000 entries, on two busy Xeon cores, Linux 6.18
/// (`tests/kernel/walk.rs` measures it: 0.6 to 2 us, and 9 to 12 us).
const OF_BATCH: Duration = Duration::from_nanos(700);
const OF_KEY: Duration = Duration::from_micros(9);

/// How long a map of this type with so many entries takes, or so.
#[must_use]
pub fn takes(map_type: MapType, entries: u64) -> Duration {
    let of_one = if map_type.has_batches() {
        OF_BATCH
    } else {
        OF_KEY
    };
    of_one.saturating_mul(u32::try_from(entries).unwrap_or(u32::MAX))
}

/// What an exact count came to. It is true of one moment, and no sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Entries.
    pub entries: u64,
    /// When the last was read.
    pub at: Moment,
    /// What it took.
    pub took: Duration,
}

/// Why there is no point in counting a map; `None` if there is.
#[must_use]
pub fn why_not(row: &Row) -> Option<String> {
    let facts = &row.facts;
    if row.gone_since.is_some() {
        return Some("it is gone".to_owned());
    }
    if facts.used.is_some() && facts.count.method != CountMethod::Estimate {
        return Some("its count is known: C is for those that are ? or ~".to_owned());
    }
    let map_type = facts.map_type;
    (!map_type.has_keys()).then(|| format!("a {map_type} has no keys to count"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{MapBuilder, map, reading};

    fn why(map: MapBuilder) -> Option<String> {
        why_not(&reading([map]).rows[0])
    }

    #[test]
    fn only_what_is_not_known_and_has_keys_is_counted() {
        assert_eq!(why(map("m").uncounted()), None);
        let estimate = map("m").used(3, 10).counted(CountMethod::Estimate);
        assert_eq!(why(estimate), None);
        assert!(why(map("m").used(3, 10)).is_some_and(|why| why.contains("is known")));
        let buffer = map("m").named_type("ringbuf").uncounted();
        assert!(why(buffer).is_some_and(|why| why.contains("no keys")));
    }

    #[test]
    fn keys_that_are_read_one_by_one_take_longer() {
        let takes = |number| takes(MapType(number), 1_000_000);
        assert_eq!(takes(1), OF_BATCH * 1_000_000);
        assert_eq!(takes(11), OF_KEY * 1_000_000);
    }
}
