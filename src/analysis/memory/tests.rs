//! Fields of real records, and the memory that the kernel reported for the same maps.

use proptest::prelude::*;

use super::*;
use crate::test_util::{MapBuilder, map};
use crate::types::count::{Count, CountMethod};
use crate::types::map_flags::MapFlags;
use crate::types::map_type::{AllocKind, MapType};
use crate::types::snapshot::Layout;

/// The records below are from Linux 6.18.44 with two CPUs.
const CPUS: u32 = 2;

fn facts_from(map: MapBuilder) -> MapFacts {
    crate::test_util::snapshot(0, [map]).maps.remove(0)
}

/// A map of this type. `layout` has the fields of [`Layout`] in their order, without `map_extra`.
fn record(
    name: &str,
    (key_size, value_size): (u32, u32),
    max_entries: u32,
    used: u64,
    layout: [u32; 6],
) -> MapBuilder {
    let [
        container_size,
        elem_size,
        bucket_count,
        node_size,
        data_size,
        lock_size,
    ] = layout;
    map("a_map")
        .named_type(name)
        .sizes(key_size, value_size)
        .used(used, max_entries)
        .layout(Layout {
            container_size,
            elem_size,
            bucket_count,
            node_size,
            data_size,
            lock_size,
            map_extra: 0,
        })
}

/// Maps, and the bytes that the kernel reported for each.
#[rustfmt::skip]
fn kernel_reported_sizes() -> Vec<(MapBuilder, u64)> {
    vec![
        (record("hash", (16, 64), 65_536, 3, [832, 128, 65_536, 16, 128, 32]), 9_438_352),
        (record("hash", (16, 64), 4096, 3, [832, 128, 4096, 16, 0, 32]).flags(MapFlags::NO_PREALLOC.0), 66_840),
        (record("hash", (16, 200), 5000, 2000, [832, 264, 8192, 16, 0, 32]).flags(MapFlags::NO_PREALLOC.0), 675_968),
        (record("percpu_hash", (4, 64), 1024, 3, [832, 64, 1024, 16, 0, 32]), 213_888),
        (record("percpu_hash", (5, 13), 1023, 501, [832, 64, 1024, 16, 0, 32]).flags(MapFlags::NO_PREALLOC.0), 77_400),
        (record("lru_hash", (16, 64), 4096, 3, [832, 128, 4096, 16, 0, 32]), 590_720),
        (record("lru_percpu_hash", (4, 8), 8192, 3, [832, 64, 8192, 16, 0, 32]), 787_328),
        (record("hash_of_maps", (4, 4), 32, 3, [832, 64, 32, 16, 0, 32]), 3472),
        (record("array", (4, 8), 16, 3, [312, 8, 0, 0, 0, 0]), 440),
        (record("percpu_array", (4, 64), 256, 3, [312, 64, 0, 0, 0, 0]), 35_128),
        (record("prog_array", (4, 4), 64, 3, [312, 8, 0, 0, 0, 0]), 824),
        (record("perf_event_array", (4, 4), 8, 2, [312, 8, 0, 0, 0, 0]), 376),
        (record("cgroup_array", (4, 4), 16, 3, [312, 8, 0, 0, 0, 0]), 440),
        (record("array_of_maps", (4, 4), 32, 3, [312, 8, 0, 0, 0, 0]), 568),
        (record("lpm_trie", (8, 4), 65_536, 3, [400, 0, 0, 24, 4, 0]).flags(MapFlags::NO_PREALLOC.0), 96),
        (record("devmap", (4, 4), 32, 3, [344, 0, 0, 64, 0, 0]), 792),
        (record("devmap_hash", (4, 4), 256, 3, [344, 0, 256, 64, 0, 0]), 2584),
        (record("cpumap", (4, 4), 2, 1, [304, 0, 0, 0, 0, 0]), 320),
        (record("xskmap", (4, 4), 8, 3, [304, 0, 0, 32, 0, 0]), 464),
        (record("sockmap", (4, 8), 128, 3, [376, 0, 0, 0, 0, 0]), 1400),
        (record("sockhash", (4, 8), 128, 3, [384, 56, 128, 16, 0, 0]), 2600),
        (record("reuseport_sockarray", (4, 8), 16, 3, [296, 0, 0, 0, 0, 0]), 424),
        (record("queue", (0, 8), 100, 3, [312, 0, 0, 0, 0, 0]), 1120),
        (record("stack", (0, 8), 100, 3, [312, 0, 0, 0, 0, 0]), 1120),
        (record("bloom_filter", (0, 4), 1000, 3, [312, 0, 1024, 0, 0, 0]), 1336),
        (record("user_ringbuf", (0, 0), 65_536, 96, [304, 0, 19, 0, 0, 0]), 78_408),
        (record("struct_ops", (4, 256), 1, 0, [448, 16, 13, 4096, 0, 0]), 5264),
    ]
}

/// The first of [`kernel_reported_sizes`] with this type.
fn facts_by_type(name: &str) -> MapFacts {
    find_facts(|facts| facts.map_type.name() == Some(name))
}

