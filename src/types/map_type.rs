//! The type of a map, and what is known of each type.

mod alloc;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;

pub(crate) use alloc::{AllocKind, Eviction, PerCpu};
pub(crate) use table::{Iteration, ProbeEntry};

use super::count::UncountedReason;
use super::errno::Errno;
use table::{MapTypeInfo, TABLE};

/// What "full" means for a map. It chooses how fill is shown and what may alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Refuses new entries at its maximum.
    Bounded,
    /// Replaces its oldest entries at its maximum; full is normal.
    Evicting,
    /// A buffer between a producer and a reader; `used` is its backlog.
    Stream,
    /// Slots that a loader fills; how many are set says nothing about pressure.
    Slots,
    /// Full from its creation on.
    Fixed,
    /// Has no limit, or cannot be counted.
    Uncounted,
}

impl Kind {
    /// Every kind, in the order they sort.
    pub(crate) const ALL: [Self; 6] = [
        Self::Bounded,
        Self::Evicting,
        Self::Stream,
        Self::Slots,
        Self::Fixed,
        Self::Uncounted,
    ];

    /// The same word on the screen, in filters, JSON and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bounded => "bounded",
            Self::Evicting => "evicting",
            Self::Stream => "stream",
            Self::Slots => "slots",
            Self::Fixed => "fixed",
            Self::Uncounted => "uncounted",
        }
    }

    /// Whether used / capacity is a pressure: only where a level can mean something.
    #[must_use]
    pub(crate) fn has_pressure(self) -> bool {
        matches!(self, Self::Bounded | Self::Evicting | Self::Stream)
    }

    /// Whether entries per second lead anywhere: only towards a limit that refuses.
    #[must_use]
    pub fn grows(self) -> bool {
        self == Self::Bounded
    }
}

/// The unit of `used` and `capacity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Key and value pairs.
    Entries,
    /// Bytes of a buffer, record headers included.
    Bytes,
    /// Elements of an array of pointers.
    Slots,
    /// Pages of memory.
    Pages,
}

impl Unit {
    /// The same word on the screen, in JSON and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Entries => "entries",
            Self::Bytes => "bytes",
            Self::Slots => "slots",
            Self::Pages => "pages",
        }
    }
}

/// A map type by the kernel's number (`enum bpf_map_type`), in the table of this version or not. The
/// types of the table have a constant each: [`MapType::HASH`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapType(pub u32);

