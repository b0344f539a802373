//! Slow, broken and hostile clients must not affect others.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::Client;
use crate::support::exporter::Exporter;

/// Everything that the server sends until it closes the connection.
fn until_the_end(stream: &mut TcpStream) -> String {
    let limit = Duration::from_secs(25);
    stream.set_read_timeout(Some(limit)).expect("a time-out");
    let mut text = Vec::new();
    // A reset closes it, too.
    if let Err(error) = stream.read_to_end(&mut text) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn a_half_closed_client_is_answered() {
    let exporter = Exporter::start(&[]);
    let mut client = exporter.client();
    client.send("GET", "/metrics", "");
    let stream = client.stream();
    stream.shutdown(Shutdown::Write).expect("to be half closed");
    let answer = until_the_end(stream);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:.80}");
    assert!(answer.contains("\nmapstop_build_info{"), "{answer}");
}

#[test]
fn malformed_requests_are_refused() {
    let exporter = Exporter::start(&[]);
    let long = format!("GET / HTTP/1.1\r\nA: {}\r\n", "a".repeat(20_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(100));
    let long_path = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(70_000));
    for (sent, status) in [
        (long.as_str(), Some("431")),
        (&many, Some("431")),
        (&long_path, None),
        (
            "\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03\x03",
            Some("400"),
        ),
        ("GET\r\n\r\n", Some("400")),
        ("GET /metrics HTTP/1.1\nContent-Length: -1\n\n", Some("400")),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None),
    ] {
        let mut client = exporter.client();
        // It may hang up before it has read all of it.
        let _ = client.stream().write_all(sent.as_bytes());
        let answer = until_the_end(client.stream());
        match status {
            Some(status) => {
                let begin = format!("HTTP/1.1 {status} ");
                assert!(answer.starts_with(&begin), "{sent:.40}: {answer}");
            }
            None => assert!(!answer.contains(" 200 "), "{sent:.40}: {answer}"),
        }
        exporter.scrape();
    }
}

#[test]
fn an_incomplete_head_times_out_after_ten_seconds() {
    let exporter = Exporter::start(&[]);
    let mut silent = exporter.client();
    let mut slow = exporter.client();
    let start = Instant::now();
    let mut other = slow.stream().try_clone().expect("a copy");
    let drip = thread::spawn(move || {
        for byte in "GET /metrics HTTP/1.1\r\nA: ".bytes().chain([b'a'; 100]) {
            if other.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(300));
        }
        panic!("it was heard to the end");
    });
    for client in [&mut silent, &mut slow] {
        assert!(!until_the_end(client.stream()).contains(" 200 "));
        let took = start.elapsed();
        assert!((9..20).contains(&took.as_secs()), "{took:?}");
    }
    drip.join().expect("hung up on");
}

#[test]
fn unexpected_bodies_are_not_read() {
    let exporter = Exporter::start(&[]);
    let mut client = exporter.client();
    client.send("POST", "/metrics", "Content-Length: 1000000000000\r\n");
    assert_eq!(client.receive(true).expect("an answer").status, 405);
    let chunk = vec![b'a'; 65_536];
    let mut sent = 0_usize;
    while client.stream().write_all(&chunk).is_ok() {
        sent += chunk.len();
        assert!(sent < 64 << 20, "it goes on reading");
    }
    exporter.scrape();
}

#[test]
fn half_open_connections_block_no_scrape() {
    if !crate::support::limits::may_open(1024) {
        return;
    }
    let exporter = Exporter::start(&[]);
    let mut half_open: Vec<Client> = Vec::new();
    for _ in 0..400 {
        let mut client = exporter.client();
        client
            .stream()
            .write_all(b"GET /metrics HTTP/1.1\r\nHost:")
            .expect("to be heard");
        half_open.push(client);
    }
    let start = Instant::now();
    for _ in 0..20 {
        exporter.scrape();
    }
    let took = start.elapsed();
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert!(exporter.descriptors() < 300, "{}", exporter.descriptors());
}

#[test]
fn disconnecting_clients_leak_nothing() {
    let exporter = Exporter::start(&[]);
    exporter.scrape();
    thread::sleep(Duration::from_millis(300));
    let before = exporter.descriptors();
    for _ in 0..200 {
        let mut client = exporter.client();
        client.send("GET", "/metrics", "");
        drop(client);
    }
    exporter.scrape();
    let start = Instant::now();
    while exporter.descriptors() > before && start.elapsed() < Duration::from_secs(5) {
        thread::sleep(Duration::from_millis(50));
    }
    assert!(
        exporter.descriptors() <= before,
        "{}",
        exporter.descriptors()
    );
}
