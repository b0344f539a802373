//! Maps that exporters scraped.

use super::*;

/// A map of a fleet, with the updates that it had refused when it was scraped.
fn scraped(second: u64, refused: u64) -> MapBuilder {
    let fields = ExportedFields {
        scraped_at: Some(Duration::from_secs(second)),
        growth_per_s: Some(0.0),
        ..ExportedFields::default()
    };
    map("m").node("a").exported(fields).refused(refused)
}

#[test]
fn fleet_loss_rates_span_scrapes() {
    let samples = [
        (0, 0, 5, None),
        (2, 0, 5, None),
        (4, 0, 5, None),
        // 30 in the 15 seconds between two scrapes, not in the two since the last sample.
        (16, 15, 35, Some(2.0)),
        (18, 15, 35, Some(2.0)),
        (30, 30, 35, Some(0.0)),
        // The exporter was restarted.
        (46, 45, 3, None),
        (61, 60, 18, Some(1.0)),
    ];
    for mut history in [History::live(), History::default()] {
        for (second, scraped_at, refused, rate) in samples {
            let reading = history.read(watched(second, 0, [scraped(scraped_at, refused)]));
            assert_eq!(rates(&reading)[0], rate, "after {second} s");
        }
    }
}

#[test]
fn losses_before_a_node_was_first_seen_have_no_rate() {
    let mut history = History::live();
    let other = || map("m").id(1).node("b");
    history.read(watched(0, 0, [other()]));
    history.read(watched(15, 0, [other()]));
    let reading = history.read(watched(30, 0, [scraped(29, 1_000_000), other()]));
    assert_eq!(rates(&reading), [None; 3]);
    let row = &reading.rows[0];
    assert_eq!((row.mark, row.created_at), (Some(Mark::None), None));
}

#[test]
fn a_node_that_returns_has_no_created_or_deleted_maps() {
    let mut history = History::live();
    let locations = [("a", 1), ("b", 2), ("b", 3)];
    let [a, b, c] = locations.map(|(node, id)| map("m").id(id).node(node));
    let keys = locations.map(|(node, id)| MapKey {
        node: Some(node.into()),
        ..key(id)
    });
    history.read(snapshot(0, [a.clone(), b.clone(), c.clone()]));
    history.read(snapshot(15, [a.clone()]));
    history.read(snapshot(30, [a.clone(), b.clone(), c]));
    let kinds = |history: &History| {
        keys.each_ref()
            .map(|key| -> Vec<_> { history.events(key).map(|event| event.kind).collect() })
    };
    assert_eq!(kinds(&history), [vec![], vec![], vec![]]);
    // A map that disappears while its node is still there was deleted.
    history.read(snapshot(45, [a, b]));
    assert_eq!(kinds(&history), [vec![], vec![], vec![EventKind::Deleted]]);
}

#[test]
fn missing_exported_growth_is_not_derived() {
    let mut history = History::default();
    let exported = |used| {
        map("m")
            .node("a")
            .used(used, 1000)
            .exported(ExportedFields::default())
    };
    history.read(snapshot(0, [exported(10)]));
    let reading = history.read(snapshot(1, [exported(160)]));
    let row = &reading.rows[0];
    assert_eq!(
        (row.growth_per_s, row.full_in),
        (None, TimeToFull::Measuring)
    );
}

#[test]
fn maps_of_a_node_without_tracers_are_untraced() {
    let mut history = History::live();
    let quiet = || map("m").id(2).node("b").exported(ExportedFields::default());
    history.read(watched(0, 0, [scraped(0, 5), quiet()]));
    let reading = history.read(watched(15, 0, [scraped(15, 5), quiet()]));
    assert_eq!(reading.rows[1].loss_state(), LossState::Untraced);
}
