//! Moving, sorting, opening and quitting.

use std::time::Duration;

use mapstop::test_util::{host, map, moment, snapshot};
use mapstop::tui::action::{Action, Effect};
use mapstop::tui::state::{App, Screen};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;

#[test]
fn the_selection_stays_on_the_map_through_sorts_and_samples() {
    let mut app = app();
    app.apply(Action::Down);
    app.apply(Action::Down);
    assert_eq!(selected(&app), Some(39));
    type_in(&mut app, "AI");
    assert_eq!(selected(&app), Some(39));
    assert_eq!(shown(&app)[38], 39);
    for second in 1..=10 {
        let mut maps = maps();
        maps.rotate_left(second as usize);
        app.ingest(snapshot(second, maps), Duration::ZERO);
        assert_eq!(selected(&app), Some(39));
    }
    let at = app.selected_at().expect("it is shown");
    assert!(
        (app.table.top..app.table.top + 20).contains(&at),
        "it is on the screen"
    );
}

#[test]
fn a_deleted_map_is_reported_and_selects_no_other() {
    let mut app = app();
    app.apply(Action::Down);
    assert_eq!(selected(&app), Some(40));
    let rest = || maps().into_iter().take(39);
    app.ingest(snapshot(1, rest()), Duration::ZERO);
    assert_eq!(app.message(), Some("40 map_40 was deleted"));
    assert_eq!(shown(&app)[0], 40, "its row stays for a while");
    let row = app.selected_row().expect("it is still selected");
    assert_eq!(row.deleted_at, Some(Duration::from_secs(1)));
    assert_eq!(
        (app.total(), app.data.summary.total),
        (39, 39),
        "it does not count"
    );
    app.ingest(snapshot(10, rest()), Duration::ZERO);
    assert_eq!(shown(&app)[0], 40);
    app.ingest(snapshot(11, rest()), Duration::ZERO);
    assert_eq!(shown(&app)[0], 39, "ten seconds later it goes");
    assert_eq!(selected(&app), None, "and nothing else is selected");
}

#[test]
fn home_deselects_and_scrolls_to_the_top() {
    let mut app = app();
    app.apply(Action::Last);
    assert_eq!(selected(&app), Some(1));
    assert_eq!(app.table.top, 20);
    press(&mut app, KeyCode::Home);
    assert_eq!((selected(&app), app.table.top), (None, 0));
}

#[test]
fn pages_are_as_long_as_the_table() {
    let mut app = app();
    app.apply(Action::Down);
    app.apply(Action::PageDown);
    assert_eq!(selected(&app), Some(20), "20 rows fit into 24 lines");
    app.apply(Action::HalfPageUp);
    assert_eq!(selected(&app), Some(30));
    app.apply(Action::PageUp);
    assert_eq!(selected(&app), Some(40));
}

#[test]
fn down_selects_the_first_row_and_up_the_last() {
    for (action, id) in [
        (Action::Down, 40),
        (Action::Up, 21),
        (Action::PageDown, 21),
        (Action::PageUp, 21),
        (Action::Last, 1),
    ] {
        let mut app = app();
        app.apply(action);
        assert_eq!(selected(&app), Some(id), "{action:?}");
    }
}

#[test]
fn esc_goes_back_and_never_quits() {
    let mut app = app();
    type_in(&mut app, "fmap_1");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.table.visible.len(), 10);
    type_in(&mut app, "?");
    for _ in 0..20 {
        assert_ne!(press(&mut app, KeyCode::Esc), Effect::Quit);
    }
    assert!(matches!(app.screen(), Screen::Table));
    assert_eq!(
        app.table.visible.len(),
        40,
        "the filter is cleared on the way"
    );
    assert_eq!(press(&mut app, KeyCode::Char('q')), Effect::Quit);
}

#[test]
fn esc_on_the_table_names_the_quit_key() {
    let mut app = app();
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.message(), Some("q quits"));
    app.session.now = moment(5);
    assert_eq!(app.message(), None, "it goes by itself");
}

