//! Failing system calls, closed pipes, signals, and being stopped. Needs root, as mapstop does, and
//! strace.

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod pipes;
mod signals;

use std::process::{Command, Output};

use serde_json::Value;

const MAPSTOP: &str = env!("CARGO_BIN_EXE_mapstop");

fn mapstop(args: &[&str]) -> Command {
    let mut command = Command::new(MAPSTOP);
    command.args(args).env_remove("RUST_BACKTRACE");
    command
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("UTF-8")
}

/// The reports in lines of JSON.
fn reports(stdout: &[u8]) -> Vec<Value> {
    let lines = text(stdout).lines();
    let report = |line| serde_json::from_str(line).expect("a report");
    lines.map(report).collect()
}

/// A map in a report.
fn find_map<'a>(report: &'a Value, name: &str) -> &'a Value {
    let maps = report["maps"].as_array().expect("maps");
    let found = maps.iter().find(|map| map["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}: {report}"))
}

/// Whether the output is one error message and nothing else.
fn is_one_message(output: &Output) -> bool {
    let stderr = text(&output.stderr);
    output.stdout.is_empty()
        && stderr.starts_with("mapstop: ")
        && stderr.matches("mapstop: ").count() == 1
        && !stderr.contains("panicked")
}
