//! Memory saved by a smaller `max_entries`.

use super::memory;
use super::usage::{RING_META_PAGES, ring_pages};
use crate::types::map_flags::MapFlags;
use crate::types::map_type::AllocKind;
use crate::types::snapshot::MapFacts;

/// Bytes that were freed if a map were made for at most so many entries, with what is in it now
/// where that counts; 0 for as many as it has. `None` if that cannot be told, if it had more or
/// none, and for types that take no memory beforehand.
///
/// Rooms that the kernel rounds up are computed as it does that. The rule is first tried on the map
/// as it is; if it does not give what is there, this kernel has another.
#[must_use]
pub fn bytes_freed_at(facts: &MapFacts, cpus: u32, max_entries: u32) -> Option<u64> {
    let now = memory(facts, cpus)?;
    let same = resized(facts, cpus, facts.max_entries)?;
    if same.max_entries != facts.max_entries || same.layout != facts.layout {
        return None;
    }
    let smaller = resized(facts, cpus, max_entries)?;
    now.bytes
        .checked_sub(memory(&smaller, cpus)?.bytes)
        .filter(|_| max_entries <= facts.max_entries)
}

/// The facts of the same map for so many entries.
fn resized(original: &MapFacts, cpus: u32, max_entries: u32) -> Option<MapFacts> {
    if max_entries == 0 {
        return None;
    }
    let mut facts = MapFacts {
        max_entries,
        ..original.clone()
    };
    match facts.map_type.alloc_kind()? {
        AllocKind::Hash(..) => {
            if facts.has_flag(MapFlags::NO_COMMON_LRU) {
                // Each CPU has a list of its own, all of the same length.
                facts.max_entries = max_entries.checked_next_multiple_of(cpus)?;
            }
            facts.layout.bucket_count = facts.max_entries.checked_next_power_of_two()?;
        }
        AllocKind::DeviceTable | AllocKind::SocketTable | AllocKind::Stacks => {
            facts.layout.bucket_count = max_entries.checked_next_power_of_two()?;
        }
        AllocKind::Bloom => facts.layout.bucket_count = bloom_bytes(&facts)?,
        AllocKind::Ring => facts.layout.bucket_count = ring_pages_for(original, max_entries)?,
        AllocKind::Array
        | AllocKind::PerCpuArray
        | AllocKind::Pointers
        | AllocKind::CpuQueues
        | AllocKind::Devices
        | AllocKind::XdpSockets
        | AllocKind::Queue => (),
        // What they take follows from what is in them, or from what they are for.
        AllocKind::Trie
        | AllocKind::Storage
        | AllocKind::CgroupStorage(_)
        | AllocKind::StructOps
        | AllocKind::Arena
        | AllocKind::Instructions => return None,
    }
    Some(facts)
}

/// Bytes of a bloom filter's bits: for each entry and hash function 7/5, which is about 1/ln 2, then
/// up to a power of two, from 64 to 2^32 (`bloom_map_alloc`).
fn bloom_bytes(facts: &MapFacts) -> Option<u32> {
    /// Functions of a filter that did not ask for a number.
    const USUAL_FUNCTIONS: u64 = 5;
    let functions = match facts.layout.map_extra & 0xf {
        0 => USUAL_FUNCTIONS,
        functions => functions,
    };
    let bits = u64::from(facts.max_entries) * functions / 5 * 7;
    let bits = bits.clamp(64, 1 << 32).next_power_of_two();
    u32::try_from(bits / 8).ok()
}

/// Pages of a ring buffer made for so many bytes instead, if the kernel would make one: a power of
/// two, in whole pages.
fn ring_pages_for(facts: &MapFacts, max_entries: u32) -> Option<u32> {
    let (_, page) = ring_pages(facts)?;
    let size = u64::from(max_entries);
    if !max_entries.is_power_of_two() || !size.is_multiple_of(page) {
        return None;
    }
    u32::try_from(size / page + RING_META_PAGES).ok()
}
