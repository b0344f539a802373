//! What maps lose: what the kernel tells by itself ([`PerfLost`]), and, while somebody watches, what
//! tracers count in slots.
//!
//! Nothing of those of it is there unless it is asked for. Attaching and detaching are the work of a thread
//! ([`LossWorker`]); a sample only reads the slots. The two maps that make them are hidden by their ids.

pub(crate) mod attach;
pub(crate) mod attribute;
pub(crate) mod counters;
pub(crate) mod perf_lost;
pub(crate) mod registry;
pub(crate) mod worker;

use std::sync::Arc;
use std::time::Duration;

use compact_str::CompactString;

use crate::types::loss_tracing::LossTracing;
use crate::types::map_type::MapType;
use crate::types::snapshot::MapFacts;
use attach::{NO_TRAMPOLINES, refuses_functions};
use attribute::{LateMaps, LossDefaults, failures, loss_defaults, loss_of_map};
use counters::{CounterMaps, LossCounters};
use registry::{MapTypeSet, coverage_note, next_wanted};
use worker::{LossWorker, Progress, TeardownHandle, TracingPhase};

pub use perf_lost::PerfLost;

/// A report waits for tracers no longer than this. Attaching them takes some tenths of a second, and
/// far longer in an emulated machine.
const MAX_WAIT_FOR_TRACERS: Duration = Duration::from_secs(60);

/// Maps of our own.
#[derive(Debug)]
struct SessionMaps {
    ids: [u32; 2],
    ending: TeardownHandle,
    /// Whether the pass that goes on met them.
    was_met: bool,
}

#[derive(Debug)]
struct TracingSession {
    slots: Arc<CounterMaps>,
    watch: LossWorker,
    newcomers: LateMaps,
    /// What maps that are gone lost, evictions left out.
    gone: u64,
}

/// Watches losses when it is asked to.
#[derive(Debug, Default)]
pub struct LossTracer {
    /// `None` while nobody watches; what was refused if it cannot be done.
    session: Option<Result<TracingSession, Progress>>,
    /// Ours of now, and those before that are not gone yet.
    own: Vec<SessionMaps>,
}

impl LossTracer {
    /// Begins to watch, or ends that; neither takes long.
    pub fn watch(&mut self, on: bool) {
        if on == self.session.is_some() {
            return;
        }
        self.session = on.then(|| self.start());
    }

    fn start(&mut self) -> Result<TracingSession, Progress> {
        self.try_start().map_err(Progress::refused)
    }

    fn try_start(&mut self) -> Result<TracingSession, CompactString> {
        let slots = CounterMaps::new().map_err(|error| CounterMaps::why(&error))?;
        let ids = slots.own_ids().map_err(|error| format!("{error:#}"))?;
        let slots = Arc::new(slots);
        let watch = LossWorker::start(Arc::clone(&slots)).ok_or("no thread to be had")?;
        self.own.push(SessionMaps {
            ids,
            ending: watch.ending(),
            was_met: false,
        });
        Ok(TracingSession {
            slots,
            watch,
            newcomers: LateMaps::default(),
            gone: 0,
        })
    }

    fn session(&self) -> Option<&TracingSession> {
        self.session.as_ref()?.as_ref().ok()
    }

    /// Whether this is a map of our own; to be asked of every map of a pass.
    pub fn is_own(&mut self, id: u32) -> bool {
        let own = self.own.iter_mut().find(|own| own.ids.contains(&id));
        own.is_some_and(|own| {
            own.was_met = true;
            true
        })
    }

    /// The ids of all maps of our own.
    pub fn own_ids(&self) -> Vec<u32> {
        self.own.iter().flat_map(|own| own.ids).collect()
    }

    /// Forgets the maps of our own that a whole pass did not meet any more.
    pub fn finish_pass(&mut self) {
        self.own.retain(|own| own.was_met || !own.ending.is_done());
        for own in &mut self.own {
            own.was_met = false;
        }
    }

    /// Reads what was counted. To be done before the maps are read: what is not among them then is
    /// gone for good.
    pub fn read(&self) -> Option<LossCounters> {
        self.session()?.slots.read().ok()
    }

