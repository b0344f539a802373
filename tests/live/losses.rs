//! Watching what maps lose: the key, and what is said.

use mapstop::test_util::watched;
use mapstop::tui::state::Screen;
use mapstop::types::loss_tracing::LossTracing;

use super::*;

fn with(watching: LossTracing, second: u32) -> Snapshot {
    Snapshot {
        loss_tracing: watching,
        ..snapshot(second, maps())
    }
}

#[test]
fn l_watches_losses_says_what_that_costs_and_ends_it() {
    let mut app = app();
    assert_eq!(
        press(&mut app, KeyCode::Char('l')),
        Effect::TraceLosses(true)
    );
    let says = "watching losses: some tens of ns per map update, off by default; l ends it";
    assert_eq!(app.message(), Some(says));
    // Whatever has come of it by then.
    app.ingest(with(LossTracing::Starting, 1), Duration::ZERO);
    assert_eq!(
        press(&mut app, KeyCode::Char('l')),
        Effect::TraceLosses(false)
    );
    let says = "losses are no longer watched; updates cost what they always do";
    assert_eq!(app.message(), Some(says));
}

#[test]
fn l_works_in_the_detail_of_a_map_too() {
    let mut app = app();
    press(&mut app, KeyCode::Enter);
    assert!(matches!(app.screen(), Screen::Detail(_)));
    assert_eq!(
        press(&mut app, KeyCode::Char('l')),
        Effect::TraceLosses(true)
    );
}

#[test]
fn a_recording_shows_what_was_watched() {
    let mut app = replay::playing();
    assert_eq!(press(&mut app, KeyCode::Char('l')), Effect::Draw);
    let says = "a recording shows what was watched when it was made";
    assert_eq!(app.message(), Some(says));
    assert!(!app.session.is_tracing_requested);
}

#[test]
fn why_losses_cannot_be_watched_stays_until_the_user_has_seen_it() {
    let mut app = app();
    let refused = || LossTracing::Refused("this kernel refuses BPF trampolines".into());
    app.ingest(with(refused(), 10), Duration::ZERO);
    let says = "losses cannot be watched: this kernel refuses BPF trampolines";
    assert_eq!(app.message(), Some(says));
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.message(), None);
    app.ingest(with(refused(), 11), Duration::ZERO);
    assert_eq!(app.message(), None, "said once");
}

#[test]
fn what_the_tracers_do_not_see_is_said_once() {
    let mut app = app();
    let on = |note: &str| LossTracing::On {
        since: moment(1).uptime,
        sees_updates: true,
        note: Some(note.into()),
        deleted_map_losses: 0,
    };
    app.ingest(with(on("ring buffers are not seen"), 1), Duration::ZERO);
    let says = "losses: ring buffers are not seen";
    assert_eq!(app.message(), Some(says));
    press(&mut app, KeyCode::Esc);
    let more = "ring buffers are not seen, 3 events were missed";
    app.ingest(with(on(more), 2), Duration::ZERO);
    assert_eq!(app.message(), None);
}

#[test]
fn capital_l_sorts_by_what_is_lost() {
    let mut app = app();
    let maps = |second: u32| {
        let lose = |map: MapBuilder| {
            let id = map.get_id();
            let is_losing = id == 3 || id == 30;
            map.refused(if is_losing { (id * second).into() } else { 0 })
        };
        watched(second, 0, maps().into_iter().map(lose))
    };
    app.ingest(maps(1), Duration::ZERO);
    app.ingest(maps(2), Duration::ZERO);
    type_in(&mut app, "L");
    assert_eq!(shown(&app)[..3], [30, 3, 1]);
    assert_eq!(app.data.summary.full, 2, "they refuse inserts");
    type_in(&mut app, "floss>3");
    press(&mut app, KeyCode::Enter);
    assert_eq!(shown(&app), [30]);
}

#[test]
fn who_stops_mapstop_is_told_that_losses_are_watched_on() {
    let mut app = app();
    assert_eq!(app.suspend_warning(), None);
    let on = LossTracing::On {
        since: moment(1).uptime,
        sees_updates: true,
        note: None,
        deleted_map_losses: 0,
    };
    app.ingest(with(on, 1), Duration::ZERO);
    let says = "losses are watched on while mapstop is stopped, and updates cost more";
    assert_eq!(app.suspend_warning(), Some(says));
}
