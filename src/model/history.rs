//! What was read before: what growth is computed from, and since when each map is known.

use std::time::Duration;

use super::row::{Reading, Row};
use super::snapshot::{MapKey, Moment, Snapshot};

/// How far back a reading looks: whoever jumps into a recording has to begin so much earlier.
pub const REACH: Duration = Duration::from_secs(10);

/// What one map was like at one moment.
#[derive(Debug, Clone)]
struct Level {
    key: MapKey,
    used: Option<u64>,
    made: Option<Duration>,
}

impl Level {
    fn of(row: &Row) -> Self {
        Self {
            key: row.key().clone(),
            used: row.facts.used,
            made: row.made,
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
    began: Option<Moment>,
}

impl History {
    /// What this snapshot says in the light of those before it; the next is compared with it.
    pub fn read(&mut self, snapshot: Snapshot) -> Reading {
        let reading = Reading::new(snapshot, self);
        self.began = Some(reading.began);
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

    /// When the first snapshot was taken; `None` before that.
    #[must_use]
    pub fn began(&self) -> Option<Moment> {
        self.began
    }

    /// How many maps the snapshot compared with had.
    #[must_use]
    pub fn len(&self) -> usize {
        self.base.as_ref().map_or(0, |base| base.levels.len())
    }

    /// Whether there is nothing to compare with.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Looks maps up in the order of a snapshot.
    #[must_use]
    pub fn lookup(&self) -> Lookup<'_> {
        Lookup {
            rest: self.base.as_ref().map_or(&[], |base| &base.levels),
        }
    }
}

/// What is known of a map from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// What it held; `None` if its count was not known.
    pub used: Option<u64>,
    /// The uptime at which it was seen to be new; `None` if it was there from the beginning.
    pub made: Option<Duration>,
}

/// Goes along a snapshot and its predecessor at once: both are sorted, so each is passed once.
#[derive(Debug)]
pub struct Lookup<'a> {
    rest: &'a [Level],
}

impl Lookup<'_> {
    /// What is known of this map; `None` if it was not there. Keys must be asked for in ascending
    /// order.
    pub fn before(&mut self, key: &MapKey) -> Option<Before> {
        while let Some((then, rest)) = self.rest.split_first() {
            if then.key > *key {
                return None;
            }
            self.rest = rest;
            if then.key == *key {
                return Some(Before {
                    used: then.used,
                    made: then.made,
                });
            }
        }
        None
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
        assert_eq!(then.before(&key(1)), None);
        assert_eq!(then.before(&key(2)).and_then(|then| then.used), Some(20));
        assert_eq!(then.before(&key(6)), None);
        assert_eq!(then.before(&key(9)).and_then(|then| then.used), Some(90));
        assert_eq!(then.before(&key(10)), None);
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
    fn a_map_that_came_later_is_known_to_be_made_then() {
        let mut history = History::default();
        history.read(snapshot(1, [map("old").id(2)]));
        history.read(snapshot(2, [map("old").id(2), map("new").id(3)]));
        let reading = history.read(snapshot(5, [map("old").id(2), map("new").id(3)]));
        let made: Vec<_> = reading.rows.iter().map(|row| row.made).collect();
        assert_eq!(made, [None, Some(Duration::from_secs(2))]);
        assert_eq!(reading.began, moment(1));
    }
}
