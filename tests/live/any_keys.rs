//! Random keys at random sizes, and the completeness of the key table.

use std::time::Duration;

use mapstop::test_util::{moment, snapshot};
use mapstop::tui::action::Effect;
use mapstop::tui::keymap::BINDINGS;
use proptest::prelude::*;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;

fn any_key() -> impl Strategy<Value = KeyEvent> {
    let code = prop_oneof![
        3 => proptest::char::any().prop_map(KeyCode::Char),
        3 => proptest::sample::select(vec!['f', 's', 'o', 'u', '?', 'i', 'C', 'd', 'q', ' ', 'j', 'k', '>', '(', '\'']).prop_map(KeyCode::Char),
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
    fn random_keys_and_sizes_do_not_panic(
        keys in proptest::collection::vec((any_key(), 1u16..120, 1u16..50), 0..200),
    ) {
        let mut app = app();
        for (second, (key, width, height)) in (1..).zip(keys) {
            app.press(key);
            app.resize(width, height);
            if second % 7 == 0 {
                app.ingest(snapshot(second, maps().into_iter().skip((second % 5) as usize)), Duration::ZERO);
            }
            prop_assert!(app.table.top <= app.table.visible.len());
            let area = ratatui::layout::Rect::new(0, 0, width, height);
            let mut buffer = ratatui::buffer::Buffer::empty(area);
            mapstop::tui::render::draw(&app, area, &mut buffer);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn random_keys_and_sizes_do_not_panic_in_a_replay(
        keys in proptest::collection::vec((any_key(), 1u16..120, 1u16..50), 0..200),
    ) {
        let mut app = replay::playing();
        for (second, (key, width, height)) in (1..).zip(keys) {
            app.session.now = moment(5000 + second);
            if let Effect::Seek(at) = app.press(key) {
                replay::seek(&mut app, at);
            }
            app.resize(width, height);
            let player = app.session.player.as_ref().expect("a player");
            let next = player.index + 1;
            prop_assert!(next <= 100);
            if player.due().is_some_and(|due| due <= app.session.now.uptime) {
                app.play(next, replay::samples().swap_remove(next));
            }
            let area = ratatui::layout::Rect::new(0, 0, width, height);
            let mut buffer = ratatui::buffer::Buffer::empty(area);
            mapstop::tui::render::draw(&app, area, &mut buffer);
        }
    }
}

#[test]
fn the_key_table_is_complete() {
    let keys: Vec<_> = BINDINGS
        .iter()
        .flat_map(|binding| binding.keys)
        .map(|key| key.name().to_string())
        .collect();
    for key in [
        "Up", "Down", "k", "j", "PgUp", "PgDn", "^B", "^F", "^U", "^D", "Home", "End", "g", "G",
        "Left", "Right", "Enter", "Esc", "q", "Q", "F10", "^C", "^Z", "?", "F1", "h", "/", "F3",
        "n", "N", "Tab", "f", "\\", "F4", "s", "F6", "<", ">", "I", "R", "A", "P", "D", "M", "L",
        "l", "Space", "Z", "F", "m", "U", "d", "+", "-", "^L", "^R", "t", "T", "{", "}", "b", "v",
        "w", "c", "F2", "1", "2", "3", "[", "]",
    ] {
        assert!(keys.iter().any(|name| name == key), "{key}");
    }
}
