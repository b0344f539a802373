//! Maps that are created, deleted, or pass a threshold.

use super::*;

#[test]
fn maps_that_appear_later_have_a_creation_time() {
    let mut history = History::default();
    read_at(&mut history, 1, [map("old").id(2)]);
    read_at(&mut history, 2, [map("old").id(2), map("new").id(3)]);
    let reading = read_at(&mut history, 5, [map("old").id(2), map("new").id(3)]);
    let created_at: Vec<_> = reading.rows.iter().map(|row| row.created_at).collect();
    assert_eq!(created_at, [None, Some(Duration::from_secs(2))]);
    assert_eq!(reading.began, moment(1));
}

#[test]
fn small_fluctuations_make_no_events() {
    let mut history = History::live();
    let levels = [50, 100, 99, 100, 96, 94, 100, 81, 79, 81, 74, 79];
    for (second, used) in (0..).zip(levels) {
        read_at(&mut history, second, [map("m").used(used, 100)]);
    }
    let mut events: Vec<_> = history
        .events(&key(1))
        .map(|event| (event.at.as_secs() - moment(0).uptime.as_secs(), event.kind))
        .collect();
    events.reverse();
    assert_eq!(
        events,
        [
            (1, EventKind::Full),
            (4, EventKind::NoLongerFull),
            (6, EventKind::Full),
            (7, EventKind::NoLongerFull),
            (7, EventKind::FellBelow(0.95)),
            (10, EventKind::FellBelow(0.80)),
        ]
    );
}

#[test]
fn a_map_created_full_has_both_events() {
    let mut history = History::live();
    read_at(&mut history, 1, [map("full before").id(1).used(9, 9)]);
    let both = || {
        [
            map("full before").id(1).used(9, 9),
            map("new").id(2).used(9, 9),
        ]
    };
    read_at(&mut history, 2, both());
    let kinds = |id| -> Vec<_> { history.events(&key(id)).map(|event| event.kind).collect() };
    assert_eq!(kinds(1), []);
    assert_eq!(kinds(2), [EventKind::Full, EventKind::Created]);
}
