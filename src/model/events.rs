//! What happened to maps: made, gone, crossed a threshold, became full.

use std::collections::VecDeque;
use std::time::Duration;

use super::snapshot::MapKey;

/// Events that are kept, of all maps.
const MOST: usize = 4096;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum What {
    /// It was made.
    Made,
    /// It is gone.
    Gone,
    /// Its pressure rose over this threshold.
    Crossed(f64),
    /// It became full.
    Full,
}

/// What happened to a map, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Which map.
    pub key: MapKey,
    /// The uptime.
    pub at: Duration,
    /// What.
    pub what: What,
}

/// The latest events.
#[derive(Debug, Clone, Default)]
pub struct Events(VecDeque<Event>);

impl Events {
    /// Keeps one more in mind, and forgets the oldest if there are too many.
    pub fn push(&mut self, key: MapKey, at: Duration, what: What) {
        self.0.push_back(Event { key, at, what });
        if self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// Those of a map, the latest first.
    pub fn of(&self, key: &MapKey) -> impl Iterator<Item = &Event> {
        self.0.iter().rev().filter(move |event| event.key == *key)
    }
}
