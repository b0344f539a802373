//! Keys in, screens out.

use rustix::process::{Resource, Rlimit, getrlimit, prlimit};

use super::*;

#[test]
fn pasted_text_is_not_read_as_keys() {
    let _map = support::create_hash("tty_keys", 1, 10);
    let mut terminal = Terminal::start(80, 24, &[]);
    terminal.wait_for("q quit");
    terminal.press("\u{1b}[200~qqq?sd\u{1b}[201~");
    terminal.press("fnobody_is_called_this");
    terminal.wait_for("filter: nobody_is_called_this");
    terminal.wait_for("No map matches");
    terminal.press("\u{1b}");
    terminal.wait("the filter to be cleared", |screen| {
        !screen.contains("filter: ")
    });
    assert_eq!(terminal.quit(), (0, true));
}

#[test]
fn a_failed_read_is_shown_and_retried() {
    let _map = support::create_hash("tty_stale", 1, 10);
    let mut terminal = Terminal::start(80, 24, &["-d", "0.2"]);
    terminal.wait_for("tty_stale");
    // Reading keys opens descriptors on first use.
    terminal.press("?");
    terminal.wait_for("mapstop help");
    terminal.press("q");
    terminal.wait_for("tty_stale");
    let pid = terminal
        .child
        .process_id()
        .and_then(|pid| Pid::from_raw(pid.try_into().ok()?));
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let limit = |current| {
        let limit = Rlimit { current, maximum };
        prlimit(pid, Resource::Nofile, limit).expect("a limit");
    };
    // No descriptor is left to open the iterator with.
    limit(Some(3));
    terminal.wait_for("STALE");
    terminal.wait_for("Too many open files, retrying");
    assert!(terminal.screen().contains("tty_stale"), "the numbers stay");
    limit(current);
    terminal.wait("STALE to disappear", |screen| !screen.contains("STALE"));
    terminal.press("q");
    assert_eq!(terminal.end(), (0, true));
}

#[test]
fn esc_never_quits() {
    let mut terminal = Terminal::start(80, 24, &[]);
    terminal.wait_for("q quit");
    for place in ["", "f", "/", "s", "c", "?", "i", "C", "d", "\r"] {
        terminal.press(place);
        for _ in 0..20 {
            terminal.press("\u{1b}");
            thread::sleep(Duration::from_millis(1));
        }
    }
    terminal.wait_for("q quit");
    assert_eq!(terminal.quit(), (0, true));
}

/// Reproducible pseudo-random numbers (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[test]
fn random_keys_and_pastes_do_not_crash() {
    let _map = support::create_hash("tty_random", 1, 10);
    for (n, mode) in ["", "f", "/", "s", "c", "?", "d", "\r", " "]
        .iter()
        .enumerate()
    {
        let mut terminal = Terminal::start(80, 24, &["-d", "0.1"]);
        terminal.wait_for("q quit");
        terminal.press(mode);
        let mut random = Random(0x9e37_79b9 + n as u64);
        for is_pasted in [false, true] {
            let bytes: Vec<u8> = (0..200)
                .map(|_| (random.next() >> 11).to_le_bytes()[0])
                // Keys that quit, or would end the paste.
                .filter(|byte| !matches!(byte, 3 | 26 | 27 | b'q' | b'Q'))
                .collect();
            if is_pasted {
                terminal.press("\u{1b}[200~");
            }
            terminal.keys.write_all(&bytes).expect("it reads keys");
            if is_pasted {
                terminal.press("\u{1b}[201~");
            }
        }
        for _ in 0..10 {
            terminal.press("\u{1b}");
            thread::sleep(Duration::from_millis(2));
        }
        terminal.wait_for("q quit");
        assert_eq!(terminal.quit(), (0, true), "after '{mode}'");
    }
}

#[test]
fn repeated_keys_share_a_frame() {
    let _maps: Vec<_> = (0..30)
        .map(|_| support::create_hash("tty_held", 1, 10))
        .collect();
    let mut terminal = Terminal::start(80, 24, &["-d", "10"]);
    terminal.wait_for("q quit");
    let written = |terminal: &Terminal| terminal.seen.lock().expect("it").1.len();
    let before = written(&terminal);
    // Half a second of a key that repeats 200 times a second.
    for n in 0..100 {
        terminal.press(if n / 10 % 2 == 0 { "j" } else { "k" });
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(200));
    let bytes = written(&terminal) - before;
    assert!(bytes > 0, "the selection moves");
    assert!(bytes < 20_000, "{bytes} bytes for a dozen screens");
    terminal.press("q");
    assert_eq!(terminal.end(), (0, true));
}
