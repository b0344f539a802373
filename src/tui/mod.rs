//! The live view: the one loop in which samples, keys and the screen meet.

pub mod action;
pub(crate) mod background;
pub(crate) mod job_control;
pub mod keymap;
pub mod layout;
pub mod render;
pub(crate) mod signals;
pub mod state;
pub(crate) mod terminal;
pub(crate) mod text;

use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jiff::tz::TimeZone;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use crate::columns::glyphs::{ASCII, UTF8};
use crate::diag;
use crate::exit_code::Exit;
use crate::options::{Live, Options};
use crate::source::warmup::warmup_samples;
use crate::source::{Source, SourceExt};
use crate::text::sanitize::sanitize;
use crate::types::host::Moment;
use action::Effect;
use signals::SignalWatcher;
use state::{App, Player};
use terminal::Screen;

pub use background::BackgroundTasks;

/// Ages on the screen are shown in seconds, so it is drawn anew after one.
const AGE_TIME: Duration = Duration::from_secs(1);

/// How long to wait for one more key, when one has come. Not zero: crossterm would not even look.
const NEXT_KEY_TIME: Duration = Duration::from_micros(200);

/// Keys that come faster than this share a screen, so that a held key does not fill a slow line
/// with screens that nobody sees.
const KEY_FRAME_TIME: Duration = Duration::from_millis(50);

/// The longest time without a look whether it is over.
const WATCH_TIME: Duration = Duration::from_millis(200);

/// The longest time that samples of a recording are read for between two screens.
const PLAY_TIME: Duration = Duration::from_millis(50);

/// A recording that plays fast is not drawn more often than this.
const FRAME_TIME: Duration = Duration::from_millis(100);

/// How often it is asked what became of an errand.
const ERRAND_TIME: Duration = Duration::from_millis(100);

/// Shows the maps of a source until the user has seen enough.
///
/// # Errors
///
/// When the first sample fails, or the terminal cannot be used.
pub fn run(
    command: &Options,
    live: &Live,
    source: &mut impl Source,
    now: impl Fn() -> Moment,
    errands: BackgroundTasks,
) -> Result<Exit> {
    let mut app = App::new(source.host().clone(), now());
    app.filter = command.filter.clone();
    app.sort = command.sort;
    app.delay = live.delay;
    app.set_thresholds(command.thresholds);
    app.columns.clone_from(&live.columns);
    app.theme = live.theme;
    app.glyphs = if live.is_ascii { &ASCII } else { &UTF8 };
    app.zone = TimeZone::system();
    app.open_when_seen(command.map.clone());
    if command.losses {
        app.asks_for_losses = true;
        source.trace_losses(true);
    }
    if !source.moments().is_empty() {
        let name = command.replay.as_deref().and_then(|path| path.file_name());
        let name = sanitize(name.unwrap_or_default().as_encoded_bytes());
        app.player = Some(Player::new(name.into(), source.moments().into()));
    }
    source.set_query(app.wish());
    // Before the screen is taken, so that an error stands where errors stand.
    sample(&mut app, source, &now)?;

    let watch = SignalWatcher::start().context("cannot watch the terminal")?;
    let mut screen = Screen::enter().context("cannot use the terminal")?;
    let ended = event_loop(&mut app, source, &now, errands, &watch, &mut screen);
    drop(screen);
    match ended? {
        Effect::QuitShowing => {
            // It is for whoever looks at the terminal, who may be gone.
            let _ = io::stdout().write_all(render::text(&app).as_bytes());
            Ok(Exit::Fine)
        }
        _ => Ok(watch.exit()),
    }
}

/// The loop: draw, wait for a key or the time for a sample, act.
fn event_loop(
    app: &mut App,
    source: &mut impl Source,
    now: &impl Fn() -> Moment,
    mut errands: BackgroundTasks,
    watch: &SignalWatcher,
    screen: &mut Screen,
) -> Result<Effect> {
    let mut due = now().uptime + app.delay;
    loop {
        screen.draw(app).context("cannot draw")?;
        let drawn = Instant::now();
        let wake = match &app.player {
            Some(player) => player.due().map(|due| due.max(app.now.uptime + FRAME_TIME)),
            None => Some(due),
        };
        let wake = if errands.has_running() {
            let soon = app.now.uptime + ERRAND_TIME;
            Some(wake.map_or(soon, |wake| wake.min(soon)))
        } else {
            wake
        };
        let Some(effect) = wait_for_event(app, drawn, wake, now, watch)? else {
            return Ok(Effect::Quit);
        };
        app.now = now();
        match effect {
            Effect::Quit | Effect::QuitShowing => return Ok(effect),
            Effect::Redraw => screen.clear().context("cannot draw")?,
            Effect::Suspend => {
                suspend(app, watch, screen)?;
                app.now = now();
            }
            Effect::Seek(at) => seek(app, source, at),
            Effect::Sample => due = app.now.uptime,
            Effect::WatchLosses(on) => {
                source.trace_losses(on);
                due = app.now.uptime;
            }
            Effect::Examine => errands.examine(),
            Effect::Count(id) => errands.count(id),
            Effect::StopCounting => errands.stop_counting(),
            Effect::Draw => {}
        }
        errands.deliver(app);
        if watch.was_continued() {
            screen.take().context("cannot use the terminal")?;
        }
        if app.player.is_some() {
            play(app, source);
            continue;
        }
        due = due.min(app.now.uptime + app.delay);
        source.set_query(app.wish());
        source.set_visible(&app.keys_on_screen());
        for past in source.take_backfill() {
            app.learn(&past);
        }
        if due <= app.now.uptime || source.has_pending() {
            let was_due = due <= app.now.uptime;
            if let Err(error) = sample(app, source, now) {
                app.fail(&error, now());
            }
            if was_due {
                due = now().uptime + app.delay;
            }
        }
    }
}

