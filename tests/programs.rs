//! The maps of a real program, bpftrace: none is marked while nothing is refused, and one is crit as soon as it
//! becomes full. Needs root and bpftrace.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

/// A script that runs until this is dropped.
struct Bpftrace(Child);

impl Bpftrace {
    /// Starts it with room for `max` entries in each map.
    fn start(script: &str, max: u32) -> Self {
        let max = max.to_string();
        let child = Command::new("bpftrace")
            .args(["-e", script])
            // Renamed in bpftrace 0.20.
            .envs([
                ("BPFTRACE_MAP_KEYS_MAX", &max),
                ("BPFTRACE_MAX_MAP_KEYS", &max),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("bpftrace: {error}; make test-tools installs it"));
        Self(child)
    }

    fn filter(&self) -> String {
        format!("owner='bpftrace({})'", self.0.id())
    }
}

impl Drop for Bpftrace {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `count` reports of the maps of a script, half a second apart.
fn reports(bpftrace: &Bpftrace, count: u32) -> Vec<Vec<Value>> {
    let output = Command::new(env!("CARGO_BIN_EXE_mapstop"))
        .args([
            "-j",
            "-d",
            "0.5",
            "-n",
            &count.to_string(),
            "-f",
            &bpftrace.filter(),
        ])
        .stdin(Stdio::null())
        .output()
        .expect("mapstop runs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let report = |line| -> Value { serde_json::from_str(line).expect("JSON") };
    let maps = |line| report(line)["maps"].as_array().expect("maps").clone();
    text.lines().map(maps).collect()
}

/// Waits until the script has at least this many maps.
fn wait_for_maps(bpftrace: &Bpftrace, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while reports(bpftrace, 1)[0].len() < count {
        assert!(Instant::now() < deadline, "fewer than {count} maps");
        sleep(Duration::from_millis(200));
    }
}

#[test]
fn no_map_of_a_counting_script_is_marked() {
    let script = "BEGIN { @total = 1; @last = 2; @by[1] = count(); } \
                  interval:ms:100 { @total++; @last = nsecs; @by[@total % 7] = count(); }";
    let bpftrace = Bpftrace::start(script, 4096);
    wait_for_maps(&bpftrace, 3);
    for maps in reports(&bpftrace, 6) {
        for map in maps {
            assert_eq!(map["mark"], "none", "{map}");
        }
    }
}

#[test]
fn a_map_that_becomes_full_is_crit_and_no_other() {
    let script = "BEGIN { @n = 0; } interval:ms:250 { @n++; @filled[@n] = 1; }";
    let bpftrace = Bpftrace::start(script, 16);
    wait_for_maps(&bpftrace, 2);
    let last = reports(&bpftrace, 12).pop().expect("reports");
    for map in &last {
        let mark = if map["name"] == "AT_filled" {
            "crit"
        } else {
            "none"
        };
        assert_eq!(map["mark"], mark, "{map}");
    }
    assert!(
        last.iter().any(|map| map["name"] == "AT_filled"),
        "{last:?}"
    );
}
