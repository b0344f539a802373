//! mapstop under lockdown. A kernel cannot leave lockdown again, so this test needs a separate guest.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

#[path = "support/mod.rs"]
mod support;

const LOCKDOWN: &str = "/sys/kernel/security/lockdown";

fn mapstop(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mapstop"));
    command.args(arguments).output().expect("mapstop runs")
}

fn doctor() -> Value {
    serde_json::from_slice(&mapstop(&["doctor", "--json"]).stdout).expect("JSON")
}

#[test]
fn only_lockdown_confidentiality_prevents_reading() {
    if std::env::var_os("MAPSTOP_GUEST").is_none() {
        println!("not tested: meant for guests, see make guests");
        return;
    }
    if fs::write(LOCKDOWN, "integrity").is_err() {
        println!("not tested: this kernel cannot be locked down");
        return;
    }
    let map = support::create_hash("locked", 3, 10);
    let report = mapstop(&["--once", "-j", "-m", &support::id(&map)]);
    let complaint = String::from_utf8_lossy(&report.stderr);
    assert_eq!(report.status.code(), Some(0), "{complaint}");
    let report = doctor();
    assert_eq!(report["system"]["lockdown"], "integrity");
    assert_eq!(report["maps"], "shown");
    assert_eq!(report["types"][10]["type"], "lpm_trie");
    assert_eq!(report["types"][10]["counted"], true);

    fs::write(LOCKDOWN, "confidentiality").expect("one step further");
    let report = doctor();
    assert_eq!(report["system"]["lockdown"], "confidentiality");
    assert_eq!(
        (&report["maps"], &report["exit_status"]),
        (&"unable".into(), &5.into())
    );
    let report = mapstop(&["--once"]);
    let complaint = String::from_utf8_lossy(&report.stderr);
    assert_eq!(report.status.code(), Some(5), "{complaint}");
    assert!(
        complaint.contains("lockdown=confidentiality"),
        "{complaint}"
    );
    assert!(!complaint.contains("sudo"), "{complaint}");
}
