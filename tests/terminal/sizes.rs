//! Any size, and any number of resizes.

use super::*;

#[test]
fn follows_the_terminal_size() {
    let mut terminal = Terminal::start(80, 24, &[]);
    terminal.wait_for("USED/CAP");
    let new = size(40, 12);
    terminal
        .seen
        .lock()
        .expect("nobody panics with it")
        .0
        .screen_mut()
        .set_size(12, 40);
    terminal.master.resize(new).expect("a terminal");
    terminal.wait("narrow table", |screen| {
        screen.contains("NAME") && !screen.contains("USED/CAP")
    });
    terminal.press("q");
    assert_eq!(terminal.end(), (0, true));
}

#[test]
fn no_key_is_lost_during_resizes() {
    let mut terminal = Terminal::start(80, 24, &[]);
    terminal.wait_for("q quit");
    terminal.press("f");
    let mut typed = String::new();
    for n in 0..60u16 {
        let new = size(76 + n % 5, 20 + n % 5);
        terminal.master.resize(new).expect("a terminal");
        terminal.press("x");
        typed.push('x');
        thread::sleep(Duration::from_millis(2));
    }
    let new = size(80, 24);
    terminal.master.resize(new).expect("a terminal");
    terminal.wait_for(&format!("filter: {typed}"));
    terminal.press("\u{1b}");
    terminal.wait("end of the prompt", |screen| !screen.contains("filter: "));
    assert_eq!(terminal.quit(), (0, true));
}

#[test]
fn draws_at_a_thousand_sizes() {
    let mut terminal = Terminal::start(80, 24, &["-d", "0.1"]);
    terminal.wait_for("q quit");
    for n in 0..1000u16 {
        let (width, height) = (1 + n * 7 % 150, 1 + n * 5 % 45);
        terminal
            .master
            .resize(size(width, height))
            .expect("a terminal");
        if n % 50 == 0 {
            thread::sleep(Duration::from_millis(5));
        }
    }
    terminal.resize(1, 1);
    thread::sleep(Duration::from_millis(300));
    terminal.resize(80, 24);
    terminal.wait_for("q quit");
    terminal.press("q");
    assert_eq!(terminal.end(), (0, true));
}

#[test]
fn q_quits_at_every_size() {
    for (width, height) in [(1, 1), (5, 2), (24, 6), (40, 12), (300, 100)] {
        let mut terminal = Terminal::start(width, height, &[]);
        terminal.wait("screen", |_| !terminal.is_restored());
        terminal.press("q");
        assert_eq!(terminal.end(), (0, true), "{width}x{height}");
    }
}
