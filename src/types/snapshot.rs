//! A snapshot: the facts of every map at one moment, as a source read them.

use std::sync::Arc;

use compact_str::CompactString;

use super::count::{Count, CountMethod};
use super::fleet::{ExportedFields, Fleet};
use super::host::Moment;
use super::loss::Loss;
use super::loss_tracing::LossTracing;
use super::map_flags::MapFlags;
use super::map_id::MapKey;
use super::map_type::MapType;
use super::ownership::Owners;

/// The sizes from which a map's memory follows, 0 where its type has no such thing.
///
/// Units are bytes, but for `bucket_count`, which is by type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layout {
    /// The kernel structure of the type.
    pub container_size: u32,
    /// One element with its key, value and links; what a `struct_ops` keeps for a function; a page
    /// of an arena on kernels that count those.
    pub elem_size: u32,
    /// Buckets of a table, pages of a ring buffer, bytes of a bloom filter, functions of a
    /// `struct_ops`.
    pub bucket_count: u32,
    /// One bucket of a table, node of a tree or entry of a device or socket, without its data; a
    /// page of a mmapable array, a `struct_ops` or an arena on other kernels.
    pub node_size: u32,
    /// Key data in a node of an LPM trie; the element that a hash has to spare on each CPU.
    pub data_size: u32,
    /// Lock counters of a hash on each CPU: those it keeps, or those that the kernel no longer keeps
    /// and still counts (up to Linux 6.19).
    pub lock_size: u32,
    /// The type's own extra number (`map_extra`).
    pub map_extra: u64,
}

/// One map as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct MapFacts {
    /// The id, and in a fleet the node.
    pub key: MapKey,
    /// Sanitized; empty if it has none.
    pub name: CompactString,
    /// By the kernel's number, which this version need not know.
    pub map_type: MapType,
    /// Bytes of a key. Like the fields below, `None` for a map of an exporter that does not export it.
    pub key_size: Option<u32>,
    /// Bytes of a value.
    pub value_size: Option<u32>,
    /// The maximum given when it was created.
    pub max_entries: u32,
    /// The flags it was created with.
    pub flags: Option<MapFlags>,
    /// What is in it, in the unit of its type; `None` if that is not known.
    pub used: Option<u64>,
    /// The maximum of `used`; `None` if there is no limit, or it is unknown.
    pub capacity: Option<u64>,
    /// How `used` was counted.
    pub count: Count,
    /// `None` if its losses are not counted.
    pub loss: Option<Arc<Loss>>,
    /// Who read it, with what nobody else can say.
    pub origin: Origin,
}

/// Who read a map.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// This process, or the one that made the recording.
    Kernel(KernelFacts),
    /// An exporter on the map's machine.
    Exporter(Arc<ExportedFields>),
}

/// Facts of a map that only its kernel supplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KernelFacts {
    /// Whether user space can no longer write to it.
    pub is_frozen: bool,
    /// References to it: descriptors, pins, programs, outer maps.
    pub refs: u64,
    /// References that user space holds: open files and pins.
    pub user_refs: u64,
    /// The sizes that its memory is computed from.
    pub layout: Layout,
    /// The position of the reader of a buffer: bytes read since its creation, which do not wrap at its size;
    /// `None` if it is not a buffer, or the position is unknown.
    pub consumer_pos: Option<u64>,
}

impl MapFacts {
    /// `None` for a map of an exporter.
    #[must_use]
    pub fn kernel(&self) -> Option<&KernelFacts> {
        match &self.origin {
            Origin::Kernel(facts) => Some(facts),
            Origin::Exporter(_) => None,
        }
    }

    /// Like [`Self::kernel`], to be changed.
    pub fn kernel_mut(&mut self) -> Option<&mut KernelFacts> {
        match &mut self.origin {
            Origin::Kernel(facts) => Some(facts),
            Origin::Exporter(_) => None,
        }
    }

    /// `None` for a map that was not read by an exporter.
    #[must_use]
    pub fn exported(&self) -> Option<&ExportedFields> {
        match &self.origin {
            Origin::Kernel(_) => None,
            Origin::Exporter(fields) => Some(fields),
        }
    }

    /// Whether an exporter read it.
    #[must_use]
    pub(crate) fn is_exported(&self) -> bool {
        self.exported().is_some()
    }

    /// `None` for a map of an exporter.
    #[must_use]
    pub fn layout(&self) -> Option<&Layout> {
        Some(&self.kernel()?.layout)
    }

    /// Whether `used` is an estimate.
    #[must_use]
    pub(crate) fn is_estimated(&self) -> bool {
        self.count.method == CountMethod::Estimate
    }

    /// The least that can be in it. Less than `used` if that is an estimate, even if its error is unknown.
    #[must_use]
    pub(crate) fn used_lower_bound(&self) -> Option<u64> {
        let error = match self.count.method {
            CountMethod::Estimate => self.count.error.max(1),
            _ => self.count.error,
        };
        Some(self.used?.saturating_sub(error))
    }

    /// Whether it is known to have a flag.
    #[must_use]
    pub(crate) fn has_flag(&self, flag: MapFlags) -> bool {
        self.flags.is_some_and(|flags| flags.has(flag))
    }
}

impl Snapshot {
    /// Whether maps are left out.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.fleet
            .as_ref()
            .is_some_and(|fleet| fleet.map_count > self.maps.len() as u64)
    }
}

/// Every map of a source at one moment, sorted by [`MapKey`].
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// When it was taken.
    pub moment: Moment,
    /// CPUs that the machine may have, running or not (`/sys/devices/system/cpu/possible`): what a
    /// map per CPU is multiplied by. 0 if that is not known.
    pub cpus: u32,
    /// Each map once, sorted by key.
    pub maps: Vec<MapFacts>,
    /// Owners as last collected; `None` if they were not yet, or cannot be.
    pub owners: Option<Arc<Owners>>,
    /// The state of loss tracing.
    pub loss_tracing: LossTracing,
    /// The machines, if there can be several.
    pub fleet: Option<Arc<Fleet>>,
}
