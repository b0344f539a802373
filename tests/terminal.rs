//! The binary in a terminal: keys in, screens out, and the terminal given back. Needs root.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};

mod support;

/// How long to wait for what should come at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// mapstop in a terminal of its own.
struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    /// The screen, and every byte that made it.
    seen: Arc<Mutex<(vt100::Parser, Vec<u8>)>>,
}

impl Terminal {
    fn start(width: u16, height: u16, args: &[&str]) -> Self {
        let size = PtySize {
            rows: height,
            cols: width,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pty = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mapstop"));
        command.args(args);
        command.env("TERM", "xterm-256color");
        let child = pty.slave.spawn_command(command).expect("mapstop runs");
        let seen = Arc::new(Mutex::new((
            vt100::Parser::new(height, width, 0),
            Vec::new(),
        )));
        let mut reader = pty.master.try_clone_reader().expect("a reader");
        let writer = Arc::clone(&seen);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let mut seen = writer.lock().expect("nobody panics with it");
                seen.0.process(&bytes[..count]);
                seen.1.extend_from_slice(&bytes[..count]);
            }
        });
        Self {
            child,
            keys: pty.master.take_writer().expect("a writer"),
            master: pty.master,
            seen,
        }
    }

    fn screen(&self) -> String {
        self.seen
            .lock()
            .expect("nobody panics with it")
            .0
            .screen()
            .contents()
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("it reads keys");
    }

    /// Waits until the screen is as told.
    fn wait(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        let start = Instant::now();
        while !is_so(&self.screen()) {
            assert!(start.elapsed() < PATIENCE, "no {what}:\n{}", self.screen());
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn wait_for(&self, text: &str) {
        self.wait(text, |screen| screen.contains(text));
    }

    /// Waits for the end; gives the exit code and whether the main screen is back.
    fn end(mut self) -> (u32, bool) {
        let start = Instant::now();
        let code = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status.exit_code();
            }
            assert!(
                start.elapsed() < PATIENCE,
                "it does not end:\n{}",
                self.screen()
            );
            thread::sleep(Duration::from_millis(10));
        };
        thread::sleep(Duration::from_millis(100));
        let is_back = !self
            .seen
            .lock()
            .expect("nobody panics with it")
            .0
            .screen()
            .alternate_screen();
        (code, is_back)
    }
}

#[test]
fn q_ends_it_and_gives_the_terminal_back() {
    let mut terminal = Terminal::start(80, 24, &[]);
    terminal.wait_for("? help  q quit");
    assert!(terminal.screen().contains(" map"), "{}", terminal.screen());
    terminal.press("q");
    assert_eq!(terminal.end(), (0, true));
}

#[test]
fn ctrl_c_ends_it_well_and_sigterm_with_its_code() {
    let mut terminal = Terminal::start(80, 24, &[]);
    terminal.wait_for("q quit");
    terminal.press("\u{3}");
    assert_eq!(terminal.end(), (0, true));

    let terminal = Terminal::start(80, 24, &[]);
    terminal.wait_for("q quit");
    let pid = terminal
        .child
        .process_id()
        .and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
    kill_process(pid.expect("a process"), Signal::TERM).expect("it runs");
    assert_eq!(terminal.end(), (143, true));
}

#[test]
fn keys_reach_the_view_and_pasted_text_is_no_command() {
    let _map = support::hash("tty_keys", 1, 10);
    let mut terminal = Terminal::start(80, 24, &[]);
    terminal.wait_for("q quit");
    terminal.press("\u{1b}[200~qqq?sd\u{1b}[201~");
    terminal.press("fnobody_is_called_this");
    terminal.wait_for("filter: nobody_is_called_this");
    terminal.wait_for("No map matches");
    terminal.press("\u{1b}");
    terminal.wait("filter gone", |screen| !screen.contains("filter: "));
    terminal.press("q");
    assert_eq!(terminal.end(), (0, true));
}

