//! A real Prometheus with an empty data folder.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::client::{Client, get};

/// Long enough for a few scrapes on a busy machine.
const MAX_TIME: Duration = Duration::from_secs(60);

/// A server that scrapes once a second, and can be restarted.
pub struct Prometheus {
    child: Option<Child>,
    pub address: SocketAddr,
    folder: TempDir,
    /// More of its arguments.
    more: Vec<String>,
}

impl Prometheus {
    /// Scrapes these under the job `mapstop`.
    pub fn start(targets: &[SocketAddr]) -> Self {
        Self::start_with(targets, Vec::new())
    }

    pub fn start_with(targets: &[SocketAddr], more: Vec<String>) -> Self {
        Self::start_jobs(&[("mapstop", targets, "")], more)
    }

    /// Scrapes under several jobs: each has a name, its targets, and labels that they have.
    pub fn start_jobs(jobs: &[(&str, &[SocketAddr], &str)], more: Vec<String>) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let mut server = Self {
            child: None,
            address: free.local_addr().expect("its address"),
            folder: tempfile::tempdir().expect("a folder"),
            more,
        };
        server.scrape(jobs);
        drop(free);
        server.run();
        server
    }

    /// Scrapes only these jobs from the next start on.
    pub fn scrape(&self, jobs: &[(&str, &[SocketAddr], &str)]) {
        let job = |(name, targets, labels): &(&str, &[SocketAddr], &str)| {
            let targets: Vec<_> = targets.iter().map(|target| format!("'{target}'")).collect();
            format!(
                "{{job_name: {name}, scrape_interval: 1s, scrape_timeout: 1s, \
                 static_configs: [{{targets: [{}], labels: {{{labels}}}}}]}}",
                targets.join(", ")
            )
        };
        let jobs: Vec<_> = jobs.iter().map(job).collect();
        let text = format!("scrape_configs: [{}]", jobs.join(", "));
        fs::write(self.folder.path().join("prometheus.yml"), text).expect("a file");
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
            .expect("no prometheus here: contrib/install-tools.sh tests installs it");
        self.child = Some(child);
        wait_until("it listens", || TcpStream::connect(self.address).is_ok());
        // With TLS the plain client cannot be used.
        if self.more.is_empty() {
            wait_until("it is ready", || {
                get(self.address, "/-/ready").status == 200
            });
        }
    }

    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The samples of an expression now: labels and value.
    pub fn query(&self, expr: &str) -> Vec<(Value, f64)> {
        let encoded = expr.bytes().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "%{byte:02X}");
            text
        });
        let answer = Client::connect(self.address).get(
            &format!("/api/v1/query?query={encoded}"),
            "Connection: close\r\n",
        );
        assert_eq!(answer.status, 200, "{expr}: {}", answer.body);
        let answer: Value = serde_json::from_str(&answer.body).expect("JSON");
        let result = answer["data"]["result"].as_array().expect("a vector");
        let number = |sample: &Value| {
            let text = sample["value"][1].as_str().expect("a number");
            text.parse().expect("a number")
        };
        result
            .iter()
            .map(|sample| (sample["metric"].clone(), number(sample)))
            .collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.stop();
    }
}

pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(
            start.elapsed() < MAX_TIME,
            "after {MAX_TIME:?} it is not so: {what}"
        );
        thread::sleep(Duration::from_millis(200));
    }
}
