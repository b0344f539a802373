//! Snapshots of whole screens at common sizes, fed from a recording.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use mapstop::source::Source;
use mapstop::source::recording::Recording;
use mapstop::test_util::{host, moment};
use mapstop::tui::render;
use mapstop::tui::state::{App, Player};
use mapstop::types::snapshot::Snapshot;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

mod fleet;
mod looks;
mod losses;
mod made;
mod pages;
mod system;
mod table;

/// Seconds 0 to 20 of a realistic machine (see `made.rs`, which wrote it).
const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings/node-17.mrec");

fn recording() -> Recording {
    Recording::open(Path::new(RECORDING)).expect("the recording is in the repository")
}

/// The recording, read once.
fn samples() -> &'static [Snapshot] {
    static SAMPLES: LazyLock<Vec<Snapshot>> = LazyLock::new(|| {
        let mut recording = recording();
        std::iter::from_fn(|| recording.sample().expect("a sample")).collect()
    });
    &SAMPLES
}

/// The live view of the recording, after this many samples of two seconds each.
fn after(count: usize, width: u16, height: u16) -> App {
    let mut app = App::new(host(), moment(0));
    app.resize(width, height);
    for sample in &samples()[..count] {
        app.ingest(sample.clone(), Duration::from_micros(1400));
    }
    app
}

/// The live view two seconds after its start, in which `conn_track_v4` has grown by 26.
fn app(width: u16, height: u16) -> App {
    after(2, width, height)
}

/// The recording as `--replay` shows it, at its first sample.
fn replay(width: u16, height: u16) -> App {
    let mut app = App::new(host(), moment(9000));
    app.resize(width, height);
    let moments = samples().iter().map(|sample| sample.moment).collect();
    app.session.player = Some(Player::new("incident.mrec".to_owned(), moments));
    app.play(0, samples()[0].clone());
    app
}

fn buffer(app: &App) -> Buffer {
    let (width, height) = app.size();
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test terminal");
    terminal
        .draw(|frame| {
            let area = frame.area();
            render::draw(app, area, frame.buffer_mut());
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
            '\t' => KeyCode::Tab,
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
