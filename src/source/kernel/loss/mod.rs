//! Losses of maps: those that the kernel always counts ([`PerfLost`]), and those that tracers count while
//! tracing is on.
//!
//! Nothing is loaded until tracing is requested. A thread attaches and detaches the tracers
//! ([`LossWorker`]); a sample only reads the two maps that they count in, which are hidden by their ids.

pub(crate) mod attach;
pub(crate) mod attribute;
pub(crate) mod counters;
pub(crate) mod perf_lost;
pub(crate) mod registry;
pub(crate) mod worker;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use compact_str::ToCompactString;

use crate::text::plural::count_noun;
use crate::types::loss_tracing::LossTracing;
use crate::types::map_type::MapType;
use crate::types::snapshot::MapFacts;
use attach::{function_refusal, has_attached};
use attribute::{
    LateMaps, LossDefaults, NO_SLOT, UNREADABLE, failures, loss_defaults, loss_of_map,
};
use counters::{CounterMaps, LossCounters};
use registry::{MapTypeSet, RefusedReason, coverage_note, next_wanted};
use worker::{LossWorker, Progress, TeardownHandle, TracingPhase};

pub use perf_lost::PerfLost;

/// How long a report waits for tracers. Attaching them takes some tenths of a second, and far longer in
/// an emulated machine.
const MAX_WAIT_FOR_TRACERS: Duration = Duration::from_secs(60);

/// The two maps of one session, which are hidden until the kernel has deleted them.
#[derive(Debug)]
struct SessionMaps {
    ids: [u32; 2],
    teardown: TeardownHandle,
    /// Whether they were in the current read.
    was_seen: bool,
}

#[derive(Debug)]
struct TracingSession {
    counters: Arc<CounterMaps>,
    worker: LossWorker,
    late_maps: LateMaps,
    /// What deleted maps lost, without evictions.
    deleted: u64,
}

/// Traces losses while tracing is on.
#[derive(Debug, Default)]
pub struct LossTracer {
    /// `None` while it is off; an error if tracing is refused.
    session: Option<Result<TracingSession, Progress>>,
    /// The maps of the current session, and of earlier ones while they are being torn down.
    own: Vec<SessionMaps>,
}

impl LossTracer {
    /// Switches tracing on or off, without waiting for the tracers.
    pub fn watch(&mut self, on: bool) {
        if on == self.session.is_some() {
            return;
        }
        self.session = on.then(|| self.start());
    }

    fn start(&mut self) -> Result<TracingSession, Progress> {
        self.try_start().map_err(Progress::refused)
    }

    fn try_start(&mut self) -> Result<TracingSession, RefusedReason> {
        let no_counters = |why: String| RefusedReason::NoCounters(why.into());
        let counters = CounterMaps::new()
            .map_err(|error| no_counters(CounterMaps::creation_failure(&error)))?;
        let ids = counters
            .ids()
            .map_err(|error| no_counters(format!("{error:#}")))?;
        let counters = Arc::new(counters);
        let worker = LossWorker::start(Arc::clone(&counters)).ok_or(RefusedReason::NoCounters(
            "no thread could be started".into(),
        ))?;
        self.own.push(SessionMaps {
            ids,
            teardown: worker.teardown_handle(),
            was_seen: false,
        });
        Ok(TracingSession {
            counters,
            worker,
            late_maps: LateMaps::default(),
            deleted: 0,
        })
    }

    fn session(&self) -> Option<&TracingSession> {
        self.session.as_ref()?.as_ref().ok()
    }

    /// Whether this is one of mapstop's own maps. Must be called for every map of a read.
    pub(crate) fn is_own(&mut self, id: u32) -> bool {
        let own = self.own.iter_mut().find(|own| own.ids.contains(&id));
        own.is_some_and(|own| {
            own.was_seen = true;
            true
        })
    }

    /// The ids of mapstop's own maps.
    pub(crate) fn own_ids(&self) -> Vec<u32> {
        self.own.iter().flat_map(|own| own.ids).collect()
    }

    /// Ends a read: forgets own maps of ended sessions that were not in it.
    pub(crate) fn finish_pass(&mut self) {
        self.own
            .retain(|own| own.was_seen || !own.teardown.is_done());
        for own in &mut self.own {
            own.was_seen = false;
        }
    }

    /// Reads the counters. Must be called before the maps are read: a map with counters that is missing there
    /// was deleted.
    pub fn read(&self) -> Option<LossCounters> {
        self.session()?.counters.read().ok()
    }

