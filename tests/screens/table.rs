//! The table and the lines around it.

use std::time::Duration;

use mapstop::test_util::{host, map, moment, snapshot};
use mapstop::tui::action::Action;
use mapstop::tui::state::App;
use ratatui::style::Modifier;

use super::*;

#[test]
fn the_table_at_140x40() {
    insta::assert_snapshot!(screen(&app(140, 40)));
}

#[test]
fn the_table_at_80x24_with_a_map_selected() {
    let mut app = app(80, 24);
    press(&mut app, "jj");
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn the_table_at_40x12() {
    insta::assert_snapshot!(screen(&app(40, 12)));
}

#[test]
fn the_table_at_24x6() {
    insta::assert_snapshot!(screen(&app(24, 6)));
}

#[test]
fn a_single_cell_shows_the_worst_mark() {
    assert_eq!(screen(&app(1, 1)), "!\n");
}

#[test]
fn filter_and_pause_are_never_truncated() {
    let mut app = app(80, 24);
    press(&mut app, "fkind:bounded used>9000\n ");
    app.session.now = moment(44);
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn a_wrong_filter_keeps_the_last_result() {
    let mut app = app(80, 24);
    press(&mut app, "fpressure>80 and kind:");
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn nothing_matches() {
    let mut app = app(80, 24);
    press(&mut app, "fcilium\n");
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn nothing_is_there() {
    let mut app = App::new(host(), moment(0));
    app.resize(80, 24);
    app.ingest(snapshot(0, []), Duration::ZERO);
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn a_failed_read_keeps_the_numbers_and_shows_their_age() {
    let mut app = app(80, 24);
    app.on_sample_failed(
        &anyhow::anyhow!("Cannot allocate memory (os error 12)")
            .context("cannot read the map iterator"),
        moment(14),
    );
    insta::assert_snapshot!(screen(&app));
    let cells = line_with(&buffer(&app), "svc_backends");
    assert!(
        cells
            .iter()
            .all(|cell| cell.modifier.contains(Modifier::DIM))
    );
}

#[test]
fn every_size_can_be_drawn_in_every_mode() {
    let sizes = (0..30u16).flat_map(|w| (0..12u16).map(move |h| (w * 5, h * 3)));
    for (width, height) in sizes.chain([(1, 1), (2, 1), (1, 2), (3, 2), (300, 100)]) {
        for keys in [
            "", "j", "fkind:", "s", "?", "fzzz\n", "d5x\n", "jjG ", "c", "\n", "/x", "?/x", "?3",
            "w", "v",
        ] {
            let mut app = app(width.max(1), height.max(1));
            press(&mut app, keys);
            let screen = screen(&app);
            assert_eq!(
                screen.lines().count(),
                usize::from(height.max(1)),
                "{width}x{height} {keys}"
            );
        }
    }
}

#[test]
fn from_20_columns_name_and_mark_are_visible() {
    for (width, height) in [
        (20, 1),
        (20, 2),
        (20, 24),
        (24, 6),
        (40, 12),
        (79, 5),
        (80, 24),
    ] {
        let screen = screen(&app(width, height));
        assert!(
            screen
                .lines()
                .any(|line| line.starts_with('!') && line.contains("pol_ep_0")),
            "{width}x{height}\n{screen}"
        );
    }
}

#[test]
fn scrolls_through_ten_thousand_maps() {
    let mut app = App::new(host(), moment(0));
    app.resize(80, 24);
    let many = (1..=10_000).map(|id| map("m").id(id).used(id.into(), 10_000));
    app.ingest(snapshot(0, many), Duration::ZERO);
    app.apply(Action::Last);
    let screen = screen(&app);
    // By pressure map 1 is last.
    assert!(screen.contains("     1 m"), "{screen}");
    assert!(!screen.contains("! 10000"), "{screen}");
}

#[test]
fn the_table_at_80x24_exact() {
    let mut app = app(80, 24);
    press(&mut app, "w");
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn created_and_deleted_maps_are_highlighted() {
    let app = after(6, 80, 24);
    insta::assert_snapshot!(screen(&app));
    let buffer = buffer(&app);
    let gone = line_with(&buffer, "inner_00");
    let name = gone.iter().find(|cell| cell.symbol() == "i").expect("it");
    assert!(
        name.modifier
            .contains(Modifier::CROSSED_OUT | Modifier::DIM)
    );
    let new = line_with(&buffer, "just_made");
    let id = new.iter().find(|cell| cell.symbol() == "1").expect("it");
    assert!(id.modifier.contains(Modifier::BOLD));
}

#[test]
fn a_search_shows_the_index_of_the_match() {
    let mut app = app(80, 24);
    press(&mut app, "/ev");
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn pinned_followed_and_held_are_indicated() {
    let mut app = app(80, 24);
    press(&mut app, "GmFk");
    app.session.now = moment(7);
    press(&mut app, "k");
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn a_recording_has_a_time_line() {
    for (width, height) in [(80, 24), (140, 40), (40, 12)] {
        let mut app = replay(width, height);
        press(&mut app, "++");
        app.session.now = moment(9010);
        for (n, sample) in samples()[..6].iter().enumerate() {
            app.play(n, sample.clone());
        }
        insta::assert_snapshot!(format!("replay_{width}x{height}"), screen(&app));
    }
}

#[test]
fn a_message_never_covers_a_row() {
    for height in [3, 6, 8, 12, 24] {
        let mut app = app(80, height);
        let rows = |app: &App| -> Vec<String> {
            let screen = screen(app);
            let lines = screen
                .lines()
                .filter(|line| line.contains("hash") || line.contains("trie"));
            lines.map(str::to_owned).collect()
        };
        let before = rows(&app);
        app.alert("something went wrong");
        assert!(screen(&app).contains("something went wrong"), "{height}");
        assert_eq!(rows(&app), before, "{height}");
    }
}
