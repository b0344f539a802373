//! Servers that are not Prometheus, or broken.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use crate::parts::{ask, failure, maps, mapstop, report};

/// A server that answers every request with the next of these responses, and repeats the last one.
pub fn server(answer: impl Fn(&str) -> String + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a client");
            let mut question = vec![0; 64 << 10];
            let count = stream.read(&mut question).unwrap_or(0);
            let question = String::from_utf8_lossy(&question[..count]).into_owned();
            let _ = stream.write_all(answer(&question).as_bytes());
        }
    });
    address
}

pub fn response(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn why(status: &'static str, body: &str) -> String {
    let response = response(status, body);
    let address = server(move |_| response.clone());
    failure(&ask(&format!("http://{address}"), &["--once"]))
}

#[test]
fn a_malformed_answer_is_one_sanitized_line() {
    for (status, body, what) in [
        (
            "200 OK",
            "<!doctype html><h1>sign in</h1>",
            "a page and no JSON",
        ),
        ("200 OK", r#"{"status":"success","data":{"resu"#, "cut off"),
        (
            "200 OK",
            r#"{"status":"success","data":{"result":[{"metric":[],"value":[]}]}}"#,
            "not what Prometheus answers",
        ),
        (
            "400 Bad Request",
            "{\"status\":\"error\",\"error\":\"no \\u001b]0;x\\u0007 such\"}",
            "the server answered: no ?]0;x? such",
        ),
        (
            "503 Service Unavailable",
            "\u{1b}[31mlater",
            "answers with 503: ?[31mlater",
        ),
    ] {
        let message = why(status, body);
        assert!(message.contains(what), "{message}");
    }
}

#[test]
fn a_truncated_answer_is_an_error() {
    let address =
        server(|_| "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"status\":".to_owned());
    let message = failure(&ask(&format!("http://{address}"), &["--once"]));
    assert!(message.contains("cannot query"), "{message}");
}

#[test]
fn an_invalid_url_is_a_usage_error() {
    for (url, what) in [
        (
            "prometheus:9090",
            "'prometheus:9090' is not a URL; expected one such as http://prometheus:9090",
        ),
        ("ftp://prometheus:9090", "unsupported scheme ftp://"),
        ("\u{1b}[2J one two", "'?[2J one two' is not a URL"),
        ("", "'' is not a URL"),
        ("http://user:hush@prometheus:9090", "--password-file"),
    ] {
        let output = ask(url, &["--once"]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        let message = String::from_utf8(output.stderr).expect("UTF-8");
        let line = message.strip_suffix('\n').expect("a line");
        assert!(line.starts_with("mapstop: --prometheus: "), "{line}");
        assert!(line.contains(what) && !line.contains("hush"), "{line}");
        assert!(!line.chars().any(char::is_control), "{message:?}");
    }
}

#[test]
fn a_server_without_tls_is_reported() {
    let address = server(|_| response("400 Bad Request", "what?"));
    let message = failure(&ask(&format!("https://{address}"), &["--once"]));
    assert_eq!(
        message,
        format!("mapstop: {address} does not speak TLS: try http://")
    );
}

#[test]
fn invalid_numbers_are_null_and_labels_sanitized() {
    let body = r#"{"status":"success","data":{"resultType":"vector","result":[
        {"metric":{"__name__":"bpf_map_max_entries","instance":"a\u001b[2J","id":"7","name":"x\u202e","type":"hash"},"value":[1,"10"]},
        {"metric":{"__name__":"bpf_map_used","instance":"a\u001b[2J","id":"7","name":"x\u202e","type":"hash"},"value":[1,"NaN"]},
        {"metric":{"__name__":"bpf_map_growth_per_second","instance":"a\u001b[2J","id":"7","name":"x\u202e","type":"hash"},"value":[1,"+Inf"]}]}}"#;
    let answer = response("200 OK", body);
    let address = server(move |_| answer.clone());
    let report = report(&format!("http://{address}"), &[]);
    let [map] = maps(&report) else {
        panic!("{report}")
    };
    assert_eq!(
        (&map["node"], &map["name"]),
        (&"a?[2J".into(), &"x?".into())
    );
    for unknown in ["used", "pressure", "growth_per_s", "full_in_s", "mark"] {
        assert!(map[unknown].is_null(), "{unknown}: {map}");
    }
}

#[test]
fn secrets_are_not_sent_after_a_redirect() {
    let elsewhere = server(|question| {
        assert!(!question.contains("hush"), "{question}");
        response("200 OK", "{}")
    });
    let moved = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://{elsewhere}/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    );
    let address = server(move |question| {
        assert!(
            question
                .to_lowercase()
                .contains("authorization: bearer hush"),
            "{question}"
        );
        moved.clone()
    });
    let output = mapstop()
        .env("MAPSTOP_TOKEN", "hush")
        .args(["--once", "--prometheus", &format!("http://{address}")])
        .output()
        .expect("mapstop");
    let message = failure(&output);
    assert!(message.contains("sends elsewhere (307)"), "{message}");
}
