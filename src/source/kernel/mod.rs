//! The kernel as a source: loads the iterator, reads it, turns its records into snapshots.
//!
//! The only folder that names libbpf. Whose the maps are is looked up beside that, and what they lose is counted when it is asked for. Nothing
//! is left behind: what is loaded hangs on descriptors, which the kernel closes however the process ends.

pub mod bpf;
pub mod count;
pub(crate) mod exact_count;
pub(crate) mod host;
pub(crate) mod load_error;
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
use crate::source::kernel::count::scheduler::ScanScheduler;
use crate::types::host::Host;
use crate::types::load_error::LoadError;
use crate::types::loss_tracing::LossTracing;
use crate::types::ownership::Owners;
use crate::types::snapshot::{MapFacts, Snapshot};
use bpf::{iter, wire};
use host::capabilities;
use loss::{LossTracer, PerfLost};
use owners::{Iterators, OwnershipCollector, OwnershipWorker};

pub(crate) use crate::source::kernel::count::map_reader::Maps;
pub use crate::source::kernel::host::capabilities::DroppedCaps;
pub use exact_count::count_exactly;
pub use host::now;

/// A report waits for owners no longer than this; a look takes some milliseconds.
const MAX_WAIT_FOR_OWNERS: Duration = Duration::from_secs(2);

/// Owners are looked up only while somebody asks. Those of so long ago are old ...
const OWNERS_MAX_AGE: Duration = Duration::from_secs(60);
/// ... and a sample waits so long for others.
const MAX_WAIT_FOR_OTHERS: Duration = Duration::from_millis(250);
/// No others can be had sooner after a look than this, so that there is nothing to wait for.
const OWNERS_MIN_AGE: Duration = Duration::from_secs(1);

/// The BPF maps of the running kernel.
#[derive(Debug)]
pub struct Kernel {
    link: Link,
    host: Host,
    cpus: u32,
    maps: Maps,
    losses: LossTracer,
    /// Looks up whose the maps are, if that can be.
    watch: Option<OwnershipWorker>,
    /// Whether a sample waits a moment for the owners of new maps: a server tells them by owner, and a
    /// view shows them at the next tick.
    waits_for_owners: bool,
    /// What the last read gave, kept so that its memory is used again.
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
            watch: OwnershipWorker::start(owners, btf),
            ..Self::from_link(maps)
        })
    }

    /// The same for a server that goes on for long: loads all it needs, then gives up for good what
    /// privileges it can read without. Those that watching losses takes are kept if it will be asked
    /// to. To be called while the process has no other thread.
    ///
    /// # Errors
    ///
    /// As [`Self::new`], or when privileges cannot be given up.
    pub fn with_dropped_caps(keeps_watching: bool) -> Result<(Self, DroppedCaps)> {
        let (maps, owners, btf) = Iterators::load_with_maps()?;
        let mut kernel = Self::from_link(maps);
        let mut looker = OwnershipCollector::with(owners, btf.as_ref()).ok();
        let can_read = || {
            let can_look = looker.as_mut().is_none_or(|looker| looker.look().is_ok());
            kernel.read().is_ok() && can_look
        };
        let privileges = capabilities::drop_capabilities(can_read, keeps_watching)?;
        kernel.watch = looker.and_then(OwnershipWorker::with);
        kernel.waits_for_owners = true;
        Ok((kernel, privileges))
    }

    /// Over an iterator that is loaded, without owners.
    fn from_link(link: Link) -> Self {
        let cpus = host::cpus();
        Self {
            link,
            host: host::host(),
            cpus,
            maps: Maps::new(cpus),
            losses: LossTracer::default(),
            watch: None,
            waits_for_owners: false,
            bytes: Vec::new(),
        }
    }

    /// Reads the iterator to its end and gives the raw records: what a sample costs at the least.
    ///
    /// # Errors
    ///
    /// When the kernel could not give them all, for lack of memory or of permission.
    pub fn read(&mut self) -> Result<&[u8]> {
        let question = self.maps.question().to_bytes();
        iter::drain(&self.link, "map", &question, &mut self.bytes)?;
        Ok(&self.bytes)
    }

    /// One read of all maps, and what it adds to the looks at their slots.
    fn read_once(&mut self) -> Result<Snapshot> {
        let moment = host::now();
        // What another thread makes to try something is not there for others.
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
            watching: LossTracing::Off,
            fleet: None,
        })
    }

    /// The facts of these maps, each looked at whole, whoever made them.
    fn look_at(&mut self, ids: &[u32]) -> Result<Vec<MapFacts>> {
        let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) else {
            return Ok(Vec::new());
        };
        let now = host::now().uptime;
        let mut scans = ScanScheduler::only(*first, *last);
        let question = scans.question().to_bytes();
        iter::drain(&self.link, "map", &question, &mut self.bytes)?;
        let records = wire::records(&self.bytes).filter(|record| ids.contains(&record.id));
        let facts = records.map(|record| {
            let (used, count) = scans.count(&record, now);
            MapFacts {
                loss: PerfLost::default().look(&record),
                ..wire::facts(&record, used, count)
            }
        });
        Ok(facts.collect())
    }

    /// Leaves our own maps and tracers out of owners.
    fn hide_own(&self) {
        if let Some(watch) = &self.watch {
            let mut ids = self.losses.own_ids();
            ids.extend(own_maps::lock().ids());
            watch.hide(ids);
        }
    }

    /// Whose these maps are, as last looked up; asks for a new look if there are new maps.
    fn owners(&self, maps: &[MapFacts]) -> Option<Arc<Owners>> {
        let watch = self.watch.as_ref()?;
        let mut owners = watch.latest()?;
        let age = host::now().uptime.saturating_sub(owners.at);
        let waits_for_new = self.waits_for_owners && age > OWNERS_MIN_AGE;
        if age > OWNERS_MAX_AGE || waits_for_new && has_unresolved(maps, &owners) {
            owners = watch.wait_for_next(MAX_WAIT_FOR_OTHERS)?;
        }
        if has_unresolved(maps, &owners) {
            watch.look_soon();
        }
        Some(owners)
    }

    /// How many bytes a map takes in what [`Self::read`] gives.
    #[must_use]
    pub fn record_size() -> usize {
        RECORD_SIZE
    }
}

/// Whether there are maps among these whose owners were not looked up. Both are in order.
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
        // A map met for the first time was not yet asked about; do not make it wait a tick.
        if self.maps.has_unseen() {
            snapshot = self.read_once()?;
        }
        let at = snapshot.moment.uptime;
        let maps = &mut snapshot.maps;
        snapshot.watching = self.losses.annotate(lost.as_ref(), at, maps);
        self.hide_own();
        snapshot.owners = self.owners(&snapshot.maps);
        Ok(Some(snapshot))
    }

    fn sample_complete(&mut self) -> Result<Option<Snapshot>> {
        if self.losses.is_on() {
            // It says which types of maps there are to watch.
            self.sample()?;
            self.losses.wait_until_attached();
        }
        let mut snapshot = sample_until_counted(self)?;
        if let (Some(snapshot), Some(watch)) = (&mut snapshot, &self.watch) {
            snapshot.owners = watch.wait_for_first(MAX_WAIT_FOR_OWNERS);
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
