//! Counting one map exactly: asking first, how far it is, stopping, and what stays of it.

use anyhow::anyhow;
use mapstop::analysis::series::Series;
use mapstop::test_util::key;
use mapstop::tui::state::Screen;
use mapstop::types::count::CountMethod;
use mapstop::types::map_id::MapId;
use mapstop::types::map_type::MapType;

use super::*;

const KEY: KeyCode = KeyCode::Char('C');
const TOOK: Duration = Duration::from_millis(40);

/// Of one of forty maps the count is not known, and it is selected.
fn with_unknown() -> App {
    let mut app = App::new(host(), moment(0));
    app.resize(80, 24);
    app.ingest(snapshot(0, some_unknown()), Duration::ZERO);
    app.table.selected = Some(key(7));
    app
}

fn some_unknown() -> impl Iterator<Item = MapBuilder> {
    maps().into_iter().map(|map| match map.get_id() {
        7 => map.uncounted(),
        8 => map.counted(CountMethod::Estimate),
        9 => map.named_type("ringbuf").uncounted(),
        _ => map,
    })
}

#[test]
fn it_asks_first_counts_when_told_to_and_keeps_what_it_came_to() {
    let mut app = with_unknown();
    assert_eq!(press(&mut app, KEY), Effect::Draw);
    let Screen::ExactCount(counting) = app.screen() else {
        panic!("{:?}", app.screen())
    };
    assert_eq!((counting.max_entries, counting.progress), (100, None));
    assert_eq!(counting.map_type, MapType(1));
    assert_eq!(press(&mut app, KeyCode::Enter), Effect::Count(MapId(7)));
    app.on_count_progress(&key(7), 31);
    let Screen::ExactCount(counting) = app.screen() else {
        panic!("{:?}", app.screen())
    };
    assert_eq!(counting.progress.map(|progress| progress.entries), Some(31));
    app.on_counted(&key(7), TOOK, Ok(Some(62)));
    assert!(matches!(app.screen(), Screen::Table));
    let says = "map_07 had 62 entries just now; Enter keeps telling";
    assert_eq!(app.message(), Some(says));
    let exact = app.exact_count(&key(7)).expect("a count");
    assert_eq!((exact.entries, exact.took), (62, TOOK));
}

#[test]
fn what_was_counted_is_no_sample() {
    let mut app = with_unknown();
    press(&mut app, KEY);
    press(&mut app, KeyCode::Enter);
    app.on_counted(&key(7), TOOK, Ok(Some(62)));
    for second in 1..4 {
        app.ingest(snapshot(second, some_unknown()), Duration::ZERO);
        let row = app.row(&key(7)).expect("the map");
        assert_eq!((row.facts.used, row.pressure), (None, None));
        assert_eq!(row.facts.count.method, CountMethod::None);
        let series = app.history().series(&key(7));
        let mut points = series.into_iter().flat_map(Series::latest_first);
        assert!(points.all(|point| point.used().is_none()));
    }
    assert!(app.exact_count(&key(7)).is_some());
    // The id of a deleted map may be given to another.
    let others = some_unknown().filter(|map| map.get_id() != 7);
    app.ingest(snapshot(5, others), Duration::ZERO);
    assert_eq!(app.exact_count(&key(7)), None);
}

#[test]
fn esc_leaves_it_or_stops_it_and_nothing_is_kept() {
    let mut app = with_unknown();
    press(&mut app, KEY);
    assert_eq!(press(&mut app, KeyCode::Esc), Effect::Draw);
    assert!(matches!(app.screen(), Screen::Table));
    press(&mut app, KEY);
    press(&mut app, KeyCode::Char('y'));
    assert_eq!(press(&mut app, KeyCode::Enter), Effect::Draw, "once");
    assert_eq!(press(&mut app, KeyCode::Esc), Effect::StopCounting);
    assert_eq!(app.message(), Some("map_07 is not counted: stopped"));
    // What was on its way.
    app.on_count_progress(&key(7), 31);
    app.on_counted(&key(7), TOOK, Ok(Some(62)));
    app.on_counted(&key(7), TOOK, Ok(None));
    assert_eq!(app.exact_count(&key(7)), None);
    assert!(matches!(app.screen(), Screen::Table));
}

#[test]
fn the_end_of_a_count_that_was_stopped_is_not_taken_for_that_of_the_next() {
    let mut app = with_unknown();
    press(&mut app, KEY);
    press(&mut app, KeyCode::Enter);
    press(&mut app, KeyCode::Esc);
    press(&mut app, KEY);
    app.on_counted(&key(7), TOOK, Ok(None));
    assert!(
        matches!(app.screen(), Screen::ExactCount(_)),
        "the user is still asked"
    );
}

#[test]
fn why_it_failed_stays_until_the_user_has_seen_it() {
    let mut app = with_unknown();
    press(&mut app, KEY);
    press(&mut app, KeyCode::Enter);
    app.on_counted(&key(7), TOOK, Err(anyhow!("it is gone")));
    app.ingest(snapshot(60, some_unknown()), Duration::ZERO);
    assert_eq!(app.message(), Some("map_07 is not counted: it is gone"));
}

#[test]
fn only_what_is_not_known_is_counted() {
    let mut app = with_unknown();
    for (id, says) in [
        (6, "its count is known: C is for those that are ? or ~"),
        (9, "a ringbuf has no keys to count"),
    ] {
        app.table.selected = Some(key(id));
        assert_eq!(press(&mut app, KEY), Effect::Draw);
        assert!(matches!(app.screen(), Screen::Table));
        assert_eq!(app.message(), Some(says));
    }
    app.table.selected = Some(key(8));
    press(&mut app, KEY);
    assert!(matches!(app.screen(), Screen::ExactCount(_)), "an estimate");
    press(&mut app, KeyCode::Esc);
    app.table.selected = None;
    press(&mut app, KEY);
    assert_eq!(app.message(), Some("select a map first: Up Down"));
}

#[test]
fn from_the_detail_it_goes_back_to_the_detail() {
    let mut app = with_unknown();
    press(&mut app, KeyCode::Enter);
    press(&mut app, KEY);
    press(&mut app, KeyCode::Enter);
    app.on_counted(&key(7), TOOK, Ok(Some(62)));
    assert!(matches!(app.screen(), Screen::Detail(_)));
}

#[test]
fn in_a_recording_and_of_a_fleet_nothing_is_counted() {
    let mut app = replay::playing();
    press(&mut app, KeyCode::Char('j'));
    press(&mut app, KEY);
    let says = "a recording has what was counted when it was made";
    assert_eq!(app.message(), Some(says));

    let mut app = App::new(host(), moment(0));
    app.ingest(of_a_fleet(), Duration::ZERO);
    press(&mut app, KeyCode::Char('j'));
    press(&mut app, KEY);
    let says = "a map is counted where it is: mapstop, on that machine";
    assert_eq!(app.message(), Some(says));
}