    /// Gives each map of a pass that was begun at this uptime what it lost, asks for the tracers of new types, and says how watching goes.
    pub fn annotate(
        &mut self,
        lost: Option<&LossCounters>,
        at: Duration,
        maps: &mut [MapFacts],
    ) -> LossTracing {
        let mut types = MapTypeSet::default();
        for map in maps.iter() {
            types.insert(map.map_type);
        }
        // What was refused for want of functions may be worth it with a map that tracepoints tell of.
        if let Some(Err(refused)) = &self.session
            && next_wanted(types, &refused.outcomes).is_some()
        {
            self.session = Some(self.start());
        }
        let session = match &mut self.session {
            None => return LossTracing::Off,
            Some(Err(refused)) => {
                set_reason(maps, &loss_defaults(types, refused, None));
                return watching(types, None, 0, refused);
            }
            Some(Ok(session)) => session,
        };
        session.watch.want(types);
        let progress = session.watch.progress();
        if let TracingPhase::Refused(why) = &progress.phase {
            let refused = match &**why {
                NO_TRAMPOLINES => progress,
                _ => Progress::refused(why.clone()),
            };
            set_reason(maps, &loss_defaults(types, &refused, None));
            let watching = watching(types, None, 0, &refused);
            // With its maps and its thread.
            self.session = Some(Err(refused));
            return watching;
        }
        if let Some(lost) = lost {
            let is_there = |id| maps.binary_search_by_key(&id, |map| map.key.id.0).is_ok();
            let gone = session.slots.free(lost, is_there);
            session.gone += failures(&gone, &progress.phase);
        }
        session.newcomers.look(at, types, maps, &progress);
        let quiet = loss_defaults(types, &progress, lost);
        for map in maps.iter_mut() {
            let Some((_, quiet)) = quiet.iter().find(|(of, _)| *of == map.map_type) else {
                continue;
            };
            map.loss = Some(loss_of_map(map, quiet, &session.newcomers, lost, &progress));
        }
        watching(types, lost, session.gone, &progress)
    }

    /// Waits until the tracers that are wanted count, or were refused.
    pub fn wait_until_attached(&self) {
        if let Some(session) = self.session() {
            session.watch.wait_until_attached(MAX_WAIT_FOR_TRACERS);
        }
    }

    /// Whether anybody watches.
    pub fn is_on(&self) -> bool {
        self.session().is_some()
    }
}

/// Tells of maps that cannot be watched why.
fn set_reason(maps: &mut [MapFacts], quiet: &[(MapType, LossDefaults)]) {
    for map in maps {
        if let Some((_, quiet)) = quiet.iter().find(|(of, _)| *of == map.map_type) {
            map.loss = Some(quiet.unwatched());
        }
    }
}

fn watching(
    types: MapTypeSet,
    lost: Option<&LossCounters>,
    gone: u64,
    progress: &Progress,
) -> LossTracing {
    match &progress.phase {
        TracingPhase::Starting => LossTracing::Starting,
        TracingPhase::Refused(why) => LossTracing::Refused(why.clone()),
        TracingPhase::On { since, .. } => {
            let mut notes = Vec::new();
            let sees_updates = !refuses_functions(&progress.outcomes);
            if sees_updates {
                notes.extend(coverage_note(types, &progress.outcomes));
            } else {
                notes.push(format!("{NO_TRAMPOLINES}: only xdp redirects are counted"));
            }
            let elsewhere = lost.map_or(0, |lost| lost.elsewhere);
            if elsewhere > 0 {
                notes.push(format!(
                    "{elsewhere} losses of more maps than can be counted"
                ));
            }
            if gone > 0 {
                notes.push(format!("maps that are gone lost {gone}"));
            }
            if progress.misses > 0 {
                notes.push(format!("{} calls were not seen", progress.misses));
            }
            if lost.is_none() {
                notes.push("what was counted cannot be read".to_owned());
            }
            LossTracing::On {
                since: *since,
                sees_updates,
                note: (!notes.is_empty()).then(|| notes.join("; ").into()),
                gone,
            }
        }
    }
}
