//! The lists of owners, services and containers.

use mapstop::test_util::{key, owners_of_all_kinds};
use mapstop::tui::render::text;
use mapstop::tui::state::Screen;
use mapstop::types::ownership::Ownership;

use super::*;

/// Four maps of two owners, one of nobody, one of nobody known.
fn owned() -> App {
    let owners = owners_of_all_kinds();
    let ownership = |id| -> Ownership { (**owners.get(&key(id)).expect("a map")).clone() };
    let mut app = App::new(host(), moment(0));
    app.resize(100, 24);
    let maps = [
        map("a").id(3).used(999, 1000).owned(ownership(3)),
        map("b").id(4).owned(ownership(4)),
        map("c").id(5).owned(ownership(5)),
        map("d").id(6).owned(ownership(3)),
    ];
    app.ingest(snapshot(0, maps), Duration::ZERO);
    app
}

#[test]
fn enter_shows_the_maps_of_an_owner() {
    let mut app = owned();
    type_in(&mut app, "o");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.table.filter.text(), "owner='flowd(2214)'");
    assert_eq!(shown(&app), [3, 6]);
    press(&mut app, KeyCode::Esc);
    assert!(matches!(app.screen(), Screen::OwnerList(_)));
    assert!(app.table.filter.is_everything());
    press(&mut app, KeyCode::Esc);
    assert!(matches!(app.screen(), Screen::Table));
    assert_eq!(shown(&app).len(), 4);
}

#[test]
fn a_chosen_owner_becomes_the_filter() {
    let mut app = owned();
    type_in(&mut app, "f");
    type_in(&mut app, "not name:d");
    press(&mut app, KeyCode::Enter);
    type_in(&mut app, "u");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.table.filter.text(), "(not name:d) owner='flowd(2214)'");
    assert_eq!(shown(&app), [3]);
    press(&mut app, KeyCode::Esc);
    assert!(app.table.filter.is_everything() && matches!(app.screen(), Screen::Table));
}

#[test]
fn the_selection_follows_its_owner() {
    let mut app = owned();
    type_in(&mut app, "oj");
    let selected = |app: &App| {
        let Screen::OwnerList(list) = app.screen() else {
            panic!("a list")
        };
        let groups = app.groups(list.by);
        groups[list.selected_index(&groups)].name.clone()
    };
    let before = selected(&app);
    assert_ne!(before.as_deref(), Some("flowd(2214)"));
    // The group without an owner now has a full map, and is first.
    let owners = owners_of_all_kinds();
    let nobody = (**owners.get(&key(4)).expect("a map")).clone();
    let maps = [
        map("a")
            .id(3)
            .owned((**owners.get(&key(3)).expect("a map")).clone()),
        map("b").id(4).used(9, 9).owned(nobody),
        map("c").id(5),
    ];
    app.ingest(snapshot(5, maps), Duration::ZERO);
    assert_eq!(selected(&app), before);
}

#[test]
fn maps_without_known_owner_are_listed_but_not_selectable() {
    let mut app = owned();
    type_in(&mut app, "oG");
    let Screen::OwnerList(list) = app.screen() else {
        panic!("a list")
    };
    let groups = app.groups(list.by);
    let unknown = groups.iter().position(|group| group.name.is_none());
    let down = "k".repeat(groups.len()) + &"j".repeat(unknown.expect("one is not known"));
    type_in(&mut app, &down);
    assert!(text(&app).contains("(owner not known)"));
    press(&mut app, KeyCode::Enter);
    assert!(app.table.filter.is_everything());
    assert!(
        app.message()
            .is_some_and(|said| said.contains("owner is not known"))
    );
}

#[test]
fn help_returns_to_the_owner_list() {
    let mut app = owned();
    type_in(&mut app, "o?");
    assert!(matches!(app.screen(), Screen::Help(_)));
    press(&mut app, KeyCode::Esc);
    assert!(matches!(app.screen(), Screen::OwnerList(_)));
    assert_eq!(press(&mut app, KeyCode::Char('q')), Effect::Draw);
    assert!(matches!(app.screen(), Screen::Table));
}
