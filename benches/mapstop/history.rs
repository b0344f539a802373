//! What the levels of many maps through ten minutes cost in memory.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use mapstop::test_util::{host, map, moment, snapshot};
use mapstop::tui::state::App;

/// Memory of this process alone, in MiB.
fn memory() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.context("no RssAnon")?.parse::<f64>()? / 1024.0)
}

/// The memory of a live view of `maps` maps after `seconds`, one in `changing` of which changes each
/// second: MiB, points, and the resolution of the history if it is coarser.
pub fn after(maps: u32, seconds: u32, changing: u32) -> Result<(f64, usize, Option<String>)> {
    let before = memory()?;
    let mut app = App::new(host(), moment(0));
    for second in 0..seconds {
        let level = |id: u32| u64::from((second + id) / changing % 900);
        let maps = (0..maps).map(|id| map("bench").id(id).used(level(id), 1000));
        app.ingest(snapshot(second, maps), Duration::ZERO);
    }
    let history = app.history();
    let coarser = history.degraded_resolution().map(|detail| {
        format!(
            "{} s whole, then a point in {} s, {} min in all",
            detail.fine.as_secs(),
            detail.step.as_secs(),
            detail.total.as_secs() / 60
        )
    });
    Ok((memory()? - before, history.points(), coarser))
}
