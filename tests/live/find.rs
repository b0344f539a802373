//! Filters and searches, typed and pasted.

use std::time::Duration;

use mapstop::test_util::{map, snapshot};
use mapstop::tui::state::Screen;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;

#[test]
fn the_table_follows_a_filter_as_it_is_typed() {
    let mut app = app();
    type_in(&mut app, "fpressure>70");
    assert_eq!(shown(&app), [40, 39, 38, 37, 36]);
    type_in(&mut app, " (");
    assert_eq!(
        app.table.visible.len(),
        5,
        "while it is wrong the last good one stays"
    );
    press(&mut app, KeyCode::Enter);
    assert!(
        matches!(app.screen(), Screen::Prompt(_)),
        "a wrong filter is not kept"
    );
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.table.visible.len(), 40, "Esc leaves it as it was");
}

#[test]
fn a_filter_applies_to_new_samples() {
    let mut app = app();
    type_in(&mut app, "fused>=80");
    press(&mut app, KeyCode::Enter);
    assert_eq!(shown(&app), [40]);
    let mut maps = maps();
    maps[2] = map("map_03").id(3).used(90, 100);
    app.ingest(snapshot(1, maps), Duration::ZERO);
    assert_eq!(shown(&app), [3, 40]);
}

#[test]
fn up_recalls_earlier_input() {
    let mut app = app();
    for text in ["first", "second"] {
        type_in(&mut app, "f");
        app.press(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL));
        type_in(&mut app, text);
        press(&mut app, KeyCode::Enter);
    }
    type_in(&mut app, "f");
    let typed = |app: &App| match app.screen() {
        Screen::Prompt(prompt) => prompt.input.value().to_owned(),
        other => panic!("{other:?}"),
    };
    press(&mut app, KeyCode::Up);
    assert_eq!(typed(&app), "second");
    press(&mut app, KeyCode::Up);
    assert_eq!(typed(&app), "first");
    press(&mut app, KeyCode::Down);
    assert_eq!(typed(&app), "second");
}

#[test]
fn the_prompt_history_keeps_the_current_input() {
    let mut app = app();
    type_in(&mut app, "fearlier");
    press(&mut app, KeyCode::Enter);
    press(&mut app, KeyCode::Esc);
    type_in(&mut app, "fdraft");
    let typed = |app: &App| match app.screen() {
        Screen::Prompt(prompt) => prompt.input.value().to_owned(),
        other => panic!("{other:?}"),
    };
    for (key, text) in [
        (KeyCode::Down, "draft"),
        (KeyCode::Up, "earlier"),
        (KeyCode::Up, "earlier"),
        (KeyCode::Down, "draft"),
    ] {
        press(&mut app, key);
        assert_eq!(typed(&app), text);
    }
}

#[test]
fn pasted_text_is_only_used_in_a_prompt() {
    let mut app = app();
    app.paste("qqq\u{3}sss???");
    assert!(matches!(app.screen(), Screen::Table));
    type_in(&mut app, "f");
    app.paste("map_\n\u{1b}[1");
    let Screen::Prompt(prompt) = app.screen() else {
        panic!("a prompt")
    };
    assert_eq!(
        prompt.input.value(),
        "map_  [1",
        "what a terminal obeys is a blank"
    );
    app.paste(&"x".repeat(200_000));
    let Screen::Prompt(prompt) = app.screen() else {
        panic!("a prompt")
    };
    assert_eq!(prompt.input.value().len(), 1000);
}

#[test]
fn q_is_a_letter_in_a_prompt() {
    let mut app = app();
    type_in(&mut app, "fq");
    assert!(matches!(app.screen(), Screen::Prompt(_)));
    press(&mut app, KeyCode::Esc);
    type_in(&mut app, "?q");
    assert!(matches!(app.screen(), Screen::Table));
}

#[test]
fn a_search_jumps_and_hides_nothing() {
    let mut app = app();
    type_in(&mut app, "/map_1");
    assert_eq!(selected(&app), Some(19));
    assert_eq!(app.table.visible.len(), 40);
    type_in(&mut app, "2");
    assert_eq!(selected(&app), Some(12));
    press(&mut app, KeyCode::Backspace);
    assert_eq!(selected(&app), Some(19));
    press(&mut app, KeyCode::Enter);
    let search = app.table.search.as_ref().expect("a search");
    assert_eq!(search.position(app.selected_at()), (1, 10));
    type_in(&mut app, "nn");
    assert_eq!(selected(&app), Some(17));
    assert_eq!(app.message(), Some("map_1  3/10  n next, N previous"));
    type_in(&mut app, "NNN");
    assert_eq!(selected(&app), Some(10), "round at the end");
    type_in(&mut app, "n");
    assert_eq!(selected(&app), Some(19));
}