#[test]
fn a_read_that_fails_is_said_and_tried_again() {
    let _map = support::hash("tty_stale", 1, 10);
    let mut terminal = Terminal::start(80, 24, &["-d", "0.2"]);
    terminal.wait_for("tty_stale");
    let pid = terminal
        .child
        .process_id()
        .and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
    let limit = |current| {
        let maximum = getrlimit(Resource::Nofile).maximum;
        let limit = Rlimit {
            current: Some(current),
            maximum,
        };
        prlimit(pid, Resource::Nofile, limit).expect("a limit");
    };
    // No descriptor is left to open the iterator with.
    limit(3);
    terminal.wait_for("STALE");
    terminal.wait_for("Too many open files, retrying");
    assert!(terminal.screen().contains("tty_stale"), "the numbers stay");
    limit(1024);
    terminal.wait("end of it", |screen| !screen.contains("STALE"));
    terminal.press("q");
    assert_eq!(terminal.end(), (0, true));
}

#[test]
fn it_follows_the_size_of_the_terminal() {
    let mut terminal = Terminal::start(80, 24, &[]);
    terminal.wait_for("USED/CAP");
    let size = PtySize {
        rows: 12,
        cols: 40,
        pixel_width: 0,
        pixel_height: 0,
    };
    terminal
        .seen
        .lock()
        .expect("nobody panics with it")
        .0
        .screen_mut()
        .set_size(12, 40);
    terminal.master.resize(size).expect("a terminal");
    terminal.wait("narrow table", |screen| {
        screen.contains("NAME") && !screen.contains("USED/CAP")
    });
    terminal.press("q");
    assert_eq!(terminal.end(), (0, true));
}

#[test]
fn no_key_is_lost_in_a_storm_of_resizes() {
    let mut terminal = Terminal::start(80, 24, &[]);
    terminal.wait_for("q quit");
    terminal.press("f");
    let mut typed = String::new();
    for n in 0..60u16 {
        let size = PtySize {
            rows: 20 + n % 5,
            cols: 76 + n % 5,
            pixel_width: 0,
            pixel_height: 0,
        };
        terminal.master.resize(size).expect("a terminal");
        terminal.press("x");
        typed.push('x');
        thread::sleep(Duration::from_millis(2));
    }
    let size = PtySize {
        rows: 24,
        cols: 80,
        pixel_width: 0,
        pixel_height: 0,
    };
    terminal.master.resize(size).expect("a terminal");
    terminal.wait_for(&format!("filter: {typed}"));
    terminal.press("\u{1b}");
    terminal.wait("end of the prompt", |screen| !screen.contains("filter: "));
    terminal.press("q");
    assert_eq!(terminal.end(), (0, true));
}

#[test]
fn a_terminal_that_vanishes_ends_it() {
    // Once with the signal that comes with it, once without.
    for start in ["exec", "trap '' HUP; exec setsid"] {
        let pty = native_pty_system()
            .openpty(PtySize::default())
            .expect("a terminal");
        let mut command = CommandBuilder::new("sh");
        command.args([
            "-c",
            &format!("{start} \"$0\""),
            env!("CARGO_BIN_EXE_mapstop"),
        ]);
        command.env("TERM", "xterm-256color");
        let mut child = pty.slave.spawn_command(command).expect("mapstop runs");
        let mut reader = pty.master.try_clone_reader().expect("a reader");
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains("quit") {
            let mut bytes = [0; 1024];
            let count = reader.read(&mut bytes).expect("a screen");
            seen.extend_from_slice(&bytes[..count]);
        }
        drop((reader, pty.master, pty.slave));
        let start = Instant::now();
        while child.try_wait().expect("a child").is_none() {
            assert!(start.elapsed() < PATIENCE, "it does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_terminal_that_knows_nothing_gets_a_report() {
    let pty = native_pty_system()
        .openpty(PtySize::default())
        .expect("a terminal");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mapstop"));
    command.env("TERM", "dumb");
    let mut child = pty.slave.spawn_command(command).expect("mapstop runs");
    drop(pty.slave);
    let mut output = Vec::new();
    // EIO is how a terminal says that nobody is left on the other side.
    let _ = pty
        .master
        .try_clone_reader()
        .expect("a reader")
        .read_to_end(&mut output);
    assert_eq!(child.wait().expect("it ends").exit_code(), 0);
    assert!(!output.contains(&0x1b));
    assert!(String::from_utf8_lossy(&output).contains("NAME"));
}
