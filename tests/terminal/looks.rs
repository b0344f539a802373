//! Colours and ASCII on the terminal.

use super::*;

/// Everything that the live view writes with these variables and arguments.
fn written(variables: &[(&str, &str)], args: &[&str]) -> Vec<u8> {
    let _map = support::create_hash("tty_looks", 10, 10);
    let mut command = CommandBuilder::new("env");
    for (name, value) in variables {
        command.arg(format!("{name}={value}"));
    }
    command.arg(env!("CARGO_BIN_EXE_mapstop"));
    command.args(args);
    let mut terminal = Terminal::run(80, 24, command);
    terminal.wait_for("tty_looks");
    terminal.press("jj");
    // Keys that arrive together share a frame, and this frame is needed.
    thread::sleep(Duration::from_millis(200));
    terminal.press("\r");
    terminal.wait_for("other map");
    terminal.press("q?");
    terminal.wait_for("mapstop help");
    terminal.press("qq");
    let seen = Arc::clone(&terminal.seen);
    assert_eq!(terminal.end(), (0, true));

    seen.lock().expect("nobody panics with it").1.clone()
}

/// Whether a colour is set: SGR 30 to 37, 38, 40 to 47, 48 and the bright ones.
fn has_colour(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.split("\u{1b}[")
        .filter_map(|rest| rest.split_once('m'))
        .filter(|(codes, _)| codes.chars().all(|c| c.is_ascii_digit() || c == ';'))
        .any(|(codes, _)| {
            let first = codes.split(';').next().and_then(|code| code.parse().ok());
            first.is_some_and(|code: u32| matches!(code, 30..=38 | 40..=48 | 90..=97 | 100..=107))
        })
}

#[test]
fn colours_follow_the_terminal_and_no_color() {
    for (variables, args, is_coloured) in [
        (&[][..], &[][..], true),
        (&[("NO_COLOR", "1")], &[], false),
        (&[("NO_COLOR", "")], &[], true),
        (&[("NO_COLOR", "1")], &["--color", "always"], true),
        (&[], &["--color", "never"], false),
        (&[], &["--theme", "mono"], false),
        (&[], &["--theme", "cvd"], true),
    ] {
        let bytes = written(variables, args);
        assert_eq!(has_colour(&bytes), is_coloured, "{variables:?} {args:?}");
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("\u{1b}[7m"), "the selected row is reversed");
    }
}

#[test]
fn without_utf_8_every_byte_is_ascii() {
    for (variables, args) in [
        (&[("LC_ALL", "C")][..], &[][..]),
        (
            &[
                ("LC_ALL", ""),
                ("LC_CTYPE", ""),
                ("LANG", "de_DE.ISO-8859-1"),
            ],
            &[],
        ),
        (&[], &["--ascii"]),
    ] {
        let bytes = written(variables, args);
        assert!(bytes.is_ascii(), "{variables:?} {args:?}");
    }
    assert!(!written(&[], &[]).is_ascii(), "UTF-8 by default");
}
