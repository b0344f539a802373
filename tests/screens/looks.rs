//! Themes, ASCII, and no escape sequences from outside.

use std::fmt::Write;
use std::time::Duration;

use mapstop::columns::glyphs::ASCII;
use mapstop::test_util::{host, map, moment, snapshot};
use mapstop::text::sanitize::sanitize;
use mapstop::tui::state::App;
use ratatui::style::{Color, Modifier};

use super::*;

#[test]
fn the_table_in_ascii() {
    let mut app = app(80, 24);
    app.display.glyphs = &ASCII;
    press(&mut app, "P");
    let screen = screen(&app);
    assert!(screen.is_ascii(), "{screen}");
    insta::assert_snapshot!(screen);
}

#[test]
fn the_selected_row_and_the_marks_stand_out_without_colour() {
    let mut app = app(80, 24);
    press(&mut app, "jjj");
    let buffer = buffer(&app);
    let selected = line_with(&buffer, " 3187 ");
    let neighbour = line_with(&buffer, " 4410 ");
    assert!(
        selected
            .iter()
            .all(|cell| cell.modifier.contains(Modifier::REVERSED))
    );
    assert!(
        !neighbour
            .iter()
            .any(|cell| cell.modifier.contains(Modifier::REVERSED))
    );
    assert_eq!(line_with(&buffer, "pol_ep")[0].symbol(), "!");
    assert_eq!(neighbour[0].symbol(), "^");
}

#[test]
fn only_marks_have_a_colour() {
    let buffer = buffer(&app(140, 40));
    for (text, colour) in [
        ("pol_ep_02366", Some(Color::Red)),
        ("conn_track_v4", Some(Color::Yellow)),
        ("ct4_global", None),
        ("fib_trie", None),
        ("prog_stats", None),
    ] {
        let colours: Vec<_> = line_with(&buffer, text)
            .iter()
            .map(|cell| cell.fg)
            .filter(|fg| *fg != Color::Reset)
            .collect();
        assert_eq!(colours.first().copied(), colour, "{text}");
    }
}

#[test]
fn a_hostile_name_is_drawn_sanitized() {
    let mut app = App::new(host(), moment(0));
    app.resize(90, 24);
    let name = sanitize(b"\x1b]52;c;aGk=\x07\x1b[2J");
    app.ingest(snapshot(0, [map(&name)]), Duration::ZERO);
    let screen = screen(&app);
    assert!(screen.contains("?]52;c;aGk=??[2J"), "{screen}");
    assert!(!screen.chars().any(|c| c.is_control() && c != '\n'));
}

/// The styled runs of the screen, line by line.
fn looks(app: &App) -> String {
    let buffer = buffer(app);
    let mut all = String::new();
    for (y, line) in buffer.content.chunks(buffer.area.width.into()).enumerate() {
        let style = |cell: &ratatui::buffer::Cell| (cell.fg, cell.bg, cell.modifier);
        for run in line.chunk_by(|a, b| style(a) == style(b)) {
            let text: String = run.iter().map(ratatui::buffer::Cell::symbol).collect();
            let (fg, bg, modifier) = style(&run[0]);
            if (fg, bg, modifier) != (Color::Reset, Color::Reset, Modifier::empty()) {
                let text = text.trim_end();
                writeln!(all, "{y:>2} {text:<24} {fg} on {bg} {modifier:?}").expect("a string");
            }
        }
    }
    all
}

#[test]
fn every_theme_looks_different() {
    for theme in mapstop::theme::THEMES {
        let mut app = after(6, 62, 14);
        app.display.theme = theme;
        press(&mut app, "/svc\n");
        app.session.now = moment(60);
        insta::assert_snapshot!(format!("looks_{}", theme.name), looks(&app));
    }
}

#[test]
fn no_theme_hides_the_selected_row() {
    for theme in mapstop::theme::THEMES {
        let mut app = app(80, 24);
        app.display.theme = theme;
        press(&mut app, "jjj");
        let selected = line_with(&buffer(&app), " 3187 ");
        assert!(
            selected
                .iter()
                .all(|cell| cell.modifier.contains(Modifier::REVERSED)),
            "{}",
            theme.name
        );
    }
}

#[test]
fn in_ascii_every_cell_of_every_screen_is_ascii() {
    for keys in [
        "", "jj", "s", "c", "?", "?2", "?3", "?4", "\n", "fkind:", "fzzz\n", "/e", "w", "v", "jm ",
        "d",
    ] {
        for (width, height) in [(140, 40), (80, 24), (40, 12), (24, 6)] {
            for mut app in [after(6, width, height), replay(width, height)] {
                app.display.glyphs = &ASCII;
                press(&mut app, keys);
                let screen = screen(&app);
                assert!(screen.is_ascii(), "'{keys}' at {width}x{height}\n{screen}");
            }
        }
    }
}
