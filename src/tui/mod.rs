//! The live view: the one loop in which samples, keys and the screen meet.

pub mod app;
pub mod draw;
pub mod keys;
pub mod layout;
mod terminal;
mod watch;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jiff::tz::TimeZone;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use crate::cli::{Command, Live};
use crate::exit::Exit;
use crate::model::snapshot::Moment;
use crate::model::source::Source;
use crate::query::fill::{ASCII, Glyphs, UTF8};
use app::{App, Effect};
use terminal::Screen;
use watch::Watch;

/// Ages on the screen are shown in seconds, so it is drawn anew after one.
const AGE_TIME: Duration = Duration::from_secs(1);

/// How long to wait for one more key, when one has come. Not zero: crossterm would not even look.
const NEXT_KEY_TIME: Duration = Duration::from_micros(200);

/// The longest time without a look whether it is over.
const WATCH_TIME: Duration = Duration::from_millis(200);

/// Shows the maps of a source until the user has seen enough.
///
/// # Errors
///
/// When the first sample fails, or the terminal cannot be used.
pub fn run(
    command: &Command,
    live: &Live,
    source: &mut impl Source,
    now: impl Fn() -> Moment,
) -> Result<Exit> {
    let mut app = App::new(source.host().clone(), now());
    app.filter = command.filter.clone();
    app.sort = command.sort;
    app.delay = live.delay;
    app.columns.clone_from(&live.columns);
    app.zone = TimeZone::system();
    app.glyphs = glyphs();
    app.want(command.map.clone());
    // Before the screen is taken, so that an error stands where errors stand.
    sample(&mut app, source, &now)?;

    let watch = Watch::start().context("cannot watch the terminal")?;
    let mut screen = Screen::enter().context("cannot use the terminal")?;
    let mut due = Instant::now() + app.delay;
    loop {
        let terminal = screen.terminal();
        terminal.autoresize().context("cannot draw")?;
        let size = terminal.size().context("cannot draw")?;
        app.resize(size.width, size.height);
        terminal
            .draw(|frame| {
                let area = frame.area();
                if let Some(cursor) = draw::draw(&app, area, frame.buffer_mut()) {
                    frame.set_cursor_position(cursor);
                }
            })
            .context("cannot draw")?;

        let Some(effect) = next(&mut app, due, &watch)? else {
            return Ok(watch.exit());
        };
        match effect {
            Effect::Quit => return Ok(Exit::Fine),
            Effect::Redraw => screen.terminal().clear().context("cannot draw")?,
            Effect::Draw => {}
            Effect::Sample => due = Instant::now(),
        }
        due = due.min(Instant::now() + app.delay);
        if due <= Instant::now() {
            if let Err(error) = sample(&mut app, source, &now) {
                app.fail(&error, now());
            }
            due = Instant::now() + app.delay;
        }
        app.now = now();
    }
}

/// What the terminal shows rightly, by the locale: the first of these variables that is set.
fn glyphs() -> &'static Glyphs {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .unwrap_or_default()
        .to_lowercase();
    if locale.contains("utf-8") || locale.contains("utf8") {
        &UTF8
    } else {
        &ASCII
    }
}

/// Takes a sample into the state.
fn sample(app: &mut App, source: &mut impl Source, now: impl Fn() -> Moment) -> Result<()> {
    let start = now().uptime;
    let Some(snapshot) = source.sample()? else {
        return Ok(());
    };
    let cost = now().uptime.saturating_sub(start);
    app.ingest(snapshot, cost);
    Ok(())
}

/// Waits for something to draw: a key, another size, an age, or the time for a sample. All keys
/// that are there are taken at once, so that a held key costs one draw. `None` when it is over.
fn next(app: &mut App, due: Instant, watch: &Watch) -> Result<Option<Effect>> {
    let wake = due.min(Instant::now() + AGE_TIME);
    loop {
        if watch.is_over() {
            return Ok(None);
        }
        let left = wake.saturating_duration_since(Instant::now());
        if event::poll(left.min(WATCH_TIME)).context("cannot read the terminal")? {
            break;
        }
        if left.is_zero() {
            return Ok(Some(Effect::Draw));
        }
    }
    loop {
        let effect = match event::read().context("cannot read the terminal")? {
            Event::Key(key) if key.kind != KeyEventKind::Release => app.press(key),
            Event::Paste(text) => {
                app.paste(&text);
                Effect::Draw
            }
            _ => Effect::Draw,
        };
        let is_more = event::poll(NEXT_KEY_TIME).context("cannot read the terminal")?;
        if effect != Effect::Draw || !is_more {
            return Ok(Some(effect));
        }
    }
}
