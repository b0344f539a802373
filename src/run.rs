//! Connects a source with a mode, and maps errors to exit codes.

use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::cli::CliError;
use crate::doctor::load_message::{Retry, explain};
use crate::exit_code::Exit;
use crate::options::{Export, Mode, Options};
use crate::query::pushdown;
use crate::source::Source;
use crate::source::kernel::probe::examine_machine;
use crate::source::kernel::{self, DroppedCaps, Kernel};
use crate::source::prometheus::{Clock, Prometheus};
use crate::source::recording::{RealtimeReplay, Recorder, Recording, Writer};
use crate::tui::{self, BackgroundTasks};
use crate::types::host::Moment;
use crate::types::load_error::{LoadError, LoadErrorKind};
use crate::{advise, diag, doctor, exporter, report, theme};

/// Reports a wrong options line, or prints the requested help.
#[must_use]
pub fn report_usage(error: &CliError) -> Exit {
    let error = match error {
        CliError::Clap(error) => error,
        CliError::Invalid(message) => {
            diag::error(message);
            return Exit::Usage;
        }
    };
    if error.use_stderr() {
        let text = error.to_string();
        let text = text.trim_end();
        // One prefix for every error; clap has its own.
        diag::error(text.strip_prefix("error: ").unwrap_or(text));
        return Exit::Usage;
    }
    match error.print() {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            diag::error(&format!("cannot write the help: {e}"));
            Exit::Failed
        }
        _ => Exit::Fine,
    }
}

/// Runs a mode, and prints one message if it fails.
#[must_use]
pub fn run(options: &Options) -> Exit {
    match try_run(options) {
        Ok(exit) => exit,
        Err(error) => {
            diag::error(&describe_error(&error));
            exit_code(&error)
        }
    }
}

fn try_run(options: &Options) -> Result<Exit> {
    theme::force_color();
    match &options.mode {
        Mode::Help(text) => match io::stdout().write_all(text.as_bytes()) {
            Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(e).context("cannot write the help"),
            _ => Ok(Exit::Fine),
        },
        Mode::Batch(_) | Mode::Advise(_) => {
            exit_on_signals()?;
            open_source_and_run(options)
        }
        Mode::Live(_) => open_source_and_run(options),
        Mode::Export(mode) => serve_export(options, mode),
        Mode::Doctor(mode) => doctor::run::run(mode.is_json, examine_machine),
    }
}

/// Opens the source and runs the mode. With a recording, nothing is loaded into the kernel.
fn open_source_and_run(options: &Options) -> Result<Exit> {
    if let Some(path) = &options.replay {
        return run_mode(options, &mut Recording::open(path)?, kernel::now);
    }
    if let Some(server) = &options.server {
        let clock = Clock::new(kernel::now);
        let query = pushdown::source_query(&options.filter, options.sort, options.thresholds);
        let is_fixed = !matches!(options.mode, Mode::Live(_));
        let fleet = Prometheus::new(server, query, is_fixed, clock)?;
        return record_and_run(options, fleet, || clock.now());
    }
    record_and_run(options, Kernel::new()?, kernel::now)
}

/// Runs the mode with a live source, and records it with `--record`.
fn record_and_run(
    options: &Options,
    mut source: impl Source,
    now: impl Fn() -> Moment,
) -> Result<Exit> {
    if let Some(path) = &options.record {
        let writer = Writer::create(path, source.host())?;
        return run_mode(options, &mut Recorder::new(source, writer), now);
    }
    run_mode(options, &mut source, now)
}

fn run_mode(options: &Options, source: &mut impl Source, now: impl Fn() -> Moment) -> Result<Exit> {
    match &options.mode {
        Mode::Batch(mode) => report::run::run(options, mode, source),
        Mode::Advise(mode) => advise::run(options, mode, source),
        Mode::Live(mode) => {
            let tasks = BackgroundTasks::new(examine_machine, kernel::count_exactly);
            tui::run(options, mode, source, now, tasks)
        }
        Mode::Help(_) | Mode::Export(_) | Mode::Doctor(_) => Ok(Exit::Fine),
    }
}

/// Listens before programs are loaded, so that an address in use fails at once.
fn serve_export(options: &Options, mode: &Export) -> Result<Exit> {
    let listener = exporter::listen(&mode.listen)?;
    if let Some(path) = &options.replay {
        let mut recording = RealtimeReplay::new(Recording::open(path)?);
        return exporter::serve(options, mode, &mut recording, listener);
    }
    let (mut kernel, privileges) = Kernel::with_dropped_caps(options.losses)?;
    if let (DroppedCaps::Kept(names), false) = (&privileges, options.losses) {
        diag::warn(&format!(
            "keeping {names}, which this kernel requires for every read"
        ));
    }
    exporter::serve(options, mode, &mut kernel, listener)
}

/// Lets signals end the process at once. A handler is needed since the first process of a
/// container has no default action for them.
fn exit_on_signals() -> Result<()> {
    for (signal, exit) in [(SIGINT, Exit::Interrupted), (SIGTERM, Exit::Terminated)] {
        let always = Arc::new(AtomicBool::new(true));
        signal_hook::flag::register_conditional_shutdown(signal, exit as i32, always)
            .context("cannot set up signal handlers")?;
    }
    Ok(())
}

fn describe_error(error: &anyhow::Error) -> String {
    match error.downcast_ref() {
        Some(error) => {
            let arguments: Vec<_> = std::env::args_os().skip(1).collect();
            let program = std::env::current_exe().ok();
            explain(error, &Retry::new(program.as_deref(), &arguments))
        }
        None => format!("{error:#}"),
    }
}

fn exit_code(error: &anyhow::Error) -> Exit {
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
