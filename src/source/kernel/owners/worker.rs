//! A thread that looks up owners on its own beat, so that no sample waits for it.

use std::fs::File;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Iterators, OwnershipCollector};
use crate::types::ownership::Owners;

/// From one look to the next when nothing happens ...
const REFRESH_INTERVAL: Duration = Duration::from_secs(5);
/// ... and at least, when there is a reason.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// The rest after a look, by the time that it took: a tenth of a CPU at the most.
const DUTY_CYCLE: u32 = 10;

/// Whether somebody waits for a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Demand {
    /// Nobody took what the last one found, so that nobody has to look.
    #[default]
    No,
    /// On the beat.
    OnBeat,
    /// There is a reason to look sooner.
    Soon,
}

#[derive(Debug, Default)]
struct State {
    latest: Option<Arc<Owners>>,
    /// How often it was looked, with or without success.
    looks: u64,
    wanted: Demand,
    /// Maps that are left out.
    hidden: Vec<u32>,
    /// Nobody waits for owners any more.
    is_over: bool,
    /// There will be no owners: they cannot be looked up.
    has_failed: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose the maps are, as looked up now and then by a thread of its own. The thread ends with this,
/// and keeps no process from ending.
#[derive(Debug)]
pub struct OwnershipWorker {
    shared: Arc<Shared>,
}

impl OwnershipWorker {
    /// Starts to look, by these iterators, or by those that this kernel has, for which there may be an
    /// excerpt of its BTF; `None` if there is no thread to be had.
    #[must_use]
    pub(crate) fn start(loaded: Option<Iterators>, btf: Option<File>) -> Option<Self> {
        Self::spawn(move || OwnershipCollector::with(loaded, btf.as_ref()))
    }

    /// Starts to look with what is loaded already.
    #[must_use]
    pub(crate) fn with(looker: OwnershipCollector) -> Option<Self> {
        Self::spawn(move || Ok(looker))
    }

    fn spawn(looker: impl FnOnce() -> Result<OwnershipCollector> + Send + 'static) -> Option<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let watch = thread::Builder::new().name("owners".to_owned());
        watch.spawn(move || run(&of_thread, looker)).ok()?;
        Some(Self { shared })
    }

    /// What the last look found; `None` before the first one.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<Owners>> {
        let mut state = self.shared.state();
        if state.wanted == Demand::No {
            state.wanted = Demand::OnBeat;
            self.shared.changed.notify_all();
        }
        state.latest.clone()
    }

    /// Leaves out these maps, by their ids, from the next look on.
    pub fn hide(&self, maps: Vec<u32>) {
        self.shared.state().hidden = maps;
    }

    /// Asks for a look, waits until it is done, but no longer than this, and gives what is known
    /// then.
    #[must_use]
    pub fn wait_for_next(&self, most: Duration) -> Option<Arc<Owners>> {
        self.look_soon();
        let state = self.shared.state();
        let looks = state.looks;
        let is_waiting = |state: &mut State| state.looks == looks && !state.has_failed;
        let wait = self
            .shared
            .changed
            .wait_timeout_while(state, most, is_waiting);
        wait.unwrap_or_else(PoisonError::into_inner)
            .0
            .latest
            .clone()
    }

    /// Asks for a look sooner than it would come, as there are maps that the last one did not see.
    pub fn look_soon(&self) {
        let mut state = self.shared.state();
        if state.wanted != Demand::Soon {
            state.wanted = Demand::Soon;
            self.shared.changed.notify_all();
        }
    }

    /// Waits for the first look, but no longer than this, and gives what the last one found.
    #[must_use]
    pub fn wait_for_first(&self, most: Duration) -> Option<Arc<Owners>> {
        let is_waiting = |state: &mut State| state.latest.is_none() && !state.has_failed;
        let wait = self
            .shared
            .changed
            .wait_timeout_while(self.shared.state(), most, is_waiting);
        wait.unwrap_or_else(PoisonError::into_inner)
            .0
            .latest
            .clone()
    }
}

impl Drop for OwnershipWorker {
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        self.shared.changed.notify_all();
    }
}

/// Looks until nobody waits for it.
fn run(shared: &Shared, looker: impl FnOnce() -> Result<OwnershipCollector>) {
    let Ok(mut looker) = looker() else {
        shared.state().has_failed = true;
        shared.changed.notify_all();
        return;
    };
    loop {
        let mut state = shared.state();
        state.wanted = Demand::No;
        looker.hide(&state.hidden);
        drop(state);
        let start = Instant::now();
        let owners = looker.look();
        let took = start.elapsed();
        // A look that failed leaves what the last one found.
        if let Ok(owners) = owners {
            let old = shared.state().latest.replace(Arc::new(owners));
            // Many maps take a while to drop, and a sample may be waiting for the lock.
            drop(old);
        }
        shared.state().looks += 1;
        shared.changed.notify_all();
        if wait_for_demand(shared, took).is_over {
            return;
        }
    }
}

/// Waits for the beat, or for a reason to look sooner; without an end while nobody takes what was
/// found.
fn wait_for_demand(shared: &Shared, took: Duration) -> MutexGuard<'_, State> {
    let least = MIN_INTERVAL.max(took * DUTY_CYCLE);
    let start = Instant::now();
    let mut state = shared.state();
    loop {
        let due = match state.wanted {
            Demand::Soon => Some(least),
            Demand::OnBeat => Some(REFRESH_INTERVAL.max(least)),
            Demand::No => None,
        };
        let left = due.map(|due| due.saturating_sub(start.elapsed()));
        if state.is_over || left.is_some_and(|left| left.is_zero()) {
            return state;
        }
        state = if let Some(left) = left {
            let waited = shared.changed.wait_timeout(state, left);
            waited.unwrap_or_else(PoisonError::into_inner).0
        } else {
            let waited = shared.changed.wait(state);
            waited.unwrap_or_else(PoisonError::into_inner)
        };
    }
}