#[test]
fn a_direction_chosen_in_the_list_is_kept() {
    let mut app = app();
    type_in(&mut app, "PsI");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.table.sort.to_string(), "-pressure");
}

#[test]
fn a_requested_map_hidden_by_the_filter_is_reported() {
    let mut app = App::new(host(), moment(0));
    app.table.filter = mapstop::query::filter::Filter::parse("map_01").expect("a filter");
    app.open_when_seen(Some("map_07".to_owned()));
    app.ingest(snapshot(0, maps()), Duration::ZERO);
    assert_eq!(app.message(), Some("'map_07' does not match the filter"));
}

#[test]
fn sorts_from_the_menu_and_by_neighbours() {
    let mut app = app();
    type_in(&mut app, "sj");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.table.sort.to_string(), "id");
    assert_eq!(shown(&app)[0], 1);
    type_in(&mut app, ">");
    assert_eq!(app.table.sort.to_string(), "name");
    type_in(&mut app, "<<");
    assert_eq!(app.table.sort.to_string(), "attention");
    type_in(&mut app, "<");
    assert_eq!(app.table.sort.to_string(), "mem", "round at the end");
    type_in(&mut app, "PI");
    assert_eq!(app.table.sort.to_string(), "-pressure");
    assert_eq!(shown(&app)[0], 1);
}

#[test]
fn every_quit_key_quits() {
    assert_eq!(press(&mut app(), KeyCode::F(10)), Effect::Quit);
    let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    for keys in ["", "f", "d", "s", "?"] {
        let mut app = app();
        type_in(&mut app, keys);
        assert_eq!(app.press(ctrl_c), Effect::Quit, "in '{keys}'");
    }
}

#[test]
fn a_requested_map_is_selected_when_it_appears() {
    for wanted in ["7", "map_07"] {
        let mut app = App::new(host(), moment(0));
        app.open_when_seen(Some(wanted.to_owned()));
        app.ingest(snapshot(0, maps()), Duration::ZERO);
        assert_eq!(selected(&app), Some(7));
    }
    let mut app = App::new(host(), moment(0));
    app.open_when_seen(Some("nobody".to_owned()));
    app.ingest(snapshot(0, maps()), Duration::ZERO);
    assert_eq!(
        app.message(),
        Some("no map has the id, name or pin 'nobody'")
    );
}

#[test]
fn rows_keep_their_order_for_three_seconds_after_a_move() {
    let mut app = app();
    app.apply(Action::Down);
    let mut first = maps();
    first[0] = map("map_01").id(1).used(100, 100);
    app.ingest(snapshot(1, first.clone()), Duration::ZERO);
    assert!(app.is_order_held());
    assert_eq!(
        shown(&app)[..2],
        [40, 39],
        "nothing jumps away under the key"
    );
    first.push(map("new").id(41).used(99, 100));
    app.ingest(snapshot(2, first.clone()), Duration::ZERO);
    assert_eq!(shown(&app)[40], 41, "what is new comes behind");
    app.ingest(snapshot(3, first), Duration::ZERO);
    assert!(!app.is_order_held());
    assert_eq!(shown(&app)[..2], [1, 41]);
    assert_eq!(selected(&app), Some(40));
}

#[test]
fn sorting_by_key_is_immediate() {
    let mut app = app();
    app.apply(Action::Down);
    press(&mut app, KeyCode::Char('I'));
    assert!(!app.is_order_held());
    assert_eq!(shown(&app)[0], 1);
}

#[test]
fn only_a_followed_map_is_kept_in_view() {
    let fallen = || {
        let mut maps = maps();
        maps[39] = map("map_40").id(40).used(0, 100);
        snapshot(9, maps)
    };
    let mut app = app();
    press(&mut app, KeyCode::Char('P'));
    app.apply(Action::Down);
    app.ingest(fallen(), Duration::ZERO);
    assert_eq!((app.selected_at(), app.table.top), (Some(39), 0));
    press(&mut app, KeyCode::Char('F'));
    assert_eq!(app.table.top, 20, "F brings it back");

    let mut app = super::app();
    press(&mut app, KeyCode::Char('P'));
    app.apply(Action::Down);
    press(&mut app, KeyCode::Char('F'));
    app.ingest(fallen(), Duration::ZERO);
    assert_eq!(app.table.top, 20);
    press(&mut app, KeyCode::Home);
    assert!(!app.table.is_following);
}

