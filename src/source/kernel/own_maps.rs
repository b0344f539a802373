//! Maps of our own that are there for a moment, and that no sample of this process shows.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Their ids, for good: the kernel gives an id again after two billion maps.
static OWN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Maps are neither made nor read by others while somebody has this.
#[derive(Debug)]
pub struct OwnMaps(MutexGuard<'static, BTreeSet<u32>>);

/// Waits until nobody else makes maps, or reads them.
pub fn lock() -> OwnMaps {
    OwnMaps(OWN.lock().unwrap_or_else(PoisonError::into_inner))
}

impl OwnMaps {
    /// Keeps a map that was just made out of all samples.
    pub fn hide(&mut self, id: u32) {
        self.0.insert(id);
    }

    /// Whether this is one of them.
    pub fn has(&self, id: u32) -> bool {
        self.0.contains(&id)
    }

    /// All of them.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.0.iter().copied()
    }
}
