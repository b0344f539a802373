//! Exporters of recordings, a Prometheus that scrapes them, and mapstop that asks it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A process that ends with the test.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn mapstop() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mapstop"));
    command
        .env_remove("MAPSTOP_TOKEN")
        .env_remove("MAPSTOP_PASSWORD");
    command
}

/// An exporter of a recording on a free port, and where that is.
pub fn exporter(recording: &str) -> (Running, SocketAddr) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let mut child = mapstop()
        .args(["export", "--listen", "127.0.0.1:0", "--replay"])
        .arg(path.join(recording))
        .stdout(Stdio::piped())
        .spawn()
        .expect("an exporter");
    let mut said = String::new();
    BufReader::new(child.stdout.as_mut().expect("a pipe"))
        .read_line(&mut said)
        .expect("a line");
    let address = said
        .strip_prefix("serving http://")
        .and_then(|rest| rest.trim().strip_suffix("/metrics"))
        .and_then(|address| address.parse().ok());
    (Running(child), address.expect("it serves"))
}

pub fn free_address() -> SocketAddr {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    free.local_addr().expect("its address")
}

/// A Prometheus that scrapes once a second.
pub struct Prometheus {
    running: Option<Running>,
    pub address: SocketAddr,
    folder: TempDir,
    /// More of its arguments.
    more: Vec<String>,
}

impl Prometheus {
    pub fn start(targets: &[SocketAddr]) -> Self {
        Self::start_with(targets, Vec::new())
    }

    pub fn start_with(targets: &[SocketAddr], more: Vec<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let targets: Vec<_> = targets.iter().map(|target| format!("'{target}'")).collect();
        let text = format!(
            "scrape_configs: [{{job_name: mapstop, scrape_interval: 1s, scrape_timeout: 1s, \
             static_configs: [{{targets: [{}]}}]}}]",
            targets.join(", ")
        );
        fs::write(folder.path().join("prometheus.yml"), text).expect("a file");
        let mut server = Self {
            running: None,
            address: free_address(),
            folder,
            more,
        };
        server.run();
        server
    }

    pub fn run(&mut self) {
        let folder = self.folder.path().display();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={folder}/prometheus.yml"))
            .arg(format!("--storage.tsdb.path={folder}/data"))
            .arg(format!("--web.listen-address={}", self.address))
            .arg("--log.level=error")
            .args(&self.more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("no prometheus here: contrib/test-tools.sh installs it");
        self.running = Some(Running(child));
        wait_until("it listens", || TcpStream::connect(self.address).is_ok());
    }

    pub fn stop(&mut self) {
        self.running = None;
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// What mapstop says of a server with these arguments.
pub fn ask(url: &str, args: &[&str]) -> Output {
    mapstop()
        .args(["--prometheus", url])
        .args(args)
        .output()
        .expect("mapstop")
}

/// A report of a server that answers.
pub fn report(url: &str, args: &[&str]) -> Value {
    let output = ask(url, &[&["-j"], args].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// How many maps are in a report; none if there is no report yet.
pub fn count(url: &str, args: &[&str]) -> usize {
    let output = ask(url, &[&["-j"], args].concat());
    let report = serde_json::from_slice::<Value>(&output.stdout);
    report.map_or(0, |report| maps(&report).len())
}

pub fn maps(report: &Value) -> &[Value] {
    report["maps"].as_array().expect("a list")
}

/// The one line in which it says why it failed.
pub fn failure(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    let line = said.strip_suffix('\n').unwrap_or(&said);
    assert!(!line.chars().any(char::is_control), "{said:?}");
    line.to_owned()
}

pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        let time = Duration::from_mins(1);
        assert!(
            start.elapsed() < time,
            "after {time:?} it is not so: {what}"
        );
        thread::sleep(Duration::from_millis(200));
    }
}
