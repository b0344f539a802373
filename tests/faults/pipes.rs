//! The reader of a pipe closes it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use mapstop::source::recording::Writer;
use mapstop::test_util::{host, map, snapshot};
use rustix::process::{Pid, Signal, kill_process};

use super::support::create_hash;
use super::*;

/// The write end of a pipe whose read end is closed.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("maps");
    let mut writer = Writer::create(&path, &host()).expect("a file");
    for second in 0..20 {
        writer
            .write(&snapshot(second, [map("conns")]))
            .expect("room");
    }
    let path = path.to_str().expect("UTF-8");
    for args in [
        &["--once"][..],
        &["--once", "-j"],
        &["--once", "--pretty"],
        &["--once", "--csv"],
        &["-b", "-j", "-d", "0.1"],
        &["-b", "--csv", "-d", "0.1"],
        &["-b", "-d", "0.1"],
        &["advise", "-d", "1"],
        &["advise", "--json", "-d", "1"],
        &["advise", "--replay", path],
        &["-b", "-j", "--replay", path],
        &["--help"],
        &["--version"],
    ] {
        let output = mapstop(args)
            .stdout(closed_pipe())
            .output()
            .expect("it runs");
        let stderr = text(&output.stderr);
        assert_eq!((output.status.code(), stderr), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn a_closed_stderr_does_not_change_the_exit_code() {
    let assert_exit_code = |args: &[&str], code| {
        let mut command = mapstop(args);
        let status = command.stdout(closed_pipe()).stderr(closed_pipe()).status();
        assert_eq!(status.expect("it runs").code(), Some(code), "{args:?}");
    };
    assert_exit_code(&["--nonsense"], 2);
    assert_exit_code(&["--once", "-f", "((("], 2);
    assert_exit_code(&["--replay", "/nonexistent"], 1);
    let full_device = || {
        File::options()
            .write(true)
            .open("/dev/full")
            .expect("/dev/full")
    };
    for args in [
        &["--once", "-j"][..],
        &["--once", "--csv"],
        &["advise", "-d", "1"],
        &["--help"],
    ] {
        let output = mapstop(args)
            .stdout(full_device())
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(
            text(&output.stderr).contains("No space left on device"),
            "{args:?}"
        );
        let status = mapstop(args)
            .stdout(full_device())
            .stderr(full_device())
            .status();
        assert_eq!(status.expect("it runs").code(), Some(1), "{args:?}");
    }
}

#[test]
fn the_exporter_survives_closed_pipes() {
    let _map = create_hash("exp_pipes", 3, 10);
    let mut child = mapstop(&["export", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(closed_pipe())
        .spawn()
        .expect("it runs");
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    stdout.read_line(&mut line).expect("a line");
    drop(stdout);
    let address = line.split('/').nth(2).expect("an address").to_owned();
    let request = || {
        let mut stream = TcpStream::connect(&address).expect("a server");
        std::io::Write::write_all(&mut stream, b"GET /metrics HTTP/1.0\r\nHost: x\r\n\r\n")
            .expect("a request");
        stream
    };
    // Some clients disconnect before the response.
    for _ in 0..20 {
        drop(request());
    }
    let mut response = String::new();
    request().read_to_string(&mut response).expect("a response");
    assert!(response.contains("bpf_map_max_entries"), "{response}");
    kill_process(Pid::from_child(&child), Signal::TERM).expect("it runs");
    let start = Instant::now();
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(30));
}
