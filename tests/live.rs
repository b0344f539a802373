//! The live view driven by keys and samples: what is selected, sorted, filtered, paused.

use std::time::Duration;

use mapstop::testing::{MapBuilder, host, map, moment, snapshot};
use mapstop::tui::app::{Action, App, Effect, Mode};
use mapstop::tui::keys::BINDINGS;
use proptest::prelude::*;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Ids 1 to 40, each as full as its id is high, sorted by attention: 40 first.
fn maps() -> Vec<MapBuilder> {
    (1..=40)
        .map(|id| {
            map(&format!("map_{id:02}"))
                .id(id)
                .used((id * 2).into(), 100)
        })
        .collect()
}

fn app() -> App {
    let mut app = App::new(host(), moment(0));
    app.resize(80, 24);
    app.ingest(snapshot(0, maps()), Duration::ZERO);
    app
}

fn shown(app: &App) -> Vec<u32> {
    app.rows().map(|row| row.key().id.0).collect()
}

fn selected(app: &App) -> Option<u32> {
    app.selected.as_ref().map(|key| key.id.0)
}

fn press(app: &mut App, code: KeyCode) -> Effect {
    app.press(KeyEvent::new(code, KeyModifiers::NONE))
}

fn type_in(app: &mut App, text: &str) {
    for c in text.chars() {
        press(app, KeyCode::Char(c));
    }
}

#[test]
fn the_selection_stays_on_the_map_through_sorts_and_samples() {
    let mut app = app();
    app.apply(Action::Down);
    app.apply(Action::Down);
    assert_eq!(selected(&app), Some(39));
    type_in(&mut app, "N");
    assert_eq!(selected(&app), Some(39));
    assert_eq!(shown(&app)[38], 39);
    type_in(&mut app, "I");
    for second in 1..=10 {
        let mut maps = maps();
        maps.rotate_left(second as usize);
        app.ingest(snapshot(second, maps), Duration::ZERO);
        assert_eq!(selected(&app), Some(39));
    }
    let at = app.selected_at().expect("it is shown");
    assert!((app.top..app.top + 20).contains(&at), "it is on the screen");
}

#[test]
fn a_map_that_is_gone_is_said_to_be_and_nothing_else_is_selected() {
    let mut app = app();
    app.apply(Action::Down);
    assert_eq!(selected(&app), Some(40));
    app.ingest(snapshot(1, maps().into_iter().take(39)), Duration::ZERO);
    assert_eq!(selected(&app), None);
    assert_eq!(app.message(), Some("40 map_40 is gone"));
}

#[test]
fn home_lets_go_of_the_selection_and_shows_the_top() {
    let mut app = app();
    app.apply(Action::Last);
    assert_eq!(selected(&app), Some(1));
    assert_eq!(app.top, 20);
    press(&mut app, KeyCode::Home);
    assert_eq!((selected(&app), app.top), (None, 0));
}

#[test]
fn pages_are_as_long_as_the_table() {
    let mut app = app();
    app.apply(Action::Down);
    app.apply(Action::PageDown);
    assert_eq!(selected(&app), Some(20), "20 rows fit into 24 lines");
    app.apply(Action::HalfUp);
    assert_eq!(selected(&app), Some(30));
    app.apply(Action::PageUp);
    assert_eq!(selected(&app), Some(40));
}

#[test]
fn from_nowhere_down_goes_to_the_first_row_and_up_to_the_last_on_the_screen() {
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
fn esc_takes_one_step_back_and_never_ends_the_program() {
    let mut app = app();
    type_in(&mut app, "fmap_1");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.places.len(), 10);
    type_in(&mut app, "?");
    for _ in 0..20 {
        assert_ne!(press(&mut app, KeyCode::Esc), Effect::Quit);
    }
    assert!(matches!(app.mode, Mode::Table));
    assert_eq!(app.places.len(), 40, "the filter is cleared on the way");
    assert_eq!(press(&mut app, KeyCode::Char('q')), Effect::Quit);
}

#[test]
fn esc_at_the_top_says_what_quits() {
    let mut app = app();
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.message(), Some("q quits"));
    app.now = moment(5);
    assert_eq!(app.message(), None, "it goes by itself");
}

#[test]
fn the_table_follows_a_filter_as_it_is_typed() {
    let mut app = app();
    type_in(&mut app, "fpressure>70");
    assert_eq!(shown(&app), [40, 39, 38, 37, 36]);
    type_in(&mut app, " (");
    assert_eq!(
        app.places.len(),
        5,
        "while it is wrong the last good one stays"
    );
    press(&mut app, KeyCode::Enter);
    assert!(
        matches!(app.mode, Mode::Prompt(_)),
        "a wrong filter is not kept"
    );
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.places.len(), 40, "Esc leaves it as it was");
}

