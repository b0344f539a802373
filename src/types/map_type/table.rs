//! The table of map types: everything that mapstop knows of a type without looking at a map.
//!
//! No other Rust file compares a type with a literal number or name; a test checks that. CONTRIBUTING.md lists what a
//! new type needs besides a row here.

use super::{AllocKind, Eviction, Kind, MapType, PerCpu, Unit};
use crate::types::count::UncountedReason;
use crate::types::errno::Errno;

#[expect(
    clippy::struct_excessive_bools,
    reason = "a table of properties, each for itself"
)]
/// What is known of a type.
pub(super) struct MapTypeInfo {
    /// The kernel's name in lower case without `BPF_MAP_TYPE_`.
    pub(super) name: &'static str,
    /// An unmistakable name of at most ten cells.
    pub(super) short: &'static str,
    pub(super) kind: Kind,
    pub(super) unit: Unit,
    /// What happens at the maximum, in a few words.
    pub(super) full_behavior: &'static str,
    /// What a full map does to writers, in a few words.
    pub(super) when_full: &'static str,
    /// The error of an update that finds the map full.
    pub(super) full_errno: Errno,
    /// `None` for `unspec` only.
    pub(super) alloc: Option<AllocKind>,
    /// Why there is no count although the kernel was asked for one.
    pub(super) uncounted_reason: UncountedReason,
    pub(super) iteration: Iteration,
    pub(super) probe: ProbeEntry,
    /// Records are dropped when a reader is too slow.
    pub(super) is_buffer: bool,
    /// An entry is refused when another is in its place, long before the map is full.
    pub(super) collides: bool,
    /// A reader takes entries out again.
    pub(super) is_drained: bool,
    /// There is a tracer that counts losses.
    pub(super) is_loss_traceable: bool,
    /// XDP redirects packets through it.
    pub(super) is_redirect: bool,
    /// Its entries are maps.
    pub(super) holds_maps: bool,
    /// Processes can map its memory without `BPF_F_MMAPABLE`.
    pub(super) is_always_mmapable: bool,
    /// The kernel itself may hold the map without a link that would show it.
    pub(super) is_held_by_kernel: bool,
}

/// How the keys of a map can be listed by system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Iteration {
    None,
    /// One by one, by `BPF_MAP_GET_NEXT_KEY`.
    Keys,
    /// Many at a time, by `BPF_MAP_LOOKUP_BATCH`.
    Batch,
}

/// The entry that `doctor` puts into a map of a type to see whether it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProbeEntry {
    None,
    /// A key of 4 bytes and a value of 8.
    Update,
    /// A key of 4 bytes and a value of 8 on every CPU.
    PercpuUpdate,
    /// A prefix of 8 bytes and a value of 8.
    TrieUpdate,
    /// A value of 8 bytes without a key.
    Push,
    /// A key of 4 bytes and the index of the loopback device.
    Device,
}

pub(super) const INSERTS_REFUSED: &str = "inserts are refused";
const PUSHES_REFUSED: &str = "pushes are refused, or drop the oldest";
const REFUSES: &str = "refuses inserts at max (E2BIG)";
/// The flags of each push decide (`queue_stack_map_push_elem` in the kernel).
const PUSHES: &str = "refuses pushes at max (E2BIG), or drops the oldest for them (BPF_EXIST)";

const fn uncounted(name: &'static str, short: &'static str) -> MapTypeInfo {
    MapTypeInfo {
        name,
        short,
        kind: Kind::Uncounted,
        unit: Unit::Entries,
        full_behavior: "no limit to fill",
        when_full: INSERTS_REFUSED,
        full_errno: Errno::E2BIG,
        alloc: None,
        uncounted_reason: UncountedReason::NotBuiltIn,
        iteration: Iteration::None,
        probe: ProbeEntry::None,
        is_buffer: false,
        collides: false,
        is_drained: false,
        is_loss_traceable: false,
        is_redirect: false,
        holds_maps: false,
        is_always_mmapable: false,
        is_held_by_kernel: false,
    }
}

const fn bounded(name: &'static str, short: &'static str) -> MapTypeInfo {
    MapTypeInfo {
        kind: Kind::Bounded,
        full_behavior: REFUSES,
        uncounted_reason: UncountedReason::OutOfReach,
        is_loss_traceable: true,
        ..uncounted(name, short)
    }
}

const fn evicting(name: &'static str, short: &'static str) -> MapTypeInfo {
    MapTypeInfo {
        kind: Kind::Evicting,
        full_behavior: "evicts old entries at max",
        uncounted_reason: UncountedReason::OutOfReach,
        is_loss_traceable: true,
        ..uncounted(name, short)
    }
}

