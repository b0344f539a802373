//! A recording in a terminal, without privileges.

use mapstop::source::recording::Writer;
use mapstop::test_util::{host, map, snapshot};

use super::*;

/// Twenty seconds of a map that gets an entry a second.
fn recording(name: &str) -> String {
    let path = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    let _ = std::fs::remove_file(&path);
    let mut writer = Writer::create(path.as_ref(), &host()).expect("a recording");
    for second in 0..20 {
        let sample = snapshot(second, [map("filling").used(u64::from(second) + 80, 100)]);
        writer.write(&sample).expect("a sample");
    }
    path
}

#[test]
fn plays_steps_and_jumps() {
    let path = recording("tty_replay.mrec.zst");
    let mut terminal = Terminal::start(80, 24, &["--replay", &path]);
    terminal.wait_for("REPLAY  tty_replay.mrec.zst");
    terminal.wait_for("81/100");
    terminal.press(" ");
    terminal.wait_for("REPLAY PAUSED");
    terminal.press("b14:25:19\r");
    terminal.wait_for("90/100");
    terminal.press("tt");
    terminal.wait_for("92/100");
    terminal.press("T");
    terminal.wait_for("91/100");
    terminal.wait_for("12/20 samples");
    terminal.press("{");
    terminal.wait_for("1/20 samples");
    terminal.press("++++++ ");
    terminal.wait_for("x64");
    terminal.wait_for("20/20 samples");
    terminal.press("q");
    assert_eq!(terminal.end(), (0, true));
}

#[test]
fn replays_without_privileges() {
    let path = recording("tty_nobody.mrec");
    let tmp = tempfile::tempdir().expect("a folder");
    let copy = tmp.path().join("mapstop");
    std::fs::copy(env!("CARGO_BIN_EXE_mapstop"), &copy).expect("a copy");
    let shown = tmp.path().join("tty_nobody.mrec");
    std::fs::copy(&path, &shown).expect("a copy");
    for (path, mode) in [(tmp.path(), 0o755), (&copy, 0o755), (&shown, 0o644)] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, mode).expect("it is ours");
    }
    let mut command = CommandBuilder::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command.args(["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]);
    command.arg(&copy);
    command.arg("--replay");
    command.arg(&shown);
    let mut terminal = Terminal::run(80, 24, command);
    terminal.wait_for("filling");
    terminal.press("q");
    assert_eq!(terminal.end(), (0, true));
}

#[test]
fn the_live_view_records_its_samples() {
    let _map = support::create_hash("tty_recorded", 7, 10);
    let path = format!("{}/tty_live.mrec", env!("CARGO_TARGET_TMPDIR"));
    let _ = std::fs::remove_file(&path);
    let args = ["-d", "0.1", "-f", "tty_recorded", "--record", &path];
    let mut terminal = Terminal::start(80, 24, &args);
    terminal.wait_for("REC");
    terminal.wait_for("7/10");
    terminal.press("q");
    assert_eq!(terminal.end(), (0, true));
    let mut terminal = Terminal::start(80, 24, &["--replay", &path, "-f", "tty_recorded"]);
    terminal.wait_for("7/10");
    terminal.wait_for("REPLAY");
    terminal.press("q");
    assert_eq!(terminal.end(), (0, true));
}

#[test]
fn a_full_disk_ends_the_recording_and_not_the_view() {
    let _map = support::create_hash("tty_full", 7, 10);
    // So that a few snapshots exceed the limit.
    let _more: Vec<_> = (0..40)
        .map(|_| support::create_hash("tty_more", 0, 1))
        .collect();
    let path = format!("{}/tty_full.mrec", env!("CARGO_TARGET_TMPDIR"));
    let _ = std::fs::remove_file(&path);
    let mapstop = env!("CARGO_BIN_EXE_mapstop");
    // Limits the file size in blocks of 512 or 1024 bytes, and ignores the signal.
    let mut command = CommandBuilder::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f 100; exec {mapstop} -d 0.1 --record {path}");
    command.args(["-c", &script]);
    let mut terminal = Terminal::run(100, 24, command);
    terminal.wait_for("REC");
    terminal.wait_for("recording stopped");
    terminal.wait("no REC any more", |screen| !screen.contains(" REC"));
    thread::sleep(Duration::from_secs(5));
    assert!(
        terminal.screen().contains("recording stopped"),
        "it stays until it was seen"
    );
    terminal.press("\u{1b}");
    terminal.wait("no message", |screen| !screen.contains("recording stopped"));
    terminal.press("q");
    assert_eq!(terminal.end(), (0, true));
    let replayed = Terminal::start(80, 24, &["--replay", &path, "--once", "-m", "tty_full"]);
    replayed.wait_for("tty_full");
    assert_eq!(replayed.end(), (0, true));
}
