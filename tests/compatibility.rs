//! Names that scripts, dashboards and recordings rely on. They stand in `tests/compatibility/`, one
//! on a line: a test fails if one disappears or is renamed, and a new one has to be added to its list.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use mapstop::analysis::history::History;
use mapstop::doctor;
use mapstop::exit_code::Exit;
use mapstop::exporter::openmetrics::families::{COMPAT, GLOBAL_FAMILIES, MAP_FAMILIES};
use mapstop::exporter::openmetrics::{self, Format, Scrape, Totals};
use mapstop::options::{ExportOptions, LabelBy};
use mapstop::source::Source;
use mapstop::source::recording::{Recording, Writer};
use mapstop::test_util::{checkup, host, map, owners_of_all_kinds, snapshot, watched};
use mapstop::types::doctor_report::MapAccess;
use mapstop::types::errno::Errno;
use mapstop::types::fleet::{ExportedFields, Fleet, Node};
use mapstop::types::loss::{Backlog, Loss, LossCause};
use mapstop::types::mark::Mark;
use mapstop::types::snapshot::Snapshot;
use serde_json::Value;
use tempfile::TempDir;

const MAPSTOP: &str = env!("CARGO_BIN_EXE_mapstop");

/// A recording in which most fields are known.
const MACHINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recordings/node-17.mrec");

/// Compares names with a list.
fn check(list: &str, found: &BTreeSet<String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/compatibility")
        .join(list);
    let text = fs::read_to_string(&path).expect("the list");
    let listed: BTreeSet<_> = text.lines().map(str::to_owned).collect();
    let missing: Vec<_> = listed.difference(found).collect();
    assert!(missing.is_empty(), "{list}: gone or renamed: {missing:#?}");
    let new: Vec<_> = found.difference(&listed).collect();
    assert!(new.is_empty(), "{list}: add what is new: {new:#?}");
}

fn run(args: &[&str]) -> String {
    let output = Command::new(MAPSTOP)
        .args(args)
        .stdin(Stdio::null())
        .env_remove("RUST_BACKTRACE")
        .output()
        .expect("mapstop runs");
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The paths of all fields of a value, `maps[].id`. Under `by_errno` and in recordings' counts of
/// errors, fields are errors.
fn fields(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) if !path.ends_with("errno") => {
            for (name, value) in object {
                let path = match path {
                    "" => name.clone(),
                    path => format!("{path}.{name}"),
                };
                fields(value, &path, found);
                found.insert(path);
            }
        }
        Value::Array(list) => {
            for value in list {
                fields(value, &format!("{path}[]"), found);
            }
        }
        _ => {}
    }
}

fn fields_of_lines(lines: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in lines.lines() {
        let value = serde_json::from_str(line).expect("JSON");
        fields(&value, "", &mut found);
    }
    found
}

/// Samples with every field set.
fn samples() -> [Snapshot; 3] {
    let lost = |culprit| Loss {
        is_traced: true,
        failed: Some([(Errno(7), 29)].into_iter().collect()),
        evictions: Some(5),
        drops: Some(3),
        cause: Some(culprit),
        backlog: Some(Backlog {
            bytes: 10,
            room: 20,
            fullest: 0.5,
        }),
        ..Loss::default()
    };
    let process = LossCause::Process {
        pid: 2214,
        comm: "flowd".into(),
    };
    let mut owned = watched(
        2,
        1,
        [
            map("a").id(3).loss(lost(process)).sizes(16, 64).flags(1),
            map("b").id(4).loss(lost(LossCause::Program)).estimated(5),
            map("c").id(5).named_type("ringbuf").read_up_to(9),
        ],
    );
    owned.owners = Some(owners_of_all_kinds().into());
    let exported = ExportedFields {
        scraped_at: Some(Duration::from_secs(1)),
        memory: Some(1),
        growth_per_s: Some(1.0),
        full_in_s: Some(1.0),
        entry_lifetime_s: Some(1.0),
        mark: Some(Mark::Warn),
        holder_count: Some(1),
        program_count: Some(1),
        owner: Some("flowd".into()),
        pin: Some("/sys/fs/bpf/a".into()),
    };
    let mut fleet = snapshot(3, [map("a").node("n1").exported(exported)]);
    fleet.fleet = Some(Arc::new(Fleet {
        map_count: 1,
        nodes: Some(vec![Node {
            name: "n1".into(),
            is_up: true,
            last_scraped_at: Some(fleet.moment.wall),
        }]),
    }));
    [snapshot(1, [map("a").id(3)]), owned, fleet]
}

/// A recording of [`samples`].
fn recording() -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("all.mrec");
    let mut writer = Writer::create(&path, &host()).expect("a file");
    for sample in samples() {
        writer.write(&sample).expect("room");
    }
    drop(writer);
    let path = path.to_str().expect("a path").to_owned();
    (folder, path)
}

