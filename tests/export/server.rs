//! A real Prometheus over an empty folder, and what it answers.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::client::{Client, get};

pub struct Prometheus {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Prometheus {
    /// Scrapes these once a second under the job `mapstop`.
    pub fn start(targets: &[SocketAddr]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("prometheus.yml");
        let targets: Vec<_> = targets.iter().map(|target| format!("'{target}'")).collect();
        let text = format!(
            "scrape_configs: [{{job_name: mapstop, scrape_interval: 1s, scrape_timeout: 1s, \
             static_configs: [{{targets: [{}]}}]}}]",
            targets.join(", ")
        );
        fs::write(&config, text).expect("a file");
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("its address");
        drop(free);
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error")
            .stdout(Stdio::null())
            .spawn()
            .expect("no prometheus here: contrib/install-tools.sh tests installs it");
        let server = Self {
            child,
            address,
            _folder: folder,
        };
        wait_until("it is ready", Duration::from_secs(30), || {
            let Ok(stream) = std::net::TcpStream::connect(address) else {
                return false;
            };
            drop(stream);
            get(address, "/-/ready").status == 200
        });
        server
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
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn wait_until(what: &str, time: Duration, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(
            start.elapsed() < time,
            "after {time:?} it is not so: {what}"
        );
        thread::sleep(Duration::from_millis(200));
    }
}

/// A file of `contrib`.
pub fn contrib(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("contrib")
        .join(file)
}
