//! Whole screens as snapshots, at the sizes people have.

use std::time::Duration;

use mapstop::model::text::harmless;
use mapstop::query::columns::parse_columns;
use mapstop::query::fill::ASCII;
use mapstop::testing::{MapBuilder, host, map, moment, snapshot};
use mapstop::tui::app::{Action, App};
use mapstop::tui::draw;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::{Color, Modifier};

/// A machine as in the field: one map refuses, one fills up, some are full by design.
fn maps() -> Vec<MapBuilder> {
    vec![
        map("pol_ep_02366")
            .id(2971)
            .used(16_384, 16_384)
            .sizes(4, 8),
        map("conn_track_v4").id(3187).used(62_300, 65_536),
        map("dns_inflight")
            .id(4410)
            .named_type("percpu_hash")
            .used(8192, 10_240),
        map("events")
            .id(377)
            .named_type("ringbuf")
            .used(12 << 20, 16 << 20)
            .sizes(0, 0),
        map("svc_backends").id(3021).used(7790, 8192),
        map("ct4_global")
            .id(512)
            .named_type("lru_hash")
            .used(524_288, 524_288),
        map("snat_v4_ext")
            .id(513)
            .named_type("lru_percpu_hash")
            .used(131_072, 524_288),
        map("stack_traces")
            .id(700)
            .named_type("stack_trace")
            .used(4200, 16_384),
        map("fib_trie")
            .id(88)
            .named_type("lpm_trie")
            .used(12_400, 65_536)
            .flags(1),
        map("tcp_conns").id(3300).used(1200, 65_536),
        map("").id(3301).used(218, 10_000),
        map("dev_redirect")
            .id(3302)
            .named_type("devmap_hash")
            .used(6, 256),
        map("jmp_table")
            .id(2210)
            .named_type("prog_array")
            .used(31, 64),
        map("prog_stats")
            .id(2211)
            .named_type("percpu_array")
            .used(0, 256)
            .uncounted(),
        map("agent.rodata")
            .id(90)
            .named_type("array")
            .used(0, 1)
            .uncounted()
            .flags(1 << 7 | 1 << 10),
        map("sk_flow_state")
            .id(640)
            .named_type("sk_storage")
            .used(218, 0)
            .unlimited(),
        map("pid_seen")
            .id(701)
            .named_type("bloom_filter")
            .uncounted()
            .unlimited(),
        map("quota")
            .id(1203)
            .named_type("percpu_hash")
            .used(0, 4096)
            .uncounted(),
        map("from_tomorrow")
            .id(9001)
            .of_type(99)
            .uncounted()
            .unlimited(),
    ]
}

/// The view two seconds after its start, in which `conn_track_v4` has grown by 26.
fn app(width: u16, height: u16) -> App {
    let mut app = App::new(host(), moment(0));
    app.resize(width, height);
    let mut before = maps();
    before[1] = map("conn_track_v4").id(3187).used(62_274, 65_536);
    app.ingest(snapshot(0, before), Duration::ZERO);
    app.ingest(snapshot(2, maps()), Duration::from_micros(1400));
    app
}

fn buffer(app: &App) -> Buffer {
    let (width, height) = app.size();
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test terminal");
    terminal
        .draw(|frame| {
            let area = frame.area();
            draw::draw(app, area, frame.buffer_mut());
        })
        .expect("a test terminal takes everything");
    terminal.backend().buffer().clone()
}

/// The screen as text, a line a line, without blanks at line ends.
fn screen(app: &App) -> String {
    let buffer = buffer(app);
    let width = usize::from(buffer.area.width);
    buffer
        .content
        .chunks(width)
        .map(|line| {
            let line: String = line.iter().map(ratatui::buffer::Cell::symbol).collect();
            line.trim_end().to_owned() + "\n"
        })
        .collect()
}

fn press(app: &mut App, keys: &str) {
    for c in keys.chars() {
        let code = match c {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            c => KeyCode::Char(c),
        };
        app.press(KeyEvent::new(code, KeyModifiers::NONE));
    }
}

/// The line of the screen that has this text, as cells.
fn line_with(buffer: &Buffer, text: &str) -> Vec<ratatui::buffer::Cell> {
    buffer
        .content
        .chunks(buffer.area.width.into())
        .find(|line| {
            let line: String = line.iter().map(ratatui::buffer::Cell::symbol).collect();
            line.contains(text)
        })
        .expect("a line with the text")
        .to_vec()
}

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
fn the_table_in_ascii() {
    let mut app = app(80, 24);
    app.glyphs = &ASCII;
    press(&mut app, "P");
    let screen = screen(&app);
    assert!(screen.is_ascii(), "{screen}");
    insta::assert_snapshot!(screen);
}

#[test]
fn a_filter_and_a_pause_are_said_where_nothing_cuts_them_off() {
    let mut app = app(80, 24);
    press(&mut app, "fkind:bounded used>9000\n ");
    app.now = moment(44);
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn a_wrong_filter_has_a_caret_and_the_last_good_result_stays() {
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
fn a_failed_read_keeps_the_numbers_and_says_how_old_they_are() {
    let mut app = app(80, 24);
    app.fail(
        &anyhow::anyhow!("Cannot allocate memory (os error 12)")
            .context("cannot read the map iterator"),
        moment(14),
    );
    insta::assert_snapshot!(screen(&app));
    let cells = line_with(&buffer(&app), "conn_track_v4");
    assert!(
        cells
            .iter()
            .all(|cell| cell.modifier.contains(Modifier::DIM))
    );
}

#[test]
fn the_list_of_columns() {
    let mut app = app(80, 24);
    press(&mut app, "sjj");
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn the_help() {
    let mut app = app(80, 48);
    press(&mut app, "?");
    insta::assert_snapshot!(screen(&app));
}

#[test]
fn columns_as_asked_for() {
    let mut app = app(80, 8);
    app.columns = parse_columns("max,name,flags", &[]).ok();
    insta::assert_snapshot!(screen(&app));
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
fn only_what_needs_a_person_has_a_colour() {
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
fn every_size_can_be_drawn_in_every_mode() {
    let sizes = (0..30u16).flat_map(|w| (0..12u16).map(move |h| (w * 5, h * 3)));
    for (width, height) in sizes.chain([(1, 1), (2, 1), (1, 2), (3, 2), (300, 100)]) {
        for keys in ["", "j", "fkind:", "s", "?", "fzzz\n", "d5x\n", "jjG "] {
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
fn from_20_columns_on_a_name_and_its_mark_are_on_the_screen() {
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
fn a_hostile_name_is_drawn_without_harm() {
    let mut app = App::new(host(), moment(0));
    app.resize(80, 24);
    let name = harmless(b"\x1b]52;c;aGk=\x07\x1b[2J");
    app.ingest(snapshot(0, [map(&name)]), Duration::ZERO);
    let screen = screen(&app);
    assert!(screen.contains("?]52;c;aGk=??[2J"), "{screen}");
    assert!(!screen.chars().any(|c| c.is_control() && c != '\n'));
}

#[test]
fn of_ten_thousand_maps_the_screen_shows_those_that_were_scrolled_to() {
    let mut app = App::new(host(), moment(0));
    app.resize(80, 24);
    let many = (1..=10_000).map(|id| map("m").id(id).used(id.into(), 10_000));
    app.ingest(snapshot(0, many), Duration::ZERO);
    app.apply(Action::Last);
    let screen = screen(&app);
    // By pressure: the last is map 1, the full one is far away.
    assert!(screen.contains("     1 m"), "{screen}");
    assert!(!screen.contains("! 10000"), "{screen}");
}
