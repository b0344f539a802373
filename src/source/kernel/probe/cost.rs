//! Measures the cost of a sample and of collecting owners, and what is unknown about owners.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::analysis::history::History;
use crate::source::Source;
use crate::source::kernel::Kernel;
use crate::source::kernel::owners::OwnershipCollector;
use crate::types::doctor_report::Cost;
use crate::types::ownership_gap::OwnershipGap;

/// Measurements stop after this many samples.
const MAX_SAMPLES: usize = 9;
/// Measurements stop after this time.
const MAX_DURATION: Duration = Duration::from_millis(100);

/// The cost of reading maps and owners, and the gaps in ownership; `None` if owners cannot be collected.
///
/// # Errors
///
/// When the maps cannot be read.
pub fn measure(
    kernel: &mut Kernel,
    collector: Option<OwnershipCollector>,
) -> Result<(Cost, Option<Vec<OwnershipGap>>)> {
    // Later reads look at more than the first.
    kernel.sample()?;
    let mut maps = 0;
    let read = measure_median(|| {
        maps = kernel.read()?.len() / Kernel::record_size();
        Ok(())
    })?;
    let mut history = History::live();
    let sample = measure_median(|| {
        if let Some(snapshot) = kernel.sample()? {
            let old = history.read(snapshot);
            history.recycle(old);
        }
        Ok(())
    })?;
    let mut owners = None;
    let mut unknown = None;
    if let Some(mut collector) = collector {
        // The first run fills caches.
        owners = measure_median(|| collector.collect().map(drop)).ok();
        unknown = owners.map(|_| collector.gaps().to_vec());
    }
    let cost = Cost {
        maps,
        read,
        // There is a read in it, which may have been a faster one.
        sample: sample.max(read),
        owners,
    };
    Ok((cost, unknown))
}

/// The median duration of a few runs.
fn measure_median(mut work: impl FnMut() -> Result<()>) -> Result<Duration> {
    let began = Instant::now();
    let mut times = Vec::new();
    while times.len() < MAX_SAMPLES && (times.is_empty() || began.elapsed() < MAX_DURATION) {
        let start = Instant::now();
        work()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}
