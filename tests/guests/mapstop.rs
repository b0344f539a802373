//! mapstop as another process: its reports, one by one.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;

/// Long enough for anything in a guest.
const MAX_TIME: Duration = Duration::from_secs(60);

/// A process that reports until it is dropped.
pub struct Mapstop {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Mapstop {
    fn command(arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mapstop"));
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub fn run(arguments: &[&str]) -> Output {
        Self::command(arguments).output().expect("it runs")
    }

    /// Starts it for one report.
    pub fn spawn(arguments: &[&str]) -> Child {
        let mut command = Self::command(arguments);
        command.stdout(Stdio::piped()).spawn().expect("it runs")
    }

    /// Reports in JSON, twice a second, with these arguments.
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Self::spawn(&[&["-j", "-d", "0.5"], arguments].concat());
        let stdout = child.stdout.take().expect("a pipe");
        let lines = BufReader::new(stdout).lines();
        Self { child, lines }
    }

    /// The next report.
    pub fn report(&mut self) -> Value {
        let line = self.lines.next().expect("one more report");
        serde_json::from_str(&line.expect("text")).expect("JSON")
    }

    /// The first report that satisfies a condition.
    pub fn until(&mut self, is_so: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let report = self.report();
            if is_so(&report) {
                return report;
            }
            assert!(start.elapsed() < MAX_TIME, "{report:#}");
        }
    }

    /// The first report that includes everything up to now. Counters are read before the clock, so that
    /// the next one after it is used.
    pub fn report_of_now(&mut self) -> Value {
        let now = clock_gettime(ClockId::Boottime).tv_sec;
        let is_later = |report: &Value| {
            report["uptime_s"].as_f64().expect("a time")
                > f64::from(i32::try_from(now).expect("not for ever")) + 1.0
        };
        self.until(is_later);
        self.report()
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("its end");
    }
}

impl Drop for Mapstop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
