//! What a map costs: kernel memory, computed from what its record says.
//!
//! Asking the kernel costs a descriptor and a file for each map; the record holds all that its sum
//! is made of. Where the kernel leaves out what a map holds, it is added here.

pub(crate) mod describe;
pub(crate) mod resize;
#[cfg(test)]
mod tests;
pub(crate) mod usage;

use crate::types::map_flags::MapFlags;
use crate::types::map_type::MapType;
use crate::types::memory::Memory;
use crate::types::snapshot::MapFacts;

pub use describe::describe;
pub use resize::bytes_freed_at;

/// What a map takes on a machine with so many possible CPUs; `None` if that cannot be told.
#[must_use]
pub fn memory(facts: &MapFacts, cpus: u32) -> Option<Memory> {
    usage::sum(facts, cpus)
}

/// How a map of a type takes memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AllocKind {
    /// A table of buckets with elements made beforehand, unless its flags say otherwise.
    Hash(PerCpu, Eviction),
    /// An element each, side by side.
    Array,
    /// An element each on every CPU.
    PerCpuArray,
    /// A pointer each, in an array.
    Pointers,
    /// A pointer each, and what each that is set points to.
    Devices,
    /// The same in a table of buckets.
    DeviceTable,
    /// A pointer each, and a note of each that is set in its socket.
    XdpSockets,
    /// A table of buckets with elements made when they come.
    SocketTable,
    /// A pointer to each bucket, and every bucket.
    Stacks,
    /// A node for each entry.
    Trie,
    /// A value each, and one more.
    Queue,
    /// Bits.
    Bloom,
    /// Pages, and pointers to them.
    Ring,
    /// A table that finds the elements of all owners.
    Storage,
    /// A list of one element a cgroup.
    CgroupStorage(PerCpu),
    /// Two values, and code for each function.
    StructOps,
    /// Pages made when they are asked for.
    Arena,
    /// Addresses in a program.
    Instructions,
}

/// Whether each CPU has values of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PerCpu {
    Yes,
    No,
}

/// Whether the elements of a hash are in a list of the least recently used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Eviction {
    Lru,
    No,
}

impl AllocKind {
    /// How this type is built; `None` for one that is not known here.
    fn of(map_type: MapType) -> Option<Self> {
        Some(match map_type.0 {
            // hash, hash_of_maps
            1 | 13 => Self::Hash(PerCpu::No, Eviction::No),
            // percpu_hash
            5 => Self::Hash(PerCpu::Yes, Eviction::No),
            // lru_hash
            9 => Self::Hash(PerCpu::No, Eviction::Lru),
            // lru_percpu_hash
            10 => Self::Hash(PerCpu::Yes, Eviction::Lru),
            // array, prog_array, perf_event_array, cgroup_array, array_of_maps
            2 | 3 | 4 | 8 | 12 => Self::Array,
            // percpu_array
            6 => Self::PerCpuArray,
            // sockmap, cpumap, reuseport_sockarray
            15 | 16 | 20 => Self::Pointers,
            // devmap
            14 => Self::Devices,
            // devmap_hash
            25 => Self::DeviceTable,
            // xskmap
            17 => Self::XdpSockets,
            // sockhash
            18 => Self::SocketTable,
            // stack_trace
            7 => Self::Stacks,
            // lpm_trie
            11 => Self::Trie,
            // queue, stack
            22 | 23 => Self::Queue,
            // bloom_filter
            30 => Self::Bloom,
            // ringbuf, user_ringbuf
            27 | 31 => Self::Ring,
            // sk_storage, inode_storage, task_storage, cgrp_storage
            24 | 28 | 29 | 32 => Self::Storage,
            // cgroup_storage
            19 => Self::CgroupStorage(PerCpu::No),
            // percpu_cgroup_storage
            21 => Self::CgroupStorage(PerCpu::Yes),
            // struct_ops
            26 => Self::StructOps,
            // arena
            33 => Self::Arena,
            // insn_array
            34 => Self::Instructions,
            _ => return None,
        })
    }
}

/// Whether the elements of a hash are made beforehand.
fn is_preallocated(facts: &MapFacts) -> bool {
    !facts.has_flag(MapFlags::NO_PREALLOC)
}

/// Bytes that one value takes on one CPU.
fn per_cpu_value(facts: &MapFacts) -> Option<u64> {
    Some(u64::from(facts.value_size?).next_multiple_of(8))
}
