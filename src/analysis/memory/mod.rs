//! The kernel memory of a map, computed from the sizes in its record.
//!
//! The kernel's own number would take a descriptor and a file in /proc for each map. Where the kernel
//! leaves out a part, it is added here.

pub(crate) mod describe;
pub(crate) mod resize;
#[cfg(test)]
mod tests;
pub(crate) mod usage;

use crate::types::map_flags::MapFlags;
use crate::types::memory::Memory;
use crate::types::snapshot::MapFacts;

pub(crate) use describe::describe;
pub use resize::bytes_freed_at;

/// Memory of a map on a machine with this many possible CPUs; `None` if it is not known.
#[must_use]
pub fn map_memory(facts: &MapFacts, cpus: u32) -> Option<Memory> {
    usage::compute_memory(facts, cpus)
}

/// Whether the elements of a hash are preallocated. For other types the flag means nothing.
fn is_hash_preallocated(facts: &MapFacts) -> bool {
    !facts.has_flag(MapFlags::NO_PREALLOC)
}

/// Bytes of one value on one CPU.
fn per_cpu_value(facts: &MapFacts) -> Option<u64> {
    Some(u64::from(facts.value_size?).next_multiple_of(8))
}
