//! Ends the live view on a signal or when its terminal is gone, even while it waits for keys.
//!
//! crossterm never stops reading a terminal that is gone, so the event loop would not notice. A thread
//! asks the loop to end, and if that does not help, ends the process.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{process, thread};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::isatty;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::low_level::pipe;

use super::terminal;
use crate::exit_code::Exit;

/// How long the loop may take to end by itself.
const GRACE: Duration = Duration::from_secs(1);

/// What signals and the terminal ask for.
#[derive(Debug, Clone)]
pub(crate) struct SignalWatcher {
    is_ended: Arc<AtomicBool>,
    was_terminated: Arc<AtomicBool>,
    is_stop_requested: Arc<AtomicBool>,
    was_continued: Arc<AtomicBool>,
}

impl SignalWatcher {
    /// Starts to watch signals and the terminal that keys come from.
    ///
    /// # Errors
    ///
    /// When signals cannot be handled, or there is no terminal.
    pub(crate) fn start() -> io::Result<Self> {
        let watch = Self {
            is_ended: Arc::default(),
            was_terminated: Arc::default(),
            is_stop_requested: Arc::default(),
            was_continued: Arc::default(),
        };
        let (signals, end) = UnixStream::pair()?;
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            pipe::register(signal, end.try_clone()?)?;
        }
        for (signal, flag) in [
            (SIGTERM, &watch.was_terminated),
            (SIGTSTP, &watch.is_stop_requested),
            (SIGCONT, &watch.was_continued),
        ] {
            signal_hook::flag::register(signal, Arc::clone(flag))?;
        }
        let terminal = terminal()?;
        let own = watch.clone();
        thread::Builder::new()
            .name("mapstop-watch".to_owned())
            .spawn(move || own.run(signals, &terminal))?;
        Ok(watch)
    }

    /// Whether the loop is to end.
    pub(crate) fn is_over(&self) -> bool {
        self.is_ended.load(Ordering::Relaxed)
    }

    /// Whether SIGTSTP was received, as sent by `^Z`.
    pub(crate) fn is_stop_requested(&self) -> bool {
        self.is_stop_requested.load(Ordering::Relaxed)
    }

    /// The process was stopped and has been continued.
    pub(crate) fn clear_stop(&self) {
        self.is_stop_requested.store(false, Ordering::Relaxed);
        self.was_continued.store(false, Ordering::Relaxed);
    }

    /// Whether the process was continued after an uncatchable stop; true once for each.
    pub(crate) fn was_continued(&self) -> bool {
        self.was_continued.swap(false, Ordering::Relaxed)
    }

    /// The exit status if the view ends now.
    pub(crate) fn exit(&self) -> Exit {
        if self.was_terminated.load(Ordering::Relaxed) {
            Exit::Terminated
        } else {
            Exit::Fine
        }
    }

    fn run(&self, mut signals: UnixStream, terminal: &File) {
        loop {
            // poll(2) reports a hangup even without any requested events.
            let mut fds = [
                PollFd::new(&signals, PollFlags::IN),
                PollFd::new(terminal, PollFlags::empty()),
            ];
            if poll(&mut fds, None).is_err() {
                continue;
            }
            let has_signal = !fds[0].revents().is_empty();
            if has_signal || !fds[1].revents().is_empty() {
                break;
            }
        }
        // The flags have the signals; the byte only woke this thread.
        let _ = signals.set_nonblocking(true);
        let _ = signals.read(&mut [0; 16]);
        self.is_ended.store(true, Ordering::Relaxed);
        thread::sleep(GRACE);
        terminal::leave();
        process::exit(self.exit() as i32);
    }
}

/// The terminal that crossterm reads: stdin, or else the one of the process.
fn terminal() -> io::Result<File> {
    let stdin = io::stdin();
    if isatty(&stdin) {
        return Ok(File::from(stdin.as_fd().try_clone_to_owned()?));
    }
    File::open("/dev/tty")
}
