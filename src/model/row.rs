//! Rows: the facts of a snapshot and of those before it become what every output shows.

use std::time::Duration;

use jiff::Timestamp;

use super::history::{Before, History};
use super::map_type::{Kind, Unit};
use super::mark::Mark;
use super::snapshot::{MapFacts, MapKey, Moment, Snapshot};

/// One map, with what follows from its facts. Every output is a pure function of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What was read.
    pub facts: MapFacts,
    /// used / capacity, 1 being full; `None` where unknown or without meaning.
    pub pressure: Option<f64>,
    /// Entries more each second over the last interval; `None` where unknown or without meaning.
    pub growth_per_s: Option<f64>,
    /// Whether to look at it; `None` if its level is not known.
    pub mark: Option<Mark>,
    /// The uptime at which it was seen to be new; `None` if it was there when reading began.
    pub made: Option<Duration>,
    /// The uptime at which it was first missed. Only the live view keeps a map that is gone, for a
    /// while.
    pub gone_since: Option<Duration>,
}

impl Row {
    /// Which map this is.
    #[must_use]
    pub fn key(&self) -> &MapKey {
        &self.facts.key
    }

    /// Whether it is the map that a user means by this id or name.
    #[must_use]
    pub fn is_called(&self, map: &str) -> bool {
        self.facts.name == map || map.parse() == Ok(self.key().id.0)
    }

    /// What full means for it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.facts.map_type.kind()
    }

    /// What it is counted in.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.facts.map_type.unit()
    }

    /// Whether a number that this map should have could not be had.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.facts.used.is_none() && (self.kind().has_pressure() || !self.facts.map_type.is_known())
    }

    fn new(facts: MapFacts, before: Before, interval: Option<Duration>) -> Self {
        let kind = facts.map_type.kind();
        let pressure = match (facts.used, facts.capacity) {
            (Some(used), Some(capacity)) if kind.has_pressure() && capacity > 0 => {
                Some(ratio(used, capacity))
            }
            _ => None,
        };
        let growth_per_s = match (before.used, facts.used, interval) {
            (Some(before), Some(now), Some(interval)) if kind.grows() => {
                Some(difference(before, now) / interval.as_secs_f64())
            }
            _ => None,
        };
        let mark = Mark::of_level(kind, pressure);
        Self {
            facts,
            pressure,
            growth_per_s,
            mark,
            made: before.made,
            gone_since: None,
        }
    }
}

/// Counts are far below 2^53, where f64 begins to skip integers.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn ratio(used: u64, capacity: u64) -> f64 {
    used as f64 / capacity as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn difference(before: u64, now: u64) -> f64 {
    if now >= before {
        (now - before) as f64
    } else {
        -((before - now) as f64)
    }
}

/// What one snapshot says in the light of those before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// When it was taken.
    pub moment: Moment,
    /// The time that growth was measured over; `None` if there was nothing to compare with.
    pub interval: Option<Duration>,
    /// When the first snapshot was taken that this one is compared with, over however many.
    pub began: Moment,
    /// Whether it has the maps of the one before it, no more and no less.
    pub has_same_maps: bool,
    /// A row for each map, sorted by key.
    pub rows: Vec<Row>,
}

impl Reading {
    /// The time of day at an uptime not after this reading.
    #[must_use]
    pub fn wall_at(&self, uptime: Duration) -> Timestamp {
        let ago = self.moment.uptime.saturating_sub(uptime);
        self.moment
            .wall
            .checked_sub(ago)
            .unwrap_or(self.moment.wall)
    }

    /// Derives the rows of `snapshot`, compared with what `history` holds.
    #[must_use]
    pub fn new(snapshot: Snapshot, history: &History) -> Self {
        let interval = history.interval(snapshot.moment.uptime);
        let mut before = history.lookup();
        let began = history.began();
        let new = Before {
            used: None,
            made: began.map(|_| snapshot.moment.uptime),
        };
        let mut known = 0;
        let rows: Vec<_> = snapshot
            .maps
            .into_iter()
            .map(|facts| {
                let then = before.before(&facts.key);
                known += usize::from(then.is_some());
                Row::new(facts, then.unwrap_or(new), interval)
            })
            .collect();
        Self {
            moment: snapshot.moment,
            interval,
            began: began.unwrap_or(snapshot.moment),
            has_same_maps: known == rows.len() && known == history.len(),
            rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{map, snapshot};

    fn one(reading: &Reading) -> &Row {
        reading.rows.first().expect("a row")
    }

    #[test]
    fn pressure_is_used_by_capacity_and_not_rounded() {
        let reading = Reading::new(
            snapshot(1, [map("conns").used(62300, 65536)]),
            &History::default(),
        );
        assert_eq!(one(&reading).pressure, Some(0.950_622_558_593_75));
    }

    #[test]
    fn an_overfull_map_is_not_clamped() {
        let reading = Reading::new(
            snapshot(1, [map("conns").used(12, 10)]),
            &History::default(),
        );
        assert_eq!(one(&reading).pressure, Some(1.2));
    }

    #[test]
    fn growth_is_over_the_interval_and_may_be_negative() {
        let mut history = History::default();
        history.read(snapshot(10, [map("conns").used(100, 1000)]));
        let reading = Reading::new(snapshot(14, [map("conns").used(80, 1000)]), &history);
        assert_eq!(one(&reading).growth_per_s, Some(-5.0));
        assert_eq!(reading.interval, Some(Duration::from_secs(4)));
    }

    #[test]
    fn a_single_sample_has_no_growth() {
        let reading = Reading::new(snapshot(1, [map("conns").used(1, 2)]), &History::default());
        assert_eq!(one(&reading).growth_per_s, None);
        assert_eq!(reading.interval, None);
    }

    #[test]
    fn only_a_map_that_refuses_inserts_has_growth() {
        for map_type in [2, 3, 9, 27, 28] {
            let mut history = History::default();
            history.read(snapshot(1, [map("m").of_type(map_type).used(1, 9)]));
            let reading = Reading::new(
                snapshot(2, [map("m").of_type(map_type).used(3, 9)]),
                &history,
            );
            assert_eq!(one(&reading).growth_per_s, None, "type {map_type}");
        }
    }

    #[test]
    fn an_unknown_count_is_unknown_all_the_way() {
        let reading = Reading::new(snapshot(1, [map("quota").uncounted()]), &History::default());
        let row = one(&reading);
        assert_eq!(
            (row.pressure, row.growth_per_s, row.mark),
            (None, None, None)
        );
        assert!(row.is_unread());
    }
}