const fn stream(name: &'static str, short: &'static str) -> MapTypeInfo {
    MapTypeInfo {
        kind: Kind::Stream,
        unit: Unit::Bytes,
        is_buffer: true,
        is_drained: true,
        is_always_mmapable: true,
        ..uncounted(name, short)
    }
}

const fn slots(name: &'static str, short: &'static str) -> MapTypeInfo {
    MapTypeInfo {
        kind: Kind::Slots,
        unit: Unit::Slots,
        full_behavior: "slots filled by a loader",
        ..uncounted(name, short)
    }
}

const fn fixed(name: &'static str, short: &'static str) -> MapTypeInfo {
    MapTypeInfo {
        kind: Kind::Fixed,
        full_behavior: "always full",
        uncounted_reason: UncountedReason::Preallocated,
        ..uncounted(name, short)
    }
}

/// Makes a constant of [`MapType`] and a row of [`TABLE`] of each line.
macro_rules! map_types {
    ($($constant:ident = $number:literal: $info:expr;)*) => {
        #[expect(missing_docs, reason = "the names are the kernel's")]
        impl MapType {
            $(pub const $constant: Self = Self($number);)*
        }

        /// Indexed by the kernel's number.
        pub(super) const TABLE: [MapTypeInfo; [$($number),*].len()] = [$($info),*];

        const _: () = {
            let numbers = [$($number),*];
            let mut index = 0;
            while index < numbers.len() {
                assert!(numbers[index] == index, "rows stand in the order of their numbers");
                index += 1;
            }
        };
    };
}

use AllocKind::{
    Arena, Array, Bloom, CgroupStorage, CpuQueues, DeviceTable, Devices, Hash, Instructions,
    PerCpuArray, Pointers, Queue, Ring, SocketTable, Stacks, Storage, StructOps, Trie, XdpSockets,
};
use Iteration::{Batch, Keys};

