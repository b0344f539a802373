//! Memory saved by a smaller `max_entries`.

use super::map_memory;
use super::usage::{RING_META_PAGES, ring_page_layout};
use crate::types::map_flags::MapFlags;
use crate::types::map_type::AllocKind;
use crate::types::snapshot::{Layout, MapFacts};

/// Bytes that a smaller `max_entries` would free, with the same entries in the map. `None` if that is
/// unknown, if the new maximum is larger or 0, and for types whose memory does not depend on it.
///
/// Sizes are rounded up as the kernel does it. The rule is first applied to the current maximum: if the
/// result differs from the map's layout, this kernel has another rule.
#[must_use]
pub fn bytes_freed_at(facts: &MapFacts, cpus: u32, max_entries: u32) -> Option<u64> {
    let now = map_memory(facts, cpus)?;
    let same = resized(facts, cpus, facts.max_entries)?;
    if same.max_entries != facts.max_entries || same.layout() != facts.layout() {
        return None;
    }
    let smaller = resized(facts, cpus, max_entries)?;
    now.bytes
        .checked_sub(map_memory(&smaller, cpus)?.bytes)
        .filter(|_| max_entries <= facts.max_entries)
}

/// The facts of the same map with another `max_entries`.
fn resized(original: &MapFacts, cpus: u32, max_entries: u32) -> Option<MapFacts> {
    if max_entries == 0 {
        return None;
    }
    let mut facts = MapFacts {
        max_entries,
        ..original.clone()
    };
    let mut layout = *original.layout()?;
    match facts.map_type.alloc_kind()? {
        AllocKind::Hash(..) => {
            if facts.has_flag(MapFlags::NO_COMMON_LRU) {
                // Each CPU has a list of its own, all of the same length.
                facts.max_entries = max_entries.checked_next_multiple_of(cpus)?;
            }
            layout.bucket_count = facts.max_entries.checked_next_power_of_two()?;
        }
        AllocKind::DeviceTable | AllocKind::SocketTable | AllocKind::Stacks => {
            layout.bucket_count = max_entries.checked_next_power_of_two()?;
        }
        AllocKind::Bloom => layout.bucket_count = bloom_bytes(layout, max_entries)?,
        AllocKind::Ring => layout.bucket_count = ring_pages_for(original, max_entries)?,
        AllocKind::Array
        | AllocKind::PerCpuArray
        | AllocKind::Pointers
        | AllocKind::CpuQueues
        | AllocKind::Devices
        | AllocKind::XdpSockets
        | AllocKind::Queue => (),
        // Their memory depends on their entries or their purpose, not on `max_entries`.
        AllocKind::Trie
        | AllocKind::Storage
        | AllocKind::CgroupStorage(_)
        | AllocKind::StructOps
        | AllocKind::Arena
        | AllocKind::Instructions => return None,
    }
    facts.kernel_mut()?.layout = layout;
    Some(facts)
}

/// Bytes of a bloom filter: 7/5 bits (about 1/ln 2) for each entry and hash function, from 64 to 2^32
/// bits, rounded up to a power of two (`bloom_map_alloc`).
fn bloom_bytes(layout: Layout, max_entries: u32) -> Option<u32> {
    /// Hash functions of a filter without a `map_extra`.
    const USUAL_FUNCTIONS: u64 = 5;
    let functions = match layout.map_extra & 0xf {
        0 => USUAL_FUNCTIONS,
        functions => functions,
    };
    let bits = u64::from(max_entries) * functions / 5 * 7;
    let bits = bits.clamp(64, 1 << 32).next_power_of_two();
    u32::try_from(bits / 8).ok()
}

/// Pages of a ring buffer of this size in bytes; `None` unless it is a power of two and a multiple of the
/// page size, as the kernel requires.
fn ring_pages_for(facts: &MapFacts, max_entries: u32) -> Option<u32> {
    let (_, page_size) = ring_page_layout(facts)?;
    let size = u64::from(max_entries);
    if !max_entries.is_power_of_two() || !size.is_multiple_of(page_size) {
        return None;
    }
    u32::try_from(size / page_size + RING_META_PAGES).ok()
}
