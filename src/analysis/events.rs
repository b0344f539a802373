//! Events of maps: creation and deletion, passed thresholds, losses.

use std::collections::VecDeque;
use std::time::Duration;

use crate::types::loss::LossKind;
use crate::types::map_id::MapKey;

/// Events kept in each of the two lists, for all maps together.
const MAX_EVENTS: usize = 4096;

/// What happened to a map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EventKind {
    /// It was created.
    Created,
    /// It was deleted.
    Deleted,
    /// Its pressure rose over this threshold.
    RoseAbove(f64),
    /// It became full.
    Full,
    /// It is no longer full.
    NoLongerFull,
    /// It began to lose something, at this rate per second.
    LossBegan(LossKind, f64),
    /// It has had no losses of this kind for a while.
    LossEnded(LossKind),
    /// Its pressure fell clearly below this threshold.
    FellBelow(f64),
}

/// An event of one map.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The map that it happened to.
    pub key: MapKey,
    /// Uptime at which it was observed.
    pub at: Duration,
    /// With the threshold or the rate, where there is one.
    pub kind: EventKind,
}

/// The latest events. Creations and deletions have a list of their own, so that short-lived maps do not
/// push out the events of others.
#[derive(Debug, Clone, Default)]
pub struct Events {
    levels: VecDeque<Event>,
    creations: VecDeque<Event>,
}

impl Events {
    /// Adds an event, and drops the oldest if there are too many.
    pub fn push(&mut self, key: MapKey, at: Duration, what: EventKind) {
        let list = match what {
            EventKind::Created | EventKind::Deleted => &mut self.creations,
            _ => &mut self.levels,
        };
        list.push_back(Event {
            key,
            at,
            kind: what,
        });
        if list.len() > MAX_EVENTS {
            list.pop_front();
        }
    }

    /// The events of a map, the latest first.
    #[must_use]
    pub(crate) fn events_of(&self, key: &MapKey) -> Vec<&Event> {
        // The sort is stable: of events at the same time, the creation comes last.
        let all = self.creations.iter().chain(&self.levels).rev();
        let mut events: Vec<_> = all.filter(|event| event.key == *key).collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.at));
        events
    }
}
