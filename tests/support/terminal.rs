//! The binary in a separate terminal: keys in, screens out.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// How long to wait for output that should come at once.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// mapstop in a separate terminal.
pub struct Terminal {
    pub child: Box<dyn Child + Send + Sync>,
    pub master: Box<dyn MasterPty + Send>,
    pub keys: Box<dyn Write + Send>,
    /// The mode that it was in at first.
    pub before: String,
    /// The screen, and every byte that was written to it.
    pub seen: Arc<Mutex<(vt100::Parser, Vec<u8>)>>,
}

impl Terminal {
    /// mapstop with these arguments.
    pub fn start(width: u16, height: u16, args: &[&str]) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mapstop"));
        command.args(args);
        Self::run(width, height, command)
    }

    pub fn run(width: u16, height: u16, mut command: CommandBuilder) -> Self {
        let pty = native_pty_system()
            .openpty(size(width, height))
            .expect("a terminal");
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        command.env_remove("NO_COLOR");
        let before = mode(&*pty.master);
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
            before,
            seen,
        }
    }

    pub fn pid(&self) -> Pid {
        let pid = self.child.process_id().expect("a process");
        Pid::from_raw(pid.try_into().expect("a process id")).expect("a process id")
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it runs");
    }

    pub fn resize(&self, width: u16, height: u16) {
        self.master.resize(size(width, height)).expect("a terminal");
        let mut seen = self.seen.lock().expect("nobody panics with it");
        // The emulator panics at a wide character where there is one column only.
        seen.0.screen_mut().set_size(height, width.max(2));
    }

    /// Whether everything that was changed about the terminal is as it was.
    pub fn is_restored(&self) -> bool {
        let seen = self.seen.lock().expect("nobody panics with it");
        let screen = seen.0.screen();
        mode(&*self.master) == self.before
            && !screen.alternate_screen()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
    }

    pub fn wait_until_restored(&self) {
        self.wait("the terminal to be restored", |_| self.is_restored());
    }

    pub fn screen(&self) -> String {
        self.seen
            .lock()
            .expect("nobody panics with it")
            .0
            .screen()
            .contents()
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("it reads keys");
    }

    /// Waits until the screen satisfies a condition.
    pub fn wait(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        let start = Instant::now();
        while !is_so(&self.screen()) {
            assert!(start.elapsed() < PATIENCE, "no {what}:\n{}", self.screen());
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn wait_for(&self, text: &str) {
        self.wait(text, |screen| screen.contains(text));
    }

    /// Presses `q` until it ends: right after Esc, `q` would be read as Alt+q.
    pub fn quit(mut self) -> (u32, bool) {
        let start = Instant::now();
        while self.child.try_wait().expect("a child").is_none() && start.elapsed() < PATIENCE {
            let _ = self.keys.write_all(b"q");
            thread::sleep(Duration::from_millis(300));
        }
        self.end()
    }

    /// Waits for the end; returns the exit code and whether the terminal was restored.
    pub fn end(mut self) -> (u32, bool) {
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
        // Its last output may not have arrived yet.
        while !self.is_restored() && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(10));
        }
        (code, self.is_restored())
    }
}

/// The mode that the terminal is in: raw or not, echo, and all the rest.
pub fn mode(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a mode"))
}

pub fn size(width: u16, height: u16) -> PtySize {
    PtySize {
        rows: height,
        cols: width,
        pixel_width: 0,
        pixel_height: 0,
    }
}
