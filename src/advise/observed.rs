//! What the maps held through the time that was measured.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::types::map_id::MapKey;
use crate::types::reading::Reading;
use crate::types::row::Row;

/// What one map held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapObservation {
    /// The most.
    pub peak: u64,
    /// The most that went from one sample to the next ...
    pub fell: u64,
    /// ... the last of which had so many.
    last: u64,
    /// How many entries made room for others; `None` if that was not always counted.
    pub evicted: Option<u64>,
    /// What the counter of those said last.
    counter: Option<u64>,
    /// Samples in which that was known.
    pub samples: usize,
    /// Samples in which it was not.
    pub unknown: usize,
    /// When it was first seen.
    pub since: Duration,
}

impl MapObservation {
    fn count_evictions(&mut self, row: &Row) {
        let now = row.facts.loss.as_ref().and_then(|loss| loss.evictions);
        self.evicted = match (self.evicted, self.counter, now) {
            // What was evicted before the first sample is not of this time.
            (evicted, None, Some(_)) => evicted,
            (Some(evicted), Some(before), Some(now)) if now >= before => {
                Some(evicted + (now - before))
            }
            _ => None,
        };
        self.counter = now;
    }
}

/// What every map held.
#[derive(Debug, Clone, Default)]
pub struct Observations {
    maps: BTreeMap<MapKey, MapObservation>,
    first: Option<Duration>,
    last: Duration,
    samples: usize,
}

impl Observations {
    /// Takes in one more sample.
    pub fn add(&mut self, reading: &Reading) {
        let now = reading.moment.uptime;
        self.first.get_or_insert(now);
        self.last = now;
        self.samples += 1;
        for row in &reading.rows {
            let held = match self.maps.get_mut(row.key()) {
                Some(held) => held,
                None => self
                    .maps
                    .entry(row.key().clone())
                    .or_insert(MapObservation {
                        peak: 0,
                        fell: 0,
                        last: 0,
                        evicted: Some(0),
                        counter: None,
                        samples: 0,
                        unknown: 0,
                        since: now,
                    }),
            };
            held.count_evictions(row);
            match row.facts.used {
                Some(used) => {
                    held.peak = held.peak.max(used);
                    held.fell = held.fell.max(held.last.saturating_sub(used));
                    held.last = used;
                    held.samples += 1;
                }
                None => held.unknown += 1,
            }
        }
    }

    /// What a map held, if that was always known.
    #[must_use]
    pub fn get(&self, key: &MapKey) -> Option<MapObservation> {
        let held = self.maps.get(key).copied()?;
        (held.samples > 0 && held.unknown == 0).then_some(held)
    }

    /// How long a map was watched.
    #[must_use]
    pub fn time_of(&self, held: MapObservation) -> Duration {
        self.last.saturating_sub(held.since)
    }

    /// From the first sample to the last.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.last.saturating_sub(self.first.unwrap_or(self.last))
    }

    /// How many samples there were.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }
}
