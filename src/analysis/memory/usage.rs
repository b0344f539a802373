//! The memory of a map by how its type is allocated, as the kernel sums it up (`map_mem_usage`, Linux
//! 6.4 and later).

use super::{is_hash_preallocated, per_cpu_value};
use crate::types::count::CountMethod;
use crate::types::map_flags::MapFlags;
use crate::types::map_type::{AllocKind, Eviction, PerCpu};
use crate::types::memory::Memory;
use crate::types::snapshot::MapFacts;

/// The size of a pointer, of a link in a list, and of an address in a program.
const POINTER: u64 = 8;
/// A bucket of a stack trace map before its addresses: a link, a hash and a length
/// (`struct stack_map_bucket`).
const STACK_BUCKET: u64 = 16;
/// Pages of a ring buffer before its data: its structure, and one for each of two positions.
pub(super) const RING_META_PAGES: u64 = 3;
/// The page size of x86, where the record has none.
const DEFAULT_PAGE_SIZE: u64 = 4096;

/// A part of a map: its size in bytes, and how often it occurs.
type Part = (u64, u64);

/// The sum of all parts; `None` on overflow, with an invalid record.
fn sum_parts(parts: &[Part]) -> Option<u64> {
    parts.iter().try_fold(0_u64, |sum, (bytes, times)| {
        sum.checked_add(bytes.checked_mul(*times)?)
    })
}

/// The memory of a map; `None` if one of its parts is unknown.
pub(super) fn compute_memory(facts: &MapFacts, cpus: u32) -> Option<Memory> {
    let sizes = Sizes::new(facts)?;
    let exact = |parts: &[Part]| new_memory(sum_parts(parts)?, true);
    // As exact as the number of entries is.
    let counted = |parts: &[Part]| new_memory(sum_parts(parts)?, is_count_exact(facts));
    // Includes a part that the kernel leaves out.
    let with_unreported_part = |parts: &[Part]| new_memory(sum_parts(parts)?, false);
    let Sizes {
        container,
        elem,
        buckets,
        node,
        data,
        max,
        value,
        ..
    } = sizes;
    let base = (container, 1);

    match facts.map_type.alloc_kind()? {
        AllocKind::Hash(per_cpu, eviction) => {
            compute_hash_memory(facts, cpus, &sizes, per_cpu, eviction)
        }
        AllocKind::Array if facts.has_flag(MapFlags::MMAPABLE) => {
            let page = sizes.page_size();
            let data = sum_parts(&[(elem, max)])?;
            let pages = container.div_ceil(page) + data.div_ceil(page);
            new_memory(sum_parts(&[(page, pages)])?, node > 0)
        }
        AllocKind::Array | AllocKind::Instructions => exact(&[base, (elem, max)]),
        AllocKind::PerCpuArray => exact(&[
            base,
            (POINTER, max),
            (elem.checked_mul(nonzero_cpus(cpus)?)?, max),
        ]),
        AllocKind::Pointers | AllocKind::CpuQueues => exact(&[base, (POINTER, max)]),
        AllocKind::Devices => counted(&[base, (POINTER, max), (node, facts.used?)]),
        AllocKind::DeviceTable => counted(&[base, (POINTER, buckets), (node, facts.used?)]),
        AllocKind::XdpSockets => {
            let used = facts.used?;
            let bytes = sum_parts(&[base, (POINTER, max), (node, used)])?;
            new_memory(bytes, is_count_exact(facts) && (node > 0 || used == 0))
        }
        AllocKind::SocketTable => counted(&[base, (node, buckets), (elem, facts.used?)]),
        AllocKind::Stacks => exact(&[base, (POINTER, buckets), (STACK_BUCKET + value, max)]),
        // The kernel counts neither the structure nor the nodes in between.
        AllocKind::Trie => counted(&[(node + data + value, facts.used?)]),
        AllocKind::Queue => exact(&[base, (value, max + 1)]),
        AllocKind::Bloom => exact(&[base, (buckets.next_multiple_of(POINTER), 1)]),
        AllocKind::Ring => {
            let (data_pages, page) = ring_page_layout(facts)?;
            // Data is mapped twice, one behind the other, so that records can pass the end.
            let pointers = RING_META_PAGES + 2 * data_pages;
            exact(&[base, (page, sizes.page_count()), (POINTER, pointers)])
        }
        AllocKind::Storage => with_unreported_part(&[base, (node, buckets), (elem, facts.used?)]),
        AllocKind::CgroupStorage(per_cpu) => {
            let data = match per_cpu {
                PerCpu::No => value,
                PerCpu::Yes => per_cpu_value(facts)?.checked_mul(nonzero_cpus(cpus)?)?,
            };
            with_unreported_part(&[base, (elem.checked_add(data)?, facts.used?)])
        }
        // Its value is kept twice: as given, and as the kernel uses it. One page is for its code.
        AllocKind::StructOps => exact(&[base, (value, 2), (elem, buckets), (node, 1)]),
        // Some kernels count the pages and nothing else, the others nothing.
        AllocKind::Arena if elem > 0 => counted(&[(elem, facts.used?)]),
        AllocKind::Arena => with_unreported_part(&[base, (sizes.page_size(), facts.used?)]),
    }
}