#[test]
fn command_line_flags() {
    let mut found = BTreeSet::new();
    for command in ["", "advise", "export", "doctor"] {
        let mut args: Vec<_> = command.split_whitespace().collect();
        args.push("--help");
        for line in run(&args).lines().map(str::trim_start) {
            let flags = line
                .split_whitespace()
                .take_while(|word| word.starts_with('-') && word.len() > 1);
            for flag in flags {
                let flag = flag.trim_end_matches(',');
                found.insert(format!("mapstop {command} {flag}").replace("  ", " "));
            }
        }
    }
    check("flags.txt", &found);
}

#[test]
fn fields_of_filters_and_sort_keys() {
    let help = run(&["-s", "help"]);
    let mut found = BTreeSet::new();
    let mut lines = help.lines().take_while(|line| !line.is_empty());
    for line in lines.by_ref() {
        found.extend(line.split_whitespace().next().map(str::to_owned));
    }
    check("columns.txt", &found);
}

#[test]
fn fields_of_reports() {
    let (_folder, all) = recording();
    let mut found = BTreeSet::new();
    for file in [&*all, MACHINE] {
        found.extend(fields_of_lines(&run(&["--replay", file, "-b", "-j"])));
    }
    check("json.txt", &found);
    let csv = run(&["--replay", MACHINE, "--csv"]);
    let header = csv.lines().next().expect("a header");
    let listed: Vec<_> = include_str!("compatibility/csv.txt").lines().collect();
    // New columns come last.
    assert_eq!(header.split(',').collect::<Vec<_>>(), listed);
}

#[test]
fn fields_of_advice() {
    let advice = run(&["advise", "--replay", MACHINE, "-j"]);
    check("advise.txt", &fields_of_lines(&advice));
}

#[test]
fn topics_of_advice() {
    let found = mapstop::advise::rules::topics().map(str::to_owned);
    check("topics.txt", &found.collect());
}

#[test]
fn metrics() {
    let families = MAP_FAMILIES
        .iter()
        .chain(&COMPAT)
        .map(|family| &family.meta);
    let families = families.chain(GLOBAL_FAMILIES);
    let names = families.map(|head| head.name.to_owned());
    check("metrics.txt", &names.collect());
}

/// The pages of all samples of [`samples`] and of the recording.
fn pages() -> Vec<String> {
    let mut machine = Recording::open(Path::new(MACHINE)).expect("a recording");
    let mut of_machine = Vec::new();
    while let Some(sample) = machine.sample().expect("a sample") {
        of_machine.push(sample);
    }
    let mut pages = Vec::new();
    for samples in [samples().to_vec(), of_machine] {
        let mut history = History::live();
        let options = ExportOptions {
            label_by: LabelBy::Id,
            is_compat: true,
            max_series: usize::MAX,
        };
        let mut writer = openmetrics::Writer::new(options, Format::OpenMetrics);
        for sample in samples {
            let reading = history.read(sample);
            let indices: Vec<_> = (0..reading.rows.len()).collect();
            let page = writer.write(&Scrape {
                reading: &reading,
                indices: &indices,
                took: Duration::from_millis(1),
                totals: &Totals::default(),
            });
            pages.push(String::from_utf8(page.to_vec()).expect("UTF-8"));
        }
    }
    pages
}

#[test]
fn labels_of_metrics() {
    let mut found = BTreeSet::new();
    for page in pages() {
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let (series, _) = line.rsplit_once(' ').expect("a number");
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            // No value of these samples has a comma before what looks like a label.
            let labels = labels
                .split(',')
                .filter_map(|label| label.split_once("=\""));
            found.extend(labels.map(|(label, _)| format!("{name} {label}")));
        }
    }
    check("labels.txt", &found);
}

#[test]
fn fields_of_doctor_reports() {
    let mut out = Vec::new();
    let mut report = checkup();
    report.map_access = MapAccess::Unable("no BTF".into());
    doctor::output::write_json(&report, Exit::Fine, &mut out).expect("room");
    let json = String::from_utf8(out).expect("UTF-8");
    check("doctor.txt", &fields_of_lines(&json));
}

#[test]
fn fields_of_recordings() {
    let (folder, all) = recording();
    let mut found = fields_of_lines(&fs::read_to_string(all).expect("a recording"));
    let mut machine = Recording::open(Path::new(MACHINE)).expect("a recording");
    let path = folder.path().join("machine.mrec");
    let mut writer = Writer::create(&path, machine.host()).expect("a file");
    while let Some(sample) = machine.sample().expect("a sample") {
        writer.write(&sample).expect("room");
    }
    drop(writer);
    found.extend(fields_of_lines(
        &fs::read_to_string(path).expect("a recording"),
    ));
    check("recording.txt", &found);
}

#[test]
fn exit_codes() {
    for (exit, code) in [
        (Exit::Fine, 0),
        (Exit::Failed, 1),
        (Exit::Usage, 2),
        (Exit::FailOn, 3),
        (Exit::NotPermitted, 4),
        (Exit::Unable, 5),
        (Exit::Interrupted, 130),
        (Exit::Terminated, 143),
    ] {
        assert_eq!(exit as u8, code, "{exit:?}");
    }
}
