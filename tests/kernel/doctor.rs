//! `mapstop doctor` as several users and in namespaces.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use libbpf_rs::query::{MapInfoIter, ProgInfoIter};
use mapstop::types::count::CountMethod;
use mapstop::types::map_type::MapType;
use serde_json::Value;

use crate::every_type::{EXPECTED, release};
use crate::process::{MAPSTOP, as_user};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Parses the JSON report and checks the exit status.
fn parse_report(output: &Output, code: i32) -> Value {
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{complaint}");
    assert_eq!(complaint, "");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["exit_status"], code);
    report
}

/// As root, after another command: `unshare` or `env`.
fn doctor(command: &[impl AsRef<OsStr>]) -> Output {
    doctor_at(MAPSTOP.as_ref(), command)
}

fn doctor_at(mapstop: &Path, command: &[impl AsRef<OsStr>]) -> Output {
    Command::new(&command[0])
        .args(&command[1..])
        .arg(mapstop)
        .args(["doctor", "--json"])
        .output()
        .expect("it runs")
}

fn gap<'a>(report: &'a Value, what: &str) -> Option<&'a Value> {
    let gaps = report["gaps"].as_array().expect("gaps");
    gaps.iter().find(|gap| gap["what"] == what)
}

fn commands(gap: &Value) -> Vec<&str> {
    let commands = gap["commands"].as_array().expect("commands");
    commands.iter().filter_map(Value::as_str).collect()
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let types = report["types"].as_array().expect("types");
    let found = types.iter().find(|check| check["type"] == name);
    found.unwrap_or_else(|| panic!("no type {name}"))
}

/// Types newer than iterators, and the one whose count takes several reads.
const NEWER: [&str; 7] = [
    "arena",
    "bloom_filter",
    "cgrp_storage",
    "inode_storage",
    "struct_ops",
    "task_storage",
    "user_ringbuf",
];

/// Those that are not off, and none.
const METHODS: [CountMethod; 5] = [
    CountMethod::Counter,
    CountMethod::Field,
    CountMethod::Scan,
    CountMethod::Walk,
    CountMethod::None,
];

fn is_hash(name: &str) -> bool {
    let map_type = MapType::all().find(|map_type| map_type.to_string() == name);
    map_type.is_some_and(MapType::supports_batch_lookup)
}

#[test]
fn doctor_and_samples_agree_on_every_type() {
    let report = parse_report(&doctor(&["env"]), 0);
    assert_eq!(report["maps"], "shown");
    let types = report["types"].as_array().expect("types");
    assert_eq!(types.len(), MapType::all().count());
    for expected in EXPECTED {
        let check = check(&report, expected.map_type);
        let note = check["note"].as_str().unwrap_or_default();
        if note.starts_with("not supported by this kernel") && release() < (6, 13) {
            continue;
        }
        if release() < expected.since {
            // It may not be creatable or countable, but then there is a reason.
            assert!(
                check["counted"] == true || check["note"].is_string(),
                "{check}"
            );
            continue;
        }
        let may_lack = NEWER.contains(&expected.map_type);
        if may_lack && check["counted"].is_null() {
            assert!(check["note"].is_string(), "{check}");
            continue;
        }
        let is_right = METHODS.into_iter().any(|method| {
            check["count_method"] == serde_json::to_value(method).expect("a word")
                && expected.is_counted_by(method, release())
        });
        assert!(is_right, "{check}");
        let is_counted = expected.method != CountMethod::None;
        assert_eq!(check["counted"], is_counted, "{check}");
        // Without a kernel counter large hashes are estimated.
        let is_of_small_ones = is_hash(expected.map_type) && check["count_method"] == "walk";
        let has_note = !is_counted || is_of_small_ones;
        assert_eq!(!check["note"].is_null(), has_note, "{check}");
    }
}

#[test]
fn doctor_measures_the_cost_of_a_sample() {
    let start = std::time::Instant::now();
    let report = parse_report(&doctor(&["env"]), 0);
    let (ms, cost) = (start.elapsed().as_millis(), &report["cost"]);
    println!(
        "measured: mapstop doctor takes {ms} ms, the trial of tracers {} s of it",
        report["losses"]["attach_s"]
    );
    assert!(cost["maps"].is_u64());
    let [read, tick, owners] = ["read_s", "tick_s", "owners_s"].map(|name| cost[name].as_f64());
    assert!(read > Some(0.0) && tick >= read, "{cost}");
    assert!(owners > Some(0.0), "{cost}");
}

/// The names of the maps and programs that this process has a descriptor of, or a link to.
fn names_held() -> Vec<String> {
    let ids_of = |key: &str| -> Vec<u32> {
        let infos = fs::read_dir("/proc/self/fdinfo").expect("our descriptors");
        let infos = infos
            .flatten()
            .filter_map(|fd| fs::read_to_string(fd.path()).ok());
        let id = |info: String| {
            let mut lines = info.lines();
            lines.find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
        };
        infos.filter_map(id).collect()
    };
    let (maps, programs) = (ids_of("map_id:"), ids_of("prog_id:"));
    let maps = MapInfoIter::default().filter(|map| maps.contains(&map.id));
    let maps = maps.map(|map| map.name.to_string_lossy().into_owned());
    let programs = ProgInfoIter::default().filter(|program| programs.contains(&program.id));
    let programs = programs.map(|program| program.name.to_string_lossy().into_owned());
    maps.chain(programs).collect()
}

