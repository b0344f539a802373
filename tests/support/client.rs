//! A plain HTTP client that shows the bytes that are really sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The response of a server.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A connection that is kept for the next request.
pub struct Client(BufReader<TcpStream>);

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a server");
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("a time-out");
        Self(BufReader::new(stream))
    }

    pub fn stream(&mut self) -> &mut TcpStream {
        self.0.get_mut()
    }

    pub fn send(&mut self, method: &str, path: &str, headers: &str) {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\n{headers}\r\n");
        self.stream()
            .write_all(head.as_bytes())
            .expect("to be heard");
    }

    /// Reads a response; `None` if the server closed the connection.
    pub fn receive(&mut self, has_body: bool) -> Option<Answer> {
        let mut line = String::new();
        self.0.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let status = line.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).ok()?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':')?;
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer {
            status,
            headers,
            body: String::new(),
        };
        if has_body {
            let length = answer.header("content-length").map(str::parse);
            let body = match length {
                Some(length) => self.part(length.ok()?)?,
                None => self.chunks()?,
            };
            answer.body = String::from_utf8(body).ok()?;
        }
        Some(answer)
    }

    fn part(&mut self, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// A chunked body.
    fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).ok()?;
            let length = usize::from_str_radix(line.trim_end(), 16).ok()?;
            body.extend(self.part(length)?);
            self.part(2)?;
            if length == 0 {
                return Some(body);
            }
        }
    }

    pub fn get(&mut self, path: &str, headers: &str) -> Answer {
        self.send("GET", path, headers);
        self.receive(true).expect("an answer")
    }
}

/// Sends one request.
pub fn get(address: SocketAddr, path: &str) -> Answer {
    Client::connect(address).get(path, "")
}
