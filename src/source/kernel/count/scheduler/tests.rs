//! The plan of scans and their sums, against a simulated kernel side.

use super::*;
use crate::source::kernel::bpf::skel::types::{bpf_map_type, map_layout, table_layout};
use crate::text::count_note::count_note;

fn slots(id: u32, map_type: u32, slots: u32) -> Record {
    Record {
        capacity: slots.into(),
        flags: map_record_flags::REC_F_HAS_CAPACITY,
        id,
        map_type: bpf_map_type(map_type),
        method: count_method::COUNT_SCAN,
        slots,
        ..Record::default()
    }
}

/// Answers like the kernel side, for a map with every slot used.
fn answer(request: &ScanRequest, mut record: Record) -> Record {
    if (request.first_id..=request.last_id).contains(&record.id) {
        let window = match record.method {
            count_method::COUNT_BUCKET_SAMPLE => request.window.0 * scan_limit::BUCKETS_PER_SLOT.0,
            _ => request.window.0,
        };
        let windows = (record.slots - 1) / window + 1;
        record.scan_first = request.round % windows * window;
        record.scan_end = (record.scan_first + window).min(record.slots);
        record.scan_used = record.scan_end - record.scan_first;
    }
    record
}

/// One pass over the maps; returns the number of scanned slots, and the counts.
fn pass(scans: &mut ScanScheduler, maps: &[Record], at: u64) -> (u32, Vec<(Option<u64>, Count)>) {
    let request = scans.request();
    let mut looked_at = 0;
    let counts = maps
        .iter()
        .map(|map| {
            let record = answer(&request, *map);
            looked_at += record.scan_end - record.scan_first;
            scans.count(&record, Duration::from_secs(at))
        })
        .collect();
    scans.finish_pass();
    (looked_at, counts)
}

#[test]
fn the_first_pass_scans_the_smallest_maps() {
    let mut scans = ScanScheduler::default();
    let maps = [slots(3, 3, 31), slots(9, 4, FIRST_WINDOW)];
    let (_, counts) = pass(&mut scans, &maps, 1);
    assert_eq!((counts[0].0, counts[1].0), (Some(31), Some(64)));
    assert!(!scans.has_unseen() && scans.incomplete() == 0);
    let mut scans = ScanScheduler::default();
    let (_, counts) = pass(&mut scans, &[slots(3, 3, FIRST_WINDOW + 1)], 1);
    assert_eq!(counts[0].0, None);
    let note = count_note(&counts[0].1);
    assert_eq!(
        note.as_deref(),
        Some("count not complete: 0 of 65 slots scanned, at least 0 used")
    );
    assert!(scans.has_unseen());
}

#[test]
fn an_inverted_window_is_none() {
    let mut scans = ScanScheduler::default();
    let backwards = Record {
        scan_first: 9,
        scan_end: 3,
        scan_used: 6,
        ..slots(3, 3, 31)
    };
    for at in 0..3 {
        let (used, _) = scans.count(&backwards, Duration::from_secs(at));
        scans.finish_pass();
        assert_eq!(used, None);
    }
}

#[test]
fn small_maps_are_scanned_in_every_later_pass() {
    let mut scans = ScanScheduler::default();
    let maps = [slots(3, 3, 31), slots(9, 4, 2), slots(12, 12, 500)];
    let (_, counts) = pass(&mut scans, &maps, 1);
    assert_eq!(counts[2].0, None);
    assert!(scans.has_unseen());
    for at in 2..5 {
        let (looked_at, counts) = pass(&mut scans, &maps, at);
        assert_eq!(looked_at, 533);
        let used: Vec<_> = counts.iter().map(|(used, _)| *used).collect();
        assert_eq!(used, [Some(31), Some(2), Some(500)]);
        assert!(counts.iter().all(|(_, count)| count.note.is_none()));
    }
    assert!(!scans.has_unseen());
}