impl MapType {
    /// Every type of the table but `unspec`, in the kernel's order.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..).take(TABLE.len() - 1).map(Self)
    }

    /// The type with this full name or abbreviation, as [`fmt::Display`] and [`Self::short`] give it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(number) = name.strip_prefix("type_") {
            return number.parse().ok().map(Self);
        }
        Self::all().find(|map_type| {
            map_type
                .info()
                .is_some_and(|info| info.name == name || info.short == name)
        })
    }

    fn info(self) -> Option<&'static MapTypeInfo> {
        TABLE.get(usize::try_from(self.0).ok()?)
    }

    /// What "full" means for this type. A type that is not in the table is uncounted.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.info().map_or(Kind::Uncounted, |info| info.kind)
    }

    /// The unit of `used` and `capacity`.
    #[must_use]
    pub fn unit(self) -> Unit {
        self.info().map_or(Unit::Entries, |info| info.unit)
    }

    /// Whether records are dropped when a reader is too slow: streams, and the perf buffers behind
    /// the slots of a `perf_event_array`.
    #[must_use]
    pub(crate) fn is_buffer(self) -> bool {
        self.info().is_some_and(|info| info.is_buffer)
    }

    /// Whether an entry is refused when another is in its place, so that being full says little:
    /// stack traces, whose place is a hash of the stack.
    pub(crate) fn collides(self) -> bool {
        self.info().is_some_and(|info| info.collides)
    }

    /// Whether a reader takes entries out again, so that the level between two samples is not seen:
    /// ring buffers, queues and stacks.
    pub(crate) fn is_drained(self) -> bool {
        self.info().is_some_and(|info| info.is_drained)
    }

    /// Whether tracers can count losses of this type on a kernel that allows tracing. Lost perf
    /// events are counted by the kernel itself.
    #[must_use]
    pub(crate) fn is_loss_traceable(self) -> bool {
        self.info().is_some_and(|info| info.is_loss_traceable)
    }

    /// Whether all keys can be listed by system calls.
    #[must_use]
    pub fn is_iterable(self) -> bool {
        self.info()
            .is_some_and(|info| info.iteration != Iteration::None)
    }

    /// Whether many entries can be read by one system call (`BPF_MAP_LOOKUP_BATCH`), bucket by
    /// bucket: the hashes.
    #[must_use]
    pub fn supports_batch_lookup(self) -> bool {
        self.info()
            .is_some_and(|info| info.iteration == Iteration::Batch)
    }

    /// Whether XDP redirects packets through it, which are dropped if that fails.
    #[must_use]
    pub(crate) fn is_redirect_map(self) -> bool {
        self.info().is_some_and(|info| info.is_redirect)
    }

    /// Whether its entries are maps.
    pub(crate) fn holds_maps(self) -> bool {
        self.info().is_some_and(|info| info.holds_maps)
    }

    /// Whether processes can map its memory without `BPF_F_MMAPABLE`.
    pub(crate) fn is_always_mmapable(self) -> bool {
        self.info().is_some_and(|info| info.is_always_mmapable)
    }

    /// Whether the kernel itself may hold the map without a link that would show it.
    pub(crate) fn is_held_by_kernel(self) -> bool {
        self.info().is_some_and(|info| info.is_held_by_kernel)
    }

    /// How the kernel allocates it; `None` for a type that is not in the table.
    pub(crate) fn alloc_kind(self) -> Option<AllocKind> {
        self.info()?.alloc
    }

    /// The entry that `doctor` puts into a map of this type to see whether it is counted.
    pub(crate) fn probe_entry(self) -> ProbeEntry {
        self.info().map_or(ProbeEntry::None, |info| info.probe)
    }

    /// Why a map of this type has no count although the kernel was asked for one.
    pub(crate) fn uncounted_reason(self) -> UncountedReason {
        self.info()
            .map_or(UncountedReason::UnknownType, |info| info.uncounted_reason)
    }

    /// The error of an update that finds a map of this type full.
    pub(crate) fn full_errno(self) -> Errno {
        self.info().map_or(Errno::E2BIG, |info| info.full_errno)
    }

    /// Whether this number is in the table; that of a newer kernel may not be.
    #[must_use]
    pub fn is_known(self) -> bool {
        self.info().is_some()
    }

    /// What happens to this type at its maximum, in a few words.
    #[must_use]
    pub(crate) fn full_behavior(self) -> &'static str {
        self.info()
            .map_or("unknown to this version of mapstop", |info| {
                info.full_behavior
            })
    }

    /// What a full map of a type that does not evict does to writers, in a few words.
    #[must_use]
    pub(crate) fn when_full(self) -> &'static str {
        self.info()
            .map_or(table::INSERTS_REFUSED, |info| info.when_full)
    }

    /// The full name, if the type is in the table.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        self.info().map(|info| info.name)
    }

    /// An unmistakable name of at most ten cells.
    #[must_use]
    pub fn short(self) -> compact_str::CompactString {
        match self.info() {
            Some(info) => info.short.into(),
            None => compact_str::format_compact!("{self}"),
        }
    }
}

/// The kernel's name in lower case without `BPF_MAP_TYPE_`; `type_99` for a number that is not in the
/// table.
impl fmt::Display for MapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.info() {
            Some(info) => f.write_str(info.name),
            None => write!(f, "type_{}", self.0),
        }
    }
}
