//! Signals, and being stopped for a while.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::*;
use support::{add, create_hash};

/// How long mapstop is stopped.
const STOPPED: Duration = Duration::from_secs(3);

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("it runs");
}

#[test]
fn a_recording_ended_by_a_signal_can_be_replayed() {
    let _map = create_hash("hangup", 3, 10);
    for (number, name) in [
        (Signal::HUP, "maps"),
        (Signal::HUP, "maps.zst"),
        (Signal::TERM, "maps.zst"),
        (Signal::INT, "maps.zst"),
        (Signal::PIPE, "maps.zst"),
        (Signal::QUIT, "maps.zst"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        let path = path.to_str().expect("UTF-8");
        // Background jobs of a shell ignore some signals and inherit that.
        let mut child = Command::new("env")
            .args(["--default-signal", MAPSTOP, "-b", "-j", "-d", "0.1"])
            .args(["--record", path])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut lines = stdout.lines().map(|line| line.expect("a line"));
        let before: Vec<_> = lines.by_ref().take(3).collect();
        signal(&child, number);
        // Keeps the pipe open, so that only the signal ends mapstop.
        let rest: Vec<_> = if number == Signal::PIPE {
            lines.by_ref().take(2).collect()
        } else {
            lines.by_ref().collect()
        };
        if number == Signal::PIPE {
            signal(&child, Signal::KILL);
        }
        let status = child.wait().expect("it ends");
        assert!(!status.success(), "{number:?}");
        let ended = status
            .code()
            .or(status.signal().map(|n| 128 + n))
            .expect("a status");
        let expected = if number == Signal::PIPE {
            Signal::KILL
        } else {
            number
        };
        assert_eq!(ended, 128 + expected.as_raw(), "{number:?}");
        let output = mapstop(&["-b", "-j", "--replay", path])
            .output()
            .expect("it runs");
        let again = reports(&output.stdout);
        assert!(
            again.len() >= before.len(),
            "{number:?}: {}",
            text(&output.stderr)
        );
        let uptime = |line: &String| reports(line.as_bytes())[0]["uptime_s"].clone();
        for (line, report) in before.iter().chain(&rest).zip(&again) {
            assert_eq!(uptime(line), report["uptime_s"], "{number:?}");
        }
    }
}

#[test]
fn a_continued_batch_reports_once_for_the_time_it_was_stopped() {
    let map = create_hash("stopped", 0, 1000);
    let mut child = mapstop(&["-b", "-j", "-d", "0.5", "-m", "stopped"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut lines = stdout.lines().map(|line| line.expect("a line"));
    let mut next = || reports(lines.next().expect("a report").as_bytes()).remove(0);
    next();
    let before = next();
    signal(&child, Signal::STOP);
    (0..300).for_each(|key| add(&map, key));
    thread::sleep(STOPPED);
    signal(&child, Signal::CONT);
    let mut all = vec![before];
    all.extend((0..4).map(|_| next()));
    signal(&child, Signal::KILL);
    child.wait().expect("it ends");
    let number = |report: &Value, field: &str| report[field].as_f64().expect("a number");
    let gap = all.windows(2).position(|two| {
        number(&two[1], "uptime_s") - number(&two[0], "uptime_s") > STOPPED.as_secs_f64() - 0.6
    });
    let late = &all[gap.expect("a gap") + 1];
    assert_eq!(find_map(late, "stopped")["used"], 300);
    let growth = find_map(late, "stopped")["growth_per_s"]
        .as_f64()
        .expect("growth");
    let interval = number(late, "interval_s");
    assert!(interval > STOPPED.as_secs_f64() - 0.6, "{interval}");
    assert!(
        (growth * interval - 300.0).abs() < 1.0,
        "{growth} over {interval}"
    );
    // Missed reports are not sent in a burst.
    for two in all[gap.expect("a gap") + 1..].windows(2) {
        assert!(
            number(&two[1], "uptime_s") - number(&two[0], "uptime_s") > 0.3,
            "{two:?}"
        );
        assert_eq!(find_map(&two[1], "stopped")["growth_per_s"], 0.0);
    }
}