#[test]
fn pinned_maps_are_at_the_top_in_any_order() {
    let mut app = app();
    press(&mut app, KeyCode::Char('m'));
    assert_eq!(app.message(), Some("select a map first (Up, Down)"));
    app.apply(Action::Last);
    press(&mut app, KeyCode::Char('m'));
    assert_eq!(shown(&app)[..2], [1, 40]);
    assert_eq!(app.table.top, 0, "and in view");
    press(&mut app, KeyCode::Char('P'));
    app.ingest(snapshot(9, maps()), Duration::ZERO);
    assert_eq!(shown(&app)[..2], [1, 40]);
    press(&mut app, KeyCode::Char('U'));
    assert_eq!(shown(&app)[0], 40);
    assert_eq!(shown(&app)[39], 1);
}

#[test]
fn enter_opens_a_map_and_brackets_its_neighbours() {
    let mut app = app();
    let open = |app: &App| match app.screen() {
        Screen::Detail(detail) => Some(detail.row.key().id.0),
        _ => None,
    };
    press(&mut app, KeyCode::Enter);
    assert_eq!(open(&app), Some(40), "the first, when none is selected");
    press(&mut app, KeyCode::Char(']'));
    press(&mut app, KeyCode::Char(']'));
    assert_eq!((open(&app), selected(&app)), (Some(38), Some(38)));
    press(&mut app, KeyCode::Char('['));
    assert_eq!(open(&app), Some(39));
    let mut grown = maps();
    grown[38] = map("map_39").id(39).used(100, 100);
    app.ingest(snapshot(1, grown), Duration::ZERO);
    let Screen::Detail(detail) = app.screen() else {
        panic!("it stays open")
    };
    assert_eq!(detail.row.facts.used, Some(100), "and follows the samples");
    press(&mut app, KeyCode::Char('q'));
    assert!(matches!(app.screen(), Screen::Table));
    assert_eq!(selected(&app), Some(39));
}

#[test]
fn the_detail_keeps_a_deleted_map() {
    let mut app = app();
    press(&mut app, KeyCode::Enter);
    for second in [1, 20] {
        let rest = maps().into_iter().take(39);
        app.ingest(snapshot(second, rest), Duration::ZERO);
        let Screen::Detail(detail) = app.screen() else {
            panic!("it stays open")
        };
        assert_eq!(detail.row.key().id.0, 40);
        assert_eq!(detail.row.deleted_at, Some(Duration::from_secs(1)));
    }
}

#[test]
fn only_recently_created_maps_are_new() {
    let mut app = app();
    let new = || maps().into_iter().chain([map("new").id(77)]);
    let is_new = |app: &App, id| {
        let row = app.rows().find(|row| row.key().id.0 == id).expect("a row");
        app.is_new(row)
    };
    app.ingest(snapshot(1, new()), Duration::ZERO);
    assert!(is_new(&app, 77));
    assert!(!is_new(&app, 40));
    app.ingest(snapshot(10, new()), Duration::ZERO);
    assert!(is_new(&app, 77));
    app.ingest(snapshot(11, new()), Duration::ZERO);
    assert!(!is_new(&app, 77));
}

#[test]
fn capital_q_leaves_the_table_behind_and_ctrl_z_stops() {
    assert_eq!(press(&mut app(), KeyCode::Char('Q')), Effect::QuitShowing);
    let ctrl_z = KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL);
    for keys in ["", "f", "d", "s", "?", "c"] {
        let mut app = app();
        type_in(&mut app, keys);
        assert_eq!(app.press(ctrl_z), Effect::Suspend, "in '{keys}'");
    }
    let text = mapstop::tui::render::text(&app());
    assert!(text.contains("! ") || text.contains("^ "), "{text}");
    assert!(text.contains("map_40") && text.contains("map_21"), "{text}");
    assert!(
        !text.contains("quit"),
        "the keys are of no use there: {text}"
    );
}

