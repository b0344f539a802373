//! The live view in a terminal.

use libbpf_rs::{MapCore, MapFlags, MapType};

use crate::is_guest;
use crate::support::terminal::Terminal;
use crate::support::{create_hash, map};

#[test]
fn shows_counts_losses_and_owners() {
    if !is_guest() {
        return;
    }
    let full = map(MapType::Hash, "guest_full", (4, 8), 20, 0);
    let put = |keys: std::ops::Range<u32>| {
        let put = |key: u32| full.update(&key.to_ne_bytes(), &[0; 8], MapFlags::ANY);
        keys.map(put).filter(Result::is_err).count()
    };
    assert_eq!(put(0..20), 0);
    let _other = create_hash("guest_other", 3, 10);
    let mut terminal = Terminal::start(140, 40, &["-d", "0.5"]);
    terminal.wait_for("guest_full");
    terminal.wait_for("guest_other");
    terminal.press("l");
    terminal.wait_for("LOSSES watched");
    // Repeated, so that it does not matter when tracing began.
    terminal.wait("updates that are refused", |screen| {
        assert_eq!(put(100..107), 7);
        let line = screen.lines().find(|line| line.contains("guest_full"));
        line.is_some_and(|line| line.contains(" fail ") && line.contains("/s"))
    });
    terminal.press("/guest_full\r\r");
    terminal.wait_for("other map");
    terminal.wait_for("updates refused");
    for word in ["guest_full", "hash", "memory", "E2BIG"] {
        assert!(terminal.screen().contains(word), "{}", terminal.screen());
    }
    assert_eq!(terminal.quit(), (0, true));
}
