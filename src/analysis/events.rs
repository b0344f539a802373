//! What happened to maps: made, gone, crossed a threshold, became full, lost something.

use std::collections::VecDeque;
use std::time::Duration;

use crate::types::loss::LossKind;
use crate::types::map_id::MapKey;

/// Events of a sort that are kept, of all maps.
const MAX_EVENTS: usize = 4096;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EventKind {
    /// It was made.
    Created,
    /// It is gone.
    Deleted,
    /// Its pressure rose over this threshold.
    Crossed(f64),
    /// It became full.
    Full,
    /// It is no longer full.
    NoLongerFull,
    /// It began to lose something, so much each second.
    Began(LossKind, f64),
    /// It has lost none of that for a while.
    Ended(LossKind),
    /// Its pressure fell under this threshold, and not just a little.
    Fell(f64),
}

/// What happened to a map, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Which map.
    pub key: MapKey,
    /// The uptime.
    pub at: Duration,
    /// What.
    pub what: EventKind,
}

/// The latest events. Maps that come and go do not push out what happened to those that stay.
#[derive(Debug, Clone, Default)]
pub struct Events {
    levels: VecDeque<Event>,
    lives: VecDeque<Event>,
}

impl Events {
    /// Keeps one more in mind, and forgets the oldest if there are too many.
    pub fn push(&mut self, key: MapKey, at: Duration, what: EventKind) {
        let list = match what {
            EventKind::Created | EventKind::Deleted => &mut self.lives,
            _ => &mut self.levels,
        };
        list.push_back(Event { key, at, what });
        if list.len() > MAX_EVENTS {
            list.pop_front();
        }
    }

    /// Those of a map, the latest first.
    #[must_use]
    pub fn of(&self, key: &MapKey) -> Vec<&Event> {
        // Whatever a new map held comes behind its making.
        let all = self.lives.iter().chain(&self.levels).rev();
        let mut events: Vec<_> = all.filter(|event| event.key == *key).collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.at));
        events
    }
}
