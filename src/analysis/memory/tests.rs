//! Memory of maps as they were met: fields of real records, and what the kernel said of them.

use proptest::prelude::*;

use super::*;
use crate::test_util::{MapBuilder, map};
use crate::types::count::{Count, CountMethod};
use crate::types::map_flags::MapFlags;
use crate::types::map_type::{AllocKind, MapType};
use crate::types::snapshot::Layout;

/// Two CPUs and Linux 6.18.44, as are the records below.
const CPUS: u32 = 2;

fn facts_from(map: MapBuilder) -> MapFacts {
    crate::test_util::snapshot(0, [map]).maps.remove(0)
}

/// A map of this type with sizes of key and value, maximum and number of entries, and its layout as
/// container, element, buckets, node, data, locks.
fn record(
    name: &str,
    (key, value): (u32, u32),
    max: u32,
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
        .sizes(key, value)
        .used(used, max)
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

#[rustfmt::skip]
fn told_by_the_kernel() -> Vec<(MapBuilder, u64)> {
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

#[test]
fn the_parts_add_up_to_what_the_kernel_told() {
    for (map, bytes) in told_by_the_kernel() {
        let facts = facts_from(map);
        let told = Memory {
            bytes,
            is_exact: true,
        };
        assert_eq!(memory(&facts, CPUS), Some(told), "{}", facts.map_type);
    }
}

#[test]
fn what_the_kernel_leaves_out_is_added_and_not_called_exact() {
    // The kernel told 480, 328, 328 and 0.
    for (name, value, layout, used, bytes) in [
        ("sk_storage", 64, [448, 136, 2, 16, 0, 0], 3, 888),
        ("cgroup_storage", 8, [328, 120, 0, 0, 0, 0], 3, 712),
        ("percpu_cgroup_storage", 8, [328, 104, 0, 0, 0, 0], 3, 688),
        ("arena", 0, [392, 0, 0, 4096, 0, 0], 3, 12_680),
    ] {
        let facts = facts_from(record(name, (4, value), 100, used, layout));
        let known = Memory {
            bytes,
            is_exact: false,
        };
        assert_eq!(memory(&facts, CPUS), Some(known), "{name}");
    }
    // Linux 7.3 counts an arena's pages itself.
    let arena = facts_from(record("arena", (0, 0), 100, 3, [504, 4096, 0, 0, 0, 0]));
    let told = Memory {
        bytes: 12_288,
        is_exact: true,
    };
    assert_eq!(memory(&arena, CPUS), Some(told));
}

#[test]
fn an_array_of_instructions_is_as_linux_7_3_told() {
    for (max, bytes) in [(1, 320), (3, 368), (100, 2696), (1001, 24_320)] {
        let array = facts_from(record("insn_array", (4, 16), max, 0, [296, 24, 0, 0, 0, 0]));
        let told = Memory {
            bytes,
            is_exact: true,
        };
        assert_eq!(memory(&array, CPUS), Some(told));
    }
}

#[test]
fn an_estimated_number_of_entries_makes_an_estimated_sum() {
    let hash = record("hash", (16, 200), 5000, 2000, [832, 264, 8192, 16, 0, 32]);
    let hash = hash
        .flags(MapFlags::NO_PREALLOC.0)
        .counted(CountMethod::Estimate);
    let found = memory(&facts_from(hash), CPUS).map(|memory| memory.is_exact);
    assert_eq!(found, Some(false));
}

#[test]
fn what_depends_on_something_unknown_is_unknown() {
    let tables = told_by_the_kernel();
    let no_prealloc = facts_from(tables[1].0.clone().uncounted());
    assert_eq!(memory(&no_prealloc, CPUS), None);
    for (map, _) in &tables {
        let facts = facts_from(map.clone());
        let is_per_cpu = matches!(
            facts.map_type.alloc_kind(),
            Some(AllocKind::Hash(..) | AllocKind::PerCpuArray)
        );
        assert_eq!(memory(&facts, 0).is_none(), is_per_cpu, "{facts:?}");
        // An old recording, or a structure that this kernel does not describe.
        let bare = facts_from(map.clone().layout(Layout::default()));
        assert_eq!(memory(&bare, CPUS), None);
        assert_eq!(describe(&bare, CPUS), None);
        assert_eq!(bytes_freed_at(&bare, CPUS, 1), None);
    }
    assert_eq!(
        memory(&facts_from(tables[0].0.clone().of_type(99)), CPUS),
        None
    );
}

#[test]
fn a_page_that_is_not_known_is_taken_for_a_usual_one() {
    let array = |node| {
        let array = record("array", (4, 13), 1001, 3, [312, 16, 0, node, 0, 0]);
        memory(&facts_from(array.flags(MapFlags::MMAPABLE.0)), CPUS)
    };
    let sum = |bytes, is_exact| Some(Memory { bytes, is_exact });
    // 312 and 16,016 bytes in pages.
    assert_eq!(array(4096), sum(5 * 4096, true));
    assert_eq!(array(0), sum(5 * 4096, false));
    assert_eq!(array(65_536), sum(2 * 65_536, true));
}

#[test]
fn every_known_type_is_built_in_some_way() {
    for map_type in MapType::all() {
        assert!(map_type.alloc_kind().is_some(), "{map_type}");
    }
}

#[test]
fn a_smaller_map_has_fewer_elements_and_buckets() {
    let maps = told_by_the_kernel();
    let freed = |n: usize, max| bytes_freed_at(&facts_from(maps[n].0.clone()), CPUS, max);
    // 128 bytes an element, 16 a bucket: 1,000 entries have 1,024 buckets.
    let elements = (65_536 - 1000) * 128;
    assert_eq!(freed(0, 1000), Some(elements + (65_536 - 1024) * 16));
    assert_eq!(freed(0, 65_536), Some(0));
    // Per CPU: 64 bytes, two of 64, and a bucket.
    assert_eq!(freed(3, 512), Some(512 * (64 + 128 + 16)));
    assert_eq!(freed(9, 255), Some(8 + 64 * 2));
    // Without elements made beforehand the buckets are still there.
    assert_eq!(freed(2, 4096), Some(4096 * 16));
    // A ring buffer of half the size: its pages, and two pointers to each.
    assert_eq!(freed(25, 32_768), Some(8 * (4096 + 16)));
}

#[test]
fn what_a_smaller_map_frees_is_not_told_where_it_cannot_be() {
    let maps = told_by_the_kernel();
    let freed = |n: usize, max| bytes_freed_at(&facts_from(maps[n].0.clone()), CPUS, max);
    assert_eq!(freed(0, 0), None);
    assert_eq!(freed(0, 65_537), None);
    // A ring buffer is a power of two, in whole pages.
    assert_eq!(freed(25, 32_767), None);
    assert_eq!(freed(25, 2048), None);
    // A trie takes nothing beforehand.
    assert_eq!(freed(14, 1), None);
    // A kernel that chose another number of buckets has another rule.
    let odd = record("hash", (4, 8), 1000, 3, [832, 64, 2048, 16, 64, 32]);
    assert_eq!(bytes_freed_at(&facts_from(odd), CPUS, 100), None);
}

#[test]
fn an_lru_with_a_list_a_cpu_is_rounded_up_to_as_many() {
    let lru = record("lru_hash", (4, 8), 1002, 3, [832, 64, 1024, 16, 0, 32]);
    let lru = facts_from(lru.flags(MapFlags::NO_COMMON_LRU.0));
    assert_eq!(bytes_freed_at(&lru, CPUS, 1001), Some(0));
    assert_eq!(bytes_freed_at(&lru, CPUS, 999), Some(2 * 64));
}

#[test]
fn it_is_said_what_memory_is_taken_for() {
    let maps = told_by_the_kernel();
    let said = |n: usize| describe(&facts_from(maps[n].0.clone()), CPUS).unwrap_or_default();
    assert_eq!(said(0), "preallocated for 65,536 entries");
    assert_eq!(said(1), "table for 4,096 entries, entries as they come");
    assert_eq!(said(3), "per CPU: 64 B x 2 CPUs x 1,024 entries");
    assert_eq!(said(4), "per CPU: 16 B x 2 CPUs for each entry there is");
    assert_eq!(said(10), "preallocated for 64 slots");
    assert_eq!(
        said(14),
        "the kernel's own number leaves out its inner nodes"
    );
    assert_eq!(said(17), "the kernel's own number leaves out its queues");
    assert_eq!(said(25), "preallocated for 65,536 bytes");
    assert_eq!(said(26), "");
    let storage = facts_from(record("sk_storage", (4, 64), 0, 3, [448, 136, 2, 16, 0, 0]));
    assert_eq!(
        describe(&storage, CPUS).as_deref(),
        Some("the kernel's own number leaves out its entries")
    );
    let arena = facts_from(record("arena", (0, 0), 100, 3, [392, 0, 0, 4096, 0, 0]));
    assert_eq!(
        describe(&arena, CPUS).as_deref(),
        Some("the kernel's own number leaves out its pages")
    );
}

/// Small numbers, and such as come from a broken file.
fn any_size() -> impl Strategy<Value = u32> {
    prop_oneof![0..5_u32, any::<u32>(), Just(u32::MAX)]
}

proptest! {
    #[test]
    fn no_record_is_too_wrong(
        sizes in proptest::array::uniform12(any_size()),
        used in proptest::option::of(any::<u64>()),
        smaller in any_size(),
    ) {
        let [t, key, value, max, flags, cpus, layout @ ..] = sizes;
        let facts = record("hash", (key, value), max, 0, layout).of_type(t % 40).flags(flags);
        let facts = MapFacts {
            used,
            count: Count::exact(CountMethod::Field),
            ..facts_from(facts)
        };
        let now = memory(&facts, cpus);
        prop_assert_eq!(describe(&facts, cpus).is_some() && now.is_none(), false);
        if let Some(freed) = bytes_freed_at(&facts, cpus, smaller) {
            prop_assert!(now.is_some_and(|now| freed <= now.bytes));
        }
    }
}
