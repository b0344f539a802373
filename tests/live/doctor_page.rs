//! The doctor page: opening, examining, leaving.

use mapstop::test_util::checkup;
use mapstop::tui::state::Screen;

use super::*;

#[test]
fn i_requests_one_examination() {
    let mut app = app();
    assert_eq!(press(&mut app, KeyCode::Char('i')), Effect::Examine);
    assert!(matches!(app.screen(), Screen::Doctor(_)));
    // Opening the page again does not start another examination.
    press(&mut app, KeyCode::Esc);
    assert_eq!(press(&mut app, KeyCode::Char('i')), Effect::Draw);
    app.on_examined(checkup());
    assert_eq!(press(&mut app, KeyCode::Char('j')), Effect::Draw);
    let again = KeyEvent::new(KeyCode::Char('r'), KeyModifiers::CONTROL);
    assert_eq!(app.press(again), Effect::Examine);
    for key in [KeyCode::Esc, KeyCode::Char('q'), KeyCode::Char('i')] {
        press(&mut app, key);
        assert!(matches!(app.screen(), Screen::Table), "{key:?}");
        press(&mut app, KeyCode::Char('i'));
    }
}

#[test]
fn esc_returns_to_the_updated_map() {
    let mut app = app();
    press(&mut app, KeyCode::Enter);
    press(&mut app, KeyCode::Char('i'));
    app.ingest(
        snapshot(1, maps().into_iter().map(|map| map.used(3, 100))),
        Duration::ZERO,
    );
    press(&mut app, KeyCode::Esc);
    let Screen::Detail(detail) = app.screen() else {
        panic!("{:?}", app.screen())
    };
    assert_eq!(detail.row.facts.used, Some(3));
}

#[test]
fn the_doctor_page_scrolls_to_its_end() {
    let mut app = app();
    press(&mut app, KeyCode::Char('i'));
    app.on_examined(checkup());
    type_in(&mut app, "G");
    let top = |app: &App| match app.screen() {
        Screen::Doctor(page) => page.top(),
        other => panic!("{other:?}"),
    };
    let last = top(&app);
    assert!(last > 0);
    type_in(&mut app, "jj");
    assert_eq!(top(&app), last);
    type_in(&mut app, "g");
    assert_eq!(top(&app), 0);
}

#[test]
fn recordings_and_fleets_are_not_examined() {
    let mut app = replay::playing();
    assert_eq!(press(&mut app, KeyCode::Char('i')), Effect::Draw);
    assert!(matches!(app.screen(), Screen::Doctor(_)));
    let again = KeyEvent::new(KeyCode::Char('r'), KeyModifiers::CONTROL);
    assert_eq!(app.press(again), Effect::Draw);

    let mut app = App::new(host(), moment(0));
    app.ingest(of_a_fleet(), Duration::ZERO);
    assert_eq!(press(&mut app, KeyCode::Char('i')), Effect::Draw);
}
