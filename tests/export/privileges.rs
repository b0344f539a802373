//! The capabilities of a running exporter.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::support::exporter::{Exporter, value};
use crate::support::{add, create_hash};

/// This line of the status of each thread, without its name.
fn of_threads(pid: u32, name: &str) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("a process");
    let of_task = |task: std::io::Result<fs::DirEntry>| {
        // A thread may end meanwhile.
        let status = fs::read_to_string(task.expect("a task").path().join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        Some(line.expect(name).trim().to_owned())
    };
    tasks.filter_map(of_task).collect()
}

#[test]
fn root_drops_all_capabilities() {
    let map = create_hash("exp_capless", 3, 10);
    let exporter = Exporter::start(&[]);
    for name in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        let sets = of_threads(exporter.pid(), name);
        assert!(sets.len() >= 3, "main, http and owners");
        assert!(
            sets.iter().all(|set| set == "0000000000000000"),
            "{name} {sets:?}"
        );
    }
    let bits = of_threads(exporter.pid(), "NoNewPrivs:");
    assert!(bits.iter().all(|bit| bit == "1"), "{bits:?}");
    add(&map, 100);
    // Longer than a sample is reused.
    thread::sleep(Duration::from_millis(150));
    let text = exporter.scrape();
    assert_eq!(value(&text, "bpf_map_used", &["exp_capless"]), Some(4.0));
}

#[test]
fn tracing_keeps_the_capabilities_it_needs() {
    let exporter = Exporter::start(&["--losses"]);
    // CAP_PERFMON is 38, CAP_BPF is 39.
    for name in ["CapPrm:", "CapEff:"] {
        let sets = of_threads(exporter.pid(), name);
        assert!(
            sets.iter().all(|set| set == "000000c000000000"),
            "{name} {sets:?}"
        );
    }
}

#[test]
fn an_ordinary_user_with_two_capabilities_is_enough() {
    let _map = create_hash("exp_ordinary", 4, 10);
    // Where an ordinary user can reach it.
    let folder = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir_in("/tmp")
        .expect("a folder");
    let program = folder.path().join("mapstop");
    fs::copy(env!("CARGO_BIN_EXE_mapstop"), &program).expect("a copy");
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .args(["--bounding-set=-all,+bpf,+perfmon", "--no-new-privs"])
        .args([
            "--inh-caps=-all,+bpf,+perfmon",
            "--ambient-caps=-all,+bpf,+perfmon",
        ])
        .arg(&program)
        .arg("export");
    let exporter = Exporter::start_by(&mut command);
    let text = exporter.scrape();
    assert_eq!(value(&text, "bpf_map_used", &["exp_ordinary"]), Some(4.0));
    for name in ["CapPrm:", "CapEff:", "CapAmb:"] {
        let sets = of_threads(exporter.pid(), name);
        assert!(
            sets.iter().all(|set| set == "0000000000000000"),
            "{name} {sets:?}"
        );
    }
}
