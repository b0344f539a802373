//! Which maps are marked, and for how long.

use super::*;

#[test]
fn a_filling_map_is_marked_before_it_is_full() {
    let mut history = History::live();
    let mut marks = Vec::new();
    for second in 0..=1000 {
        let reading = read_at(&mut history, second, [map("m").used(second.into(), 1000)]);
        marks.push(reading.rows[0].mark);
    }
    assert_eq!(marks[9], Some(Mark::None), "not enough samples yet");
    assert_eq!(marks[399], Some(Mark::None));
    let first_crit = marks.iter().position(|mark| *mark == Some(Mark::Crit));
    assert_eq!(first_crit, Some(400), "ten minutes before it is full");
    assert!(marks[400..].iter().all(|mark| *mark == Some(Mark::Crit)));
    let kinds: Vec<_> = history.events(&key(1)).map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::Full,
            EventKind::RoseAbove(0.95),
            EventKind::RoseAbove(0.80)
        ]
    );
}

#[test]
fn an_estimate_never_makes_a_map_full() {
    let mut history = History::live();
    for second in 0..=60 {
        // Around full, by chance.
        let used = 995 + 4 * u64::from(second % 2);
        let map = map("m").used(used, 1000).estimated(30);
        let reading = read_at(&mut history, second, [map]);
        let row = &reading.rows[0];
        assert!(
            !matches!(row.full_in, TimeToFull::Now | TimeToFull::In(_)),
            "{second}"
        );
        assert_eq!(row.mark, Some(Mark::Warn));
    }
    assert_eq!(history.events(&key(1)).count(), 0);
}

#[test]
fn a_refusing_map_is_full_and_stays_marked_for_three_quiet_samples() {
    let mut history = History::live();
    let mut read = |second, count| {
        let maps = [map("m").used(10, 100).refused(count)];
        let row = history.read(watched(second, 0, maps)).rows.remove(0);
        (row.full_in == TimeToFull::Now, row.mark)
    };
    let [none, crit] = [Some(Mark::None), Some(Mark::Crit)];
    assert_eq!(
        read(0, 7),
        (false, none),
        "it was refused before the first sample"
    );
    assert_eq!(read(1, 8), (true, crit));
    let after = [2, 3, 4].map(|second| read(second, 8));
    assert_eq!(after, [(false, crit), (false, crit), (false, none)]);
}

#[test]
fn buffers_that_drop_are_marked_and_lru_maps_that_evict_are_not() {
    for (name, drops, mark) in [
        ("ringbuf", true, Mark::Crit),
        ("perf_event_array", true, Mark::Crit),
        ("devmap", true, Mark::None),
        ("lru_hash", false, Mark::None),
    ] {
        let mut history = History::live();
        let mut read = |second: u32| {
            let map = map("m").named_type(name);
            let map = if drops {
                map.dropped(second.into())
            } else {
                map.evicted(second.into())
            };
            history.read(watched(second, 0, [map])).rows[0].mark
        };
        read(0);
        assert_eq!(read(1), Some(mark), "{name}");
    }
}
