//! System calls that fail, one after the other.

use std::fs;

use super::*;
use support::create_hash;

/// Runs mapstop under strace(1) with this tampering of a system call: for all files, or for those with
/// this path.
fn run_with(tampering: &str, only: Option<&str>, args: &[&str]) -> Output {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", "signal=none"]);
    command.args(only.iter().flat_map(|path| ["-P", path]));
    command.args(["-e", &format!("inject={tampering}"), MAPSTOP]);
    let output = command.args(args).env_remove("RUST_BACKTRACE").output();
    output.expect("strace runs: contrib/install-tools.sh tests installs it")
}

/// The calls of bpf(2) by the first thread of a report, in order: their commands, as strace has them.
fn calls() -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let status = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=bpf", "-o"])
        .arg(&log)
        .args([MAPSTOP, "--once", "-j"])
        .output()
        .expect("strace runs: contrib/install-tools.sh tests installs it")
        .status;
    assert!(status.success(), "{status}");
    let log = fs::read_to_string(log).expect("a log");
    let thread = log.split(' ').next().expect("a thread").to_owned();
    let lines = log.lines().filter(|line| line.starts_with(&thread));
    let calls = lines.filter_map(|line| line.split_once(" bpf(").map(|(_, call)| call.to_owned()));
    calls.collect()
}

/// Whether this call is a feature probe of libbpf. Failing it would simulate another kernel, which
/// other tests cover.
fn is_feature_probe(call: &str) -> bool {
    let is_load = call.starts_with("BPF_PROG_LOAD");
    call.starts_with("BPF_BTF_LOAD")
        || call.starts_with("0x")
        || is_load && !call.contains("BPF_PROG_TYPE_TRACING")
}

#[test]
fn any_call_may_fail_with_enomem() {
    let _map = create_hash("no_memory", 3, 10);
    let calls = calls();
    let mut ends = [0; 2];
    for (n, call) in (1..)
        .zip(&calls)
        .filter(|(_, call)| !is_feature_probe(call))
    {
        let tampering = format!("bpf:error=ENOMEM:when={n}");
        let output = run_with(&tampering, None, &["--once", "-j"]);
        let stderr = text(&output.stderr);
        if output.status.success() {
            ends[0] += 1;
            assert_eq!(stderr, "", "{call}");
            let report = reports(&output.stdout).remove(0);
            assert_eq!(find_map(&report, "no_memory")["used"], 3, "{call}");
        } else {
            ends[1] += 1;
            assert_eq!(output.status.code(), Some(1), "{call}: {stderr}");
            assert!(is_one_message(&output), "{call}: {stderr}");
            assert!(
                stderr.contains("Cannot allocate memory"),
                "{call}: {stderr}"
            );
        }
    }
    assert!(ends[0] > 3, "{ends:?} of {calls:#?}");
}

#[test]
fn no_memory_for_a_link_is_an_error() {
    let of_links = calls();
    let first = of_links
        .iter()
        .position(|call| call.starts_with("BPF_LINK_CREATE"));
    // From that call on all fail, including fallbacks.
    let tampering = format!("bpf:error=ENOMEM:when={}+", first.expect("a link") + 1);
    for args in [
        &["--once"][..],
        &["-b", "-n", "2"],
        &["advise", "-d", "1"],
        &["export", "--listen", "127.0.0.1:0"],
    ] {
        let output = run_with(&tampering, None, args);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {stderr}");
        assert!(is_one_message(&output), "{args:?}: {stderr}");
        assert!(
            stderr.contains("Cannot allocate memory"),
            "{args:?}: {stderr}"
        );
    }
}

/// Tampers with calls on iterators only: `-P` with their name in `/proc`.
const ITERATORS: &str = "anon_inode:bpf_iter";

#[test]
fn interrupted_reads_change_nothing() {
    let _map = create_hash("try_again", 3, 10);
    for errno in ["EAGAIN", "EINTR"] {
        let tampering = format!("read:error={errno}:when=1+2");
        let output = run_with(&tampering, Some(ITERATORS), &["--once", "-j"]);
        assert_eq!(text(&output.stderr), "", "{errno}");
        let report = reports(&output.stdout).remove(0);
        assert_eq!(find_map(&report, "try_again")["used"], 3, "{errno}");
        assert!(
            find_map(&report, "try_again")["owner"].is_string(),
            "{errno}"
        );
    }
}

#[test]
fn a_failed_read_loses_one_report() {
    let _map = create_hash("read_fails", 3, 10);
    for (errno, words) in [
        ("ENOMEM", "Cannot allocate memory"),
        ("EPERM", "Operation not permitted"),
    ] {
        // The first reads are those of the first report.
        let tampering = format!("read:error={errno}:when=12..13");
        let args = ["-b", "-j", "-n", "9", "-d", "0.1"];
        let output = run_with(&tampering, Some(ITERATORS), &args);
        let stderr = text(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        assert!(
            stderr.contains(words) && stderr.contains("retrying"),
            "{stderr}"
        );
        let reports = reports(&output.stdout);
        assert_eq!(reports.len(), 9);
        for report in &reports {
            assert_eq!(find_map(report, "read_fails")["used"], 3);
        }
    }
}