#[test]
fn many_large_maps_are_scanned_in_turns() {
    let mut scans = ScanScheduler::default();
    let mut maps: Vec<_> = (1..=100).map(|id| slots(id, 3, 20_000)).collect();
    pass(&mut scans, &maps, 0);
    assert!(scans.has_unseen());
    for at in 1..60 {
        pass(&mut scans, &maps, at);
        let (first_id, last_id) = (scans.request().first_id, scans.request().last_id);
        let unseen = scans
            .maps
            .values()
            .filter(|scan| scan.windows.is_empty())
            .count();
        // The others are scanned within a few ticks.
        let are_few =
            unseen <= usize::try_from(CATCH_UP_TICKS * TICK_BUDGET / WINDOW).expect("few");
        let is_next = scans.maps.range(first_id..=last_id);
        let is_next = is_next.into_iter().any(|(_, scan)| scan.windows.is_empty());
        assert_eq!(scans.has_unseen(), is_next && are_few, "{at}: {unseen}");
    }
    assert_eq!(scans.incomplete(), 0);
    // A new map waits for its turn and does not cause a second read.
    maps.push(slots(201, 3, 70));
    let mut waited = 0;
    for at in 60..120 {
        pass(&mut scans, &maps, at);
        if scans.maps[&201].windows.is_empty() {
            let is_next = scans.request().last_id == 201;
            assert_eq!(scans.has_unseen(), is_next, "{at}");
            waited += u32::from(!is_next);
        }
    }
    assert!(waited > 0 && scans.incomplete() == 0, "{waited}");
}

#[test]
fn the_first_pass_counts_some_hashes() {
    let mut scans = ScanScheduler::default();
    let maps: Vec<_> = (1..=3).map(|id| slots(id, 1, 16_384)).collect();
    let maps = maps.into_iter().map(|map| Record {
        method: count_method::COUNT_BUCKET_WALK,
        ..map
    });
    pass(&mut scans, &maps.collect::<Vec<_>>(), 0);
    assert!(scans.has_unseen());
}

#[test]
fn a_large_map_is_unknown_until_all_parts_are_scanned() {
    let mut scans = ScanScheduler::default();
    let maps = [slots(3, 7, 65_536)];
    pass(&mut scans, &maps, 0);
    for at in 1..4 {
        let (looked_at, counts) = pass(&mut scans, &maps, at);
        assert_eq!(looked_at, WINDOW);
        assert_eq!(counts[0].0, None);
    }
    assert!(scans.incomplete() > 0);
    let (_, counts) = pass(&mut scans, &maps, 4);
    assert_eq!(counts[0].0, Some(65_536));
    assert_eq!(
        count_note(&counts[0].1).as_deref(),
        Some("scanned in 4 parts, the oldest 3.0 s ago")
    );
    assert_eq!(scans.incomplete(), 0);
}

#[test]
fn partial_counts_are_only_in_the_note() {
    let mut scans = ScanScheduler::default();
    let maps = [slots(3, 7, 20_000)];
    pass(&mut scans, &maps, 0);
    let (_, counts) = pass(&mut scans, &maps, 1);
    let (used, count) = &counts[0];
    assert_eq!(*used, None);
    let note = count_note(count).unwrap_or_default();
    assert_eq!(
        note,
        "count not complete: 16,384 of 20,000 slots scanned, at least 16,384 used"
    );
}

#[test]
fn no_pass_exceeds_the_budget_and_no_map_is_starved() {
    let mut scans = ScanScheduler::default();
    let maps: Vec<_> = (1..=40)
        .map(|id| slots(id * 7, 3, 5000 + 997 * id))
        .collect();
    let total: u32 = maps.iter().map(|map| map.slots).sum();
    assert!(total > 10 * TICK_BUDGET);
    let mut passes = 0;
    loop {
        let (looked_at, counts) = pass(&mut scans, &maps, passes);
        assert!(looked_at <= TICK_BUDGET);
        if counts.iter().all(|(used, _)| used.is_some()) {
            break;
        }
        passes += 1;
        assert!(passes < 100, "starved");
    }
}