/// Takes a sample into the state.
fn sample(app: &mut App, source: &mut impl Source, now: impl Fn() -> Moment) -> Result<()> {
    let start = now().uptime;
    let Some(snapshot) = source.sample()? else {
        return Ok(());
    };
    if app.player.is_some() {
        app.play(0, snapshot);
    } else {
        app.ingest(snapshot, now().uptime.saturating_sub(start));
    }
    app.is_recording = source.is_recording();
    if let Some(notice) = source.notice() {
        app.alert(notice);
    }
    Ok(())
}

/// Shows the samples of a recording that are due, as far as they can be read in a short time: keys
/// are waiting.
fn play(app: &mut App, source: &mut impl Source) {
    let start = Instant::now();
    while let Some(player) = &app.player
        && player.due().is_some_and(|due| due <= app.now.uptime)
        && start.elapsed() < PLAY_TIME
    {
        let at = player.at + 1;
        advance(app, source, at);
    }
}

/// Shows sample `at` of a recording, and lets what came before it be known.
fn seek(app: &mut App, source: &mut impl Source, at: usize) {
    let Some(player) = &app.player else {
        return;
    };
    // The next sample has what came before it on the screen.
    let is_next = at == player.at + 1;
    if !is_next {
        let before = warmup_samples(&player.moments, at, app.total());
        app.rewind();
        for at in before {
            advance(app, source, at);
        }
    }
    advance(app, source, at);
}

/// Takes in sample `at` of a recording; one that cannot be read is said and left out.
fn advance(app: &mut App, source: &mut impl Source, at: usize) {
    source.seek(at);
    match source.sample() {
        Ok(Some(snapshot)) => app.play(at, snapshot),
        Ok(None) => app.skip(at),
        Err(error) => {
            app.skip(at);
            app.alert(format!("{error:#}"));
        }
    }
}

/// Gives the terminal back until the shell says `fg`.
fn suspend(app: &mut App, watch: &SignalWatcher, screen: &mut Screen) -> Result<()> {
    if !job_control::has_job_control() {
        watch.forget_stop();
        app.tell("no shell waits for mapstop, so nothing would bring it back");
        return Ok(());
    }
    terminal::leave();
    if let Some(text) = app.suspend_warning() {
        diag::warn(text);
    }
    job_control::stop(watch.was_told_to_stop());
    watch.forget_stop();
    screen.take().context("cannot use the terminal again")
}

/// Waits for something to draw: a key, another size, an age, or the time for a sample. All keys
/// that are there, or come soon after a screen was drawn, are taken at once. `None` when it is
/// over.
fn wait_for_event(
    app: &mut App,
    drawn: Instant,
    due: Option<Duration>,
    now: &impl Fn() -> Moment,
    watch: &SignalWatcher,
) -> Result<Option<Effect>> {
    let wait = due.map_or(AGE_TIME, |due| due.saturating_sub(now().uptime));
    let wake = Instant::now() + wait.min(AGE_TIME);
    loop {
        // Another has the terminal, and nobody is left to give it back to us.
        if watch.is_over() || job_control::lost_foreground() {
            return Ok(None);
        }
        if watch.was_told_to_stop() {
            return Ok(Some(Effect::Suspend));
        }
        let left = wake.saturating_duration_since(Instant::now());
        if event::poll(left.min(WATCH_TIME)).context("cannot read the terminal")? {
            break;
        }
        if left.is_zero() {
            return Ok(Some(Effect::Draw));
        }
    }
    // What keys say about time is said of now.
    app.now = now();
    loop {
        let effect = match event::read().context("cannot read the terminal")? {
            Event::Key(key) if key.kind != KeyEventKind::Release => app.press(key),
            Event::Paste(text) => {
                app.paste(&text);
                Effect::Draw
            }
            Event::Resize(width, height) => {
                app.resize(width, height);
                Effect::Draw
            }
            _ => Effect::Draw,
        };
        let until = KEY_FRAME_TIME.saturating_sub(drawn.elapsed());
        let is_more = event::poll(until.max(NEXT_KEY_TIME)).context("cannot read the terminal")?;
        if effect != Effect::Draw || !is_more {
            return Ok(Some(effect));
        }
    }
}
