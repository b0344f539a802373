//! The binary in a pipe: reports, exit codes, errors. Needs root, as mapstop does.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use support::{add, create_hash, id};

mod support;

fn mapstop(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mapstop"));
    command
        .args(args)
        .stdin(Stdio::null())
        .env_remove("RUST_BACKTRACE");
    command
}

fn run(args: &[&str]) -> Output {
    mapstop(args).output().expect("mapstop runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn json(line: &[u8]) -> Value {
    serde_json::from_slice(line).expect("JSON")
}

#[test]
fn one_report_is_a_table_that_awk_can_read() {
    let map = create_hash("cli_table", 3, 10);
    let output = run(&["--once", "-m", &id(&map)]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "");
    let stdout = text(&output.stdout);
    let lines: Vec<Vec<_>> = stdout
        .lines()
        .map(|l| l.split_whitespace().collect())
        .collect();
    assert_eq!(
        lines[0],
        [
            "MARK",
            "ID",
            "NAME",
            "TYPE",
            "KIND",
            "USED",
            "CAPACITY",
            "PRES%",
            "GRWTH/S",
            "FULL_IN",
            "MEM_BYTES",
            "OWNER"
        ]
    );
    let id = id(&map);
    let (rest, of_whom) = lines[1].split_at(10);
    assert_eq!(
        rest,
        [
            "-",
            &id,
            "cli_table",
            "hash",
            "bounded",
            "3",
            "10",
            "30.0",
            "...",
            "..."
        ]
    );
    // This process has it.
    let pid = format!("({})", std::process::id());
    assert!(of_whom[0].parse::<u64>().is_ok_and(|bytes| bytes > 0));
    // In a separate pid namespace mapstop does not know whose it is.
    assert!(
        of_whom[1].ends_with(&pid) || of_whom[1] == "?",
        "{of_whom:?}"
    );
    assert_eq!(lines.len(), 2);
}

#[test]
fn no_escape_byte_reaches_a_pipe() {
    for args in [
        &[][..],
        &["-b", "-n", "2", "-d", "0.1"],
        &["-j"],
        &["--csv"],
        &["--help"],
        &["-s", "help"],
    ] {
        let output = mapstop(args)
            .env("TERM", "xterm-256color")
            .output()
            .expect("mapstop runs");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(!output.stdout.contains(&0x1b), "{args:?}");
        assert!(!output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn json_has_the_promised_fields_and_no_others() {
    let map = create_hash("cli_json", 9, 10);
    let output = run(&["--once", "--json", "-m", &id(&map)]);
    let report = json(&output.stdout);
    assert_eq!(text(&output.stdout).lines().count(), 1);
    let keys = |value: &Value| -> Vec<String> {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    assert_eq!(
        sorted(keys(&report)),
        sorted(words(
            "version time uptime_s host boot_id kernel source interval_s owners_uptime_s owners_note losses_state \
             losses_uptime_s losses_note fleet_maps nodes maps"
        ))
    );
    assert_eq!(report["version"], 1);
    assert_eq!(report["source"], "kernel");
    assert_eq!(report["interval_s"], Value::Null);
    assert!(report["uptime_s"].as_f64().is_some_and(|s| s > 0.0));
    let time = report["time"].as_str().expect("a time");
    assert!(
        time.ends_with('Z') && time.len() == "2026-11-22T14:25:09.120Z".len(),
        "{time}"
    );

    let row = &report["maps"][0];
    assert_eq!(
        sorted(keys(row)),
        sorted(words(
            "node id name type kind key_bytes value_bytes max_entries flags frozen refs user_refs used capacity \
             unit pressure count_method count_note growth_per_s full_in_s mark memory_bytes memory_exact loss stalled_s \
             entry_lifetime_s mark_reason \
             holders programs pins cgroup owner outer orphan service container pod"
        ))
    );
    for (field, value) in [
        ("node", Value::Null),
        ("name", "cli_json".into()),
        ("type", "hash".into()),
        ("kind", "bounded".into()),
        ("key_bytes", 4.into()),
        ("value_bytes", 8.into()),
        ("max_entries", 10.into()),
        ("flags", Value::Array(vec![])),
        ("frozen", false.into()),
        ("used", 9.into()),
        ("capacity", 10.into()),
        ("unit", "entries".into()),
        ("pressure", 0.9.into()),
        ("count_method", "counter".into()),
        ("count_note", Value::Null),
        ("growth_per_s", Value::Null),
        ("full_in_s", Value::Null),
        ("mark", "warn".into()),
    ] {
        assert_eq!(row[field], value, "{field}");
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn sorted(mut list: Vec<String>) -> Vec<String> {
    list.sort();
    list
}

#[test]
fn csv_equals_json() {
    let map = create_hash("cli_csv", 5, 8);
    let id = id(&map);
    let csv = text(&run(&["--csv", "-m", &id]).stdout);
    let report = json(&run(&["-j", "-m", &id]).stdout);
    let lines: Vec<Vec<_>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 2, "{csv}");
    assert_eq!(lines[0].len(), lines[1].len());
    for (name, cell) in lines[0].iter().zip(&lines[1]).skip(1) {
        let expected = match &report["maps"][0][name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Array(list) if list.is_empty() => String::new(),
            // Processes and programs are a word each.
            Value::Array(list) if list.iter().all(Value::is_object) => {
                let word = |owner: &Value| {
                    let name = owner["comm"].as_str().or(owner["name"].as_str());
                    let id = owner["pid"].as_u64().or(owner["id"].as_u64());
                    format!("{}({})", name.expect("a name"), id.expect("an id"))
                };
                list.iter().map(word).collect::<Vec<_>>().join(";")
            }
            other => other.to_string(),
        };
        assert_eq!(*cell, expected, "{name}");
    }
}

#[test]
fn once_with_a_duration_measures_growth() {
    let map = create_hash("cli_growth", 10, 100_000);
    let mut child = mapstop(&["--once", "-d", "1", "-j", "-m", &id(&map)])
        .stdout(Stdio::piped())
        .spawn()
        .expect("mapstop runs");
    let mut keys = 10..;
    while child.try_wait().expect("a child").is_none() {
        add(&map, keys.next().expect("without end"));
        std::thread::sleep(Duration::from_millis(5));
    }
    let report = json(&child.wait_with_output().expect("it ended").stdout);
    let interval = report["interval_s"].as_f64().expect("an interval");
    assert!((1.0..2.0).contains(&interval), "{interval}");
    let growth = report["maps"][0]["growth_per_s"].as_f64().expect("growth");
    let added = growth * interval;
    assert!(
        added > 1.0 && (added - added.round()).abs() < 1e-6,
        "whole entries: {added}"
    );
    let now = report["maps"][0]["used"].as_f64().expect("a count");
    assert!(added <= now - 10.0, "{added} of {now}");
}

#[test]
fn batch_reports_have_growth_from_the_second_on() {
    let map = create_hash("cli_batch", 1, 10);
    let output = run(&["-j", "-n", "3", "-d", "0.1", "-m", &id(&map)]);
    let stdout = text(&output.stdout);
    let reports: Vec<_> = stdout.lines().map(|line| json(line.as_bytes())).collect();
    assert_eq!(reports.len(), 3);
    assert_eq!(reports[0]["interval_s"], Value::Null);
    for pair in reports.windows(2) {
        let at = |n: usize| pair[n]["uptime_s"].as_f64().expect("a time");
        let interval = pair[1]["interval_s"].as_f64().expect("an interval");
        assert!((at(1) - at(0) - interval).abs() < 1e-6);
        assert_eq!(pair[1]["maps"][0]["growth_per_s"], 0.0);
    }
}

#[test]
fn fail_on_sets_the_exit_code() {
    let (calm, watch, full) = (
        create_hash("cli_calm", 1, 10),
        create_hash("cli_watch", 8, 10),
        create_hash("cli_full", 10, 10),
    );
    let code = |map, mark| {
        run(&["--once", "--fail-on", mark, "-m", &id(map)])
            .status
            .code()
    };
    assert_eq!(code(&calm, "warn"), Some(0));
    assert_eq!(code(&watch, "warn"), Some(3));
    assert_eq!(code(&watch, "crit"), Some(0));
    // It was full when it was first seen, and may be sized to fit.
    assert_eq!(code(&full, "crit"), Some(0));
    assert_eq!(code(&full, "warn"), Some(3));
    assert_eq!(code(&full, "full"), Some(3));
    assert_eq!(code(&watch, "full"), Some(0));
    // Only maps that are shown count.
    let output = run(&["--once", "--fail-on", "warn", "-f", "name:cli_calm"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout).lines().count(), 2);
}

#[test]
fn a_table_of_one_sample_explains_its_marks_on_stderr() {
    let full = create_hash("cli_found", 10, 10);
    let stderr = |args: &[&str]| {
        let output = run(&[args, &["-m", &id(&full)]].concat());
        assert_eq!(output.status.code(), Some(0));
        text(&output.stderr)
    };
    let line =
        "mapstop: marks are from one sample; growth was not measured. Add -d 10 to measure it\n";
    assert_eq!(stderr(&["--once"]), line);
    for args in [&["-j"][..], &["--csv"], &["--once", "-d", "0.2"]] {
        assert_eq!(stderr(args), "", "{args:?}");
    }
}

#[test]
fn filters_sorts_and_columns_apply() {
    let maps = [
        create_hash("cli_sort_b", 2, 10),
        create_hash("cli_sort_a", 1, 10),
        create_hash("cli_sort_c", 3, 10),
    ];
    let output = run(&[
        "--once",
        "-f",
        "name:cli_sort used<3",
        "-s",
        "name",
        "-c",
        "name,used,max",
    ]);
    assert_eq!(
        text(&output.stdout),
        "NAME       USED MAX\ncli_sort_a    1  10\ncli_sort_b    2  10\n"
    );
    let output = run(&["--once", "-f", "name:cli_sort", "-s", "-name", "-c", "name"]);
    assert_eq!(
        text(&output.stdout),
        "NAME\ncli_sort_c\ncli_sort_b\ncli_sort_a\n"
    );
    drop(maps);
}

#[test]
fn errors_are_one_message_with_the_right_exit_code() {
    for (args, code, part) in [
        (
            &["--once", "-f", "pressure>"][..],
            2,
            "expected a percentage",
        ),
        (
            &["--once", "-f", "pressure>0.9"],
            2,
            "pressure is in percent",
        ),
        (&["--once", "-s", "nmae"], 2, "no column is called 'nmae'"),
        (&["--once", "-c", "nmae"], 2, "no column is called 'nmae'"),
        (
            &["--once", "-d", "0"],
            2,
            "expected a time from 0.1 seconds to one day",
        ),
        (
            &["--once", "-d", "10", "--fail-on", "loss"],
            2,
            "--fail-on: loss needs --losses",
        ),
        (
            &["--once", "--losses", "--fail-on", "loss"],
            2,
            "loss needs time to measure, as in --once -d 10",
        ),
        (
            &["--once", "--losses", "--replay", "maps"],
            2,
            "--losses: a recording has losses only if it was made with --losses",
        ),
        (&["--bogus"], 2, "unexpected argument '--bogus'"),
        (
            &["--once", "-m", "no_such_map"],
            1,
            "no map has the id, name or pin 'no_such_map'",
        ),
    ] {
        let output = run(args);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(part), "{args:?}: {stderr}");
        assert_eq!(text(&output.stdout), "", "{args:?}");
    }
}

#[test]
fn a_wrong_filter_is_shown_with_a_caret() {
    let stderr = text(&run(&["--once", "-f", "conn kind:bonded"]).stderr);
    let lines: Vec<_> = stderr.lines().collect();
    assert!(
        lines[0].starts_with("mapstop: --filter: expected one of bounded"),
        "{stderr}"
    );
    assert_eq!(lines[1..], ["  conn kind:bonded", "            ^"]);
}

#[test]
fn a_closed_stdout_is_no_failure() {
    let mut child = mapstop(&["-b", "-d", "0.1"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("mapstop runs");
    let mut line = String::new();
    let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
    reader.read_line(&mut line).expect("a line");
    drop(reader);
    assert!(line.contains("NAME"));
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_full_disk_is_reported() {
    let full = OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full");
    let output = mapstop(&["--once"])
        .stdout(full)
        .output()
        .expect("mapstop runs");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "mapstop: cannot write the report: No space left on device (os error 28)\n"
    );
}

/// A batch without end that has printed its first report.
fn endless() -> Child {
    let mut child = mapstop(&["-b", "-d", "60"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("mapstop runs");
    let mut first = [0];
    let stdout = child.stdout.as_mut().expect("a pipe");
    stdout
        .read_exact(&mut first)
        .expect("a report, as soon as it is there");
    child
}

#[test]
fn signals_end_a_batch_with_their_code() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut child = endless();
        let pid = Pid::from_child(&child);
        kill_process(pid, signal).expect("it runs");
        assert_eq!(child.wait().expect("it ends").code(), Some(code));
    }
}

#[test]
fn colours_only_on_request() {
    let _map = support::create_hash("cli_color", 10, 10);
    let report = |args: &[&str]| {
        let mut command = mapstop(&["--once", "-f", "cli_color"]);
        let output = command
            .args(args)
            .env("NO_COLOR", "1")
            .output()
            .expect("it runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert!(!report(&[]).contains('\u{1b}'));
    let painted = report(&["--color", "always"]);
    assert!(painted.contains("\u{1b}["), "{painted}");
    assert!(painted.contains("100.0"));
    assert!(report(&["--color", "always", "--theme", "cvd"]).contains("38;5;214"));
}

#[test]
fn steady_growth_gives_the_right_time_to_full() {
    let map = create_hash("cli_growing", 0, 10_000);
    let id = id(&map);
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (until, start) = (std::sync::Arc::clone(&stop), std::time::Instant::now());
    let filler = std::thread::spawn(move || {
        // A hundred entries per second, even on a busy machine.
        let mut count = 0u32;
        while !until.load(std::sync::atomic::Ordering::Relaxed) {
            while u128::from(count) * 10 < start.elapsed().as_millis() {
                add(&map, count);
                count += 1;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        count
    });
    let output = run(&["--once", "-d", "3", "-j", "-m", &id]);
    let report = json(&output.stdout);
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let row = &report["maps"][0];
    let number = |field: &str| row[field].as_f64().expect(field);
    assert!((number("growth_per_s") - 100.0).abs() < 5.0, "{row}");
    let expected = (10_000.0 - number("used")) / 100.0;
    assert!((number("full_in_s") / expected - 1.0).abs() < 0.1, "{row}");
    assert_eq!(row["mark"], "crit");
    filler.join().expect("it filled");
}

#[test]
fn thresholds_can_be_set() {
    let map = create_hash("cli_warn", 5, 10);
    let mark = |args: &[&str]| {
        let id = id(&map);
        let output = run(&[args, &["--once", "-j", "-m", &id]].concat());
        json(&output.stdout)["maps"][0]["mark"].clone()
    };
    assert_eq!(mark(&[]), "none");
    assert_eq!(mark(&["--warn", "50"]), "warn");
    assert_eq!(
        run(&["--warn", "90", "--crit", "80"]).status.code(),
        Some(2)
    );
    assert_eq!(run(&["--warn", "0"]).status.code(), Some(2));
}

#[test]
fn doctor_reports_support_and_cost() {
    let output = run(&["doctor"]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert_eq!(text(&output.stderr), "");
    for part in [
        "maps can be shown",
        "This process",
        "This kernel",
        "How maps are counted",
        "Which losses are seen",
        "Cost, measured just now",
        "lpm_trie",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert!(
        report
            .lines()
            .all(|line| line.len() <= 80 || line.contains('$')),
        "{report}"
    );
    assert!(!output.stdout.contains(&0x1b));
}

#[test]
fn the_doctors_json_has_the_promised_fields_and_no_others() {
    let output = run(&["doctor", "--json"]);
    assert_eq!(text(&output.stdout).lines().count(), 1);
    let report = json(&output.stdout);
    let keys = |value: &Value| -> Vec<String> {
        let object = value.as_object().expect("an object");
        sorted(object.keys().cloned().collect())
    };
    for (value, names) in [
        (
            &report,
            "version time host boot_id kernel maps why exit_status process system types losses \
             owners_unknown cost gaps",
        ),
        (
            &report["process"],
            "uid capabilities seccomp first_pid_namespace first_user_namespace first_mount_namespace \
             memory_to_lock",
        ),
        (&report["process"]["capabilities"][0], "name held gives"),
        (&report["system"], "btf lockdown memory_cgroup bpffs"),
        (&report["types"][0], "type counted count_method note"),
        (&report["losses"], "refused types attach_s"),
        (
            &report["losses"]["types"][0],
            "type failed_updates evictions drops note",
        ),
        (&report["cost"], "maps read_s tick_s owners_s"),
    ] {
        assert_eq!(keys(value), sorted(words(names)));
    }
    for gap in report["gaps"].as_array().expect("gaps") {
        assert_eq!(keys(gap), sorted(words("what why commands")));
    }
    assert_eq!(report["version"], 1);
    assert_eq!(report["maps"], "shown");
    assert_eq!(report["why"], Value::Null);
}

#[test]
fn unknown_doctor_options_are_usage_errors() {
    for args in [&["doctor", "--replay", "x"][..], &["doctor", "extra"]] {
        assert_eq!(run(args).status.code(), Some(2), "{args:?}");
    }
}
