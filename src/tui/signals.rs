//! Ends the live view when a signal says so or its terminal is gone, even while it waits for keys.
//!
//! crossterm reads a terminal that is gone without end, so the loop alone would not notice. A
//! thread of its own does: it asks the loop to end, and if that does not, ends the process.

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

/// How long the loop may take to end in order.
const GRACE: Duration = Duration::from_secs(1);

/// Whether the view is to end.
#[derive(Debug, Clone)]
pub struct SignalWatcher {
    is_over: Arc<AtomicBool>,
    was_terminated: Arc<AtomicBool>,
    was_told_to_stop: Arc<AtomicBool>,
    was_continued: Arc<AtomicBool>,
}

impl SignalWatcher {
    /// Starts to watch signals and the terminal that keys come from.
    ///
    /// # Errors
    ///
    /// When signals cannot be handled, or there is no terminal.
    pub fn start() -> io::Result<Self> {
        let watch = Self {
            is_over: Arc::default(),
            was_terminated: Arc::default(),
            was_told_to_stop: Arc::default(),
            was_continued: Arc::default(),
        };
        let (signals, end) = UnixStream::pair()?;
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            pipe::register(signal, end.try_clone()?)?;
        }
        for (signal, flag) in [
            (SIGTERM, &watch.was_terminated),
            (SIGTSTP, &watch.was_told_to_stop),
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
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Whether a signal said to stop, as `^Z` does.
    pub fn was_told_to_stop(&self) -> bool {
        self.was_told_to_stop.load(Ordering::Relaxed)
    }

    /// It has been stopped, and goes on.
    pub fn forget_stop(&self) {
        self.was_told_to_stop.store(false, Ordering::Relaxed);
        self.was_continued.store(false, Ordering::Relaxed);
    }

    /// Whether it went on after a stop that could not be seen coming; told once.
    pub fn was_continued(&self) -> bool {
        self.was_continued.swap(false, Ordering::Relaxed)
    }

    /// How the view ends if it does so now.
    pub fn exit(&self) -> Exit {
        if self.was_terminated.load(Ordering::Relaxed) {
            Exit::Terminated
        } else {
            Exit::Fine
        }
    }

    fn run(&self, mut signals: UnixStream, terminal: &File) {
        loop {
            // A terminal that hangs up is told of even if nothing is asked about it.
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
        // What came is in the flags; the byte only woke us.
        let _ = signals.set_nonblocking(true);
        let _ = signals.read(&mut [0; 16]);
        self.is_over.store(true, Ordering::Relaxed);
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
