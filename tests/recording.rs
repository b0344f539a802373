//! The binary with `--record` and `--replay`: a replay repeats the reports.
//!
//! Recording needs root; replaying does not, and is tested without.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use libbpf_rs::MapCore;
use mapstop::source::recording::Writer;
use mapstop::test_util::{host, map, snapshot, watched};
use serde_json::Value;
use tempfile::TempDir;

use support::{add, create_hash, id};

mod support;

const MAPSTOP: &str = env!("CARGO_BIN_EXE_mapstop");

fn run(args: &[&str], path: &Path) -> Output {
    Command::new(MAPSTOP)
        .args(args)
        .arg(path)
        .stdin(Stdio::null())
        .env_remove("RUST_BACKTRACE")
        .output()
        .expect("mapstop runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Its stdout, after success without warnings.
fn fine(output: &Output) -> String {
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    text(&output.stdout)
}

fn reports(output: &str) -> Vec<Value> {
    let lines = output.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn file(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    (folder, path)
}

/// A map that gets an entry a second, from 100 to 160 seconds after boot, and one that is always
/// full.
fn minute(name: &str) -> (TempDir, PathBuf) {
    let (folder, path) = file(name);
    let mut writer = Writer::create(&path, &host()).expect("a file");
    for second in 100..=160 {
        let maps = [
            map("conns").id(7).used(second.into(), 200),
            map("full").id(9).used(5, 5),
        ];
        writer.write(&snapshot(second, maps)).expect("room");
    }
    (folder, path)
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn uptimes(output: &str) -> Vec<f64> {
    let reports = reports(output);
    reports
        .iter()
        .map(|report| number(&report["uptime_s"]))
        .collect()
}

#[test]
fn replay_repeats_the_reports() {
    let map = create_hash("rec_batch", 9, 10);
    for name in ["maps", "maps.zst"] {
        let (_folder, path) = file(name);
        let args = ["-j", "-n", "3", "-d", "0.1", "-m", &id(&map), "--record"];
        let live = reports(&fine(&run(&args, &path)));
        assert_eq!(live.len(), 3);
        let args = ["-j", "-b", "-m", &id(&map), "--replay"];
        let again = reports(&fine(&run(&args, &path)));
        for (mut live, again) in live.into_iter().zip(&again) {
            assert_eq!(live["source"], "kernel");
            live["source"] = "recording".into();
            assert_eq!(live, *again);
        }
        assert_eq!(again.len(), 3);
    }
}

#[test]
fn replay_repeats_table_and_csv() {
    let map = create_hash("rec_forms", 3, 10);
    for form in [&["--once"][..], &["--csv"], &["-b", "-n", "1"]] {
        let (_folder, path) = file("maps.zst");
        let shown = ["-m", &id(&map)];
        let live = fine(&run(&[form, &shown, &["--record"]].concat(), &path));
        assert!(live.contains("rec_forms"), "{live}");
        let again = fine(&run(&[form, &shown, &["--replay"]].concat(), &path));
        assert_eq!(live, again);
    }
}

#[test]
fn all_maps_are_recorded_despite_a_filter() {
    let map = create_hash("rec_all", 3, 10);
    let (_folder, path) = file("maps");
    fine(&run(&["-j", "-f", "name:no_such", "--record"], &path));
    let again = reports(&fine(&run(&["-j", "-f", "rec_all", "--replay"], &path)));
    assert_eq!(again[0]["maps"][0]["id"].to_string(), id(&map));
}

#[test]
fn measuring_records_every_sample_it_takes() {
    let _map = create_hash("rec_once", 3, 10);
    let (_folder, path) = file("maps");
    fine(&run(&["--once", "-d", "0.5", "--record"], &path));
    let times = uptimes(&fine(&run(&["-j", "-b", "--replay"], &path)));
    assert!(times.len() > 3, "{times:?}");
    assert!(times[times.len() - 1] - times[0] >= 0.5);
}

#[test]
fn a_batch_replays_all_samples_or_as_many_as_requested() {
    let (_folder, path) = minute("maps.zst");
    let all = fine(&run(&["-j", "-b", "--replay"], &path));
    let seconds: Vec<f64> = (100..=160).map(f64::from).collect();
    assert_eq!(uptimes(&all), seconds);
    let reports = reports(&all);
    assert_eq!(reports[0]["host"], "node-17");
    assert_eq!(reports[0]["kernel"], "6.18.44");
    assert_eq!(reports[0]["boot_id"], host().boot_id.as_str());
    assert_eq!(reports[0]["time"], "2026-11-22T14:26:49.000Z");
    assert_eq!(reports[0]["interval_s"], Value::Null);
    assert_eq!(reports[1]["maps"][1]["growth_per_s"], 1.0);

    let few = fine(&run(&["-j", "-n", "3", "--replay"], &path));
    assert_eq!(uptimes(&few), [100.0, 101.0, 102.0]);
    let every_25_s = fine(&run(&["-j", "-d", "25", "--replay"], &path));
    assert_eq!(uptimes(&every_25_s), [100.0, 125.0, 150.0, 160.0]);
    let csv = fine(&run(&["--csv", "-b", "-d", "25", "--replay"], &path));
    assert_eq!(csv.lines().count(), 1 + 4 * 2);
    let table = fine(&run(
        &["-b", "-c", "id,used", "-s", "-id", "--replay"],
        &path,
    ));
    assert!(table.starts_with("ID USED\n"), "{table}");
    assert!(table.ends_with(" 7  160\n"), "{table}");
}

#[test]
fn once_replays_to_the_end() {
    let (_folder, path) = minute("maps");
    for (args, interval) in [
        (&["--once", "-j"][..], 1.0),
        (&["-j"], 1.0),
        (&["--once", "-j", "-d", "10"], 10.0),
        (&["--once", "-j", "-d", "1h"], 60.0),
    ] {
        let reports = reports(&fine(&run(&[args, &["--replay"]].concat(), &path)));
        assert_eq!(reports.len(), 1, "{args:?}");
        assert_eq!(reports[0]["uptime_s"], 160.0, "{args:?}");
        assert_eq!(reports[0]["source"], "recording");
        assert_eq!(reports[0]["interval_s"], interval, "{args:?}");
        // It will be full soon, and comes before the one that was always full.
        assert_eq!(reports[0]["maps"][0]["growth_per_s"], 1.0, "{args:?}");
    }
    let table = fine(&run(&["-c", "name,used,growth", "--replay"], &path));
    assert_eq!(
        table,
        "NAME  USED GRWTH/S\nconns  160     1.0\nfull     5     0.0\n"
    );
}

#[test]
fn a_single_snapshot_has_no_growth() {
    let (_folder, path) = file("maps");
    let mut writer = Writer::create(&path, &host()).expect("a file");
    let one = snapshot(100, [map("conns")]);
    writer.write(&one).expect("room");
    for args in [
        &["-j", "--replay"][..],
        &["--once", "-d", "5", "-j", "--replay"],
    ] {
        let reports = reports(&fine(&run(args, &path)));
        assert_eq!(reports[0]["interval_s"], Value::Null);
        assert_eq!(reports[0]["maps"][0]["used"], 7);
    }
}

#[test]
fn fail_on_works_for_recordings() {
    let (_folder, path) = minute("maps");
    let code = |args: &[&str]| run(&[args, &["--replay"]].concat(), &path).status.code();
    assert_eq!(code(&["--once", "--fail-on", "crit"]), Some(3));
    // Full in less than a minute, at an entry a second.
    assert_eq!(
        code(&["--once", "--fail-on", "crit", "-m", "conns"]),
        Some(3)
    );
    // Unknown before there are enough samples.
    assert_eq!(
        code(&["-b", "-n", "9", "--fail-on", "crit", "-m", "conns"]),
        Some(0)
    );
}

#[test]
fn an_ordinary_user_can_replay() {
    let (folder, path) = minute("maps.zst");
    let all = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.path(), all.clone()).expect("an open folder");
    let mapstop = folder.path().join("mapstop");
    fs::copy(MAPSTOP, &mapstop).expect("a copy");
    fs::set_permissions(&mapstop, all).expect("a program");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("an open file");
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .args(["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"])
        .arg(mapstop)
        .args(["--once", "-j", "--replay"])
        .arg(path)
        .output()
        .expect("setpriv of util-linux runs");
    assert_eq!(reports(&fine(&output))[0]["maps"][0]["used"], 160);
}

#[test]
fn a_truncated_recording_is_replayed_with_a_warning() {
    let (_folder, path) = minute("maps");
    let bytes = fs::read(&path).expect("a file");
    fs::write(&path, &bytes[..bytes.len() - 7]).expect("a file");
    let output = run(&["-j", "--replay"], &path);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(uptimes(&text(&output.stdout)), [159.0]);
    assert_eq!(
        text(&output.stderr),
        format!(
            "mapstop: the end of {} is cut off: its last snapshot is lost\n",
            path.display()
        )
    );
}

#[test]
fn unusable_recordings_are_one_line_errors() {
    let (folder, path) = file("maps");
    fs::write(&path, b"\x7fELF\n").expect("a file");
    for (args, message) in [
        (["--once", "--replay"], "maps is no recording of mapstop"),
        (
            ["--once", "--record"],
            "maps exists, and a recording never overwrites: choose another name",
        ),
    ] {
        let output = run(&args, &path);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(text(&output.stdout), "");
        let stderr = text(&output.stderr);
        assert!(stderr.ends_with(&format!("/{message}\n")), "{stderr}");
        assert_eq!(stderr.lines().count(), 1);
    }
    let output = run(&["--once", "--record"], &folder.path().join("no/maps"));
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(stderr.starts_with("mapstop: cannot record to "), "{stderr}");
    assert!(stderr.contains("No such file or directory"), "{stderr}");
}

#[test]
fn damage_ends_the_replay() {
    let (_folder, path) = minute("maps");
    let text_of = fs::read_to_string(&path).expect("text");
    fs::write(&path, text_of.replace("\"used\":102,", "\"used\":-2,")).expect("a file");
    let output = run(&["-j", "-b", "--replay"], &path);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(uptimes(&text(&output.stdout)), [100.0, 101.0]);
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("maps is damaged at line 4: invalid value"),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 1);
}

#[test]
fn a_killed_recording_has_every_reported_sample() {
    let _map = create_hash("rec_kill", 3, 10);
    for name in ["maps", "maps.zst"] {
        let (_folder, path) = file(name);
        let mut child = Command::new(MAPSTOP)
            .args(["-j", "-b", "-d", "0.1", "--record"])
            .arg(&path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("mapstop runs");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let reported: Vec<_> = stdout
            .lines()
            .take(4)
            .map(|line| line.expect("a line"))
            .collect();
        child.kill().expect("SIGKILL");
        child.wait().expect("its end");
        let again = uptimes(&fine(&run(&["-j", "-b", "--replay"], &path)));
        assert_eq!(again[..4], uptimes(&reported.join("\n")));
    }
}

/// Reports this many times, in a shell that first runs `setup` in the folder `$1`, which leaves little
/// room for a recording there; then replays it.
fn fill(setup: &str, name: &str, count: usize) -> Output {
    let (folder, _) = file(name);
    let script = format!(
        "{setup} || exit 99; \"$0\" -j -n {count} -d 0.1 --record \"$1/{name}\" || exit 98; \
         \"$0\" -j -b --replay \"$1/{name}\""
    );
    Command::new("unshare")
        .args(["--mount", "sh", "-c", &script, MAPSTOP])
        .arg(folder.path())
        .env_remove("RUST_BACKTRACE")
        .output()
        .expect("unshare of util-linux runs")
}

#[test]
fn a_full_disk_ends_the_recording_and_not_the_reports() {
    let maps: Vec<_> = (0..60)
        .map(|n| create_hash(&format!("rec_full_{n}"), n % 10, 1000))
        .collect();
    // They change all the time, so that every snapshot takes room, also when it is compressed: the
    // limit can then be a few times what one takes now, whose maps ever come beside these.
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let chance = RandomState::new();
            for turn in (0_u64..).take_while(|_| !is_over.load(Relaxed)) {
                for (n, map) in maps.iter().enumerate() {
                    let by_chance = chance.hash_one((turn, n));
                    let key = (by_chance / 2 % 1000) as u32;
                    if by_chance.is_multiple_of(2) {
                        add(map, key);
                    } else {
                        // Often there is no such key.
                        drop(map.delete(&key.to_ne_bytes()));
                    }
                }
                thread::sleep(Duration::from_millis(2));
            }
        });
        let ended = std::panic::catch_unwind(fill_disks);
        is_over.store(true, Relaxed);
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

fn fill_disks() {
    let one = |name| {
        let (_folder, path) = file(name);
        fine(&run(&["-j", "--record"], &path));
        fs::metadata(path).expect("a file").len()
    };
    let is_full = "No space left on device (os error 28)";
    let is_too_large = "File too large (os error 27)";
    let mount = format!("mount -t tmpfs -o size={} none \"$1\"", 4 * one("maps"));
    // In blocks of 512 bytes.
    let limit = |size: u64| format!("trap '' XFSZ; ulimit -f {}", size.div_ceil(512));
    for (setup, name, count, error) in [
        (mount, "maps", 12, is_full),
        (limit(4 * one("maps")), "maps", 12, is_too_large),
        (limit(4 * one("maps.zst")), "maps.zst", 40, is_too_large),
    ] {
        let output = fill(&setup, name, count);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{setup}: {stderr}");
        let reports = reports(&stdout);
        let (live, again) = reports.split_at(count);
        assert!(live.iter().all(|report| report["source"] == "kernel"));
        assert!(
            (1..count).contains(&again.len()),
            "{setup}: {}",
            again.len()
        );
        let s = if again.len() == 1 { "" } else { "s" };
        let holds = format!("/{name} holds {} snapshot{s}\n", again.len());
        let starts = format!("mapstop: recording stopped: {error}; ");
        assert!(stderr.starts_with(&starts), "{setup}: {stderr}");
        assert!(stderr.ends_with(&holds), "{setup}: {stderr}");
        // Nothing is truncated: an incomplete sample was removed.
        assert_eq!(stderr.lines().count(), 1, "{setup}: {stderr}");
        for (live, again) in live.iter().zip(again) {
            assert_eq!(live["maps"], again["maps"], "{setup}");
        }
    }
}

/// Ten seconds in which three updates a second are refused, and an LRU map evicts.
fn losing() -> (TempDir, PathBuf) {
    let (folder, path) = file("losing.zst");
    let mut writer = Writer::create(&path, &host()).expect("a file");
    for second in 0..=10 {
        let maps = [
            map("full").id(3).refused(3 * u64::from(second)),
            map("lru")
                .id(5)
                .named_type("lru_hash")
                .evicted(second.into()),
            map("calm").id(7),
        ];
        writer.write(&watched(second, 0, maps)).expect("room");
    }
    (folder, path)
}

#[test]
fn losses_are_recorded_and_replayed() {
    let (_folder, path) = losing();
    let json = fine(&run(&["--once", "-j", "-s", "id", "--replay"], &path));
    let report = &reports(&json)[0];
    assert_eq!(report["losses_state"], "on");
    assert_eq!(report["losses_uptime_s"], 0.0);
    let maps = &report["maps"];
    assert_eq!(maps[0]["loss"]["failed_updates"], 30);
    assert_eq!(maps[0]["loss"]["by_errno"]["E2BIG"], 30);
    assert_eq!(maps[0]["full_in_s"], 0.0);
    assert_eq!(maps[0]["mark"], "crit");
    assert_eq!(maps[1]["loss"]["evictions"], 10);
    assert_eq!(maps[2]["loss"], Value::Null);
    let table = fine(&run(&["--once", "-d", "10", "--replay"], &path));
    let line = |name: &str| -> Vec<&str> {
        let line = table.lines().find(|line| line.contains(name));
        line.expect(name).split_whitespace().collect()
    };
    assert_eq!(line("NAME")[10], "LOSS/S");
    assert_eq!(line("full")[9..11], ["now", "fail:3.0,the_map_is_full"]);
    assert_eq!(line("lru")[10], "evict:1.0");
    // Losses of a hash are unknown until its tracers are attached.
    assert_eq!(line("calm")[10], "...");
    let csv = fine(&run(&["--csv", "-m", "full", "--replay"], &path));
    assert!(
        csv.contains(",watched,") && csv.contains(",30,E2BIG=30,"),
        "{csv}"
    );
    let few = fine(&run(
        &[
            "--once", "-d", "10", "-f", "loss>2", "-c", "name", "--replay",
        ],
        &path,
    ));
    assert_eq!(few, "NAME\nfull\n");
}