/// The first with this type and `BPF_F_NO_PREALLOC`.
fn not_preallocated(name: &str) -> MapFacts {
    find_facts(|facts| facts.map_type.name() == Some(name) && !is_hash_preallocated(facts))
}

fn find_facts(is_wanted: impl Fn(&MapFacts) -> bool) -> MapFacts {
    let mut maps = kernel_reported_sizes().into_iter();
    let facts = maps.find_map(|(map, _)| Some(facts_from(map)).filter(&is_wanted));
    facts.expect("a map of this type")
}

fn exact(bytes: u64) -> Memory {
    Memory {
        bytes,
        is_exact: true,
    }
}

fn estimated(bytes: u64) -> Memory {
    Memory {
        bytes,
        is_exact: false,
    }
}

#[test]
fn memory_equals_the_kernel_reported_size() {
    for (map, bytes) in kernel_reported_sizes() {
        let facts = facts_from(map);
        assert_eq!(
            map_memory(&facts, CPUS),
            Some(exact(bytes)),
            "{}",
            facts.map_type
        );
    }
}

#[test]
fn parts_that_the_kernel_leaves_out_are_added_and_make_the_sum_inexact() {
    // The kernel reported 480, 328, 328 and 0.
    for (name, value, layout, used, bytes) in [
        ("sk_storage", 64, [448, 136, 2, 16, 0, 0], 3, 888),
        ("cgroup_storage", 8, [328, 120, 0, 0, 0, 0], 3, 712),
        ("percpu_cgroup_storage", 8, [328, 104, 0, 0, 0, 0], 3, 688),
        ("arena", 0, [392, 0, 0, 4096, 0, 0], 3, 12_680),
    ] {
        let facts = facts_from(record(name, (4, value), 100, used, layout));
        assert_eq!(map_memory(&facts, CPUS), Some(estimated(bytes)), "{name}");
    }
    // Linux 7.3 includes the pages of an arena.
    let arena = facts_from(record("arena", (0, 0), 100, 3, [504, 4096, 0, 0, 0, 0]));
    assert_eq!(map_memory(&arena, CPUS), Some(exact(12_288)));
}

#[test]
fn insn_array_memory_equals_the_size_that_linux_7_3_reported() {
    for (max, bytes) in [(1, 320), (3, 368), (100, 2696), (1001, 24_320)] {
        let array = facts_from(record("insn_array", (4, 16), max, 0, [296, 24, 0, 0, 0, 0]));
        assert_eq!(map_memory(&array, CPUS), Some(exact(bytes)));
    }
}

#[test]
fn an_estimated_number_of_entries_makes_the_memory_an_estimate() {
    let mut hash = not_preallocated("hash");
    hash.count = Count::exact(CountMethod::Estimate);
    let is_exact = map_memory(&hash, CPUS).map(|memory| memory.is_exact);
    assert_eq!(is_exact, Some(false));
}

#[test]
fn memory_is_unknown_where_a_part_is_unknown() {
    let uncounted = MapFacts {
        used: None,
        ..not_preallocated("hash")
    };
    assert_eq!(map_memory(&uncounted, CPUS), None);
    let unknown_type = MapFacts {
        map_type: MapType(99),
        ..facts_by_type("hash")
    };
    assert_eq!(map_memory(&unknown_type, CPUS), None);
    for (map, _) in kernel_reported_sizes() {
        let facts = facts_from(map.clone());
        let is_per_cpu = matches!(
            facts.map_type.alloc_kind(),
            Some(AllocKind::Hash(..) | AllocKind::PerCpuArray)
        );
        assert_eq!(map_memory(&facts, 0).is_none(), is_per_cpu, "{facts:?}");
        // An old recording, or a structure that is not in this kernel's BTF.
        let without_layout = facts_from(map.layout(Layout::default()));
        assert_eq!(map_memory(&without_layout, CPUS), None);
        assert_eq!(describe(&without_layout, CPUS), None);
        assert_eq!(bytes_freed_at(&without_layout, CPUS, 1), None);
    }
}

#[test]
fn an_unknown_page_size_is_assumed_to_be_4_kib() {
    let array_memory = |page_size| {
        let array = record("array", (4, 13), 1001, 3, [312, 16, 0, page_size, 0, 0]);
        map_memory(&facts_from(array.flags(MapFlags::MMAPABLE.0)), CPUS)
    };
    // 312 and 16,016 bytes in pages.
    assert_eq!(array_memory(4096), Some(exact(5 * 4096)));
    assert_eq!(array_memory(0), Some(estimated(5 * 4096)));
    assert_eq!(array_memory(65_536), Some(exact(2 * 65_536)));
}

#[test]
fn every_type_has_an_alloc_kind() {
    for map_type in MapType::all() {
        assert!(map_type.alloc_kind().is_some(), "{map_type}");
    }
}

