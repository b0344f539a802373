//! Connects a source with a mode, and maps errors to exit codes.

use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::cli::CliError;
use crate::exit_code::Exit;
use crate::options::{Export, Mode, Options};
use crate::query::pushdown;
use crate::source::Source;
use crate::source::kernel::probe::examine;
use crate::source::kernel::{self, DroppedCaps, Kernel};
use crate::source::prometheus::{Clock, Prometheus};
use crate::source::recording::{RealtimeReplay, Recorder, Recording, Writer};
use crate::tui::{self, BackgroundTasks};
use crate::types::host::Moment;
use crate::types::load_error::{LoadError, LoadErrorKind};
use crate::{advise, diag, doctor, exporter, report, theme};

/// Reports a wrong command line, or prints the requested help.
#[must_use]
pub fn usage(error: &CliError) -> Exit {
    let error = match error {
        CliError::Clap(error) => error,
        CliError::Wrong(message) => {
            diag::error(message);
            return Exit::Usage;
        }
    };
    match error.print() {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            diag::error(&format!("cannot write the help: {e}"));
            Exit::Failed
        }
        _ if error.use_stderr() => Exit::Usage,
        _ => Exit::Fine,
    }
}

/// Runs a mode, and prints one message if it fails.
#[must_use]
pub fn run(command: &Options) -> Exit {
    match try_run(command) {
        Ok(exit) => exit,
        Err(error) => {
            diag::error(&describe(&error));
            exit_of(&error)
        }
    }
}

fn try_run(command: &Options) -> Result<Exit> {
    theme::force_color();
    match &command.mode {
        Mode::Help(text) => match io::stdout().write_all(text.as_bytes()) {
            Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(e).context("cannot write the help"),
            _ => Ok(Exit::Fine),
        },
        Mode::Batch(_) | Mode::Advise(_) => {
            end_with_status_on_signals()?;
            open_and_show(command)
        }
        Mode::Live(_) => open_and_show(command),
        Mode::Export(options) => export(command, options),
        Mode::Doctor(options) => doctor::run::run(options.is_json, examine),
    }
}

/// Opens the source and runs the mode. With a recording, nothing is loaded into the kernel.
fn open_and_show(command: &Options) -> Result<Exit> {
    if let Some(path) = &command.replay {
        return show(command, &mut Recording::open(path)?, kernel::now);
    }
    if let Some(server) = &command.server {
        let clock = Clock::new(kernel::now);
        let wish = pushdown::source_query(&command.filter, command.sort, command.thresholds);
        let is_fixed = !matches!(command.mode, Mode::Live(_));
        let fleet = Prometheus::new(server, wish, is_fixed, clock)?;
        return record_and_show(command, fleet, || clock.now());
    }
    record_and_show(command, Kernel::new()?, kernel::now)
}

/// Runs the mode with a live source, and records it with `--record`.
fn record_and_show(
    command: &Options,
    mut source: impl Source,
    now: impl Fn() -> Moment,
) -> Result<Exit> {
    if let Some(path) = &command.record {
        let writer = Writer::create(path, source.host())?;
        return show(command, &mut Recorder::new(source, writer), now);
    }
    show(command, &mut source, now)
}

fn show(command: &Options, source: &mut impl Source, now: impl Fn() -> Moment) -> Result<Exit> {
    match &command.mode {
        Mode::Batch(options) => report::run::run(command, options, source),
        Mode::Advise(options) => advise::run(command, options, source),
        Mode::Live(options) => {
            let errands = BackgroundTasks::new(examine, kernel::count_exactly);
            tui::run(command, options, source, now, errands)
        }
        Mode::Help(_) | Mode::Export(_) | Mode::Doctor(_) => Ok(Exit::Fine),
    }
}

/// Listens before programs are loaded, so that an address in use fails at once.
fn export(command: &Options, options: &Export) -> Result<Exit> {
    let listener = exporter::listen(&options.listen)?;
    if let Some(path) = &command.replay {
        let mut recording = RealtimeReplay::new(Recording::open(path)?);
        return exporter::serve(command, options, &mut recording, listener);
    }
    let (mut kernel, privileges) = Kernel::with_dropped_caps(command.losses)?;
    if let (DroppedCaps::Kept(names), false) = (&privileges, command.losses) {
        diag::warn(&format!(
            "keeps {names}: every read takes it on this kernel"
        ));
    }
    exporter::serve(command, options, &mut kernel, listener)
}

/// Lets signals end the process at once. A handler is needed since the first process of a
/// container has no default action for them.
fn end_with_status_on_signals() -> Result<()> {
    for (signal, exit) in [(SIGINT, Exit::Interrupted), (SIGTERM, Exit::Terminated)] {
        let always = Arc::new(AtomicBool::new(true));
        signal_hook::flag::register_conditional_shutdown(signal, exit as i32, always)
            .context("cannot handle signals")?;
    }
    Ok(())
}

fn describe(error: &anyhow::Error) -> String {
    match error.downcast_ref() {
        Some(error) => doctor::load_error::explain(error),
        None => format!("{error:#}"),
    }
}

fn exit_of(error: &anyhow::Error) -> Exit {
    match error.downcast_ref::<LoadError>().map(|e| &e.kind) {
        Some(
            LoadErrorKind::NotPermitted { .. }
            | LoadErrorKind::InUserNamespace
            | LoadErrorKind::LockedMemory { .. },
        ) => Exit::NotPermitted,
        Some(
            LoadErrorKind::TooOld(_)
            | LoadErrorKind::NoBtf(_)
            | LoadErrorKind::NoSys
            | LoadErrorKind::LockedDown,
        ) => Exit::Unable,
        Some(LoadErrorKind::Failed) | None => Exit::Failed,
    }
}
