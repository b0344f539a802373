//! The kernel as a source: loads the iterator, reads it, turns its records into snapshots.
//!
//! The only folder that uses libbpf. Ownership is resolved on a separate thread; loss tracing is opt-in.
//! Nothing is left behind: everything loaded belongs to file descriptors, which the kernel closes however
//! the process ends.

pub(crate) mod bpf;
pub(crate) mod count;
pub(crate) mod exact_count;
pub(crate) mod host;
pub(crate) mod load_diagnosis;
pub(crate) mod loss;
pub(crate) mod own_maps;
pub mod owners;
pub mod probe;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use libbpf_rs::Link;

use super::{RemoteQuery, Replay, Source, TraceLosses, sample_until_counted, sleep_until};
use crate::source::kernel::bpf::wire::RECORD_SIZE;
use crate::types::host::Host;
use crate::types::load_error::LoadError;
use crate::types::loss_tracing::LossTracing;
use crate::types::ownership::Owners;
use crate::types::snapshot::{MapFacts, Snapshot};
use bpf::{iter, plain};
use host::capabilities;
use loss::LossTracer;
use owners::{Iterators, OwnershipCollector, OwnershipWorker};

pub(crate) use crate::source::kernel::count::map_reader::Maps;
pub use crate::source::kernel::host::capabilities::DroppedCaps;
pub use exact_count::count_exactly;
pub use host::now;

/// How long a report waits for owners; to collect them takes some milliseconds.
const MAX_WAIT_FOR_OWNERS: Duration = Duration::from_secs(2);

/// Owners are collected only while they are used, so the last ones may be old. A sample waits for newer ones
/// if they are older than this.
const OWNERS_MAX_AGE: Duration = Duration::from_secs(60);
/// How long a sample waits for newer owners.
const MAX_WAIT_FOR_NEWER: Duration = Duration::from_millis(250);
/// Younger owners than this are not collected again yet, so that there is nothing to wait for.
const OWNERS_MIN_AGE: Duration = Duration::from_secs(1);

/// The BPF maps of the running kernel.
#[derive(Debug)]
pub struct Kernel {
    link: Link,
    host: Host,
    cpus: u32,
    maps: Maps,
    losses: LossTracer,
    /// `None` if owners cannot be collected.
    owners: Option<OwnershipWorker>,
    /// Whether a sample waits a moment for the owners of new maps. An exporter does, since owners are labels;
    /// a view shows them at the next sample.
    waits_for_owners: bool,
    /// The last read, kept to use its memory again.
    bytes: Vec<u8>,
}

impl Kernel {
    /// Loads the iterator into the kernel.
    ///
    /// # Errors
    ///
    /// [`LoadError`] when it is not permitted, or this kernel cannot.
    pub fn new() -> Result<Self, LoadError> {
        let (maps, owners, btf) = Iterators::load_with_maps()?;
        Ok(Self {
            owners: OwnershipWorker::start(owners, btf),
            ..Self::from_link(maps)
        })
    }

    /// The same for a process that runs for long: loads all it needs, then drops the capabilities that it
    /// can read without, for good. `keeps_tracing` keeps those that loss tracing takes. To be called while
    /// the process has no other thread.
    ///
    /// # Errors
    ///
    /// As [`Self::new`], or when capabilities cannot be dropped.
    pub(crate) fn with_dropped_caps(keeps_tracing: bool) -> Result<(Self, DroppedCaps)> {
        let (maps, owners, btf) = Iterators::load_with_maps()?;
        let mut kernel = Self::from_link(maps);
        let mut collector = OwnershipCollector::with(owners, btf.as_ref()).ok();
        let can_read = || {
            let can_collect = collector
                .as_mut()
                .is_none_or(|collector| collector.collect().is_ok());
            kernel.read().is_ok() && can_collect
        };
        let dropped = capabilities::drop_capabilities(can_read, keeps_tracing)?;
        kernel.owners = collector.and_then(OwnershipWorker::with);
        kernel.waits_for_owners = true;
        Ok((kernel, dropped))
    }

    /// Without owners.
    fn from_link(link: Link) -> Self {
        let cpus = host::cpus();
        Self {
            link,
            host: host::host(),
            cpus,
            maps: Maps::new(cpus),
            losses: LossTracer::default(),
            owners: None,
            waits_for_owners: false,
            bytes: Vec::new(),
        }
    }

    /// Reads the iterator to its end and returns the raw records: the fixed cost of a sample.
    ///
    /// # Errors
    ///
    /// When the kernel could not give them all, for lack of memory or of permission.
    pub fn read(&mut self) -> Result<&[u8]> {
        drain_maps(&self.link, &self.maps, &mut self.bytes)?;
        Ok(&self.bytes)
    }