#[test]
fn a_smaller_map_has_fewer_elements_and_buckets() {
    let freed = |facts: &MapFacts, max| bytes_freed_at(facts, CPUS, max);
    // 128 bytes an element, 16 a bucket: 1,000 entries have 1,024 buckets.
    let hash = facts_by_type("hash");
    let elements = (65_536 - 1000) * 128;
    assert_eq!(freed(&hash, 1000), Some(elements + (65_536 - 1024) * 16));
    assert_eq!(freed(&hash, 65_536), Some(0));
    // An element of 64 bytes, 64 bytes on each of two CPUs, and a bucket.
    let percpu_hash = facts_by_type("percpu_hash");
    assert_eq!(freed(&percpu_hash, 512), Some(512 * (64 + 128 + 16)));
    let percpu_array = facts_by_type("percpu_array");
    assert_eq!(freed(&percpu_array, 255), Some(8 + 64 * 2));
    // Buckets are allocated even if elements are not.
    assert_eq!(freed(&not_preallocated("hash"), 2048), Some(2048 * 16));
    // Its pages, and two pointers to each.
    let ring = facts_by_type("user_ringbuf");
    assert_eq!(freed(&ring, 32_768), Some(8 * (4096 + 16)));
}

#[test]
fn unknown_savings_are_none() {
    let freed = |facts: &MapFacts, max| bytes_freed_at(facts, CPUS, max);
    let hash = facts_by_type("hash");
    assert_eq!(freed(&hash, 0), None);
    assert_eq!(freed(&hash, 65_537), None);
    // The size of a ring buffer is a power of two, in whole pages.
    let ring = facts_by_type("user_ringbuf");
    assert_eq!(freed(&ring, 32_767), None);
    assert_eq!(freed(&ring, 2048), None);
    // A trie allocates each node when it is inserted.
    assert_eq!(freed(&facts_by_type("lpm_trie"), 1), None);
    // A kernel that chose another number of buckets has another rule.
    let odd = facts_from(record("hash", (4, 8), 1000, 3, [832, 64, 2048, 16, 64, 32]));
    assert_eq!(freed(&odd, 100), None);
}

#[test]
fn per_cpu_lru_size_is_rounded_to_the_cpu_count() {
    let lru = record("lru_hash", (4, 8), 1002, 3, [832, 64, 1024, 16, 0, 32]);
    let lru = facts_from(lru.flags(MapFlags::NO_COMMON_LRU.0));
    assert_eq!(bytes_freed_at(&lru, CPUS, 1001), Some(0));
    assert_eq!(bytes_freed_at(&lru, CPUS, 999), Some(2 * 64));
}

#[test]
fn memory_descriptions_name_what_is_allocated() {
    let storage = facts_from(record("sk_storage", (4, 64), 0, 3, [448, 136, 2, 16, 0, 0]));
    let arena = facts_from(record("arena", (0, 0), 100, 3, [392, 0, 0, 4096, 0, 0]));
    for (facts, expected) in [
        (facts_by_type("hash"), "preallocated for 65,536 entries"),
        (
            not_preallocated("hash"),
            "table for 4,096 entries, entries as they come",
        ),
        (
            facts_by_type("percpu_hash"),
            "per CPU: 64 B x 2 CPUs x 1,024 entries",
        ),
        (
            not_preallocated("percpu_hash"),
            "per CPU: 16 B x 2 CPUs for each entry there is",
        ),
        (facts_by_type("prog_array"), "preallocated for 64 slots"),
        (
            facts_by_type("lpm_trie"),
            "the kernel's own number leaves out its inner nodes",
        ),
        (
            facts_by_type("cpumap"),
            "the kernel's own number leaves out its queues",
        ),
        (
            facts_by_type("user_ringbuf"),
            "preallocated for 65,536 bytes",
        ),
        (storage, "the kernel's own number leaves out its entries"),
        (arena, "the kernel's own number leaves out its pages"),
    ] {
        let description = describe(&facts, CPUS);
        assert_eq!(description.as_deref(), Some(expected), "{}", facts.map_type);
    }
    assert_eq!(describe(&facts_by_type("struct_ops"), CPUS), None);
}

/// Small numbers, and values that only a broken file has.
fn any_size() -> impl Strategy<Value = u32> {
    prop_oneof![0..5_u32, any::<u32>(), Just(u32::MAX)]
}

proptest! {
    #[test]
    fn any_record_is_handled(
        sizes in proptest::array::uniform12(any_size()),
        used in proptest::option::of(any::<u64>()),
        smaller in any_size(),
    ) {
        let [type_number, key_size, value_size, max_entries, flags, cpus, layout @ ..] = sizes;
        let facts = record("hash", (key_size, value_size), max_entries, 0, layout)
            .of_type(type_number % 40)
            .flags(flags);
        let facts = MapFacts {
            used,
            count: Count::exact(CountMethod::Field),
            ..facts_from(facts)
        };
        let now = map_memory(&facts, cpus);
        prop_assert!(describe(&facts, cpus).is_none() || now.is_some());
        if let Some(freed) = bytes_freed_at(&facts, cpus, smaller) {
            prop_assert!(now.is_some_and(|now| freed <= now.bytes));
        }
    }
}