#[test]
fn a_filter_goes_on_filtering_new_samples() {
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
fn up_in_the_prompt_brings_back_what_was_typed_before() {
    let mut app = app();
    for text in ["first", "second"] {
        type_in(&mut app, "f");
        app.press(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL));
        type_in(&mut app, text);
        press(&mut app, KeyCode::Enter);
    }
    type_in(&mut app, "f");
    let typed = |app: &App| match &app.mode {
        Mode::Prompt(prompt) => prompt.input.value().to_owned(),
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
fn what_is_being_typed_is_not_lost_by_looking_up_what_was_typed_before() {
    let mut app = app();
    type_in(&mut app, "fearlier");
    press(&mut app, KeyCode::Enter);
    press(&mut app, KeyCode::Esc);
    type_in(&mut app, "fdraft");
    let typed = |app: &App| match &app.mode {
        Mode::Prompt(prompt) => prompt.input.value().to_owned(),
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
fn a_direction_chosen_in_the_list_is_kept() {
    let mut app = app();
    type_in(&mut app, "PsI");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.sort.to_string(), "-pressure");
}

#[test]
fn a_map_asked_for_that_the_filter_hides_is_said_to_be_hidden() {
    let mut app = App::new(host(), moment(0));
    app.filter = mapstop::query::filter::Filter::parse("map_01").expect("a filter");
    app.want(Some("map_07".to_owned()));
    app.ingest(snapshot(0, maps()), Duration::ZERO);
    assert_eq!(app.message(), Some("'map_07' does not match the filter"));
}

#[test]
fn a_pause_holds_the_screen_and_its_end_shows_now() {
    let mut app = app();
    press(&mut app, KeyCode::Char(' '));
    let mut maps = maps();
    maps[0] = map("map_01").id(1).used(100, 100);
    app.ingest(snapshot(5, maps), Duration::ZERO);
    assert_eq!(shown(&app)[0], 40);
    assert_eq!(app.paused_since(), Some(moment(0)));
    press(&mut app, KeyCode::Char('Z'));
    assert_eq!(shown(&app)[0], 1);
    assert_eq!(app.paused_since(), None);
    let growth = app.rows().next().and_then(|row| row.growth_per_s);
    assert_eq!(growth, Some(98.0 / 5.0), "sampling went on");
}

#[test]
fn intervals_step_and_are_typed() {
    let mut app = app();
    type_in(&mut app, "+");
    assert_eq!(app.delay, Duration::from_secs(2));
    assert_eq!(app.message(), Some("every 2s"));
    type_in(&mut app, "--");
    assert_eq!(app.delay, Duration::from_millis(500));
    type_in(&mut app, "d0.25");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.delay, Duration::from_millis(250));
    type_in(&mut app, "d0.001");
    press(&mut app, KeyCode::Enter);
    assert!(matches!(app.mode, Mode::Prompt(_)), "too short is refused");
    press(&mut app, KeyCode::Esc);
    assert_eq!(app.delay, Duration::from_millis(250));
}

#[test]
fn columns_are_sorted_by_from_the_list_and_side_by_side() {
    let mut app = app();
    type_in(&mut app, "sj");
    press(&mut app, KeyCode::Enter);
    assert_eq!(app.sort.to_string(), "id");
    assert_eq!(shown(&app)[0], 1);
    type_in(&mut app, ">");
    assert_eq!(app.sort.to_string(), "name");
    type_in(&mut app, "<<");
    assert_eq!(app.sort.to_string(), "attention");
    type_in(&mut app, "<");
    assert_eq!(app.sort.to_string(), "growth", "round at the end");
    type_in(&mut app, "PI");
    assert_eq!(app.sort.to_string(), "-pressure");
    assert_eq!(shown(&app)[0], 1);
}

#[test]
fn every_way_out_is_a_way_out() {
    assert_eq!(press(&mut app(), KeyCode::F(10)), Effect::Quit);
    let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    for keys in ["", "f", "d", "s", "?"] {
        let mut app = app();
        type_in(&mut app, keys);
        assert_eq!(app.press(ctrl_c), Effect::Quit, "in '{keys}'");
    }
}

#[test]
fn q_is_a_letter_in_a_prompt_and_back_in_the_help() {
    let mut app = app();
    type_in(&mut app, "fq");
    assert!(matches!(app.mode, Mode::Prompt(_)));
    press(&mut app, KeyCode::Esc);
    type_in(&mut app, "?q");
    assert!(matches!(app.mode, Mode::Table));
}

#[test]
fn pasted_text_is_text_in_a_prompt_and_nothing_elsewhere() {
    let mut app = app();
    app.paste("qqq\u{3}sss???");
    assert!(matches!(app.mode, Mode::Table));
    type_in(&mut app, "f");
    app.paste("map_\n\u{1b}[1");
    let Mode::Prompt(prompt) = &app.mode else {
        panic!("a prompt")
    };
    assert_eq!(
        prompt.input.value(),
        "map_  [1",
        "what a terminal obeys is a blank"
    );
    app.paste(&"x".repeat(200_000));
    let Mode::Prompt(prompt) = &app.mode else {
        panic!("a prompt")
    };
    assert_eq!(prompt.input.value().len(), 1000);
}

#[test]
fn a_map_that_was_asked_for_is_selected_when_it_is_seen() {
    for wanted in ["7", "map_07"] {
        let mut app = App::new(host(), moment(0));
        app.want(Some(wanted.to_owned()));
        app.ingest(snapshot(0, maps()), Duration::ZERO);
        assert_eq!(selected(&app), Some(7));
    }
    let mut app = App::new(host(), moment(0));
    app.want(Some("nobody".to_owned()));
    app.ingest(snapshot(0, maps()), Duration::ZERO);
    assert_eq!(app.message(), Some("no map has the id or name 'nobody'"));
}

#[test]
fn a_failed_sample_is_said_until_one_succeeds() {
    let mut app = app();
    let error = anyhow::anyhow!("Cannot allocate memory").context("cannot read the map iterator");
    app.fail(&error, moment(3));
    assert_eq!(
        app.stale.as_ref().map(|s| s.error.as_str()),
        Some("Cannot allocate memory")
    );
    assert_eq!(app.places.len(), 40, "the numbers stay");
    app.ingest(snapshot(4, maps()), Duration::ZERO);
    assert_eq!(app.stale, None);
}

fn any_key() -> impl Strategy<Value = KeyEvent> {
    let code = prop_oneof![
        3 => proptest::char::any().prop_map(KeyCode::Char),
        3 => proptest::sample::select(vec!['f', 's', '?', 'd', 'q', ' ', 'j', 'k', '>', '(', '\'']).prop_map(KeyCode::Char),
        1 => (0u8..13).prop_map(KeyCode::F),
        2 => proptest::sample::select(vec![
            KeyCode::Esc, KeyCode::Enter, KeyCode::Up, KeyCode::Down, KeyCode::PageDown,
            KeyCode::PageUp, KeyCode::Home, KeyCode::End, KeyCode::Backspace, KeyCode::Tab,
        ]),
    ];
    let modifiers = proptest::sample::select(vec![
        KeyModifiers::NONE,
        KeyModifiers::SHIFT,
        KeyModifiers::CONTROL,
        KeyModifiers::ALT,
    ]);
    (code, modifiers).prop_map(|(code, modifiers)| KeyEvent::new(code, modifiers))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn no_keys_and_sizes_break_it(
        keys in proptest::collection::vec((any_key(), 1u16..120, 1u16..50), 0..200),
    ) {
        let mut app = app();
        for (second, (key, width, height)) in (1..).zip(keys) {
            app.press(key);
            app.resize(width, height);
            if second % 7 == 0 {
                app.ingest(snapshot(second, maps().into_iter().skip((second % 5) as usize)), Duration::ZERO);
            }
            prop_assert!(app.top <= app.places.len());
            let area = ratatui::layout::Rect::new(0, 0, width, height);
            let mut buffer = ratatui::buffer::Buffer::empty(area);
            mapstop::tui::draw::draw(&app, area, &mut buffer);
        }
    }
}

#[test]
fn the_key_table_has_all_that_was_promised() {
    let keys: Vec<_> = BINDINGS
        .iter()
        .flat_map(|binding| binding.keys)
        .map(|key| key.name().to_string())
        .collect();
    for key in [
        "Up", "Down", "k", "j", "PgUp", "PgDn", "^B", "^F", "^U", "^D", "Home", "End", "g", "G",
        "f", "s", "<", ">", "I", "R", "A", "P", "D", "Space", "d", "+", "-", "?", "Esc", "q",
        "F10", "^C",
    ] {
        assert!(keys.iter().any(|name| name == key), "{key}");
    }
}
