//! A recording in the live view: playing, stepping, jumping.

use std::time::Duration;

use mapstop::test_util::{host, key, map, moment, snapshot};
use mapstop::tui::action::Effect;
use mapstop::tui::state::{App, Player};
use mapstop::types::snapshot::Snapshot;
use ratatui::crossterm::event::KeyCode;

use super::*;

/// A hundred seconds, in which `map_40` gets an entry a second and `late` is created at second 50.
pub(super) fn samples() -> Vec<Snapshot> {
    (0..100)
        .map(|second| {
            let mut maps = maps();
            maps[39] = map("map_40").id(40).used(second.into(), 200);
            if second >= 50 {
                maps.push(map("late").id(99));
            }
            snapshot(second, maps)
        })
        .collect()
}

pub(super) fn playing() -> App {
    let mut app = App::new(host(), moment(5000));
    let moments = samples().iter().map(|sample| sample.moment).collect();
    app.session.player = Some(Player::new("incident.mrec".to_owned(), moments));
    app.play(0, samples().remove(0));
    app
}

/// As the event loop does it.
pub(super) fn seek(app: &mut App, at: usize) {
    let moments = &app.session.player.as_ref().expect("a player").moments;
    let before = mapstop::source::warmup::warmup_samples(moments, at, 1);
    app.rewind();
    let samples = samples();
    for n in before.into_iter().chain([at]) {
        app.play(n, samples[n].clone());
    }
}

fn used(app: &App) -> Option<u64> {
    app.row(&key(40)).and_then(|row| row.facts.used)
}

#[test]
fn steps_and_jumps_seek_to_the_right_sample() {
    let mut app = playing();
    assert!(
        app.session
            .player
            .as_ref()
            .is_some_and(|player| player.is_playing)
    );
    assert_eq!(press(&mut app, KeyCode::Char('t')), Effect::Seek(1));
    assert!(
        app.session
            .player
            .as_ref()
            .is_some_and(|player| !player.is_playing)
    );
    assert_eq!(press(&mut app, KeyCode::Char('T')), Effect::Draw);
    assert_eq!(app.message(), Some("14:25:09 is the first sample there is"));
    assert_eq!(press(&mut app, KeyCode::Char('}')), Effect::Seek(60));
    type_in(&mut app, "b14:25:39");
    assert_eq!(press(&mut app, KeyCode::Enter), Effect::Seek(30));
    seek(&mut app, 30);
    assert_eq!(used(&app), Some(30));
    assert_eq!(press(&mut app, KeyCode::Char('{')), Effect::Seek(0));
    assert_eq!(app.time(), moment(30), "time is that of the recording");
}

#[test]
fn a_jump_equals_playing_up_to_there() {
    for at in [0, 1, 7, 49, 50, 55, 60, 61, 99] {
        let mut jumped = playing();
        seek(&mut jumped, 80);
        seek(&mut jumped, at);
        let mut played = playing();
        for (n, sample) in samples().into_iter().enumerate().take(at + 1).skip(1) {
            played.play(n, sample);
        }
        let lines = |app: &App| -> Vec<_> {
            let row = |row: &mapstop::types::row::Row| {
                (
                    row.key().clone(),
                    row.growth_per_s,
                    row.mark,
                    app.is_new(row),
                )
            };
            app.rows().map(row).collect()
        };
        assert_eq!(lines(&jumped), lines(&played), "sample {at}");
    }
}

#[test]
fn space_pauses_resumes_and_restarts_at_the_end() {
    let mut app = playing();
    press(&mut app, KeyCode::Char(' '));
    assert!(
        app.session
            .player
            .as_ref()
            .is_some_and(|player| player.due().is_none())
    );
    press(&mut app, KeyCode::Char(' '));
    assert!(
        app.session
            .player
            .as_ref()
            .is_some_and(|player| player.due().is_some())
    );
    seek(&mut app, 99);
    assert_eq!(press(&mut app, KeyCode::Char(' ')), Effect::Seek(0));
    assert_eq!(app.paused_at(), None, "a recording is not a paused machine");
}

#[test]
fn plus_and_minus_change_the_speed() {
    let mut app = playing();
    type_in(&mut app, "++");
    assert_eq!(
        app.session.player.as_ref().map(|player| player.speed),
        Some(4)
    );
    assert_eq!(app.message(), Some("speed x4"));
    type_in(&mut app, "---");
    assert_eq!(
        app.session.player.as_ref().map(|player| player.speed),
        Some(1)
    );
    assert_eq!(app.session.delay, Duration::from_secs(1));
    type_in(&mut app, "d");
    assert!(!matches!(
        app.screen(),
        mapstop::tui::state::Screen::Prompt(_)
    ));
}

#[test]
fn a_future_map_stays_selected() {
    let mut app = playing();
    seek(&mut app, 60);
    app.table.selected = Some(key(99));
    seek(&mut app, 20);
    assert_eq!(
        (app.table.selected.clone(), app.selected_at()),
        (Some(key(99)), None)
    );
    seek(&mut app, 70);
    assert!(app.selected_at().is_some());
}

#[test]
fn a_jump_beyond_the_recording_says_so() {
    let mut app = playing();
    seek(&mut app, 30);
    let mut go = |to: &str| {
        type_in(&mut app, &format!("b{to}"));
        let effect = press(&mut app, KeyCode::Enter);
        (effect, app.message().unwrap_or_default().to_owned())
    };
    assert_eq!(
        go("14:25:39"),
        (Effect::Draw, "this is it already".to_owned())
    );
    let first = "14:25:09 is the first sample there is".to_owned();
    assert_eq!(go("13:00"), (Effect::Seek(0), first.clone()));
    assert_eq!(go("-1h"), (Effect::Seek(0), first));
    let last = "14:26:48 is the last sample there is".to_owned();
    assert_eq!(go("15:00"), (Effect::Seek(99), last.clone()));
    assert_eq!(go("+1h"), (Effect::Seek(99), last));
}

#[test]
fn an_unreadable_sample_is_skipped() {
    let mut app = playing();
    app.play(1, samples().remove(1));
    app.skip(2);
    assert_eq!(used(&app), Some(1), "what is shown stays");
    app.play(3, samples().remove(3));
    assert_eq!(used(&app), Some(3));
    assert_eq!(
        app.session.player.as_ref().map(|player| player.index),
        Some(3)
    );
}

#[test]
fn a_jump_is_not_the_start_of_the_recording() {
    let seen = |app: &mut App| {
        app.resize(80, 50);
        app.table.selected = Some(key(7));
        press(app, KeyCode::Enter);
        let text = mapstop::tui::render::text(app);
        press(app, KeyCode::Esc);
        let line = text
            .lines()
            .find(|line| line.contains("seen "))
            .map(str::to_owned);
        line.expect("since when it is known")
    };
    let mut app = playing();
    assert!(seen(&mut app).contains("since 14:25:09, when the recording began; it is older"));
    // As after a jump far into a long recording.
    app.rewind();
    for n in 49..=60 {
        app.play(n, samples()[n].clone());
    }
    assert!(
        seen(&mut app).contains("there at 14:25:58 already"),
        "{}",
        seen(&mut app)
    );
}
