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

use super::{Source, sample_until_counted, sleep_until};
use crate::source::kernel::bpf::wire::RECORD_SIZE;
use crate::source::kernel::count::scheduler::Scans;
use crate::types::host::Host;
use crate::types::load_error::CannotStart;
use crate::types::loss_tracing::Watching;
use crate::types::ownership::Owners;
use crate::types::snapshot::{MapFacts, Snapshot};
use bpf::{iter, wire};
use host::capabilities;
use loss::{Free, Losses};
use owners::{Iterators, Looker, Watch};

pub(crate) use crate::source::kernel::count::map_reader::Maps;
pub use crate::source::kernel::host::capabilities::Privileges;
pub use exact_count::count_exactly;
pub use host::now;

/// A report waits for owners no longer than this; a look takes some milliseconds.
const MOST_WAIT_FOR_OWNERS: Duration = Duration::from_secs(2);

/// Owners are looked up only while somebody asks. Those of so long ago are old ...
const OLD_OWNERS: Duration = Duration::from_secs(60);
/// ... and a sample waits so long for others.
const MOST_WAIT_FOR_OTHERS: Duration = Duration::from_millis(250);
/// No others can be had sooner after a look than this, so that there is nothing to wait for.
const YOUNG_OWNERS: Duration = Duration::from_secs(1);

/// The BPF maps of the running kernel.
#[derive(Debug)]
pub struct Kernel {
    link: Link,
    host: Host,
    cpus: u32,
    maps: Maps,
    losses: Losses,
    /// Looks up whose the maps are, if that can be.
    watch: Option<Watch>,
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
    /// [`CannotStart`] when it is not permitted, or this kernel cannot.
    pub fn new() -> Result<Self, CannotStart> {
        let (maps, owners, btf) = Iterators::load_with_maps()?;
        Ok(Self {
            watch: Watch::start(owners, btf),
            ..Self::over(maps)
        })
    }

    /// The same for a server that goes on for long: loads all it needs, then gives up for good what
    /// privileges it can read without. Those that watching losses takes are kept if it will be asked
    /// to. To be called while the process has no other thread.
    ///
    /// # Errors
    ///
    /// As [`Self::new`], or when privileges cannot be given up.
    pub fn confined(keeps_watching: bool) -> Result<(Self, Privileges)> {
        let (maps, owners, btf) = Iterators::load_with_maps()?;
        let mut kernel = Self::over(maps);
        let mut looker = Looker::with(owners, btf.as_ref()).ok();
        let can_read = || {
            let can_look = looker.as_mut().is_none_or(|looker| looker.look().is_ok());
            kernel.read().is_ok() && can_look
        };
        let privileges = capabilities::confine(can_read, keeps_watching)?;
        kernel.watch = looker.and_then(Watch::with);
        kernel.waits_for_owners = true;
        Ok((kernel, privileges))
    }

    /// Over an iterator that is loaded, without owners.
    fn over(link: Link) -> Self {
        let cpus = host::cpus();
        Self {
            link,
            host: host::host(),
            cpus,
            maps: Maps::new(cpus),
            losses: Losses::default(),
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
        iter::to_end(&self.link, "map", &question, &mut self.bytes)?;
        Ok(&self.bytes)
    }

    /// One read of all maps, and what it adds to the looks at their slots.
    fn pass(&mut self) -> Result<Snapshot> {
        let moment = host::now();
        // What another thread makes to try something is not there for others.
        let own = own_maps::lock();
        self.read()?;
        let losses = &mut self.losses;
        let hidden = |id| losses.is_own(id) || own.has(id);
        let maps = self.maps.take_in(&self.bytes, moment.uptime, hidden);
        losses.finish_pass();
        Ok(Snapshot {
            moment,
            cpus: self.cpus,
            maps,
            owners: None,
            watching: Watching::Off,
            fleet: None,
        })
    }

    /// The facts of these maps, each looked at whole, whoever made them.
    fn look_at(&mut self, ids: &[u32]) -> Result<Vec<MapFacts>> {
        let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) else {
            return Ok(Vec::new());
        };
        let now = host::now().uptime;
        let mut scans = Scans::only(*first, *last);
        let question = scans.question().to_bytes();
        iter::to_end(&self.link, "map", &question, &mut self.bytes)?;
        let records = wire::records(&self.bytes).filter(|record| ids.contains(&record.id));
        let facts = records.map(|record| {
            let (used, count) = scans.count(&record, now);
            MapFacts {
                loss: Free::default().look(&record),
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
        let waits_for_new = self.waits_for_owners && age > YOUNG_OWNERS;
        if age > OLD_OWNERS || waits_for_new && has_others(maps, &owners) {
            owners = watch.wait_for_next(MOST_WAIT_FOR_OTHERS)?;
        }
        if has_others(maps, &owners) {
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
fn has_others(maps: &[MapFacts], owners: &Owners) -> bool {
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
        let mut snapshot = self.pass()?;
        // A map met for the first time was not yet asked about; do not make it wait a tick.
        if self.maps.has_unseen() {
            snapshot = self.pass()?;
        }
        let at = snapshot.moment.uptime;
        let maps = &mut snapshot.maps;
        snapshot.watching = self.losses.join(lost.as_ref(), at, maps);
        self.hide_own();
        snapshot.owners = self.owners(&snapshot.maps);
        Ok(Some(snapshot))
    }

    fn sample_whole(&mut self) -> Result<Option<Snapshot>> {
        if self.losses.is_on() {
            // It says which types of maps there are to watch.
            self.sample()?;
            self.losses.wait_until_attached();
        }
        let mut snapshot = sample_until_counted(self)?;
        if let (Some(snapshot), Some(watch)) = (&mut snapshot, &self.watch) {
            snapshot.owners = watch.wait_for_first(MOST_WAIT_FOR_OWNERS);
        }
        Ok(snapshot)
    }

    fn watch_losses(&mut self, on: bool) {
        self.losses.watch(on);
        self.hide_own();
    }

    fn still_counting(&self) -> usize {
        self.maps.incomplete()
    }

    fn wait(&mut self, due: Duration) -> Duration {
        sleep_until(due, || host::now().uptime)
    }
}