map_types! {
    UNSPEC = 0: uncounted("unspec", "unspec");
    HASH = 1: MapTypeInfo {
        alloc: Some(Hash(PerCpu::No, Eviction::None)),
        iteration: Batch,
        probe: ProbeEntry::Update,
        ..bounded("hash", "hash")
    };
    ARRAY = 2: MapTypeInfo { alloc: Some(Array), ..fixed("array", "array") };
    PROG_ARRAY = 3: MapTypeInfo {
        alloc: Some(Array),
        ..slots("prog_array", "prog_arr")
    };
    PERF_EVENT_ARRAY = 4: MapTypeInfo {
        alloc: Some(Array),
        is_buffer: true,
        ..slots("perf_event_array", "perf_arr")
    };
    PERCPU_HASH = 5: MapTypeInfo {
        alloc: Some(Hash(PerCpu::Yes, Eviction::None)),
        iteration: Batch,
        probe: ProbeEntry::PercpuUpdate,
        ..bounded("percpu_hash", "pcpu_hash")
    };
    PERCPU_ARRAY = 6: MapTypeInfo {
        alloc: Some(PerCpuArray),
        ..fixed("percpu_array", "pcpu_arr")
    };
    STACK_TRACE = 7: MapTypeInfo {
        alloc: Some(Stacks),
        iteration: Keys,
        full_behavior: "stacks collide before max (EEXIST)",
        full_errno: Errno::EEXIST,
        collides: true,
        ..bounded("stack_trace", "stk_trace")
    };
    CGROUP_ARRAY = 8: MapTypeInfo {
        alloc: Some(Array),
        ..slots("cgroup_array", "cgrp_arr")
    };
    LRU_HASH = 9: MapTypeInfo {
        alloc: Some(Hash(PerCpu::No, Eviction::Lru)),
        iteration: Batch,
        probe: ProbeEntry::Update,
        ..evicting("lru_hash", "lru_hash")
    };
    LRU_PERCPU_HASH = 10: MapTypeInfo {
        alloc: Some(Hash(PerCpu::Yes, Eviction::Lru)),
        iteration: Batch,
        probe: ProbeEntry::PercpuUpdate,
        ..evicting("lru_percpu_hash", "lru_pcpu")
    };
    LPM_TRIE = 11: MapTypeInfo {
        alloc: Some(Trie),
        iteration: Keys,
        probe: ProbeEntry::TrieUpdate,
        full_behavior: "refuses inserts at max (ENOSPC)",
        full_errno: Errno::ENOSPC,
        ..bounded("lpm_trie", "lpm_trie")
    };
    ARRAY_OF_MAPS = 12: MapTypeInfo {
        alloc: Some(Array),
        holds_maps: true,
        ..slots("array_of_maps", "arr_maps")
    };
    HASH_OF_MAPS = 13: MapTypeInfo {
        alloc: Some(Hash(PerCpu::No, Eviction::None)),
        iteration: Batch,
        holds_maps: true,
        ..bounded("hash_of_maps", "hash_maps")
    };
    DEVMAP = 14: MapTypeInfo {
        alloc: Some(Devices),
        is_redirect: true,
        is_loss_traceable: true,
        probe: ProbeEntry::Device,
        ..slots("devmap", "devmap")
    };
    SOCKMAP = 15: MapTypeInfo { alloc: Some(Pointers), ..slots("sockmap", "sockmap") };
    CPUMAP = 16: MapTypeInfo {
        alloc: Some(CpuQueues),
        is_redirect: true,
        is_loss_traceable: true,
        ..slots("cpumap", "cpumap")
    };
    XSKMAP = 17: MapTypeInfo {
        alloc: Some(XdpSockets),
        is_redirect: true,
        is_loss_traceable: true,
        ..slots("xskmap", "xskmap")
    };
    SOCKHASH = 18: MapTypeInfo {
        alloc: Some(SocketTable),
        iteration: Keys,
        ..bounded("sockhash", "sockhash")
    };
    CGROUP_STORAGE = 19: MapTypeInfo {
        alloc: Some(CgroupStorage(PerCpu::No)),
        ..uncounted("cgroup_storage", "cg_stg")
    };
    REUSEPORT_SOCKARRAY = 20: MapTypeInfo {
        alloc: Some(Pointers),
        ..slots("reuseport_sockarray", "reuseport")
    };
    PERCPU_CGROUP_STORAGE = 21: MapTypeInfo {
        alloc: Some(CgroupStorage(PerCpu::Yes)),
        ..uncounted("percpu_cgroup_storage", "pcg_stg")
    };
    QUEUE = 22: MapTypeInfo {
        alloc: Some(Queue),
        probe: ProbeEntry::Push,
        is_drained: true,
        full_behavior: PUSHES,
        when_full: PUSHES_REFUSED,
        ..bounded("queue", "queue")
    };
    STACK = 23: MapTypeInfo {
        alloc: Some(Queue),
        probe: ProbeEntry::Push,
        is_drained: true,
        full_behavior: PUSHES,
        when_full: PUSHES_REFUSED,
        ..bounded("stack", "stack")
    };
    SK_STORAGE = 24: MapTypeInfo {
        alloc: Some(Storage),
        is_loss_traceable: true,
        ..uncounted("sk_storage", "sk_stg")
    };
    DEVMAP_HASH = 25: MapTypeInfo {
        alloc: Some(DeviceTable),
        iteration: Keys,
        is_redirect: true,
        probe: ProbeEntry::Device,
        ..bounded("devmap_hash", "devmap_h")
    };
    STRUCT_OPS = 26: MapTypeInfo {
        alloc: Some(StructOps),
        is_held_by_kernel: true,
        ..fixed("struct_ops", "struct_ops")
    };
    RINGBUF = 27: MapTypeInfo {
        alloc: Some(Ring),
        full_behavior: "drops records when full",
        is_loss_traceable: true,
        ..stream("ringbuf", "ringbuf")
    };
    INODE_STORAGE = 28: MapTypeInfo {
        alloc: Some(Storage),
        is_loss_traceable: true,
        ..uncounted("inode_storage", "inode_stg")
    };
    TASK_STORAGE = 29: MapTypeInfo {
        alloc: Some(Storage),
        is_loss_traceable: true,
        ..uncounted("task_storage", "task_stg")
    };
    BLOOM_FILTER = 30: MapTypeInfo {
        alloc: Some(Bloom),
        full_behavior: "never refuses, but answers less precisely",
        uncounted_reason: UncountedReason::BloomFilter,
        ..uncounted("bloom_filter", "bloom")
    };
    USER_RINGBUF = 31: MapTypeInfo {
        alloc: Some(Ring),
        full_behavior: "refuses records when full",
        ..stream("user_ringbuf", "user_ring")
    };
    CGRP_STORAGE = 32: MapTypeInfo {
        alloc: Some(Storage),
        is_loss_traceable: true,
        ..uncounted("cgrp_storage", "cgrp_stg")
    };
    ARENA = 33: MapTypeInfo {
        alloc: Some(Arena),
        unit: Unit::Pages,
        full_behavior: "refuses pages at max",
        is_loss_traceable: false,
        is_always_mmapable: true,
        uncounted_reason: UncountedReason::ArenaPages,
        ..bounded("arena", "arena")
    };
    INSN_ARRAY = 34: MapTypeInfo {
        alloc: Some(Instructions),
        ..fixed("insn_array", "insn_array")
    };
}
