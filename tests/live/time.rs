//! Pausing, intervals, and failed samples.

use std::time::Duration;

use mapstop::test_util::{key, map, moment, snapshot};
use mapstop::tui::render::text;
use mapstop::tui::state::Screen;
use ratatui::crossterm::event::KeyCode;

use super::*;

#[test]
fn a_pause_freezes_the_screen() {
    let mut app = app();
    press(&mut app, KeyCode::Char(' '));
    let mut maps = maps();
    maps[0] = map("map_01").id(1).used(100, 100);
    app.ingest(snapshot(5, maps), Duration::ZERO);
    assert_eq!(shown(&app)[0], 40);
    assert_eq!(app.paused_at(), Some(moment(0)));
    press(&mut app, KeyCode::Char('Z'));
    assert_eq!(shown(&app)[0], 1);
    assert_eq!(app.paused_at(), None);
    let growth = app.rows().next().and_then(|row| row.growth_per_s);
    assert_eq!(growth, Some(98.0 / 5.0), "sampling went on");
}

#[test]
fn intervals_can_be_stepped_and_typed() {
    let mut app = app();
    type_in(&mut app, "+");
    assert_eq!(app.session.delay, Duration::from_secs(2));
    assert_eq!(app.message(), Some("every 2s"));
    type_in(&mut app, "--");
    assert_eq!(app.session.delay, Duration::from_millis(500));
    type_in(&mut app, "d0.25");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.session.delay, Duration::from_millis(250));
    type_in(&mut app, "d0.001");
    press(&mut app, KeyCode::Enter);
    assert!(
        matches!(app.screen(), Screen::Prompt(_)),
        "too short is refused"
    );
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.session.delay, Duration::from_millis(250));
}

#[test]
fn a_failed_sample_is_shown_until_one_succeeds() {
    let mut app = app();
    let error = anyhow::anyhow!("Cannot allocate memory").context("cannot read the map iterator");
    app.on_sample_failed(&error, moment(3));
    assert_eq!(
        app.data.stale.as_ref().map(|s| s.error.as_str()),
        Some("Cannot allocate memory")
    );
    assert_eq!(app.table.visible.len(), 40, "the numbers stay");
    app.ingest(snapshot(4, maps()), Duration::ZERO);
    assert_eq!(app.data.stale, None);
}

#[test]
fn a_pause_can_be_stepped_through() {
    let mut app = app();
    type_in(&mut app, "t");
    assert!(
        app.message()
            .is_some_and(|text| text.starts_with("Space pauses"))
    );
    let sample = |app: &mut App, second| {
        let mut maps = maps();
        maps[39] = map("map_40").id(40).used(80 + u64::from(second), 200);
        app.ingest(snapshot(second, maps), Duration::ZERO);
    };
    for second in 1..=100 {
        sample(&mut app, second);
    }
    let used = |app: &App| {
        app.row(&mapstop::test_util::key(40))
            .and_then(|row| row.facts.used)
    };
    press(&mut app, KeyCode::Char(' '));
    type_in(&mut app, "TT");
    assert_eq!((used(&app), app.paused_at()), (Some(178), Some(moment(98))));
    type_in(&mut app, "{");
    assert_eq!(used(&app), Some(118));
    sample(&mut app, 101);
    assert_eq!(used(&app), Some(118), "the screen stands");
    type_in(&mut app, "}t");
    assert_eq!(used(&app), Some(179));
    type_in(&mut app, "b-10s");
    press(&mut app, KeyCode::Enter);
    assert_eq!(used(&app), Some(169));
    type_in(&mut app, "b14:25:59");
    press(&mut app, KeyCode::Enter);
    assert_eq!(used(&app), Some(130));
    type_in(&mut app, "bnoon");
    press(&mut app, KeyCode::Enter);
    assert!(
        matches!(app.screen(), Screen::Prompt(_)),
        "what is no time is not kept"
    );
    press(&mut app, KeyCode::Esc);
    press(&mut app, KeyCode::Char(' '));
    assert_eq!(used(&app), Some(181), "the end of the pause shows now");
}

#[test]
fn the_paused_sample_stays_reachable() {
    let mut app = app();
    press(&mut app, KeyCode::Char(' '));
    for second in 1..=1000 {
        app.ingest(snapshot(second, maps()), Duration::ZERO);
    }
    type_in(&mut app, "tT");
    assert_eq!(app.paused_at(), Some(moment(0)));
    type_in(&mut app, "T");
    assert_eq!(app.message(), Some("14:25:09 is the first sample there is"));
}

#[test]
fn a_pause_does_not_show_later_facts() {
    let mut app = App::new(host(), moment(0));
    let ingest = |app: &mut App, second, used| {
        let sample = snapshot(second, [map("m").id(7).used(used, 1000)]);
        app.ingest(sample, Duration::ZERO);
    };
    ingest(&mut app, 1, 200);
    ingest(&mut app, 2, 210);
    press(&mut app, KeyCode::Char(' '));
    ingest(&mut app, 60, 990);
    app.table.selected = Some(key(7));
    press(&mut app, KeyCode::Enter);
    let overview = text(&app);
    assert!(overview.contains("210 of 1,000"), "{overview}");
    assert!(!overview.contains("990"), "{overview}");
    type_in(&mut app, "2");
    let events = text(&app);
    assert!(events.contains("nothing since"), "{events}");
}

#[test]
fn the_displayed_sample_is_not_dropped() {
    let crowd = |second: u32| {
        let maps = (0..20_000).map(|id| map("m").id(id).used(u64::from(second), 1000));
        snapshot(second, maps)
    };
    let mut app = App::new(host(), moment(0));
    app.ingest(crowd(1), Duration::ZERO);
    app.ingest(crowd(2), Duration::ZERO);
    press(&mut app, KeyCode::Char(' '));
    // There is no room for so many.
    for second in 3..8 {
        app.ingest(crowd(second), Duration::ZERO);
        let shown: Vec<_> = app.rows().map(|row| row.facts.used).collect();
        assert_eq!(shown, vec![Some(2); 20_000], "{second}");
    }
}
