//! Counting one map exactly: confirmation, progress, stopping, and the result.

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

/// Forty maps; the selected one has an unknown count.
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
fn a_count_is_confirmed_and_its_result_kept() {
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
    let message = "map_07 has exactly 62 entries; Enter shows the result again";
    assert_eq!(app.message(), Some(message));
    let exact = app.exact_count(&key(7)).expect("a count");
    assert_eq!((exact.entries, exact.took), (62, TOOK));
}

#[test]
fn an_exact_count_does_not_change_the_samples() {
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
fn esc_cancels_or_stops_a_count() {
    let mut app = with_unknown();
    press(&mut app, KEY);
    assert_eq!(press(&mut app, KeyCode::Esc), Effect::Draw);
    assert!(matches!(app.screen(), Screen::Table));
    press(&mut app, KEY);
    press(&mut app, KeyCode::Char('y'));
    assert_eq!(press(&mut app, KeyCode::Enter), Effect::Draw, "once");
    assert_eq!(press(&mut app, KeyCode::Esc), Effect::StopCounting);
    assert_eq!(app.message(), Some("stopped counting map_07"));
    // Results that arrive late.
    app.on_count_progress(&key(7), 31);
    app.on_counted(&key(7), TOOK, Ok(Some(62)));
    app.on_counted(&key(7), TOOK, Ok(None));
    assert_eq!(app.exact_count(&key(7)), None);
    assert!(matches!(app.screen(), Screen::Table));
}

#[test]
fn the_result_of_a_stopped_count_is_dropped() {
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
fn the_error_of_a_count_stays_until_dismissed() {
    let mut app = with_unknown();
    press(&mut app, KEY);
    press(&mut app, KeyCode::Enter);
    app.on_counted(&key(7), TOOK, Err(anyhow!("it was deleted")));
    app.ingest(snapshot(60, some_unknown()), Duration::ZERO);
    assert_eq!(app.message(), Some("cannot count map_07: it was deleted"));
}

#[test]
fn only_unknown_counts_can_be_counted() {
    let mut app = with_unknown();
    for (id, message) in [
        (6, "its count is exact already"),
        (9, "a ringbuf has no keys to count"),
    ] {
        app.table.selected = Some(key(id));
        assert_eq!(press(&mut app, KEY), Effect::Draw);
        assert!(matches!(app.screen(), Screen::Table));
        assert_eq!(app.message(), Some(message));
    }
    app.table.selected = Some(key(8));
    press(&mut app, KEY);
    assert!(matches!(app.screen(), Screen::ExactCount(_)), "an estimate");
    press(&mut app, KeyCode::Esc);
    app.table.selected = None;
    press(&mut app, KEY);
    assert_eq!(app.message(), Some("select a map first (Up, Down)"));
}

#[test]
fn a_count_returns_to_the_detail() {
    let mut app = with_unknown();
    press(&mut app, KeyCode::Enter);
    press(&mut app, KEY);
    press(&mut app, KeyCode::Enter);
    app.on_counted(&key(7), TOOK, Ok(Some(62)));
    assert!(matches!(app.screen(), Screen::Detail(_)));
}

#[test]
fn recordings_and_fleets_cannot_be_counted() {
    let mut app = replay::playing();
    press(&mut app, KeyCode::Char('j'));
    press(&mut app, KEY);
    let message = "exact counts need a live map; this is a recording";
    assert_eq!(app.message(), Some(message));

    let mut app = App::new(host(), moment(0));
    app.ingest(of_a_fleet(), Duration::ZERO);
    press(&mut app, KeyCode::Char('j'));
    press(&mut app, KEY);
    let message = "exact counts need a live map; run mapstop on that machine";
    assert_eq!(app.message(), Some(message));
}