#[test]
fn an_alert_stays_until_esc_and_a_toast_covers_it() {
    let mut app = app();
    app.alert("recording stopped");
    app.session.now = moment(3600);
    assert_eq!(app.message(), Some("recording stopped"));
    press(&mut app, KeyCode::Char('+'));
    assert_eq!(app.message(), Some("every 2s"));
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.message(), Some("recording stopped"));
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.message(), None);
}

#[test]
fn deleted_maps_have_no_mark_and_sort_last() {
    let mut app = app();
    for (second, used) in [(0, 99), (1, 100)] {
        let fills = |id| map("full").id(id).used(used, 100);
        let all = maps().into_iter().chain((50..60).map(fills));
        app.ingest(snapshot(second, all), Duration::ZERO);
    }
    assert_eq!(app.data.summary.crit, 10);
    let mut rest = maps();
    rest[0] = map("map_01").id(1).used(100, 100);
    app.ingest(snapshot(2, rest), Duration::ZERO);
    assert_eq!(shown(&app)[..2], [1, 40], "marked ones come first");
    assert_eq!(app.table.visible.len(), 50, "they are there for a while");
    type_in(&mut app, "fmark:crit");
    assert_eq!(shown(&app), [1]);
}

#[test]
fn many_deleted_maps_keep_only_needed_rows() {
    let mut app = app();
    type_in(&mut app, "jm");
    app.apply(Action::Last);
    app.ingest(snapshot(1, [map("left").id(100)]), Duration::ZERO);
    assert_eq!(shown(&app), [40, 1, 100], "those two, and what is new");
}

#[test]
fn following_ends_when_the_map_is_deleted() {
    let mut app = app();
    type_in(&mut app, "jF");
    for second in [1, 12] {
        app.ingest(
            snapshot(second, maps().into_iter().take(39)),
            Duration::ZERO,
        );
    }
    assert!(!app.table.is_following);
}

#[test]
fn keys_without_effect_explain_why() {
    let mut app = app();
    for (key, text) in [
        (KeyCode::Left, "already at the first column"),
        (
            KeyCode::Char('U'),
            "no map is kept on top; m keeps the selected map there",
        ),
        (KeyCode::Char('m'), "select a map first (Up, Down)"),
        (
            KeyCode::Char('T'),
            "pause first (Space), then t and T step through the samples",
        ),
    ] {
        press(&mut app, key);
        assert_eq!(app.message(), Some(text));
    }
}

#[test]
fn toasts_end_with_their_screen() {
    let mut app = app();
    type_in(&mut app, "mc");
    assert_eq!(app.message(), None);
    type_in(&mut app, "j ");
    assert!(app.message().is_some());
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.message(), None);
}

#[test]
fn esc_in_the_sort_menu_keeps_the_order() {
    let mut app = app();
    type_in(&mut app, "sI");
    assert_eq!(app.table.sort.to_string(), "-attention");
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.table.sort.to_string(), "attention");
}

#[test]
fn the_detail_lists_events() {
    let mut app = app();
    for second in 1..=30 {
        let mut maps = maps();
        maps[39] = map("map_40").id(40).used(70 + u64::from(second), 100);
        app.ingest(snapshot(second, maps), Duration::ZERO);
    }
    app.table.selected = Some(mapstop::test_util::key(40));
    press(&mut app, KeyCode::Enter);
    let overview = mapstop::tui::render::text(&app);
    assert!(overview.contains("highest 100 at 14:25:39"), "{overview}");
    press(&mut app, KeyCode::Tab);
    let events = mapstop::tui::render::text(&app);
    for line in [
        "14:25:39  full",
        "14:25:34  rose above 95 %",
        "14:25:19  rose above 80 %",
    ] {
        assert!(events.contains(line), "{line}: {events}");
    }
    type_in(&mut app, "]");
    assert!(mapstop::tui::render::text(&app).contains("no events since 14:25:09"));
}