fn compute_hash_memory(
    facts: &MapFacts,
    cpus: u32,
    sizes: &Sizes,
    per_cpu: PerCpu,
    eviction: Eviction,
) -> Option<Memory> {
    let cpus = nonzero_cpus(cpus)?;
    let table = [
        (sizes.container, 1),
        (sizes.node, sizes.buckets),
        (sizes.locks, cpus),
    ];
    let table = sum_parts(&table)?;
    let values = match per_cpu {
        PerCpu::Yes => per_cpu_value(facts)?.checked_mul(cpus)?,
        PerCpu::No => 0,
    };
    if is_hash_preallocated(facts) {
        // An element to spare on each CPU, since replacing one takes two, and a place for it. Newer
        // kernels replace inner maps in place, and still count the place for the spare element.
        let spare = if (per_cpu, eviction) == (PerCpu::No, Eviction::None) {
            sum_parts(&[(sizes.data, cpus), (POINTER, cpus)])?
        } else {
            0
        };
        let element = sizes.elem.checked_add(values)?;
        return new_memory(
            sum_parts(&[(table, 1), (spare, 1), (element, sizes.max)])?,
            true,
        );
    }
    // The allocator keeps a link with each object: the element, and its values by CPU, which have a
    // pointer to them, too.
    let links = match per_cpu {
        PerCpu::Yes => 3 * POINTER,
        PerCpu::No => POINTER,
    };
    let element = sizes.elem.checked_add(links)?.checked_add(values)?;
    new_memory(
        sum_parts(&[(table, 1), (element, facts.used?)])?,
        is_count_exact(facts),
    )
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the last step of what can fail before"
)]
fn new_memory(bytes: u64, is_exact: bool) -> Option<Memory> {
    Some(Memory { bytes, is_exact })
}

/// The sizes in a record, as numbers that can be multiplied.
struct Sizes {
    container: u64,
    elem: u64,
    buckets: u64,
    node: u64,
    data: u64,
    locks: u64,
    max: u64,
    value: u64,
}

impl Sizes {
    /// `None` if the size of the map's structure is unknown: then the others are unknown, too.
    fn new(facts: &MapFacts) -> Option<Self> {
        let layout = facts.layout()?;
        let value = facts.value_size?;
        (layout.container_size > 0).then_some(Self {
            container: layout.container_size.into(),
            elem: layout.elem_size.into(),
            buckets: layout.bucket_count.into(),
            node: layout.node_size.into(),
            data: layout.data_size.into(),
            locks: layout.lock_size.into(),
            max: facts.max_entries.into(),
            value: value.into(),
        })
    }

    /// Ring buffers have the number of their pages where others have the number of buckets.
    fn page_count(&self) -> u64 {
        self.buckets
    }

    /// Arrays for `mmap` and arenas have the page size where others have the size of a node.
    fn page_size(&self) -> u64 {
        if self.node > 0 {
            self.node
        } else {
            DEFAULT_PAGE_SIZE
        }
    }
}

/// The number of CPUs, unless it is unknown (0, in a recording without it).
fn nonzero_cpus(cpus: u32) -> Option<u64> {
    (cpus > 0).then_some(cpus.into())
}

/// Whether the number of entries is neither estimated nor incomplete.
fn is_count_exact(facts: &MapFacts) -> bool {
    facts.count.note.is_none()
        && !matches!(
            facts.count.method,
            CountMethod::Estimate | CountMethod::None
        )
}

/// The number of data pages of a ring buffer, and the size of a page in bytes.
pub(super) fn ring_page_layout(facts: &MapFacts) -> Option<(u64, u64)> {
    let data = u64::from(facts.layout()?.bucket_count).checked_sub(RING_META_PAGES)?;
    let size = u64::from(facts.max_entries);
    (data > 0 && size.is_multiple_of(data)).then(|| (data, size / data))
}
