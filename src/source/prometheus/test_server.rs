//! Responses for tests, made from lines as an exporter writes them, and a server that sends them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;

use super::address::Address;

/// The answer to an instant query that finds these series: `name{label="value"} number`. Escapes in
/// labels are those of JSON.
pub fn answer(lines: &[&str]) -> String {
    let samples: Vec<_> = lines.iter().map(|line| sample(line)).collect();
    format!(
        r#"{{"status":"success","data":{{"resultType":"vector","result":[{}]}}}}"#,
        samples.join(",")
    )
}

fn sample(line: &str) -> String {
    let (series, value) = line.rsplit_once(' ').expect("a number");
    let (name, labels) = series.split_once('{').expect("labels");
    let labels = labels.strip_suffix('}').expect("an end");
    let mut metric = format!(r#""__name__":"{name}""#);
    for label in labels.split("\",") {
        let (name, text) = label.split_once("=\"").expect("a label");
        let text = text.trim_end_matches('"');
        metric.extend([",\"", name, "\":\"", text, "\""]);
    }
    format!(r#"{{"metric":{{{metric}}},"value":[1732745000.25,"{value}"]}}"#)
}

/// A server in this process that maps a path and its form, both still escaped, to a status and a
/// body. It runs until the process ends.
pub fn server(answer: impl Fn(&str, &str) -> (u16, String) + Send + 'static) -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a client"));
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).expect("a line");
                if line.trim().is_empty() {
                    break;
                }
                lines.push(line.to_lowercase());
            }
            let length = lines
                .iter()
                .find_map(|line| line.strip_prefix("content-length:"))
                .map_or(0, |length| length.trim().parse().expect("a number"));
            let mut form = vec![0; length];
            stream.read_exact(&mut form).expect("a form");
            let path = lines[0].split(' ').nth(1).expect("a path");
            let (status, body) = answer(path, &String::from_utf8_lossy(&form));
            let head = format!(
                "HTTP/1.1 {status} -\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            // The client may have disconnected.
            let _ = stream.get_mut().write_all((head + &body).as_bytes());
        }
    });
    Address::parse(&format!("http://{address}")).expect("an address")
}