    /// Sets the losses of each map, and requests the tracers of new types. `at` is the uptime at which the read
    /// of `maps` began.
    pub(crate) fn annotate(
        &mut self,
        lost: Option<&LossCounters>,
        at: Duration,
        maps: &mut [MapFacts],
    ) -> LossTracing {
        let mut types = MapTypeSet::default();
        for map in maps.iter() {
            types.insert(map.map_type);
        }
        // Tracing of functions was refused, but the type of a new map may have a tracepoint.
        if let Some(Err(refused)) = &self.session
            && next_wanted(types, &refused.outcomes).is_some()
        {
            self.session = Some(self.start());
        }
        let session = match &mut self.session {
            None => return LossTracing::Off,
            Some(Err(refused)) => {
                set_reason(maps, &loss_defaults(types, refused, None));
                return tracing_state(types, None, 0, refused);
            }
            Some(Ok(session)) => session,
        };
        session.worker.want(types);
        let progress = session.worker.progress();
        if let TracingPhase::Refused(why) = &progress.phase {
            let refused = match why {
                RefusedReason::NoTrampolines => progress,
                why => Progress::refused(why.clone()),
            };
            set_reason(maps, &loss_defaults(types, &refused, None));
            let tracing = tracing_state(types, None, 0, &refused);
            // Ends the thread and frees the maps.
            self.session = Some(Err(refused));
            return tracing;
        }
        if let Some(lost) = lost {
            let is_there = |id| maps.binary_search_by_key(&id, |map| map.key.id.0).is_ok();
            let deleted = session.counters.free(lost, is_there);
            session.deleted += failures(&deleted, &progress.phase);
        }
        session.late_maps.update(at, types, maps, &progress);
        let defaults = loss_defaults(types, &progress, lost);
        for map in maps.iter_mut() {
            let Some(defaults) = find_defaults(&defaults, map) else {
                continue;
            };
            map.loss = Some(loss_of_map(
                map,
                defaults,
                &session.late_maps,
                lost,
                &progress,
            ));
        }
        tracing_state(types, lost, session.deleted, &progress)
    }

    /// Waits until the tracers that are wanted are attached or refused.
    pub(crate) fn wait_until_attached(&self) {
        if let Some(session) = self.session() {
            session.worker.wait_until_attached(MAX_WAIT_FOR_TRACERS);
        }
    }

    pub fn is_on(&self) -> bool {
        self.session().is_some()
    }
}

/// Sets the reason why the losses of these maps are not traced.
fn set_reason(maps: &mut [MapFacts], defaults: &[(MapType, LossDefaults)]) {
    for map in maps {
        if let Some(defaults) = find_defaults(defaults, map) {
            map.loss = Some(defaults.untraced());
        }
    }
}

fn find_defaults<'a>(
    defaults: &'a [(MapType, LossDefaults)],
    map: &MapFacts,
) -> Option<&'a LossDefaults> {
    let (_, found) = defaults
        .iter()
        .find(|(map_type, _)| *map_type == map.map_type)?;
    Some(found)
}

/// The state as reports have it: on only if something is counted, or if there is nothing to count.
fn tracing_state(
    types: MapTypeSet,
    lost: Option<&LossCounters>,
    deleted: u64,
    progress: &Progress,
) -> LossTracing {
    match &progress.phase {
        TracingPhase::Starting => LossTracing::Starting,
        TracingPhase::Refused(why) => LossTracing::Refused(why.to_compact_string()),
        TracingPhase::On { since, .. } => {
            let mut notes = Vec::new();
            let refusal = function_refusal(&progress.outcomes);
            match refusal {
                Some(why) if !has_attached(&progress.outcomes) => {
                    return LossTracing::Refused(why.to_compact_string());
                }
                Some(why) => notes.push(format!("only XDP redirects are counted; {why}")),
                None => notes.extend(coverage_note(types, &progress.outcomes)),
            }
            let elsewhere = lost.map_or(0, |lost| lost.without_slot);
            if elsewhere > 0 {
                let losses = count_noun(elsewhere, "loss", "losses");
                notes.push(format!("{losses} not assigned: {NO_SLOT}"));
            }
            if deleted > 0 {
                let losses = count_noun(deleted, "loss", "losses");
                notes.push(format!("{losses} of deleted maps"));
            }
            if progress.misses > 0 {
                let calls = count_noun(progress.misses, "call", "calls");
                notes.push(format!("{calls} missed by the tracers"));
            }
            if lost.is_none() {
                notes.push(UNREADABLE.to_owned());
            }
            LossTracing::On {
                since: *since,
                sees_updates: refusal.is_none(),
                note: (!notes.is_empty()).then(|| notes.join("; ").into()),
                deleted_map_losses: deleted,
            }
        }
    }
}
