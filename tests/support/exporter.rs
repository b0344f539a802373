//! The exporter as a separate process, and its use of memory and CPU time.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::client::{Answer, Client};

pub const OPENMETRICS: &str = "Accept: application/openmetrics-text; version=1.0.0\r\n";

pub struct Exporter {
    child: Child,
    pub address: SocketAddr,
}

impl Exporter {
    /// Starts it on a free port with these arguments, and waits until it serves.
    pub fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mapstop"));
        Self::start_by(command.arg("export").args(args))
    }

    /// The same by a command that ends in `mapstop export`.
    pub fn start_by(command: &mut Command) -> Self {
        let mut child = command
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the exporter");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("a pipe"))
            .read_line(&mut line)
            .expect("a line");
        let address = line
            .strip_prefix("serving http://")
            .and_then(|rest| rest.trim().strip_suffix("/metrics"))
            .unwrap_or_else(|| panic!("it serves: {line:?}; these tests need root"))
            .parse()
            .expect("an address");
        Self { child, address }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn client(&self) -> Client {
        Client::connect(self.address)
    }

    pub fn scrape(&self) -> String {
        let Answer { status, body, .. } = self.client().get("/metrics", "");
        assert_eq!(status, 200, "{body}");
        body
    }

    pub fn terminate(&self) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("a process of ours");
    }

    /// Waits for its end.
    pub fn end_within(&mut self, time: Duration) -> ExitStatus {
        let start = Instant::now();
        while start.elapsed() < time {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it is still there after {time:?}");
    }

    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid()))
            .expect("a process")
            .count()
    }

    /// Resident memory in KiB.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("a process");
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        number.and_then(|n| n.parse().ok()).expect("a number")
    }

    /// The CPU time that all its threads took.
    pub fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid())).expect("a process");
        let of_task = |task: std::io::Result<fs::DirEntry>| {
            let path = task.expect("a task").path().join("schedstat");
            let text = fs::read_to_string(path).expect("its times");
            let ns = text.split(' ').next().and_then(|ns| ns.parse().ok());
            Duration::from_nanos(ns.expect("nanoseconds"))
        };
        tasks.map(of_task).sum()
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether it exited with success.
pub fn is_fine(status: ExitStatus) -> bool {
    status.code() == Some(0) && status.signal().is_none()
}

/// The value of the sample with this name that has all of these labels.
pub fn value(text: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let found = text.lines().find(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    });
    found?.rsplit_once(' ')?.1.parse().ok()
}
