//! The map types: a type's number becomes its name, its kind and the unit it is counted in.

#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;

/// What "full" means for a map. It chooses how fill is shown and what may alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Refuses new entries at its maximum.
    Bounded,
    /// Replaces its oldest entries at its maximum; full is normal.
    Evicting,
    /// A buffer between a producer and a reader; its level is a backlog.
    Stream,
    /// Slots that a loader fills; how many are set says nothing about pressure.
    Slots,
    /// Full from birth.
    Fixed,
    /// Has no limit, or cannot be counted.
    Uncounted,
}

impl Kind {
    /// Every kind, in the order they sort.
    pub const ALL: [Self; 6] = [
        Self::Bounded,
        Self::Evicting,
        Self::Stream,
        Self::Slots,
        Self::Fixed,
        Self::Uncounted,
    ];

    /// The word for it, the same in the table, in filters and in JSON.
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
    pub fn has_pressure(self) -> bool {
        matches!(self, Self::Bounded | Self::Evicting | Self::Stream)
    }

    /// Whether entries per second lead anywhere: only towards a limit that refuses.
    #[must_use]
    pub fn grows(self) -> bool {
        self == Self::Bounded
    }
}

/// What used and capacity are numbers of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Key and value pairs.
    Entries,
    /// Bytes of a buffer, record headers included.
    Bytes,
    /// Places in an array of pointers.
    Slots,
    /// Pages of memory.
    Pages,
}

impl Unit {
    /// The word for it.
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

/// A map type by the kernel's number (`enum bpf_map_type`), known here or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MapType(pub u32);

/// What is known of a type. One line a type; nothing about types stands elsewhere.
struct MapTypeInfo {
    name: &'static str,
    short: &'static str,
    kind: Kind,
    unit: Unit,
    at_max: &'static str,
}

const fn facts(
    name: &'static str,
    short: &'static str,
    kind: Kind,
    unit: Unit,
    at_max: &'static str,
) -> MapTypeInfo {
    MapTypeInfo {
        name,
        short,
        kind,
        unit,
        at_max,
    }
}

const REFUSES: &str = "refuses inserts at max (E2BIG)";
/// It is in the flags of each push (`queue_stack_map_push_elem` in the kernel).
const PUSHES: &str = "refuses pushes at max (E2BIG), or drops the oldest for them (BPF_EXIST)";
const EVICTS: &str = "evicts old entries at max";
const LOADER: &str = "slots filled by a loader";
const PREALLOCATED_FULL: &str = "full from birth";
const NO_LIMIT: &str = "no limit to fill";

/// Indexed by the kernel's number. The short forms fit a column of ten cells.
#[rustfmt::skip]
const TYPES: [MapTypeInfo; 35] = {
    use Kind::{Bounded, Evicting, Fixed, Slots, Stream, Uncounted};
    use Unit::{Bytes, Entries, Pages};
    [
        facts("unspec", "unspec", Uncounted, Entries, NO_LIMIT),
        facts("hash", "hash", Bounded, Entries, REFUSES),
        facts("array", "array", Fixed, Entries, PREALLOCATED_FULL),
        facts("prog_array", "prog_arr", Slots, Unit::Slots, LOADER),
        facts("perf_event_array", "perf_arr", Slots, Unit::Slots, LOADER),
        facts("percpu_hash", "pcpu_hash", Bounded, Entries, REFUSES),
        facts("percpu_array", "pcpu_arr", Fixed, Entries, PREALLOCATED_FULL),
        facts("stack_trace", "stk_trace", Bounded, Entries, "stacks collide before max (EEXIST)"),
        facts("cgroup_array", "cgrp_arr", Slots, Unit::Slots, LOADER),
        facts("lru_hash", "lru_hash", Evicting, Entries, EVICTS),
        facts("lru_percpu_hash", "lru_pcpu", Evicting, Entries, EVICTS),
        facts("lpm_trie", "lpm_trie", Bounded, Entries, "refuses inserts at max (ENOSPC)"),
        facts("array_of_maps", "arr_maps", Slots, Unit::Slots, LOADER),
        facts("hash_of_maps", "hash_maps", Bounded, Entries, REFUSES),
        facts("devmap", "devmap", Slots, Unit::Slots, LOADER),
        facts("sockmap", "sockmap", Slots, Unit::Slots, LOADER),
        facts("cpumap", "cpumap", Slots, Unit::Slots, LOADER),
        facts("xskmap", "xskmap", Slots, Unit::Slots, LOADER),
        facts("sockhash", "sockhash", Bounded, Entries, REFUSES),
        facts("cgroup_storage", "cg_stg", Uncounted, Entries, NO_LIMIT),
        facts("reuseport_sockarray", "reuseport", Slots, Unit::Slots, LOADER),
        facts("percpu_cgroup_storage", "pcg_stg", Uncounted, Entries, NO_LIMIT),
        facts("queue", "queue", Bounded, Entries, PUSHES),
        facts("stack", "stack", Bounded, Entries, PUSHES),
        facts("sk_storage", "sk_stg", Uncounted, Entries, NO_LIMIT),
        facts("devmap_hash", "devmap_h", Bounded, Entries, REFUSES),
        facts("struct_ops", "struct_ops", Fixed, Entries, PREALLOCATED_FULL),
        facts("ringbuf", "ringbuf", Stream, Bytes, "drops records when full"),
        facts("inode_storage", "inode_stg", Uncounted, Entries, NO_LIMIT),
        facts("task_storage", "task_stg", Uncounted, Entries, NO_LIMIT),
        facts("bloom_filter", "bloom", Uncounted, Entries, "never refuses, answers less well"),
        facts("user_ringbuf", "user_ring", Stream, Bytes, "refuses records when full"),
        facts("cgrp_storage", "cgrp_stg", Uncounted, Entries, NO_LIMIT),
        facts("arena", "arena", Bounded, Pages, "refuses pages at max"),
        facts("insn_array", "insn_array", Fixed, Entries, PREALLOCATED_FULL),
    ]
};

impl MapType {
    /// Every type that is known here, in the kernel's order.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..).take(TYPES.len() - 1).map(Self)
    }

