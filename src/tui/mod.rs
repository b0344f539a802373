//! The live view and its event loop.

pub mod action;
pub(crate) mod background;
pub(crate) mod job_control;
pub mod keymap;
pub(crate) mod layout;
pub mod render;
pub(crate) mod screen_kind;
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
use terminal::LiveTerminal;

pub use background::BackgroundTasks;

/// Ages on the screen are shown in seconds, so it is drawn at least once a second.
const REDRAW_INTERVAL: Duration = Duration::from_secs(1);

/// How long to wait for another key after one was read. With zero crossterm would not even poll.
const NEXT_KEY_TIMEOUT: Duration = Duration::from_micros(200);

/// Keys within this time share a frame, so that a held key does not flood a slow connection.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(50);

/// How often the loop checks whether it is to end.
const SIGNAL_CHECK_INTERVAL: Duration = Duration::from_millis(200);

/// Samples of a recording are read for at most this time between two frames.
const MAX_PLAY_TIME: Duration = Duration::from_millis(50);

/// A fast recording is drawn at most once in this time.
const REPLAY_FRAME_INTERVAL: Duration = Duration::from_millis(100);

/// How often the results of background tasks are polled.
const TASK_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Shows the maps of a source until the user quits.
///
/// # Errors
///
/// When the first sample fails, or the terminal cannot be used.
pub fn run(
    command: &Options,
    live: &Live,
    source: &mut impl Source,
    now: impl Fn() -> Moment,
    tasks: BackgroundTasks,
) -> Result<Exit> {
    let mut app = App::new(source.host().clone(), now());
    app.table.filter = command.filter.clone();
    app.table.sort = command.sort;
    app.session.delay = live.delay;
    app.set_thresholds(command.thresholds);
    app.display.columns.clone_from(&live.columns);
    app.display.theme = live.theme;
    app.display.glyphs = if live.is_ascii { &ASCII } else { &UTF8 };
    app.display.zone = TimeZone::system();
    app.open_when_seen(command.map.clone());
    if command.losses {
        app.session.is_tracing_requested = true;
        source.trace_losses(true);
    }
    if !source.moments().is_empty() {
        let name = command.replay.as_deref().and_then(|path| path.file_name());
        let name = sanitize(name.unwrap_or_default().as_encoded_bytes());
        app.session.player = Some(Player::new(name.into(), source.moments().into()));
    }
    source.set_query(app.source_query());
    // Before the terminal is taken over, so that an error is printed as usual.
    sample(&mut app, source, &now)?;

    let watch = SignalWatcher::start().context("cannot watch the terminal")?;
    let mut screen = LiveTerminal::enter().context("cannot use the terminal")?;
    let ended = event_loop(&mut app, source, &now, tasks, &watch, &mut screen);
    drop(screen);
    match ended? {
        Effect::QuitShowing => {
            // The terminal may be gone.
            let _ = io::stdout().write_all(render::text(&app).as_bytes());
            Ok(Exit::Fine)
        }
        _ => Ok(watch.exit()),
    }
}

/// Draws, waits for a key or the next sample, handles it, and begins again.
fn event_loop(
    app: &mut App,
    source: &mut impl Source,
    now: &impl Fn() -> Moment,
    mut tasks: BackgroundTasks,
    watch: &SignalWatcher,
    screen: &mut LiveTerminal,
) -> Result<Effect> {
    let mut due = now().uptime + app.session.delay;
    loop {
        screen.draw(app).context("cannot draw")?;
        let drawn = Instant::now();
        let wake = match &app.session.player {
            Some(player) => player
                .due()
                .map(|due| due.max(app.session.now.uptime + REPLAY_FRAME_INTERVAL)),
            None => Some(due),
        };
        let wake = if tasks.has_running() {
            let soon = app.session.now.uptime + TASK_POLL_INTERVAL;
            Some(wake.map_or(soon, |wake| wake.min(soon)))
        } else {
            wake
        };
        let Some(effect) = wait_for_event(app, drawn, wake, now, watch)? else {
            return Ok(Effect::Quit);
        };
        app.session.now = now();
        match effect {
            Effect::Quit | Effect::QuitShowing => return Ok(effect),
            Effect::Redraw => screen.clear().context("cannot draw")?,
            Effect::Suspend => {
                suspend(app, watch, screen)?;
                app.session.now = now();
            }
            Effect::Seek(index) => seek(app, source, index),
            Effect::Sample => due = app.session.now.uptime,
            Effect::TraceLosses(on) => {
                source.trace_losses(on);
                due = app.session.now.uptime;
            }
            Effect::Examine => tasks.examine(),
            Effect::Count(id) => tasks.count(id),
            Effect::StopCounting => tasks.stop_counting(),
            Effect::Draw => {}
        }
        tasks.deliver(app);
        if watch.was_continued() {
            screen.take().context("cannot use the terminal")?;
        }
        if app.session.player.is_some() {
            play(app, source);
            continue;
        }
        due = due.min(app.session.now.uptime + app.session.delay);
        source.set_query(app.source_query());
        source.set_visible(&app.keys_on_screen());
        for past in source.take_backfill() {
            app.backfill(&past);
        }
        if due <= app.session.now.uptime || source.has_pending() {
            let was_due = due <= app.session.now.uptime;
            if let Err(error) = sample(app, source, now) {
                app.on_sample_failed(&error, now());
            }
            if was_due {
                due = now().uptime + app.session.delay;
            }
        }
    }
}

