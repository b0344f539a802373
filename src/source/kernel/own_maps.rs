//! Maps that mapstop creates for a moment, and that no sample of this process shows.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Their ids, never removed: the kernel reuses an id after two billion maps.
static OWN: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// While this is held, no other thread creates such maps or reads maps.
#[derive(Debug)]
pub struct OwnMaps(MutexGuard<'static, BTreeSet<u32>>);

pub fn lock() -> OwnMaps {
    OwnMaps(OWN.lock().unwrap_or_else(PoisonError::into_inner))
}

impl OwnMaps {
    /// Keeps a map that was just created out of all samples.
    pub fn hide(&mut self, id: u32) {
        self.0.insert(id);
    }

    pub fn has(&self, id: u32) -> bool {
        self.0.contains(&id)
    }

    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.0.iter().copied()
    }
}