#[test]
fn an_older_count_states_its_age() {
    let mut scans = ScanScheduler::default();
    let maps: Vec<_> = (1..=9).map(|id| slots(id, 3, 16_000)).collect();
    for at in 0..=3 {
        pass(&mut scans, &maps, at);
    }
    for at in 4..20 {
        let request = scans.request();
        let (_, counts) = pass(&mut scans, &maps, at);
        for (map, (used, count)) in maps.iter().zip(counts) {
            assert_eq!(used, Some(16_000));
            let is_new = (request.first_id..=request.last_id).contains(&map.id);
            assert_eq!(count.note.is_none(), is_new, "{count:?}");
        }
    }
    let (_, count) = scans.count(&maps[0], Duration::from_secs(50));
    let note = count_note(&count).unwrap_or_default();
    assert!(note.starts_with("scanned "), "{note}");
}

#[test]
fn a_count_never_exceeds_the_capacity() {
    let mut scans = ScanScheduler::default();
    let map = hash(3, 1024);
    pass(&mut scans, &[map], 0);
    let mut record = answer(&scans.request(), map);
    record.scan_used = 1030;
    assert_eq!(scans.count(&record, Duration::ZERO).0, Some(1024));
}

#[test]
fn deleted_maps_are_forgotten_and_new_ones_found() {
    let mut scans = ScanScheduler::default();
    let (old, new) = (slots(3, 3, 10), slots(8, 3, 20));
    pass(&mut scans, &[old], 0);
    pass(&mut scans, &[old, new], 1);
    let (_, counts) = pass(&mut scans, &[new], 2);
    assert_eq!(counts[0].0, Some(20));
    assert_eq!(scans.maps.len(), 1);
}

#[test]
fn a_reused_id_starts_over() {
    let mut scans = ScanScheduler::default();
    pass(&mut scans, &[slots(3, 3, 10)], 0);
    pass(&mut scans, &[slots(3, 3, 10)], 1);
    let request = scans.request();
    let (used, _) = scans.count(&answer(&request, slots(3, 3, 20)), Duration::ZERO);
    assert_eq!(used, Some(20));
}

#[test]
fn scans_end_on_a_kernel_without_scan_requests() {
    let mut scans = ScanScheduler::default();
    let map = slots(3, 3, 10);
    scans.count(&map, Duration::ZERO);
    scans.finish_pass();
    let (used, count) = scans.count(&map, Duration::ZERO);
    scans.finish_pass();
    assert_eq!(used, None);
    assert!(count_note(&count).is_some_and(|note| note.contains("could not be read")));
    assert_eq!(scans.incomplete(), 0);
}

#[test]
fn more_maps_than_one_turn_are_all_scanned() {
    let mut scans = ScanScheduler::default();
    // More than one read can scan.
    let maps: Vec<_> = (1..=9).map(|id| slots(id, 3, WINDOW)).collect();
    for _ in 0..20 {
        for map in &maps {
            scans.count(map, Duration::ZERO);
        }
        scans.finish_pass();
    }
    assert_eq!(scans.incomplete(), 0);
}

/// A map of two lists with so many entries each; a read walks at most 16,384.
fn answer_with_lists(request: &ScanRequest, lists: [u32; 2]) -> Record {
    let mut record = slots(3, 24, 2);
    record.method = count_method::COUNT_WALK;
    let is_asked = (request.first_id..=request.last_id).contains(&record.id);
    if is_asked && request.walk_parts > 0 {
        let window = 1.max(2 / request.walk_parts);
        record.scan_first = request.round % (2 / window) * window;
        record.scan_end = record.scan_first + window;
        let all: u32 = (record.scan_first..record.scan_end)
            .map(|n| lists[n as usize])
            .sum();
        record.scan_used = all.min(WINDOW);
        if all > WINDOW {
            record.flags.0 |= map_record_flags::REC_F_TRUNCATED.0;
        }
    }
    record
}

fn walk(lists: [u32; 2], passes: u64) -> (ScanScheduler, Option<u64>, Count) {
    let mut scans = ScanScheduler::default();
    let mut last = (None, Count::exact(CountMethod::None));
    for at in 0..passes {
        let record = answer_with_lists(&scans.request(), lists);
        last = scans.count(&record, Duration::from_secs(at));
        scans.finish_pass();
    }
    (scans, last.0, last.1)
}

#[test]
fn long_lists_are_scanned_in_smaller_parts() {
    let (_, used, count) = walk([9000, 9000], 2);
    assert_eq!(used, None);
    assert!(count_note(&count).is_some_and(|note| note.ends_with("at least 16,384 used")));
    let (scans, used, _) = walk([9000, 9000], 5);
    assert_eq!(used, Some(18_000));
    assert_eq!(scans.incomplete(), 0);
}

