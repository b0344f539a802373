//! A thread that attaches the tracers, keeps them, and detaches them, so that no sample waits.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use compact_str::CompactString;

use super::attach::{NO_TRAMPOLINES, Tracers};
use super::counters::{CounterMaps, MapCounters};
use super::registry::{MapTypeSet, Outcome, TRACERS};
use crate::source::kernel::host;

/// From one look at what tracers missed to the next.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What became of watching.
#[derive(Debug, Clone, Default)]
pub enum TracingPhase {
    /// The tracers are being loaded and attached.
    #[default]
    Starting,
    /// They count.
    On {
        /// The uptime from which on those that were wanted first do.
        since: Duration,
        /// What some of them had counted by then.
        base: Arc<HashMap<u32, MapCounters>>,
    },
    /// They cannot, and why.
    Refused(CompactString),
}

/// How far it is, for whoever asks.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// What became of it.
    pub phase: TracingPhase,
    /// The types of maps whose tracers were attached, or refused.
    pub types: MapTypeSet,
    /// What came of each tracer.
    pub outcomes: Arc<[Outcome]>,
    /// Calls that no tracer saw, as another was at work.
    pub misses: u64,
}

impl Progress {
    /// Nothing counts, for this reason.
    pub fn refused(why: CompactString) -> Self {
        let outcome = Outcome::Refused(why.to_string().into());
        Self {
            phase: TracingPhase::Refused(why),
            outcomes: vec![outcome; TRACERS.len()].into(),
            ..Self::default()
        }
    }

    /// The uptime from which on tracers count; `None` if they do not.
    pub fn began(&self) -> Option<Duration> {
        match self.phase {
            TracingPhase::On { since, .. } => Some(since),
            _ => None,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    progress: Progress,
    /// The types of the maps that there are; `None` before anyone looked.
    wanted: Option<MapTypeSet>,
    is_over: bool,
    /// Everything is detached and closed.
    is_done: bool,
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

/// Whether a watch that was ended is gone with all it had.
#[derive(Debug)]
pub struct TeardownHandle(Arc<Shared>);

impl TeardownHandle {
    /// Whether it is.
    pub fn is_done(&self) -> bool {
        self.0.state().is_done
    }
}

/// The thread that has the tracers. It begins to detach them when this is dropped, which may take
/// seconds, and keeps no process from ending: then the kernel does it.
#[derive(Debug)]
pub struct LossWorker {
    shared: Arc<Shared>,
}

impl LossWorker {
    /// Begins to load the tracers, to count in these slots; `None` if there is no thread to be had.
    pub fn start(slots: Arc<CounterMaps>) -> Option<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let watch = thread::Builder::new().name("losses".to_owned());
        let run = move || {
            run(&of_thread, &slots);
            drop(slots);
            of_thread.state().is_done = true;
        };
        watch.spawn(run).ok()?;
        Some(Self { shared })
    }

    /// Says of which types there are maps.
    pub fn want(&self, types: MapTypeSet) {
        let mut state = self.shared.state();
        let wanted = state.wanted.map_or(types, |wanted| wanted.union(types));
        if state.wanted != Some(wanted) {
            state.wanted = Some(wanted);
            self.shared.changed.notify_all();
        }
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.shared.state().progress.clone()
    }

    /// Waits until everything that is wanted counts or was refused, but no longer than this.
    pub fn wait_until_attached(&self, most: Duration) {
        let is_waiting = |state: &mut State| {
            matches!(state.progress.phase, TracingPhase::Starting)
                || state
                    .wanted
                    .is_some_and(|wanted| wanted != state.progress.types)
        };
        let state = self.shared.state();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(state, most, is_waiting);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// What will tell when it is gone.
    pub fn ending(&self) -> TeardownHandle {
        TeardownHandle(Arc::clone(&self.shared))
    }
}

impl Drop for LossWorker {
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        self.shared.changed.notify_all();
    }
}

/// Attaches what is wanted, until nobody wants it any more.
fn run(shared: &Shared, slots: &CounterMaps) {
    let mut tracers = Tracers::new();
    let mut types = None;
    while let Some(wanted) = next(shared, types) {
        if types != Some(wanted) {
            tracers.attach(wanted, slots);
            types = Some(wanted);
        }
        let misses = tracers.misses();
        let mut state = shared.state();
        let progress = &mut state.progress;
        if matches!(progress.phase, TracingPhase::Starting) {
            progress.phase = first_phase(&tracers, slots);
        }
        progress.misses = misses;
        progress.types = wanted;
        if *progress.outcomes != *tracers.outcomes() {
            progress.outcomes = tracers.outcomes().into();
        }
        drop(state);
        shared.changed.notify_all();
    }
}

/// Waits for types of maps other than these, or for the beat, and gives all that are there; `None`
/// when it is over.
fn next(shared: &Shared, types: Option<MapTypeSet>) -> Option<MapTypeSet> {
    let is_idle = |state: &mut State| !state.is_over && state.wanted == types;
    let state = shared.state();
    let state = if types.is_none() {
        let waited = shared.changed.wait_while(state, is_idle);
        waited.unwrap_or_else(PoisonError::into_inner)
    } else {
        let waited = shared
            .changed
            .wait_timeout_while(state, POLL_INTERVAL, is_idle);
        waited.unwrap_or_else(PoisonError::into_inner).0
    };
    if state.is_over {
        return None;
    }
    state.wanted
}

fn first_phase(tracers: &Tracers, slots: &CounterMaps) -> TracingPhase {
    if tracers.is_refused() {
        return TracingPhase::Refused(NO_TRAMPOLINES.into());
    }
    match slots.read() {
        Ok(lost) => TracingPhase::On {
            since: host::now().uptime,
            base: Arc::new(lost.by_map),
        },
        Err(error) => TracingPhase::Refused(format!("{error:#}").into()),
    }
}