    /// The type with this full name or abbreviation, as [`fmt::Display`] and [`Self::short`] give it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(number) = name.strip_prefix("type_") {
            return number.parse().ok().map(Self);
        }
        Self::all().find(|t| {
            t.facts()
                .is_some_and(|facts| facts.name == name || facts.short == name)
        })
    }

    fn facts(self) -> Option<&'static MapTypeInfo> {
        TYPES.get(usize::try_from(self.0).ok()?)
    }

    /// What full means for this type; a type not known here is uncounted.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.facts().map_or(Kind::Uncounted, |facts| facts.kind)
    }

    /// What this type's entries are counted in.
    #[must_use]
    pub fn unit(self) -> Unit {
        self.facts().map_or(Unit::Entries, |facts| facts.unit)
    }

    /// Whether records pass through it to a reader, and are dropped where that is too slow: streams,
    /// and the perf buffers behind the slots of a `perf_event_array`.
    #[must_use]
    pub fn is_buffer(self) -> bool {
        self.kind() == Kind::Stream || self == Self(4)
    }

    /// Whether tracers can count what it loses, where the kernel lets itself be traced. What perf
    /// events lose the kernel counts by itself.
    #[must_use]
    pub fn is_loss_traceable(self) -> bool {
        match self.kind() {
            Kind::Bounded => self != Self(33),
            Kind::Evicting => true,
            Kind::Stream => self == Self(27),
            Kind::Slots => self.is_redirect_map(),
            Kind::Uncounted => matches!(self.0, 24 | 28 | 29 | 32),
            Kind::Fixed => false,
        }
    }

    /// Whether its entries can be walked by their keys, so that there are as many as there are keys.
    #[must_use]
    pub fn is_iterable(self) -> bool {
        self.supports_batch_lookup() || matches!(self.0, 7 | 11 | 18 | 25)
    }

    /// Whether those can be read many at a time, bucket by bucket: hashes.
    #[must_use]
    pub fn supports_batch_lookup(self) -> bool {
        matches!(self.0, 1 | 5 | 9 | 10 | 13)
    }

    /// Whether XDP packets are redirected through it, and dropped where that fails.
    #[must_use]
    pub fn is_redirect_map(self) -> bool {
        matches!(self.0, 14 | 16 | 17 | 25)
    }

    /// Whether this number is a type known here; a newer kernel's may not be.
    #[must_use]
    pub fn is_known(self) -> bool {
        self.facts().is_some()
    }

    /// What happens to this type at its maximum, in a few words.
    #[must_use]
    pub fn full_behavior(self) -> &'static str {
        self.facts()
            .map_or("a type newer than this mapstop", |facts| facts.at_max)
    }

    /// What a full one of this type does, if it is one that does not evict.
    #[must_use]
    pub fn when_full(self) -> &'static str {
        match self.name() {
            Some("queue" | "stack") => "pushes are refused, or drop the oldest",
            _ => "inserts are refused",
        }
    }

    /// The full name, if the type is known here.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        self.facts().map(|facts| facts.name)
    }

    /// The name in at most ten cells, shortened unmistakably.
    #[must_use]
    pub fn short(self) -> compact_str::CompactString {
        match self.facts() {
            Some(facts) => facts.short.into(),
            None => compact_str::format_compact!("{self}"),
        }
    }
}

/// The kernel's name in lower case without `BPF_MAP_TYPE_`; `type_99` for a number not known here.
impl fmt::Display for MapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.facts() {
            Some(facts) => f.write_str(facts.name),
            None => write!(f, "type_{}", self.0),
        }
    }
}