#[test]
fn splitting_an_endless_list_ends_with_a_lower_bound() {
    let (scans, used, count) = walk([9000, 20_000], 50);
    assert_eq!(used, None);
    assert!(count_note(&count).is_some_and(|note| note.starts_with("at least 25,384")));
    assert_eq!(scans.incomplete(), 0);
    assert_eq!(scans.request().walk_parts, 2);
}

/// A hash with so many buckets, of a kernel without a counter.
fn hash(id: u32, buckets: u32) -> Record {
    let is_whole = buckets <= scan_limit::MAX_WALKED_BUCKETS.0;
    Record {
        method: if is_whole {
            count_method::COUNT_BUCKET_WALK
        } else {
            count_method::COUNT_BUCKET_SAMPLE
        },
        layout: map_layout {
            table: table_layout {
                bucket_count: buckets,
                ..table_layout::default()
            },
        },
        capacity: buckets.into(),
        ..slots(id, 1, buckets.min(scan_limit::MAX_SAMPLED_BUCKETS.0))
    }
}

#[test]
fn a_hash_of_up_to_65536_buckets_is_scanned_whole() {
    for (buckets, passes) in [(64, 1), (16_384, 2), (65_536, 5)] {
        let mut scans = ScanScheduler::default();
        let map = hash(3, buckets);
        let counts: Vec<_> = (0..passes)
            .map(|at| pass(&mut scans, &[map], at).1.remove(0))
            .collect();
        let (last, others) = counts.split_last().expect("some passes");
        assert_eq!(last.0, Some(buckets.into()));
        assert_eq!((last.1.method, last.1.error), (CountMethod::Walk, 0));
        for (used, count) in others {
            assert_eq!(*used, None);
            let note = count_note(count).unwrap_or_default();
            assert!(note.starts_with("count not complete: "), "{note}");
        }
    }
}

#[test]
fn a_large_hash_is_estimated_from_at_most_262144_buckets() {
    for (buckets, tested) in [(1 << 18, "all 262,144"), (1 << 22, "262,144 of 4,194,304")] {
        let mut scans = ScanScheduler::default();
        let map = hash(3, buckets);
        for at in 0..4 {
            let (_, counts) = pass(&mut scans, &[map], at);
            assert_eq!(counts[0].0, None);
            assert!(scans.incomplete() > 0);
        }
        let request = scans.request();
        // A third of each part is used.
        let mut record = answer(&request, map);
        record.scan_used /= 3;
        for progress in scans.maps.values_mut() {
            for window in &mut progress.windows {
                window.used /= 3;
            }
        }
        let (used, count) = scans.count(&record, Duration::from_secs(4));
        let used = used.expect("an estimate");
        let expected = u64::from(buckets) * 405 / 1000;
        assert!(used.abs_diff(expected) <= count.error, "{used} {expected}");
        assert_eq!(count.method, CountMethod::Estimate);
        assert!(count.error > 0 && count.error < expected / 50);
        let note = count_note(&count).expect("how far it may be off");
        let buckets =
            format!("by counting the empty ones among {tested} buckets, scanned in 4 parts");
        assert!(note.contains(&buckets), "{note}");
    }
}

#[test]
fn a_hash_without_a_free_element_is_exactly_full_before_and_between_scans() {
    for (buckets, is_walked) in [(1 << 10, true), (1 << 22, false)] {
        let mut scans = ScanScheduler::default();
        let map = hash(3, buckets);
        let mut full = map;
        full.flags.0 |= map_record_flags::REC_F_FULL.0;
        let known = (Some(buckets.into()), Count::exact(CountMethod::Walk));
        // Scanned all the same, so that the number is there when the first entry is deleted.
        for at in 0..20 {
            assert_eq!(pass(&mut scans, &[full], at).1[0], known);
        }
        assert_eq!(scans.incomplete(), 0);
        let (used, count) = pass(&mut scans, &[map], 20).1.remove(0);
        assert!(used.is_some());
        assert_eq!(count == known.1, is_walked, "{count:?}");
    }
}

