//! Programs in a terminal of their own: how much they write to it when nothing happens, when their
//! first screen is there, and what they keep in memory meanwhile.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Output is counted during this time ...
const COUNTED: Duration = Duration::from_secs(10);
/// ... after this one, in which the first screen is drawn.
const SETTLING: Duration = Duration::from_secs(3);
/// The longest time to wait for a screen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A program in a terminal.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    /// Keeps the terminal open.
    _master: Box<dyn MasterPty + Send>,
    bytes: Arc<AtomicU64>,
    seen: Arc<Mutex<Vec<u8>>>,
    start: Instant,
}

impl Terminal {
    /// Starts a program in a terminal of this size.
    pub fn start(program: OsString, args: &[&str], (width, height): (u16, u16)) -> Result<Self> {
        let pty = native_pty_system().openpty(PtySize {
            rows: height,
            cols: width,
            pixel_width: 0,
            pixel_height: 0,
        })?;
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        let start = Instant::now();
        let child = pty.slave.spawn_command(command)?;
        let mut reader = pty.master.try_clone_reader()?;
        let (bytes, seen) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(Mutex::new(Vec::new())),
        );
        let (counter, copy) = (Arc::clone(&bytes), Arc::clone(&seen));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                counter.fetch_add(count as u64, Ordering::Relaxed);
                if let Ok(mut seen) = copy.lock() {
                    seen.extend_from_slice(&buffer[..count]);
                }
            }
        });
        Ok(Self {
            child,
            _master: pty.master,
            bytes,
            seen,
            start,
        })
    }

    /// The time from its start until it has written a text.
    pub fn time_until(&self, text: &str) -> Result<Duration> {
        while self.start.elapsed() < PATIENCE {
            let seen = self.seen.lock().ok().context("the reader died")?;
            if seen
                .windows(text.len())
                .any(|bytes| bytes == text.as_bytes())
            {
                return Ok(self.start.elapsed());
            }
            drop(seen);
            thread::sleep(Duration::from_micros(200));
        }
        anyhow::bail!("no '{text}' on the screen");
    }

    /// Bytes a second once it has settled.
    #[expect(clippy::cast_precision_loss, reason = "bytes of some seconds")]
    pub fn bytes_per_second(&self) -> f64 {
        thread::sleep(SETTLING);
        let before = self.bytes.load(Ordering::Relaxed);
        thread::sleep(COUNTED);
        (self.bytes.load(Ordering::Relaxed) - before) as f64 / COUNTED.as_secs_f64()
    }

    /// What it keeps in memory, in MiB: all, and what is its own alone.
    pub fn memory(&self) -> Result<(f64, f64)> {
        let pid = self.child.process_id().context("it has ended")?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let mib = |name: &str| -> Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.split_whitespace().next());
            Ok(kib.with_context(|| format!("no {name}"))?.parse::<f64>()? / 1024.0)
        };
        Ok((mib("VmRSS:")?, mib("RssAnon:")?))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
