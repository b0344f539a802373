//! What was read before: what growth is computed from, and since when each map is known.

use std::time::Duration;

use super::row::{Reading, Row};
use super::snapshot::{MapKey, Moment, Snapshot};

/// How far back a reading looks: whoever jumps into a recording has to begin so much earlier.
pub const REACH: Duration = Duration::from_secs(10);

/// Since when a map is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// When it was first seen.
    pub since: Moment,
    /// Whether it was there when reading began, and so is older than that.
    pub is_older: bool,
}

/// What one map was like at one moment.
#[derive(Debug, Clone)]
struct Level {
    key: MapKey,
    used: Option<u64>,
    seen: Seen,
}

impl Level {
    fn of(row: &Row) -> Self {
        Self {
            key: row.key().clone(),
            used: row.facts.used,
            seen: row.seen,
        }
    }
}

/// What each map was like at one moment, sorted by key as in the snapshot.
#[derive(Debug, Clone, Default)]
struct Levels {
    uptime: Duration,
    levels: Vec<Level>,
}

/// The levels that the next snapshot is compared with.
#[derive(Debug, Clone, Default)]
pub struct History {
    base: Option<Levels>,
}

impl History {
    /// What this snapshot says in the light of those before it; the next is compared with it.
    pub fn read(&mut self, snapshot: Snapshot) -> Reading {
        let reading = Reading::new(snapshot, self);
        self.base = Some(Levels {
            uptime: reading.moment.uptime,
            levels: reading.rows.iter().map(Level::of).collect(),
        });
        reading
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
            has_base: self.base.is_some(),
            rest: self.base.as_ref().map_or(&[], |base| &base.levels),
        }
    }
}

/// What is known of a map from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// What it held; `None` if it was not there or its count not known.
    pub used: Option<u64>,
    /// Since when it is known; `None` if it was not there.
    pub seen: Option<Seen>,
}

/// Goes along a snapshot and its predecessor at once: both are sorted, so each is passed once.
#[derive(Debug)]
pub struct Lookup<'a> {
    has_base: bool,
    rest: &'a [Level],
}

impl Lookup<'_> {
    /// Whether there is nothing to look up in.
    #[must_use]
    pub fn is_first(&self) -> bool {
        !self.has_base
    }

    /// What is known of this map. Keys must be asked for in ascending order.
    pub fn before(&mut self, key: &MapKey) -> Before {
        while let Some((then, rest)) = self.rest.split_first() {
            if then.key > *key {
                break;
            }
            self.rest = rest;
            if then.key == *key {
                return Before {
                    used: then.used,
                    seen: Some(then.seen),
                };
            }
        }
        Before {
            used: None,
            seen: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{key, map, moment, snapshot};

    #[test]
    fn maps_that_came_and_went_do_not_confuse_the_lookup() {
        let mut history = History::default();
        history.read(snapshot(
            1,
            [
                map("a").id(2).used(20, 90),
                map("b").id(5).used(50, 90),
                map("c").id(9).used(90, 99),
            ],
        ));
        let mut then = history.lookup();
        assert_eq!(then.before(&key(1)).used, None);
        assert_eq!(then.before(&key(2)).used, Some(20));
        assert_eq!(then.before(&key(6)).used, None);
        assert_eq!(then.before(&key(9)).used, Some(90));
        assert_eq!(then.before(&key(10)).used, None);
    }

    #[test]
    fn a_first_snapshot_has_no_interval() {
        assert_eq!(History::default().interval(Duration::from_secs(5)), None);
    }

    #[test]
    fn no_time_is_no_interval() {
        let mut history = History::default();
        history.read(snapshot(7, []));
        assert_eq!(history.interval(Duration::from_secs(7)), None);
        assert_eq!(history.interval(Duration::from_secs(6)), None);
    }

    #[test]
    fn a_map_is_known_since_it_was_first_seen_and_older_if_it_was_there_from_the_start() {
        let mut history = History::default();
        history.read(snapshot(1, [map("old").id(2)]));
        history.read(snapshot(2, [map("old").id(2), map("new").id(3)]));
        let reading = history.read(snapshot(5, [map("old").id(2), map("new").id(3)]));
        let seen: Vec<_> = reading.rows.iter().map(|row| row.seen).collect();
        assert_eq!(
            seen,
            [
                Seen {
                    since: moment(1),
                    is_older: true
                },
                Seen {
                    since: moment(2),
                    is_older: false
                }
            ]
        );
    }
}