#[test]
fn an_examination_leaves_no_map_or_tracer() {
    let checkup = mapstop::source::kernel::probe::examine_machine();
    assert!(!checkup.types.is_empty());
    let is_of_it = |name: &String| name.starts_with("ms_");
    let start = std::time::Instant::now();
    loop {
        let mut left = names_held();
        left.retain(is_of_it);
        if left.is_empty() {
            return;
        }
        // Another test may run doctor at the same time, and the kernel frees objects late.
        assert!(start.elapsed().as_secs() < 60, "{left:?}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn cap_bpf_and_cap_perfmon_show_maps_with_gaps() {
    let report = parse_report(&as_user(",+bpf,+perfmon", &["doctor", "--json"]), 0);
    assert_eq!(report["process"]["uid"], 65534);
    assert_eq!(check(&report, "lpm_trie")["counted"], true);
    let links = gap(&report, "links").unwrap_or_else(|| panic!("no gap: {report}"));
    assert_eq!(commands(links), ["sudo mapstop"]);
    let note = check(&report, "sockmap")["note"].as_str();
    assert!(
        note.is_some_and(|note| note.contains("CAP_NET_ADMIN")),
        "{note:?}"
    );
    let held = report["process"]["capabilities"]
        .as_array()
        .expect("a list");
    let held = held.iter().filter(|capability| capability["held"] == true);
    let held: Vec<_> = held
        .filter_map(|capability| capability["name"].as_str())
        .collect();
    assert_eq!(held, ["CAP_BPF", "CAP_PERFMON"]);
    assert_eq!(gap(&report, "maps"), None);
}

#[test]
fn without_capabilities_the_remedies_are_shown() {
    let report = parse_report(&as_user("", &["doctor", "--json"]), 4);
    assert_eq!(report["maps"], "not_permitted");
    assert_eq!(report["why"], "CAP_BPF and CAP_PERFMON are missing");
    let gap = gap(&report, "maps").expect("the gap");
    let setcap = "sudo setcap cap_bpf,cap_perfmon=ep $(command -v mapstop)";
    assert_eq!(commands(gap)[..2], ["sudo mapstop", setcap]);
    // It is reported as unknown.
    for unknown in ["losses", "cost", "owners_unknown"] {
        assert_eq!(report[unknown], Value::Null, "{unknown}");
    }
    assert_eq!(report["types"], Value::Array(Vec::new()));
    let output = as_user("", &["doctor"]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(4));
    assert!(report.contains(&format!("$ {setcap}")), "{report}");
}

#[test]
fn private_namespaces_are_reported_as_gaps() {
    let command = ["unshare", "--pid", "--fork", "--mount", "--mount-proc"];
    let report = parse_report(&doctor(&command), 0);
    assert_eq!(report["process"]["first_pid_namespace"], false);
    // No process can be read.
    assert_eq!(report["process"]["first_mount_namespace"], Value::Null);
    assert_eq!(report["process"]["first_user_namespace"], true);
    let holders = gap(&report, "holders").expect("a gap");
    assert_eq!(commands(holders), ["docker run --pid=host ..."]);
    assert!(gap(&report, "pins").is_some());
    assert_eq!(check(&report, "lpm_trie")["counted"], true);
}

/// Runs doctor in a mount namespace without this mount.
fn without(mount: &str) -> Vec<String> {
    let script = format!("umount -l {mount} && exec \"$0\" \"$@\"");
    let command = ["unshare", "--mount", "sh", "-c", &script];
    command.map(str::to_owned).into()
}

#[test]
fn without_proc_unknown_is_not_reported_as_missing() {
    let command = without("/proc");
    let report = parse_report(&doctor(&command), 0);
    let process = &report["process"];
    for place in ["first_pid_namespace", "first_user_namespace", "seccomp"] {
        assert_eq!(process[place], Value::Null, "{place}");
    }
    for mounted in ["bpffs", "memory_cgroup"] {
        assert_eq!(report["system"][mounted], Value::Null, "{mounted}");
    }
    for what in ["holders", "pins", "cgroups"] {
        let gap = gap(&report, what).expect("a gap");
        assert_eq!(commands(gap), ["sudo mount -t proc proc /proc"], "{gap}");
        let why = gap["why"].as_str().expect("why");
        assert!(
            why.contains("/proc") && !why.contains("pid namespace"),
            "{why}"
        );
    }
    assert_eq!(check(&report, "lpm_trie")["counted"], true);
}

#[test]
fn without_sys_btf_is_not_reported_as_missing() {
    let command = without("/sys");
    let report = parse_report(&doctor(&command), 5);
    assert_eq!(report["system"]["btf"], Value::Null);
    let gap = gap(&report, "maps").expect("a gap");
    assert_eq!(commands(gap), ["sudo mount -t sysfs sysfs /sys"]);
    let output = Command::new(&command[0])
        .args(&command[1..])
        .args([MAPSTOP, "--once"])
        .output()
        .expect("it runs");
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{complaint}");
    assert!(complaint.contains("/sys is not mounted"), "{complaint}");
    assert!(!complaint.contains("CONFIG_"), "{complaint}");
}

#[test]
fn a_rootless_container_with_two_capabilities_shows_maps() {
    let (_folder, mapstop) = crate::process::for_everybody();
    let output = Command::new("unshare")
        .args(["--pid", "--fork", "--mount", "--mount-proc", "setpriv"])
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .args([
            "--inh-caps=-all,+bpf,+perfmon",
            "--ambient-caps=-all,+bpf,+perfmon",
        ])
        .arg(mapstop)
        .args(["doctor", "--json"])
        .output()
        .expect("unshare and setpriv of util-linux run");
    let report = parse_report(&output, 0);
    assert_eq!(report["process"]["first_pid_namespace"], false);
    assert_eq!(report["maps"], "shown");
}

#[test]
fn in_a_user_namespace_no_capability_counts() {
    let limit = fs::read_to_string("/proc/sys/user/max_user_namespaces");
    if limit.is_ok_and(|limit| limit.trim() == "0") {
        println!("not tested: this system allows no user namespaces");
        return;
    }
    let unshare = ["unshare", "--user", "--map-root-user"];
    // Root in the namespace cannot read a home directory that is closed to others.
    let (_folder, mapstop) = crate::process::for_everybody();
    let report = parse_report(&doctor_at(&mapstop, &unshare), 4);
    assert_eq!(report["process"]["first_user_namespace"], false);
    assert!(
        !report["process"].to_string().contains("\"held\":true"),
        "{report}"
    );
    let gap = gap(&report, "maps").expect("the gap");
    assert!(commands(gap)[0].contains("--userns=host"), "{gap}");
    // mapstop itself reports the same, and does not recommend setcap.
    let output = Command::new(unshare[0])
        .args(&unshare[1..])
        .arg(&mapstop)
        .arg("--once")
        .output()
        .expect("unshare of util-linux runs");
    let complaint = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{complaint}");
    assert!(complaint.contains("user namespace"), "{complaint}");
    assert!(!complaint.contains("setcap"), "{complaint}");
}

#[test]
fn without_btf_this_kernel_cannot() {
    let hide = "mount -t tmpfs none /sys/kernel/btf && exec \"$0\" \"$@\"";
    let report = parse_report(&doctor(&["unshare", "--mount", "sh", "-c", hide]), 5);
    assert_eq!(report["maps"], "unable");
    assert_eq!(report["system"]["btf"], false);
    let gap = gap(&report, "maps").expect("the gap");
    assert!(
        gap["why"]
            .as_str()
            .is_some_and(|why| why.contains("CONFIG_DEBUG_INFO_BTF=y"))
    );
}

#[test]
fn a_low_limit_of_descriptors_hides_no_type() {
    let types = |report: &Value| {
        let types = report["types"].as_array().expect("types").clone();
        assert!(types.len() > 30, "{report}");
        types
    };
    let limit = "ulimit -n 256 && exec \"$0\" \"$@\"";
    let limited = parse_report(&doctor(&["sh", "-c", limit]), 0);
    assert!(
        !limited["types"].to_string().contains("cannot be opened"),
        "{limited}"
    );
    let unlimited = parse_report(&doctor(&["env"]), 0);
    assert_eq!(types(&limited), types(&unlimited));
}

#[test]
fn probe_maps_are_not_in_samples() {
    let mut kernel = crate::support::kernel();
    let examination = std::thread::spawn(mapstop::source::kernel::probe::examine_machine);
    let mut samples = 0;
    while !examination.is_finished() {
        let snapshot = crate::support::sample(&mut kernel);
        let ours = |name: &str| name.starts_with("ms_");
        // Other tests create such maps, too.
        let shown = snapshot.maps.iter().filter(|map| ours(&map.name));
        for map in shown {
            assert!(!has_map(map.key.id.0), "{} is shown", map.name);
        }
        samples += 1;
    }
    assert!(samples > 1);
    assert!(!examination.join().expect("no panic").types.is_empty());
}

/// Whether this process has a descriptor of the map.
fn has_map(id: u32) -> bool {
    let fds = fs::read_dir("/proc/self/fdinfo").expect("our descriptors");
    let wanted = format!("map_id:\t{id}\n");
    let has = |path: std::path::PathBuf| {
        fs::read_to_string(path).is_ok_and(|info| info.contains(&wanted))
    };
    fds.flatten().any(|fd| has(fd.path()))
}
