//! Help, lists and the detail.

use std::time::Duration;

use mapstop::analysis::thresholds::Thresholds;
use mapstop::columns::parse_columns;
use mapstop::tui::state::Screen;
use ratatui::layout::Rect;

use super::*;

#[test]
fn the_list_of_columns() {
    let mut app = app(80, 24);
    press(&mut app, "sjj");
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn the_help_has_four_pages() {
    for (page, keys) in [
        ("keys", "?"),
        ("columns", "?2"),
        ("marks", "?3"),
        ("filter", "?4"),
    ] {
        let mut app = app(80, 24);
        press(&mut app, keys);
        insta::assert_snapshot!(format!("the_help_{page}"), screen(&app));
    }
}

#[test]
fn the_help_at_40x12_and_searched() {
    let mut app = app(40, 12);
    press(&mut app, "?/hatched\n");
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn every_key_fits_on_a_large_screen() {
    let mut app = app(140, 60);
    press(&mut app, "?");
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn requested_columns() {
    let mut app = app(80, 8);
    app.display.columns = parse_columns("max,name,flags", &[]).ok();
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn the_columns_to_choose_from() {
    let mut app = app(80, 24);
    press(&mut app, "cj ");
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn the_detail_of_a_map_that_fills() {
    for (width, height) in [(80, 24), (140, 40), (40, 12)] {
        let mut app = after(4, width, height);
        press(&mut app, "jj\n");
        insta::assert_snapshot!(format!("detail_{width}x{height}"), screen(&app));
    }
}

#[test]
fn the_detail_of_other_kinds() {
    // Only what depends on the kind: level, bar, and the behaviour when full.
    let mut all = String::new();
    for name in [
        "events",
        "ct4_global",
        "jmp_table",
        "prog_stats",
        "sk_flow_state",
        "quota",
    ] {
        let mut app = app(80, 12);
        app.open_when_seen(Some(name.to_owned()));
        app.ingest(samples()[2].clone(), Duration::ZERO);
        all += &screen(&app);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_detail_of_a_deleted_map() {
    let mut app = after(4, 80, 24);
    app.table.selected = Some(mapstop::test_util::key(13_020));
    press(&mut app, "\n");
    app.ingest(samples()[4].clone(), Duration::ZERO);
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn the_lists_of_owners_services_and_containers() {
    let mut app = app(80, 24);
    press(&mut app, "oj");
    insta::assert_snapshot!("owners_80x24", screen(&app));
    press(&mut app, "\t");
    insta::assert_snapshot!("services_80x24", screen(&app));
    press(&mut app, "\t");
    insta::assert_snapshot!("containers_80x24", screen(&app));
    app.resize(24, 6);
    insta::assert_snapshot!("containers_24x6", screen(&app));
}

#[test]
fn narrow_titles_keep_the_current_page() {
    for width in 24..120 {
        for (key, shown) in [("1", "1 overview"), ("2", "2 events")] {
            let mut app = app(width, 12);
            press(&mut app, &format!("\n{key}"));
            let all = screen(&app);
            let title = all.lines().next().expect("a title");
            let pages = ["1 overview", "2 events"];
            if pages.iter().any(|page| title.contains(page)) {
                assert!(title.contains(shown), "{width}: {title}");
            }
        }
    }
}

#[test]
fn the_help_states_the_thresholds_in_force() {
    let mut app = app(100, 30);
    app.set_thresholds(Thresholds {
        warn: 0.5,
        crit: 0.6,
        ..Thresholds::default()
    });
    press(&mut app, "?3");
    let screen = screen(&app);
    assert!(screen.contains("at 60 % and growing"), "{screen}");
    assert!(screen.contains("at 50 % or more"), "{screen}");
}

#[test]
fn scrolling_ends_at_the_drawn_limit() {
    let mut app = app(80, 12);
    press(&mut app, "?");
    let draw = |app: &mut App, keys| {
        press(app, keys);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 12));
        let info = render::draw(app, buffer.area, &mut buffer);
        app.set_max_top(info.max_top.expect("the help is a page"));
        match app.screen() {
            Screen::Help(help) => (help.top(), info.max_top),
            other => panic!("{other:?}"),
        }
    };
    let (top, max_top) = draw(&mut app, "");
    assert_eq!(top, 0);
    assert!(max_top > Some(20), "{max_top:?}");
    assert_eq!(Some(draw(&mut app, "G").0), max_top);
    assert_eq!(Some(draw(&mut app, "jjj").0), max_top);
    assert_eq!(Some(draw(&mut app, "k").0 + 1), max_top);
    assert_eq!(draw(&mut app, "2").0, 0, "another page starts at its top");
}
