//! Exporters of recordings, a Prometheus that scrapes them, and mapstop that queries it.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::exporter::Exporter;

pub fn mapstop() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mapstop"));
    command
        .env_remove("MAPSTOP_TOKEN")
        .env_remove("MAPSTOP_PASSWORD");
    command
}

/// An exporter of a recording on a free port.
pub fn exporter(recording: &str) -> Exporter {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let path = path.join(recording);
    Exporter::start(&["--replay", path.to_str().expect("a path")])
}

/// The output of mapstop for a server with these arguments.
pub fn ask(url: &str, args: &[&str]) -> Output {
    mapstop()
        .args(["--prometheus", url])
        .args(args)
        .output()
        .expect("mapstop")
}

/// A report from a working server.
pub fn report(url: &str, args: &[&str]) -> Value {
    let output = ask(url, &[&["-j"], args].concat());
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
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

/// Its one-line error message.
pub fn failure(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let message = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    let line = message.strip_suffix('\n').unwrap_or(&message);
    assert!(!line.chars().any(char::is_control), "{message:?}");
    line.to_owned()
}