#[test]
fn esc_restores_the_selection_after_a_search() {
    let mut app = app();
    type_in(&mut app, "jjj/map_3");
    assert_eq!(selected(&app), Some(38), "the selected one has it, too");
    type_in(&mut app, "9");
    assert_eq!(selected(&app), Some(39), "round at the end");
    press(&mut app, KeyCode::Esc);
    assert_eq!(selected(&app), Some(38));
    assert_eq!(app.table.search, None);
}

#[test]
fn a_search_without_a_match_selects_nothing() {
    let mut app = app();
    type_in(&mut app, "n");
    assert_eq!(app.message(), Some("nothing is searched for: / searches"));
    type_in(&mut app, "/xyz");
    press(&mut app, KeyCode::Enter);
    assert_eq!(selected(&app), None);
    type_in(&mut app, "n");
    assert_eq!(app.message(), Some("no map has 'xyz'"));
    press(&mut app, KeyCode::Esc);
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.table.search, None, "Esc ends it, after the message");
}

#[test]
fn tab_turns_a_search_into_a_filter() {
    let mut app = app();
    type_in(&mut app, "j/map_1");
    press(&mut app, KeyCode::Tab);
    assert_eq!(app.table.visible.len(), 10);
    assert_eq!(
        (selected(&app), app.table.search.is_none()),
        (Some(40), true)
    );
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.table.filter.text(), "map_1");
}

#[test]
fn tab_completes_a_filter() {
    let mut app = app();
    type_in(&mut app, "fki");
    press(&mut app, KeyCode::Tab);
    type_in(&mut app, "b");
    press(&mut app, KeyCode::Tab);
    let Screen::Prompt(prompt) = app.screen() else {
        panic!("a prompt")
    };
    assert_eq!(prompt.input.value(), "kind:bounded");
    assert_eq!(app.table.visible.len(), 40);
    type_in(&mut app, " mark:");
    press(&mut app, KeyCode::Tab);
    let Screen::Prompt(prompt) = app.screen() else {
        panic!("a prompt")
    };
    assert_eq!(prompt.choices, ["crit", "warn", "none"]);
}

#[test]
fn similar_names_are_suggested_without_a_match() {
    let mut app = app();
    type_in(&mut app, "fmpa_07");
    assert!(app.table.visible.is_empty());
    assert!(
        app.suggestions().contains(&"map_07".to_owned()),
        "{:?}",
        app.suggestions()
    );
}

#[test]
fn the_help_is_searched_over_all_its_pages() {
    let mut app = app();
    type_in(&mut app, "?/hatched");
    press(&mut app, KeyCode::Enter);
    let Screen::Help(help) = app.screen() else {
        panic!("the help")
    };
    assert_eq!(help.page_name(), "marks");
    type_in(&mut app, "/nowhere at all");
    let Screen::Prompt(prompt) = app.screen() else {
        panic!("a prompt")
    };
    assert!(prompt.error.is_some());
    for _ in 0..3 {
        press(&mut app, KeyCode::Esc);
    }
    assert!(matches!(app.screen(), Screen::Table));
}

#[test]
fn a_cancelled_search_restores_the_scroll_position() {
    let mut app = app();
    type_in(&mut app, "/map_01");
    assert_ne!(app.table.top, 0, "it is far down");
    press(&mut app, KeyCode::Esc);
    assert_eq!((app.table.top, selected(&app)), (0, None));
}

#[test]
fn an_incomplete_field_keeps_the_table() {
    let mut app = app();
    for text in ["fpressure", ">", "70"] {
        type_in(&mut app, text);
        assert!(!app.table.visible.is_empty(), "after {text}");
    }
    assert_eq!(app.table.visible.len(), 5);
    press(&mut app, KeyCode::Esc);
    type_in(&mut app, "fpressure");
    press(&mut app, KeyCode::Enter);
    assert!(
        app.table.visible.is_empty(),
        "but what was kept is what was typed"
    );
    assert_eq!(app.table.filter.text(), "pressure");
}
