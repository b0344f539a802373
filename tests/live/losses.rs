//! Watching losses: the key, and its messages.

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
fn l_starts_and_stops_tracing() {
    let mut app = app();
    assert_eq!(
        press(&mut app, KeyCode::Char('l')),
        Effect::TraceLosses(true)
    );
    let message = "watching losses; each map update takes some tens of ns longer; l stops";
    assert_eq!(app.message(), Some(message));
    // Also after it was refused.
    app.ingest(with(LossTracing::Starting, 1), Duration::ZERO);
    assert_eq!(
        press(&mut app, KeyCode::Char('l')),
        Effect::TraceLosses(false)
    );
    let message = "stopped watching losses; map updates run at full speed again";
    assert_eq!(app.message(), Some(message));
}

#[test]
fn l_works_in_the_detail() {
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
    let message = "a recording has losses only if it was recorded with --losses";
    assert_eq!(app.message(), Some(message));
    assert!(!app.session.is_tracing_requested);
}

#[test]
fn a_refused_trace_is_shown_until_dismissed() {
    let mut app = app();
    let refused = || LossTracing::Refused("this kernel refuses BPF trampolines".into());
    app.ingest(with(refused(), 10), Duration::ZERO);
    let message = "losses cannot be watched: this kernel refuses BPF trampolines";
    assert_eq!(app.message(), Some(message));
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.message(), None);
    app.ingest(with(refused(), 11), Duration::ZERO);
    assert_eq!(app.message(), None, "said once");
}

#[test]
fn untraced_types_are_reported_once() {
    let mut app = app();
    let on = |note: &str| LossTracing::On {
        since: moment(1).uptime,
        sees_updates: true,
        note: Some(note.into()),
        deleted_map_losses: 0,
    };
    app.ingest(with(on("ring buffers are not seen"), 1), Duration::ZERO);
    let message = "losses: ring buffers are not seen";
    assert_eq!(app.message(), Some(message));
    press(&mut app, KeyCode::Esc);
    let more = "ring buffers are not seen, 3 events were missed";
    app.ingest(with(on(more), 2), Duration::ZERO);
    assert_eq!(app.message(), None);
}

#[test]
fn capital_l_sorts_by_loss() {
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
    assert_eq!(app.data.summary.crit, 2, "they refuse inserts");
    type_in(&mut app, "floss>3");
    press(&mut app, KeyCode::Enter);
    assert_eq!(shown(&app), [30]);
}

#[test]
fn suspending_warns_about_running_tracers() {
    let mut app = app();
    assert_eq!(app.suspend_warning(), None);
    let on = LossTracing::On {
        since: moment(1).uptime,
        sees_updates: true,
        note: None,
        deleted_map_losses: 0,
    };
    app.ingest(with(on, 1), Duration::ZERO);
    let message = "mapstop still watches losses while suspended, which slows map updates a little";
    assert_eq!(app.suspend_warning(), Some(message));
}
