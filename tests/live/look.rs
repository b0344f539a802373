//! The look of the table: columns, themes, the preview.

use mapstop::query::fields::ColumnId;
use mapstop::tui::state::Screen;
use ratatui::crossterm::event::KeyCode;

use super::*;

fn columns(app: &App) -> Vec<&'static str> {
    let shown = app.visible_columns().shown;
    shown.iter().map(|shown| shown.id.field().name).collect()
}

#[test]
fn the_table_follows_the_column_picker_and_esc_cancels() {
    let mut app = app();
    let before = columns(&app);
    assert_eq!(before[0], "id");
    type_in(&mut app, "c ");
    assert_eq!(columns(&app)[0], "name", "Space hides it");
    press(&mut app, KeyCode::Esc);
    assert_eq!(columns(&app), before);
    // Type goes one to the left, before the name.
    type_in(&mut app, "c jj<");
    press(&mut app, KeyCode::Enter);
    assert_eq!(columns(&app)[..2], ["type", "name"]);
    let message = app.message().expect("how to have them again").to_owned();
    assert!(
        message.starts_with("--columns type,name,used,"),
        "{message}"
    );
    type_in(&mut app, "cd");
    press(&mut app, KeyCode::Enter);
    assert_eq!(
        (columns(&app), app.display.columns.is_none()),
        (before, true)
    );
}

#[test]
fn the_name_cannot_be_hidden() {
    let mut app = app();
    type_in(&mut app, "cj ");
    assert!(columns(&app).contains(&"name"));
    assert!(app.message().is_some_and(|text| text.contains("name")));
}

#[test]
fn t_cycles_through_themes() {
    let mut app = app();
    type_in(&mut app, "ct");
    assert_eq!(app.display.theme.name, "cvd");
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.display.theme.name, "default");
    type_in(&mut app, "ctt");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.display.theme.name, "high-contrast");
}

#[test]
fn columns_scroll_to_the_last() {
    let mut app = app();
    app.resize(60, 24);
    for _ in 0..50 {
        press(&mut app, KeyCode::Right);
    }
    let shown = columns(&app);
    assert!(
        shown.contains(&"name") && shown.contains(&"flags"),
        "{shown:?}"
    );
    for _ in 0..50 {
        press(&mut app, KeyCode::Left);
    }
    assert_eq!(columns(&app), ["name", "used", "pressure", "eta"]);
}

#[test]
fn w_toggles_exact_numbers() {
    let mut app = app();
    press(&mut app, KeyCode::Char('w'));
    assert!(app.display.is_exact);
    let used = app.visible_columns().shown;
    let used = used
        .iter()
        .find(|shown| shown.id == ColumnId::named("used"));
    assert_eq!(used.map(|shown| shown.width), Some(27));
    press(&mut app, KeyCode::Char('w'));
    assert!(!app.display.is_exact);
}

#[test]
fn the_preview_is_shown_from_36_rows() {
    let mut app = app();
    let rows = |app: &App| app.page();
    assert!(!app.has_preview());
    app.resize(140, 36);
    assert!(app.has_preview());
    let with = rows(&app);
    press(&mut app, KeyCode::Char('v'));
    assert!(rows(&app) > with);
    app.resize(80, 24);
    press(&mut app, KeyCode::Char('v'));
    assert!(app.has_preview());
    app.resize(80, 12);
    assert_eq!(rows(&app), 8, "but where rows would be lost");
}

#[test]
fn esc_hides_the_unknown_counts_line() {
    let mut app = App::new(host(), moment(0));
    app.ingest(snapshot(0, [map("quota").uncounted()]), Duration::ZERO);
    assert!(app.has_limit_line());
    press(&mut app, KeyCode::Esc);
    assert!(!app.has_limit_line());
    assert!(matches!(app.screen(), Screen::Table));
}