#[test]
fn unreadable_chains_give_a_lower_bound() {
    let mut scans = ScanScheduler::default();
    let map = hash(3, 1024);
    pass(&mut scans, &[map], 0);
    let mut record = answer(&scans.request(), map);
    record.flags.0 |= map_record_flags::REC_F_TRUNCATED.0;
    let (used, count) = scans.count(&record, Duration::ZERO);
    scans.finish_pass();
    assert_eq!(used, None);
    let note = count_note(&count).unwrap_or_default();
    assert!(note.starts_with("at least 1,024: "), "{note}");
    assert_eq!(scans.incomplete(), 0);
    assert_eq!(scans.request().walk_parts, 1);
    // They do not change before the next read.
    assert_eq!(pass(&mut scans, &[map], 1).1[0].0, Some(1024));
}

#[test]
fn hashes_and_slots_share_the_budget() {
    let mut scans = ScanScheduler::default();
    let mut maps = Vec::new();
    for id in 0..30 {
        maps.push(hash(4 * id + 1, 8192));
        maps.push(hash(4 * id + 2, 1 << 20));
        maps.push(slots(4 * id + 3, 3, 10_000));
    }
    for at in 0..1000 {
        let request = scans.request();
        let is_asked = |map: &&Record| (request.first_id..=request.last_id).contains(&map.id);
        let cost: u32 = maps
            .iter()
            .filter(is_asked)
            .map(|map| match map.method {
                count_method::COUNT_BUCKET_WALK => 2 * map.slots,
                count_method::COUNT_BUCKET_SAMPLE => WINDOW,
                _ => map.slots,
            })
            .sum();
        assert!(at == 0 || cost <= TICK_BUDGET, "{cost}");
        let (_, counts) = pass(&mut scans, &maps, at);
        if counts.iter().all(|(used, _)| used.is_some()) {
            return;
        }
    }
    panic!("starved");
}

#[test]
fn a_per_cpu_count_states_its_error_and_is_never_full() {
    let count = |cpus, used| {
        let record = Record {
            used,
            capacity: 300_000,
            flags: map_record_flags(
                map_record_flags::REC_F_HAS_USED.0 | map_record_flags::REC_F_HAS_CAPACITY.0,
            ),
            map_type: bpf_map_type::BPF_MAP_TYPE_HASH,
            method: count_method::COUNT_PERCPU_APPROX,
            ..Record::default()
        };
        ScanScheduler::new(cpus).count(&record, Duration::ZERO)
    };
    let (used, nearly) = count(4, 1000);
    assert_eq!((used, nearly.error), (Some(1000), 124));
    assert_eq!(nearly.method, CountMethod::Estimate);
    assert_eq!(
        count_note(&nearly).as_deref(),
        Some("right to within 124: each CPU may hold back 31 from the kernel's count")
    );
    assert_eq!(count(4, 300_007).0, Some(299_999));
    assert_eq!(count(0, 1000).0, None);
}

#[test]
fn impossible_ring_buffer_positions_give_no_count() {
    let record = Record {
        used: 5000,
        capacity: 4096,
        flags: map_record_flags(
            map_record_flags::REC_F_HAS_USED.0 | map_record_flags::REC_F_HAS_CAPACITY.0,
        ),
        map_type: bpf_map_type::BPF_MAP_TYPE_RINGBUF,
        method: count_method::COUNT_FIELD,
        ..Record::default()
    };
    let (used, count) = ScanScheduler::default().count(&record, Duration::ZERO);
    assert_eq!(used, None);
    assert!(count.note.is_some());
}

#[test]
fn every_type_without_a_count_says_why() {
    for map_type in MapType::all().chain([MapType(99)]) {
        let record = Record {
            flags: map_record_flags::REC_F_HAS_CAPACITY,
            map_type: bpf_map_type(map_type.0),
            ..Record::default()
        };
        let (used, count) = ScanScheduler::default().count(&record, Duration::ZERO);
        assert_eq!(used, None);
        assert_eq!(count.method, CountMethod::None);
        assert!(count_note(&count).is_some_and(|note| !note.is_empty()));
    }
}
