//! Levels and losses of maps during the measurement.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::types::errno::ErrnoCounts;
use crate::types::loss::{Loss, LossKind};
use crate::types::map_id::MapKey;
use crate::types::reading::Reading;
use crate::types::row::Row;

/// The levels and losses of one map during the measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct MapObservation {
    /// The highest count.
    pub peak: u64,
    /// The lowest count.
    pub lowest: u64,
    /// The largest decrease from one sample to the next.
    pub max_drop: u64,
    /// The count in the last sample.
    last: u64,
    /// The first of the samples up to the last with the same count.
    unchanged_since: Duration,
    /// `None` if no losses were counted.
    pub losses: Option<Box<ObservedLosses>>,
    /// Samples without counters of losses.
    uncounted_losses: usize,
    /// Bytes that the reader of a buffer took; `None` if its position is unknown.
    pub read: Option<u64>,
    /// The position of the reader in the last sample.
    position: Option<u64>,
    /// The lowest unread part of a buffer, or of the fullest one of several; `None` if it was not always known.
    pub least_unread: Option<f64>,
    /// Samples with a known count.
    pub samples: usize,
    /// Samples without a count.
    pub unknown: usize,
    /// When it was first seen.
    pub since: Duration,
}

/// What a map lost during the measurement.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObservedLosses {
    /// Refused updates, by error.
    pub refused: ErrnoCounts,
    /// Dropped records.
    pub dropped: u64,
    /// Evicted entries.
    pub evicted: u64,
    /// Stacks that were stored or refused.
    pub attempts: u64,
    /// How long they were counted.
    pub time: Duration,
    /// Whether a counter of evictions was in every sample.
    counts_evictions: bool,
    /// The last counters, and when they were read.
    last: Option<(Duration, Arc<Loss>)>,
}

impl ObservedLosses {
    /// Adds what was lost since the last counters. Those of a map that was created while it was traced began at 0.
    fn add(&mut self, now: Duration, loss: &Arc<Loss>, began_at_zero: bool) {
        self.counts_evictions &= loss.evictions.is_some();
        let zero = Arc::new(Loss {
            is_traced: loss.is_traced,
            evictions: loss.evictions.map(|_| 0),
            ..Loss::default()
        });
        let before = match self.last.take() {
            None if began_at_zero => Some((now, zero)),
            last => last,
        };
        if let Some((at, before)) = before {
            let restarted = before.is_traced != loss.is_traced
                || LossKind::ALL
                    .iter()
                    .any(|kind| loss.total(*kind) < before.total(*kind));
            if restarted {
                self.counts_evictions = false;
            } else {
                self.add_difference(&before, loss);
                self.time += now.saturating_sub(at);
            }
        }
        self.last = Some((now, Arc::clone(loss)));
    }

    fn add_difference(&mut self, before: &Loss, now: &Loss) {
        let since = |now: Option<u64>, before: Option<u64>| {
            now.map_or(0, |now| now.saturating_sub(before.unwrap_or_default()))
        };
        for (errno, more) in now
            .failed
            .iter()
            .flat_map(|now| now.since(before.failed.as_ref()))
        {
            if more > 0 {
                self.refused.add(errno, more);
            }
        }
        self.dropped += since(now.drops, before.drops);
        self.evicted += since(now.evictions, before.evictions);
        self.attempts += since(now.attempts, before.attempts);
    }
}

impl MapObservation {
    fn new(now: Duration) -> Self {
        Self {
            peak: 0,
            lowest: u64::MAX,
            max_drop: 0,
            last: 0,
            unchanged_since: now,
            losses: None,
            uncounted_losses: 0,
            read: None,
            position: None,
            least_unread: Some(f64::INFINITY),
            samples: 0,
            unknown: 0,
            since: now,
        }
    }

    fn add_level(&mut self, used: Option<u64>, now: Duration) {
        let Some(used) = used else {
            self.unknown += 1;
            return;
        };
        self.peak = self.peak.max(used);
        self.lowest = self.lowest.min(used);
        self.max_drop = self.max_drop.max(self.last.saturating_sub(used));
        if used != self.last {
            self.unchanged_since = now;
        }
        self.last = used;
        self.samples += 1;
    }

    fn add_losses(&mut self, row: &Row, now: Duration, tracing_since: Option<Duration>) {
        let Some(loss) = &row.facts.loss else {
            self.uncounted_losses += 1;
            return;
        };
        let began_at_zero = loss.is_traced
            && row
                .created_at
                .zip(tracing_since)
                .is_some_and(|(created, since)| created > since);
        let losses = self.losses.get_or_insert_with(|| {
            Box::new(ObservedLosses {
                counts_evictions: true,
                ..ObservedLosses::default()
            })
        });
        losses.add(now, loss, began_at_zero);
    }

    fn add_position(&mut self, position: Option<u64>) {
        if let (Some(before), Some(now)) = (self.position, position) {
            *self.read.get_or_insert_default() += now.saturating_sub(before);
        }
        self.position = position;
    }

    fn add_unread(&mut self, row: &Row) {
        let least = self.least_unread.zip(unread_part(row));
        self.least_unread = least.map(|(least, unread)| least.min(unread));
    }

    /// Evicted entries; `None` if they were not counted throughout.
    #[must_use]
    pub fn evicted(&self) -> Option<u64> {
        let losses = self.losses.as_ref()?;
        (losses.counts_evictions && self.uncounted_losses == 0).then_some(losses.evicted)
    }
}

/// The unread part of a buffer, or of the fullest one of several; `None` for other types.
pub(super) fn unread_part(row: &Row) -> Option<f64> {
    if !row.facts.map_type.is_buffer() {
        return None;
    }
    match row.facts.loss.as_ref().and_then(|loss| loss.backlog) {
        Some(backlog) if backlog.room == 0 => None,
        // Recordings from before the fullest buffer was read have only the sum.
        Some(backlog) => Some(
            backlog
                .fullest
                .max(Row::pressure_ratio(backlog.bytes, backlog.room)),
        ),
        None => row.pressure,
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
        let tracing_since = reading.loss_tracing.since();
        for row in &reading.rows {
            let observation = match self.maps.get_mut(row.key()) {
                Some(observation) => observation,
                None => self
                    .maps
                    .entry(row.key().clone())
                    .or_insert(MapObservation::new(now)),
            };
            observation.add_level(row.facts.used, now);
            observation.add_losses(row, now, tracing_since);
            observation.add_unread(row);
            observation.add_position(row.facts.kernel().and_then(|kernel| kernel.consumer_pos));
        }
    }

    /// The observation of a map.
    #[must_use]
    pub fn get(&self, key: &MapKey) -> Option<&MapObservation> {
        self.maps.get(key)
    }

    /// The observation of a map whose count was always known.
    #[must_use]
    pub fn get_counted(&self, key: &MapKey) -> Option<&MapObservation> {
        let observation = self.get(key)?;
        (observation.samples > 0 && observation.unknown == 0).then_some(observation)
    }

    /// What a map lost; `None` if its losses were not counted.
    #[must_use]
    pub fn losses(&self, key: &MapKey) -> Option<&ObservedLosses> {
        self.get(key)?.losses.as_deref()
    }

    /// How long a map was observed.
    #[must_use]
    pub(crate) fn observed_for(&self, observation: &MapObservation) -> Duration {
        self.last.saturating_sub(observation.since)
    }

    /// How long the count of a map has not changed.
    #[must_use]
    pub(crate) fn unchanged_for(&self, observation: &MapObservation) -> Duration {
        self.last.saturating_sub(observation.unchanged_since)
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
