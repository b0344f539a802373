//! However mapstop ends, it restores the terminal.

use mapstop::cli::parse_from;
use mapstop::env::Environment;
use mapstop::test_util::scripted::{Script, Scripted};
use mapstop::test_util::{map, snapshot};
use mapstop::types::snapshot::Snapshot;

use super::*;

/// A name, the exit code, and how to end mapstop.
type Way<'a> = (&'a str, u32, &'a dyn Fn(&mut Terminal));

#[test]
fn keys_and_signals_restore_the_terminal() {
    let press = |keys: &'static str| move |terminal: &mut Terminal| terminal.press(keys);
    let signal = |signal| move |terminal: &mut Terminal| terminal.signal(signal);
    let ways: [Way; 7] = [
        ("q", 0, &press("q")),
        ("^C", 0, &press("\u{3}")),
        ("F10", 0, &press("\u{1b}[21~")),
        ("Q", 0, &press("Q")),
        ("SIGTERM", 143, &signal(Signal::TERM)),
        ("SIGHUP", 0, &signal(Signal::HUP)),
        ("SIGINT", 0, &signal(Signal::INT)),
    ];
    for (name, code, end) in ways {
        let mut terminal = Terminal::start(80, 24, &[]);
        terminal.wait_for("q quit");
        assert!(!terminal.is_restored(), "the live view");
        end(&mut terminal);
        assert_eq!(terminal.end(), (code, true), "{name}");
    }
}

#[test]
fn capital_q_leaves_the_table_on_the_screen() {
    let _map = support::create_hash("tty_left", 7, 10);
    let mut terminal = Terminal::start(80, 24, &["-f", "tty_left"]);
    terminal.wait_for("7/10");
    terminal.press("Q");
    terminal.wait_until_restored();
    terminal.wait("the table", |screen| {
        screen.contains("tty_left") && screen.contains("NAME") && !screen.contains("quit")
    });
    assert_eq!(terminal.end(), (0, true));
}

#[test]
fn an_error_is_printed_on_the_normal_screen() {
    let mut command = CommandBuilder::new("sh");
    // Usage errors are printed before the screen is switched.
    let mapstop = env!("CARGO_BIN_EXE_mapstop");
    command.args([
        "-c",
        &format!("{mapstop} --replay /nonexistent; echo status $?"),
    ]);
    let terminal = Terminal::run(80, 24, command);
    terminal.wait_for("mapstop: ");
    terminal.wait_for("status 1");
    assert_eq!(terminal.end(), (0, true));
}

/// A source whose second sample panics.
#[derive(Default)]
struct Panics {
    has_sampled: bool,
}

impl Script for Panics {
    fn sample(&mut self) -> anyhow::Result<Option<Snapshot>> {
        assert!(!self.has_sampled, "the second sample panics");
        self.has_sampled = true;
        Ok(Some(snapshot(0, [map("panics_soon")])))
    }
}

/// Run in a terminal by the test below, not by itself.
#[test]
#[ignore = "panics, and takes over the terminal"]
fn panic_in_live_view() {
    let command = parse_from(["mapstop", "-d", "1"], Environment::terminal()).expect("a command");
    let mapstop::options::Mode::Live(live) = &command.mode else {
        panic!("the live view")
    };
    let mut source = Scripted::new(Panics::default());
    let tasks = mapstop::tui::BackgroundTasks::new(
        mapstop::source::kernel::probe::examine_machine,
        mapstop::source::kernel::count_exactly,
    );
    let _ = mapstop::tui::run(
        &command,
        live,
        &mut source,
        mapstop::source::kernel::now,
        tasks,
    );
}

#[test]
fn a_panic_restores_the_terminal_first() {
    let mut command = CommandBuilder::new(std::env::current_exe().expect("this test"));
    command.args([
        "--ignored",
        "--exact",
        "--nocapture",
        "ends::panic_in_live_view",
    ]);
    // A backtrace would scroll the message away from where the screen was.
    command.env_remove("RUST_BACKTRACE");
    let terminal = Terminal::run(100, 30, command);
    terminal.wait_for("panics_soon");
    assert!(!terminal.is_restored());
    terminal.wait_until_restored();
    terminal.wait_for("the second sample panics");
    assert_eq!(terminal.end(), (101, true));
}

#[test]
fn a_vanished_terminal_ends_mapstop() {
    // Once with SIGHUP, once without.
    for start in ["exec", "trap '' HUP; exec setsid"] {
        let pty = native_pty_system()
            .openpty(PtySize::default())
            .expect("a terminal");
        let mut command = CommandBuilder::new("sh");
        command.args([
            "-c",
            &format!("{start} \"$0\""),
            env!("CARGO_BIN_EXE_mapstop"),
        ]);
        command.env("TERM", "xterm-256color");
        let mut child = pty.slave.spawn_command(command).expect("mapstop runs");
        let mut reader = pty.master.try_clone_reader().expect("a reader");
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains("quit") {
            let mut bytes = [0; 1024];
            let count = reader.read(&mut bytes).expect("a screen");
            seen.extend_from_slice(&bytes[..count]);
        }
        drop((reader, pty.master, pty.slave));
        let start = Instant::now();
        while child.try_wait().expect("a child").is_none() {
            assert!(start.elapsed() < PATIENCE, "mapstop is still running");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_dumb_terminal_gets_a_report() {
    let pty = native_pty_system()
        .openpty(PtySize::default())
        .expect("a terminal");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mapstop"));
    command.env("TERM", "dumb");
    let mut child = pty.slave.spawn_command(command).expect("mapstop runs");
    drop(pty.slave);
    let mut output = Vec::new();
    // EIO: the other side of the terminal is closed.
    let _ = pty
        .master
        .try_clone_reader()
        .expect("a reader")
        .read_to_end(&mut output);
    assert_eq!(child.wait().expect("it ends").exit_code(), 0);
    assert!(!output.contains(&0x1b));
    assert!(String::from_utf8_lossy(&output).contains("NAME"));
}