    /// One read of all maps.
    fn read_once(&mut self) -> Result<Snapshot> {
        let moment = host::now();
        // No other thread creates a map for a probe meanwhile.
        let own = own_maps::lock();
        self.read()?;
        let losses = &mut self.losses;
        let hidden = |id| losses.is_own(id) || own.has(id);
        let maps = self.maps.apply_read(&self.bytes, moment.uptime, hidden);
        losses.finish_pass();
        Ok(Snapshot {
            moment,
            cpus: self.cpus,
            maps,
            owners: None,
            loss_tracing: LossTracing::Off,
            fleet: None,
        })
    }

    /// The facts of these maps, mapstop's own included, each scanned as far as one read goes.
    fn read_maps(&mut self, ids: &[u32]) -> Result<Vec<MapFacts>> {
        let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) else {
            return Ok(Vec::new());
        };
        let at = host::now().uptime;
        let mut maps = Maps::only(*first, *last);
        drain_maps(&self.link, &maps, &mut self.bytes)?;
        Ok(maps.apply_read(&self.bytes, at, |id| !ids.contains(&id)))
    }

    /// Leaves mapstop's own maps and tracers out of the owners.
    fn hide_own(&self) {
        if let Some(worker) = &self.owners {
            let mut ids = self.losses.own_ids();
            ids.extend(own_maps::lock().ids());
            worker.hide(ids);
        }
    }

    /// The last owners that were collected; requests newer ones if there are new maps.
    fn latest_owners(&self, maps: &[MapFacts]) -> Option<Arc<Owners>> {
        let worker = self.owners.as_ref()?;
        let mut owners = worker.latest()?;
        let age = host::now().uptime.saturating_sub(owners.at);
        let waits_for_new = self.waits_for_owners && age > OWNERS_MIN_AGE;
        if age > OWNERS_MAX_AGE || waits_for_new && has_unresolved(maps, &owners) {
            owners = worker.wait_for_next(MAX_WAIT_FOR_NEWER)?;
        }
        if has_unresolved(maps, &owners) {
            worker.request();
        }
        Some(owners)
    }

    /// Bytes per map in what [`Self::read`] returns.
    #[must_use]
    pub fn record_size() -> usize {
        RECORD_SIZE
    }
}

/// Reads the iterator to its end, with the scan request of these maps.
fn drain_maps(link: &Link, maps: &Maps, bytes: &mut Vec<u8>) -> Result<()> {
    iter::drain(link, "map", plain::bytes_of(&maps.request()), bytes)
}

/// Whether the owners of some of these maps were not collected. Both are sorted by id.
fn has_unresolved(maps: &[MapFacts], owners: &Owners) -> bool {
    let mut owned = owners.iter().map(|(key, _)| key);
    !maps.iter().all(|map| owned.any(|key| *key == map.key))
}

impl Source for Kernel {
    fn name(&self) -> &'static str {
        "kernel"
    }

    fn host(&self) -> &Host {
        &self.host
    }

    fn sample(&mut self) -> Result<Option<Snapshot>> {
        let lost = self.losses.read();
        let mut snapshot = self.read_once()?;
        // A new map was not in the scan request; do not make it wait for another sample.
        if self.maps.has_unseen() {
            snapshot = self.read_once()?;
        }
        let at = snapshot.moment.uptime;
        let maps = &mut snapshot.maps;
        snapshot.loss_tracing = self.losses.annotate(lost.as_ref(), at, maps);
        self.hide_own();
        snapshot.owners = self.latest_owners(&snapshot.maps);
        Ok(Some(snapshot))
    }

    fn sample_complete(&mut self) -> Result<Option<Snapshot>> {
        if self.losses.is_on() {
            // Requests the tracers of the types that there are.
            self.sample()?;
            self.losses.wait_until_attached();
        }
        let mut snapshot = sample_until_counted(self)?;
        if let (Some(snapshot), Some(worker)) = (&mut snapshot, &self.owners) {
            snapshot.owners = worker.wait_for_first(MAX_WAIT_FOR_OWNERS);
        }
        Ok(snapshot)
    }

    fn still_counting(&self) -> usize {
        self.maps.incomplete()
    }

    fn wait(&mut self, due: Duration) -> Duration {
        sleep_until(due, || host::now().uptime)
    }

    fn notice(&mut self) -> Option<String> {
        None
    }

    fn is_recording(&self) -> bool {
        false
    }

    fn loss_tracer(&mut self) -> Option<&mut dyn TraceLosses> {
        Some(self)
    }

    fn replay(&mut self) -> Option<&mut dyn Replay> {
        None
    }

    fn remote(&mut self) -> Option<&mut dyn RemoteQuery> {
        None
    }
}

impl TraceLosses for Kernel {
    fn trace_losses(&mut self, on: bool) {
        self.losses.watch(on);
        self.hide_own();
    }
}