/// Takes a sample and adds it to the state.
fn sample(app: &mut App, source: &mut impl Source, now: impl Fn() -> Moment) -> Result<()> {
    let start = now().uptime;
    let Some(snapshot) = source.sample()? else {
        return Ok(());
    };
    if app.session.player.is_some() {
        app.play(0, snapshot);
    } else {
        app.ingest(snapshot, now().uptime.saturating_sub(start));
    }
    app.data.is_recording = source.is_recording();
    if let Some(notice) = source.notice() {
        app.alert(notice);
    }
    Ok(())
}

/// Shows the samples of a recording that are due, for at most [`MAX_PLAY_TIME`]: keys are waiting.
fn play(app: &mut App, source: &mut impl Source) {
    let start = Instant::now();
    while let Some(player) = &app.session.player
        && player
            .due()
            .is_some_and(|due| due <= app.session.now.uptime)
        && start.elapsed() < MAX_PLAY_TIME
    {
        let index = player.index + 1;
        advance(app, source, index);
    }
}

/// Shows a sample of a recording, after reading those before it that its rates need.
fn seek(app: &mut App, source: &mut impl Source, index: usize) {
    let Some(player) = &app.session.player else {
        return;
    };
    // The samples before the next one have been read already.
    let is_next = index == player.index + 1;
    if !is_next {
        let before = warmup_samples(&player.moments, index, app.total());
        app.rewind();
        for index in before {
            advance(app, source, index);
        }
    }
    advance(app, source, index);
}

/// Adds a sample of a recording to the state, or skips it with an alert if it cannot be read.
fn advance(app: &mut App, source: &mut impl Source, index: usize) {
    source.seek(index);
    match source.sample() {
        Ok(Some(snapshot)) => app.play(index, snapshot),
        Ok(None) => app.skip(index),
        Err(error) => {
            app.skip(index);
            app.alert(format!("{error:#}"));
        }
    }
}

/// Restores the terminal and stops until the shell continues the process with `fg`.
fn suspend(app: &mut App, watch: &SignalWatcher, screen: &mut LiveTerminal) -> Result<()> {
    if !job_control::has_job_control() {
        watch.clear_stop();
        app.toast("cannot suspend: no shell could resume mapstop");
        return Ok(());
    }
    terminal::leave();
    if let Some(text) = app.suspend_warning() {
        diag::warn(text);
    }
    job_control::stop(watch.is_stop_requested());
    watch.clear_stop();
    screen.take().context("cannot use the terminal again")
}

/// Waits for something to draw: a key, a new size, a second that has passed, or the time for a sample.
/// Keys that come soon after a frame are handled together. `None` ends the view.
fn wait_for_event(
    app: &mut App,
    drawn: Instant,
    due: Option<Duration>,
    now: &impl Fn() -> Moment,
    watch: &SignalWatcher,
) -> Result<Option<Effect>> {
    let wait = due.map_or(REDRAW_INTERVAL, |due| due.saturating_sub(now().uptime));
    let wake = Instant::now() + wait.min(REDRAW_INTERVAL);
    loop {
        // Without job control the terminal would never come back.
        if watch.is_over() || job_control::lost_foreground() {
            return Ok(None);
        }
        if watch.is_stop_requested() {
            return Ok(Some(Effect::Suspend));
        }
        let left = wake.saturating_duration_since(Instant::now());
        if event::poll(left.min(SIGNAL_CHECK_INTERVAL)).context("cannot read the terminal")? {
            break;
        }
        if left.is_zero() {
            return Ok(Some(Effect::Draw));
        }
    }
    // Messages about time are relative to now.
    app.session.now = now();
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
        let until = KEY_FRAME_INTERVAL.saturating_sub(drawn.elapsed());
        let has_more =
            event::poll(until.max(NEXT_KEY_TIMEOUT)).context("cannot read the terminal")?;
        if effect != Effect::Draw || !has_more {
            return Ok(Some(effect));
        }
    }
}
