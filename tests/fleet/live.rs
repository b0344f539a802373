//! The live view of a fleet, in a terminal.

use portable_pty::CommandBuilder;

use crate::parts::{count, exporter};
use crate::support::prometheus::{Prometheus, wait_until};
use crate::support::terminal::Terminal;

#[test]
fn the_live_view_survives_a_prometheus_restart() {
    let (a, b) = (exporter("node-17.mrec"), exporter("node-17.mrec"));
    let mut server = Prometheus::start(&[a.address, b.address]);
    let url = server.url();
    wait_until("both are there", || count(&url, &[]) == 40);
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mapstop"));
    command.args(["--prometheus", &url, "-d", "0.5"]);
    let mut terminal = Terminal::run(140, 40, command);
    terminal.wait_for("40 maps");
    terminal.wait_for(&a.address.to_string());
    terminal.wait_for(&b.address.to_string());
    // The selection stays.
    terminal.press("/ct4_global\r");
    server.stop();
    terminal.wait_for("STALE");
    assert!(
        terminal.screen().contains("pol_ep_02366"),
        "the last numbers stay:\n{}",
        terminal.screen()
    );
    server.run();
    terminal.wait("numbers of now", |screen| !screen.contains("STALE"));
    terminal.press("\r");
    terminal.wait_for("other map");
    assert!(terminal.screen().contains("ct4_global"));
    terminal.press("qq");
    assert_eq!(terminal.end(), (0, true));
}
