//! Levels and losses of maps during the measurement.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::types::map_id::MapKey;
use crate::types::reading::Reading;
use crate::types::row::Row;

/// The levels and losses of one map during the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapObservation {
    /// The highest count.
    pub peak: u64,
    /// The largest decrease from one sample to the next.
    pub max_drop: u64,
    /// The count in the last sample.
    last: u64,
    /// Evictions; `None` if they were not counted throughout.
    pub evicted: Option<u64>,
    /// The eviction counter in the last sample.
    counter: Option<u64>,
    /// Samples with a known count.
    pub samples: usize,
    /// Samples without a count.
    pub unknown: usize,
    /// When it was first seen.
    pub since: Duration,
}

impl MapObservation {
    fn count_evictions(&mut self, row: &Row) {
        let now = row.facts.loss.as_ref().and_then(|loss| loss.evictions);
        self.evicted = match (self.evicted, self.counter, now) {
            // Evictions before the first sample are not part of the measurement.
            (evicted, None, Some(_)) => evicted,
            (Some(evicted), Some(before), Some(now)) if now >= before => {
                Some(evicted + (now - before))
            }
            _ => None,
        };
        self.counter = now;
    }
}

/// The observations of all maps.
#[derive(Debug, Clone, Default)]
pub struct Observations {
    maps: BTreeMap<MapKey, MapObservation>,
    first: Option<Duration>,
    last: Duration,
    samples: usize,
}

impl Observations {
    /// Adds a sample.
    pub fn add(&mut self, reading: &Reading) {
        let now = reading.moment.uptime;
        self.first.get_or_insert(now);
        self.last = now;
        self.samples += 1;
        for row in &reading.rows {
            let observation = match self.maps.get_mut(row.key()) {
                Some(observation) => observation,
                None => self
                    .maps
                    .entry(row.key().clone())
                    .or_insert(MapObservation {
                        peak: 0,
                        max_drop: 0,
                        last: 0,
                        evicted: Some(0),
                        counter: None,
                        samples: 0,
                        unknown: 0,
                        since: now,
                    }),
            };
            observation.count_evictions(row);
            match row.facts.used {
                Some(used) => {
                    observation.peak = observation.peak.max(used);
                    observation.max_drop = observation
                        .max_drop
                        .max(observation.last.saturating_sub(used));
                    observation.last = used;
                    observation.samples += 1;
                }
                None => observation.unknown += 1,
            }
        }
    }

    /// The observation of a map whose count was always known.
    #[must_use]
    pub fn get(&self, key: &MapKey) -> Option<MapObservation> {
        let observation = self.maps.get(key).copied()?;
        (observation.samples > 0 && observation.unknown == 0).then_some(observation)
    }

    /// How long a map was observed.
    #[must_use]
    pub(crate) fn observed_for(&self, observation: MapObservation) -> Duration {
        self.last.saturating_sub(observation.since)
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
