//! Command lines and filters in the docs are understood; those that read a recording are run.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use mapstop::query::filter::Filter;
use tempfile::TempDir;

use crate::{MAPSTOP, ROOT, pages};

/// Commands of others, which are not run.
const OTHERS: [&str; 9] = [
    "git clone ",
    "curl ",
    "prometheus ",
    "podman ",
    "make ",
    "sudo groupadd ",
    "sudo chgrp ",
    "sudo chmod ",
    "sudo setcap ",
];

fn shell(script: &str, folder: &Path) -> Output {
    Command::new("sh")
        .args(["-c", script])
        .current_dir(folder)
        .env("MAPSTOP", MAPSTOP)
        .stdin(Stdio::null())
        .output()
        .expect("sh")
}

#[test]
fn every_command_line_is_understood() {
    let folder = TempDir::new().expect("a folder");
    let mut count = 0;
    for page in pages() {
        for (number, line) in page.blocks("sh") {
            let at = format!("{}:{number}: {line}", page.path);
            let of_others = OTHERS.iter().any(|command| line.starts_with(command));
            if of_others {
                continue;
            }
            // A shell splits the line into words, as it does for the user. What is piped or written
            // elsewhere does not matter here.
            let script = format!(
                "sudo() {{ printf '%s\\n' \"$@\" >&2; }}\n\
                 mapstop() {{ sudo mapstop \"$@\"; }}\n\
                 jq() {{ :; }}\nless() {{ :; }}\nmail() {{ :; }}\n{line}"
            );
            let output = shell(&script, folder.path());
            let words = String::from_utf8(output.stderr).expect("UTF-8");
            let words = words.lines().map(|word| match word {
                "URL" => "http://prometheus:9090",
                word => word,
            });
            let words: Vec<_> = words.take_while(|word| !word.starts_with("sh:")).collect();
            assert_eq!(words.first(), Some(&"mapstop"), "{at}");
            let parsed = mapstop::cli::parse_from(words, mapstop::env::Environment::terminal());
            assert!(parsed.is_ok(), "{at}: {parsed:?}");
            count += 1;
        }
    }
    assert!(count > 40, "the docs have {count} examples");
}

#[test]
fn command_lines_that_need_no_machine_run() {
    let folder = TempDir::new().expect("a folder");
    let recording = Path::new(ROOT).join("tests/recordings/node-17.mrec");
    fs::copy(recording, folder.path().join("leak.mrec.zst")).expect("a copy");
    let mut count = 0;
    for page in pages() {
        for (number, line) in page.blocks("sh") {
            let is_report = [" --once", " -b ", " advise "]
                .iter()
                .any(|part| line.contains(part));
            let is_help = line.contains(" -c help") || line.contains(" -s help");
            if !(is_help || is_report && line.contains("--replay leak.mrec.zst")) {
                continue;
            }
            let script = format!(
                "mapstop() {{ \"$MAPSTOP\" \"$@\"; }}\njq() {{ cat; }}\nless() {{ cat; }}\n{line}"
            );
            let output = shell(&script, folder.path());
            let at = format!("{}:{number}: {line}", page.path);
            assert!(output.status.success(), "{at}: {output:?}");
            assert!(!output.stdout.is_empty(), "{at}: {output:?}");
            count += 1;
        }
    }
    assert!(count >= 4, "{count} were run");
}

#[test]
fn every_filter_is_understood() {
    let mut count = 0;
    for page in pages() {
        for (number, line) in page.blocks("filter") {
            let (filter, _) = line.split_once("  #").unwrap_or((line, ""));
            let parsed = Filter::parse(filter.trim());
            assert!(parsed.is_ok(), "{}:{number}: {parsed:?}", page.path);
            count += 1;
        }
    }
    assert!(count > 15, "the docs have {count} filters");
}
