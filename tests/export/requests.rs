//! Requests and responses.

use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::support::client::get;
use crate::support::exporter::{Exporter, OPENMETRICS, is_fine, value};
use crate::support::{create_hash, id};

#[test]
fn serves_both_formats() {
    let exporter = Exporter::start(&[]);
    let mut client = exporter.client();
    let text = client.get("/metrics", "");
    assert_eq!(text.status, 200);
    assert_eq!(
        text.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    assert!(text.body.contains("# TYPE mapstop_build_info gauge\n"));
    assert!(!text.body.contains("# EOF"));
    let open = client.get("/metrics", OPENMETRICS);
    assert_eq!(
        open.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    assert!(open.body.contains("# TYPE mapstop_build info\n"));
    assert!(open.body.ends_with("\n# EOF\n"));
}

#[test]
fn unknown_paths_and_methods_are_refused() {
    let exporter = Exporter::start(&[]);
    let at = |path| get(exporter.address, path);
    assert_eq!(at("/healthz").body, "ok\n");
    assert!(at("/").body.contains("href=\"/metrics\""));
    assert_eq!(at("/metrics?name=conns").status, 200);
    for path in [
        "/metric",
        "/metrics/",
        "//metrics",
        "/etc/passwd",
        "/../metrics",
    ] {
        assert_eq!(at(path).status, 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "STRANGE"] {
        let mut client = exporter.client();
        client.send(method, "/metrics", "Content-Length: 0\r\n");
        let answer = client.receive(true).expect("an answer");
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    }
    let mut client = exporter.client();
    client.send("HEAD", "/metrics", "");
    let head = client.receive(false).expect("an answer");
    let length = head.header("content-length").expect("a length");
    assert!(length.parse::<usize>().expect("a number") > 100);
    assert_eq!(client.get("/healthz", "").body, "ok\n", "no body came");
}

#[test]
fn an_unavailable_address_is_one_line_and_exit_1() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("its address").to_string();
    for (address, why) in [
        (taken.as_str(), "in use"),
        ("203.0.113.1:2112", "Cannot assign"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_mapstop"))
            .args(["export", "--listen", address])
            .output()
            .expect("mapstop");
        let message = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(1), "{address}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        let begin = format!("mapstop: cannot listen on '{address}'");
        assert!(
            message.starts_with(&begin) && message.contains(why),
            "{message}"
        );
        assert!(output.stdout.is_empty());
    }
    // A malformed address is a usage error.
    for address in ["127.0.0.1", "127.0.0.1:99999", ""] {
        let output = Command::new(env!("CARGO_BIN_EXE_mapstop"))
            .args(["export", "--listen", address])
            .output()
            .expect("mapstop");
        let message = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(2), "{address}: {message}");
        assert!(
            message.contains("expected an address with a port"),
            "{message}"
        );
    }
}

#[test]
fn a_failed_sample_is_a_503_with_the_reason() {
    let exporter = Exporter::start(&[]);
    let pid = Pid::from_raw(exporter.pid().try_into().expect("a pid"));
    let mut client = exporter.client();
    assert_eq!(client.get("/metrics", "").status, 200);
    let some = getrlimit(Resource::Nofile);
    let none = Rlimit {
        current: Some(0),
        ..some
    };
    prlimit(pid, Resource::Nofile, none).expect("root");
    thread::sleep(Duration::from_millis(150));
    let failed = client.get("/metrics", "");
    assert_eq!(failed.status, 503);
    assert!(
        failed
            .body
            .starts_with("cannot read the maps: cannot open the map iterator"),
        "{}",
        failed.body
    );
    assert_eq!(client.get("/healthz", "").status, 200);
    prlimit(pid, Resource::Nofile, some).expect("root");
    thread::sleep(Duration::from_millis(150));
    assert_eq!(client.get("/metrics", "").status, 200);
    assert_eq!(get(exporter.address, "/metrics").status, 200);
}

#[test]
fn sigterm_ends_the_exporter() {
    let mut exporter = Exporter::start(&[]);
    let mut kept = exporter.client();
    assert_eq!(kept.get("/metrics", "").status, 200);
    exporter.terminate();
    assert!(is_fine(exporter.end_within(Duration::from_secs(5))));
    assert!(kept.receive(true).is_none(), "the connection is closed");
}

#[test]
fn an_idle_exporter_does_not_sample() {
    let exporter = Exporter::start(&[]);
    exporter.scrape();
    // Owners are collected once more after a scrape, at their interval.
    thread::sleep(Duration::from_secs(6));
    let before = exporter.cpu();
    thread::sleep(Duration::from_secs(6));
    let took = exporter.cpu().saturating_sub(before);
    assert!(took < Duration::from_millis(1), "{took:?}");
}

#[test]
fn samples_are_at_least_a_tenth_of_a_second_apart() {
    let map = create_hash("exp_once", 1, 1000);
    let exporter = Exporter::start(&["-f", "exp_once"]);
    let mut client = exporter.client();
    let mut seen = Vec::new();
    let start = std::time::Instant::now();
    for key in 10..200 {
        crate::support::add(&map, key);
        let text = client.get("/metrics", "").body;
        seen.push(value(
            &text,
            "bpf_map_used",
            &[&format!("id=\"{}\"", id(&map))],
        ));
    }
    let most = start.elapsed().as_millis() / 100 + 1;
    seen.dedup();
    assert!(seen.len() as u128 <= most, "{} in {most}", seen.len());
    thread::sleep(Duration::from_millis(150));
    let text = client.get("/metrics", "").body;
    assert_eq!(value(&text, "bpf_map_used", &["exp_once"]), Some(191.0));
}
