//! Job control.

use super::*;

/// A shell with job control, and in it a command that runs mapstop.
fn shell(command: &str) -> Terminal {
    let mut bash = CommandBuilder::new("bash");
    bash.args(["--norc", "--noprofile", "--noediting", "-i"]);
    bash.env("PS1", "shell> ");
    let mut terminal = Terminal::run(80, 24, bash);
    terminal.wait_for("shell>");
    terminal.press(&format!("{command}\n"));
    terminal.wait_for("q quit");
    terminal
}

const MAPSTOP: &str = concat!(env!("CARGO_BIN_EXE_mapstop"), " -d 0.2");

/// The process that the shell runs.
fn child_of(terminal: &Terminal) -> Pid {
    let shell = terminal.pid();
    let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
    let children = children.expect("the shell's children");
    let child = children.split_whitespace().next().expect("a child");
    Pid::from_raw(child.parse().expect("a number")).expect("a process id")
}

/// Expects the live view again, then quits it and the shell.
fn expect_live_view_and_quit(mut terminal: Terminal) {
    terminal.wait_for("q quit");
    assert!(!terminal.is_restored());
    terminal.press("q");
    terminal.wait_until_restored();
    terminal.press("exit\n");
    let (code, is_back) = terminal.end();
    assert!(is_back, "the status was {code}");
}

#[test]
fn ctrl_z_stops_and_fg_continues() {
    let mut terminal = shell(MAPSTOP);
    terminal.press("\u{1a}");
    terminal.wait_for("Stopped");
    terminal.wait_until_restored();
    terminal.press("echo back in the $((1 + 1))nd shell\n");
    terminal.wait_for("back in the 2nd shell");
    terminal.press("fg\n");
    expect_live_view_and_quit(terminal);
}

#[test]
fn sigtstp_stops_mapstop() {
    let mut terminal = shell(MAPSTOP);
    kill_process(child_of(&terminal), Signal::TSTP).expect("it runs");
    terminal.wait_for("Stopped");
    terminal.wait_until_restored();
    terminal.press("fg\n");
    expect_live_view_and_quit(terminal);
}

#[test]
fn sigcont_after_sigstop_restores_the_screen() {
    let mut terminal = shell(MAPSTOP);
    let child = child_of(&terminal);
    kill_process(child, Signal::STOP).expect("it runs");
    terminal.wait_for("Stopped");
    // The shell has set its own mode; this is what reset(1) would add.
    terminal.press("printf '\\033[?1049l\\033[?2004l'; fg\n");
    expect_live_view_and_quit(terminal);
}

#[test]
fn a_job_of_several_processes_stops_as_one() {
    // As with make and sudo: a process in between waits for mapstop.
    let mut terminal = shell(&format!("sh -c '{MAPSTOP}; true'"));
    terminal.press("\u{1a}");
    terminal.wait_for("Stopped");
    terminal.press("fg\n");
    expect_live_view_and_quit(terminal);
}

#[test]
fn does_not_stop_without_job_control() {
    // The first process of its session, as under docker exec.
    let mut terminal = Terminal::start(80, 24, &[]);
    terminal.wait_for("q quit");
    terminal.press("\u{1a}");
    terminal.wait_for("no shell could resume mapstop");
    terminal.press("q");
    assert_eq!(terminal.end(), (0, true));
}

#[test]
fn does_not_stop_under_a_parent_in_another_pid_namespace() {
    // As in a container: the ids of the parent are 0 there.
    let mut unshare = CommandBuilder::new("unshare");
    unshare.args(["--pid", "--fork", "--mount-proc", "sh", "-c"]);
    unshare.arg(format!("{MAPSTOP}; true"));
    let mut terminal = Terminal::run(80, 24, unshare);
    terminal.wait_for("q quit");
    terminal.press("\u{1a}");
    terminal.wait_for("no shell could resume mapstop");
    terminal.press("q");
    assert_eq!(terminal.end(), (0, true));
}

#[test]
fn a_killed_job_leader_leaves_the_terminal_to_the_shell() {
    let mut terminal = shell(&format!("sh -c '{MAPSTOP}; true'"));
    let leader = child_of(&terminal);
    kill_process(leader, Signal::KILL).expect("it runs");
    terminal.wait_for("Killed");
    terminal.wait("alternate screen left", |_| {
        let seen = terminal.seen.lock().expect("nobody panics with it");
        !seen.0.screen().alternate_screen()
    });
    terminal.press("echo the $((1 + 1))nd line\n");
    terminal.wait_for("the 2nd line");
    terminal.press("exit\n");
    terminal.end();
}
