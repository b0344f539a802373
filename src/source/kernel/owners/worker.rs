//! The thread that collects owners at intervals, so that no sample waits for that.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Iterators, OwnershipCollector};
use crate::source::worker::{Mailbox, Worker};
use crate::types::ownership::Owners;

/// Interval of collections while the owners are used.
const REFRESH_INTERVAL: Duration = Duration::from_secs(5);
/// Interval of collections while there are new maps.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// The pause after a collection, as a multiple of its duration, so that it takes at most a tenth of a CPU. This
/// is the only limit: a single collection, with its scan of all holders, takes as long as it takes.
const DUTY_CYCLE: u32 = 10;

/// How soon the next collection is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Demand {
    /// Nobody used the last result.
    #[default]
    No,
    /// After [`REFRESH_INTERVAL`].
    OnInterval,
    /// After [`MIN_INTERVAL`].
    Soon,
}

#[derive(Debug, Default)]
struct State {
    latest: Option<Arc<Owners>>,
    /// Collections so far, whether they succeeded or not.
    collections: u64,
    demand: Demand,
    /// Ids of maps that are left out.
    hidden: Vec<u32>,
    /// The iterators cannot be loaded: there will be no owners.
    has_failed: bool,
}

/// Collects owners on a thread, which ends when this is dropped.
#[derive(Debug)]
pub struct OwnershipWorker(Worker<State>);

impl OwnershipWorker {
    /// Uses these iterators, or else loads those that this kernel has, with an excerpt of its BTF if
    /// there is one. `None` if the system has no more threads.
    #[must_use]
    pub(crate) fn start(loaded: Option<Iterators>, btf: Option<File>) -> Option<Self> {
        Self::spawn(move || OwnershipCollector::with(loaded, btf.as_ref()))
    }

    #[must_use]
    pub(crate) fn with(collector: OwnershipCollector) -> Option<Self> {
        Self::spawn(move || Ok(collector))
    }

    fn spawn(
        collector: impl FnOnce() -> Result<OwnershipCollector> + Send + 'static,
    ) -> Option<Self> {
        let worker = Worker::new(State::default());
        worker
            .spawn("owners", move |mailbox| run(mailbox, collector))
            .ok()?;
        Some(Self(worker))
    }

    /// The last result; `None` before the first one.
    #[must_use]
    pub(crate) fn latest(&self) -> Option<Arc<Owners>> {
        let mut state = self.0.lock();
        if state.demand == Demand::No {
            state.demand = Demand::OnInterval;
            self.0.notify();
        }
        state.latest.clone()
    }

    /// Leaves out these maps, by their ids, from the next collection on.
    pub fn hide(&self, maps: Vec<u32>) {
        self.0.lock().hidden = maps;
    }

    /// Requests a collection, waits for it at most this long, and returns the last result.
    #[must_use]
    pub(crate) fn wait_for_next(&self, max: Duration) -> Option<Arc<Owners>> {
        self.request();
        let collections = self.0.lock().collections;
        let is_waiting = |state: &mut State| state.collections == collections && !state.has_failed;
        let state = self.0.wait(Some(Instant::now() + max), is_waiting);
        state.latest.clone()
    }

    /// Requests a collection ahead of the interval, since there are maps that the last one did not see.
    pub fn request(&self) {
        let mut state = self.0.lock();
        if state.demand != Demand::Soon {
            state.demand = Demand::Soon;
            self.0.notify();
        }
    }

    /// Waits for the first collection, at most this long, and returns the last result.
    #[must_use]
    pub(crate) fn wait_for_first(&self, max: Duration) -> Option<Arc<Owners>> {
        let is_waiting = |state: &mut State| state.latest.is_none() && !state.has_failed;
        let state = self.0.wait(Some(Instant::now() + max), is_waiting);
        state.latest.clone()
    }
}

fn run(mailbox: &Mailbox<State>, collector: impl FnOnce() -> Result<OwnershipCollector>) {
    let Ok(mut collector) = collector() else {
        mailbox.lock().has_failed = true;
        mailbox.notify();
        return;
    };
    loop {
        let mut state = mailbox.lock();
        state.demand = Demand::No;
        collector.hide(&state.hidden);
        drop(state);
        let start = Instant::now();
        let owners = collector.collect();
        let took = start.elapsed();
        // After a failure the last result stays.
        if let Ok(owners) = owners {
            let old = mailbox.lock().latest.replace(Arc::new(owners));
            // Outside of the lock, for which a sample may be waiting: many maps take a while to drop.
            drop(old);
        }
        mailbox.lock().collections += 1;
        mailbox.notify();
        if !wait_for_demand(mailbox, took) {
            return;
        }
    }
}

/// Waits until the next collection is due; `false` once the worker was dropped.
fn wait_for_demand(mailbox: &Mailbox<State>, took: Duration) -> bool {
    let min = MIN_INTERVAL.max(took * DUTY_CYCLE);
    let start = Instant::now();
    loop {
        let demand = mailbox.lock().demand;
        let due = match demand {
            Demand::Soon => Some(start + min),
            Demand::OnInterval => Some(start + REFRESH_INTERVAL.max(min)),
            Demand::No => None,
        };
        let Some(state) = mailbox.wait_for_work(due, |state| state.demand == demand) else {
            return false;
        };
        if state.demand == demand {
            return true;
        }
    }
}
