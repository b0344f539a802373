//! The thread that attaches, keeps and detaches the tracers, so that no sample waits for that.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attach::Tracers;
use super::counters::{CounterMaps, MapCounters};
use super::registry::{MapTypeSet, Outcome, RefusedReason, TRACERS};
use crate::source::kernel::host;
use crate::source::worker::{Mailbox, Worker};

/// How often the number of missed calls is read.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How far tracing is.
#[derive(Debug, Clone, Default)]
pub enum TracingPhase {
    /// The tracers are being loaded and attached.
    #[default]
    Starting,
    /// The tracers count.
    On {
        /// The uptime from which on the tracers that were wanted first count.
        since: Duration,
        /// What the first of them counted before the last was attached.
        base: Arc<HashMap<u32, MapCounters>>,
    },
    /// Nothing can be traced.
    Refused(RefusedReason),
}

/// The state of tracing, as the thread publishes it.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    pub phase: TracingPhase,
    /// The types of maps whose tracers were attached, or refused.
    pub types: MapTypeSet,
    /// The outcome of each of [`TRACERS`].
    pub outcomes: Arc<[Outcome]>,
    /// Calls that a tracer missed, since it was running already.
    pub misses: u64,
}

impl Progress {
    /// No tracer counts, for this reason.
    pub fn refused(why: RefusedReason) -> Self {
        let outcome = Outcome::Refused(why.clone());
        Self {
            phase: TracingPhase::Refused(why),
            outcomes: vec![outcome; TRACERS.len()].into(),
            ..Self::default()
        }
    }

    /// The uptime from which on tracers count; `None` if none do.
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
    /// The types of all maps so far; `None` before the first request.
    wanted: Option<MapTypeSet>,
}

/// Outlives a [`LossWorker`], to find out whether its tracers and their maps are gone.
#[derive(Debug)]
pub struct TeardownHandle(Arc<Mailbox<State>>);

impl TeardownHandle {
    pub(crate) fn is_done(&self) -> bool {
        self.0.has_ended()
    }
}

/// The thread that has the tracers. It starts to detach them when this is dropped, which may take
/// seconds; if the process ends before, the kernel detaches them.
#[derive(Debug)]
pub struct LossWorker(Worker<State>);

impl LossWorker {
    /// Starts to load the tracers, to count in these maps; `None` if the system has no more threads.
    pub fn start(counters: Arc<CounterMaps>) -> Option<Self> {
        let worker = Worker::new(State::default());
        worker
            .spawn("losses", move |mailbox| run(mailbox, &counters))
            .ok()?;
        Some(Self(worker))
    }

    /// Requests the tracers of these types.
    pub(crate) fn want(&self, types: MapTypeSet) {
        let mut state = self.0.lock();
        let wanted = state.wanted.map_or(types, |wanted| wanted.union(types));
        if state.wanted != Some(wanted) {
            state.wanted = Some(wanted);
            self.0.notify();
        }
    }

    pub fn progress(&self) -> Progress {
        self.0.lock().progress.clone()
    }

    /// Waits until every tracer that is wanted counts or was refused, at most this long.
    pub(crate) fn wait_until_attached(&self, max: Duration) {
        let is_waiting = |state: &mut State| {
            matches!(state.progress.phase, TracingPhase::Starting)
                || state
                    .wanted
                    .is_some_and(|wanted| wanted != state.progress.types)
        };
        drop(self.0.wait(Some(Instant::now() + max), is_waiting));
    }

    pub(crate) fn teardown_handle(&self) -> TeardownHandle {
        TeardownHandle(self.0.mailbox())
    }
}

/// Attaches the wanted tracers, until the worker is dropped.
fn run(mailbox: &Mailbox<State>, counters: &CounterMaps) {
    let mut tracers = Tracers::new();
    let mut types = None;
    while let Some(wanted) = next_types(mailbox, types) {
        if types != Some(wanted) {
            tracers.attach(wanted, counters);
            types = Some(wanted);
        }
        let misses = tracers.misses();
        let mut state = mailbox.lock();
        let progress = &mut state.progress;
        if matches!(progress.phase, TracingPhase::Starting) {
            progress.phase = first_phase(&tracers, counters);
        }
        progress.misses = misses;
        progress.types = wanted;
        if *progress.outcomes != *tracers.outcomes() {
            progress.outcomes = tracers.outcomes().into();
        }
        drop(state);
        mailbox.notify();
    }
}

/// Waits until other types than these are wanted, at most for [`POLL_INTERVAL`] once there are some, and
/// returns all that are; `None` when nobody uses the worker any more.
fn next_types(mailbox: &Mailbox<State>, types: Option<MapTypeSet>) -> Option<MapTypeSet> {
    let deadline = types.map(|_| Instant::now() + POLL_INTERVAL);
    let state = mailbox.wait_for_work(deadline, |state| state.wanted == types)?;
    state.wanted
}

fn first_phase(tracers: &Tracers, counters: &CounterMaps) -> TracingPhase {
    if tracers.is_refused() {
        return TracingPhase::Refused(RefusedReason::NoTrampolines);
    }
    match counters.read() {
        Ok(lost) => TracingPhase::On {
            since: host::now().uptime,
            base: Arc::new(lost.by_map),
        },
        Err(error) => TracingPhase::Refused(RefusedReason::NoCounters(format!("{error:#}").into())),
    }
}
