//! A hundred thousand maps: what a tick of the live view takes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use mapstop::source::Source;
use mapstop::source::kernel::{Kernel, now};
use mapstop::tui::state::App;
use mapstop::types::host::Host;

use crate::pinned::Crowd;
use crate::{in_us, median, verdict};

const MAPS: u32 = 100_000;
const TICKS: usize = 20;
const MAX_TICK: Duration = Duration::from_millis(120);

/// The bare read, and the whole tick.
pub fn rows() -> Result<Vec<Vec<String>>> {
    let _crowd = Crowd::new(MAPS);
    let mut kernel = Kernel::new()?;
    let mut app = App::new(Host::default(), now());
    let mut times = [Vec::new(), Vec::new()];
    for n in 0..=TICKS {
        let start = Instant::now();
        kernel.read()?;
        let read = start.elapsed();
        let start = Instant::now();
        let snapshot = kernel.sample()?;
        let snapshot = snapshot.context("a kernel always has one more")?;
        app.ingest(snapshot, Duration::ZERO);
        let tick = start.elapsed();
        // The first tick costs more.
        if n > 0 {
            times[0].push(read);
            times[1].push(tick);
        }
    }
    let [read, tick] = times.map(median);
    Ok(vec![
        vec![format!("read of {MAPS} maps"), in_us(read), String::new()],
        vec![
            format!(
                "tick of {MAPS} maps, {:.2} times the read",
                tick.as_secs_f64() / read.as_secs_f64()
            ),
            in_us(tick),
            verdict(&in_us(MAX_TICK), tick <= MAX_TICK),
        ],
    ])
}
