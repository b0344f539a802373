//! Background tasks: the doctor page, an exact count.

use std::fs;

use super::*;

/// Where the kernel lists the kfunc of its element counter.
const COUNTER: &[u8] = b"\0bpf_map_sum_elem_count\0";

/// mapstop as if this kernel had no element counter, like those before Linux 6.6: in a mount namespace
/// in which the kfunc is renamed. `None` if this kernel has none.
fn without_counter(args: &[&str]) -> Option<(Terminal, tempfile::NamedTempFile)> {
    let mut btf = fs::read("/sys/kernel/btf/vmlinux").expect("BTF");
    let at = btf
        .windows(COUNTER.len())
        .position(|word| word == COUNTER)?;
    btf[at + 5] = b'@';
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), btf).expect("room");
    let mut command = CommandBuilder::new("unshare");
    let hide = "mount --bind \"$1\" /sys/kernel/btf/vmlinux && shift && exec \"$0\" \"$@\"";
    command.args(["--mount", "sh", "-c", hide, env!("CARGO_BIN_EXE_mapstop")]);
    command.arg(file.path());
    command.args(args);
    Some((Terminal::run(80, 40, command), file))
}

#[test]
fn i_opens_the_doctor_page() {
    let mut terminal = Terminal::start(80, 24, &[]);
    terminal.wait_for("q quit");
    terminal.press("i");
    terminal.wait_for("mapstop doctor: this machine");
    terminal.wait_for("maps can be shown");
    terminal.press("G");
    terminal.wait_for("Cost, measured just now");
    terminal.press("q");
    terminal.wait_for("q quit");
    assert_eq!(terminal.quit(), (0, true));
}

#[test]
fn an_estimated_map_is_counted_on_request() {
    let map = support::create_hash("tty_count", 4321, 100_000);
    let id = support::id(&map);
    let Some((mut terminal, _btf)) = without_counter(&["-f", &format!("id:{id}")]) else {
        println!("not tested: this kernel keeps no counts as it is");
        return;
    };
    terminal.wait_for("~4.");
    terminal.press("jC");
    terminal.wait_for("tty_count exactly? Up to 100,000 keys");
    terminal.press("\u{1b}");
    terminal.wait("no question", |screen| !screen.contains("exactly?"));
    terminal.press("C");
    terminal.wait_for("exactly?");
    terminal.press("\r");
    terminal.wait_for("tty_count has exactly 4,321 entries");
    // The exact count does not change later samples.
    terminal.wait_for("~4.");
    terminal.press("\r");
    terminal.wait_for("walked  4,321 entries at ");
    terminal.press("q");
    assert_eq!(terminal.quit(), (0, true));
}
