//! What was read before: the numbers of earlier snapshots that growth is computed from.

use std::time::Duration;

use super::snapshot::{MapKey, Snapshot};

/// How full each map was at one moment, sorted by key as in the snapshot.
#[derive(Debug, Clone, Default)]
struct Levels {
    uptime: Duration,
    used: Vec<(MapKey, Option<u64>)>,
}

impl Levels {
    fn of(snapshot: &Snapshot) -> Self {
        Self {
            uptime: snapshot.moment.uptime,
            used: snapshot
                .maps
                .iter()
                .map(|map| (map.key.clone(), map.used))
                .collect(),
        }
    }
}

/// The levels that the next snapshot is compared with.
#[derive(Debug, Clone, Default)]
pub struct History {
    base: Option<Levels>,
}

impl History {
    /// Makes this snapshot the one that the next is compared with.
    pub fn push(&mut self, snapshot: &Snapshot) {
        self.base = Some(Levels::of(snapshot));
    }

    /// The time from the snapshot compared with to `uptime`; `None` if there is none, or no time
    /// has passed.
    #[must_use]
    pub fn interval(&self, uptime: Duration) -> Option<Duration> {
        let base = self.base.as_ref()?;
        uptime
            .checked_sub(base.uptime)
            .filter(|interval| !interval.is_zero())
    }

    /// Looks maps up in the order of a snapshot.
    #[must_use]
    pub fn lookup(&self) -> Lookup<'_> {
        Lookup {
            rest: self.base.as_ref().map_or(&[], |base| &base.used),
        }
    }
}

/// Goes along a snapshot and its predecessor at once: both are sorted, so each is passed once.
#[derive(Debug)]
pub struct Lookup<'a> {
    rest: &'a [(MapKey, Option<u64>)],
}

impl Lookup<'_> {
    /// What this map held then; `None` if it was not there or its count not known. Keys must be
    /// asked for in ascending order.
    pub fn used(&mut self, key: &MapKey) -> Option<u64> {
        while let Some(((then, used), rest)) = self.rest.split_first() {
            if then > key {
                return None;
            }
            self.rest = rest;
            if then == key {
                return *used;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{key, map, snapshot};

    #[test]
    fn maps_that_came_and_went_do_not_confuse_the_lookup() {
        let mut history = History::default();
        history.push(&snapshot(
            1,
            [
                map("a").id(2).used(20, 90),
                map("b").id(5).used(50, 90),
                map("c").id(9).used(90, 99),
            ],
        ));
        let mut then = history.lookup();
        assert_eq!(then.used(&key(1)), None);
        assert_eq!(then.used(&key(2)), Some(20));
        assert_eq!(then.used(&key(6)), None);
        assert_eq!(then.used(&key(9)), Some(90));
        assert_eq!(then.used(&key(10)), None);
    }

    #[test]
    fn a_first_snapshot_has_no_interval() {
        assert_eq!(History::default().interval(Duration::from_secs(5)), None);
    }

    #[test]
    fn no_time_is_no_interval() {
        let mut history = History::default();
        history.push(&snapshot(7, []));
        assert_eq!(history.interval(Duration::from_secs(7)), None);
        assert_eq!(history.interval(Duration::from_secs(6)), None);
    }
}
