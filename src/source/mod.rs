//! Where snapshots come from: the kernel, a recording, or a Prometheus server.

pub mod kernel;
pub(crate) mod metrics;
pub mod prometheus;
pub mod recording;
pub mod request;
pub mod warmup;
pub(crate) mod worker;

use std::thread;
use std::time::Duration;

use anyhow::Result;

use crate::analysis::backfill::Backfill;
use crate::types::host::{Host, Moment};
use crate::types::map_id::MapKey;
use crate::types::snapshot::Snapshot;
use request::SourceQuery;

/// How often a source is sampled at most until every map was counted once.
const MAX_PASSES: u32 = 1000;

/// Wake-up latency that still counts as on time.
const WAKEUP_TOLERANCE: Duration = Duration::from_millis(50);

/// A kernel, a recording, a Prometheus server, or one of these that is being recorded.
///
/// No method has a default: a source that wraps another must forward each of them. Capabilities of
/// only some sources are separate traits, which callers reach through [`SourceExt`].
pub trait Source {
    /// The name in reports: `kernel`, `recording` or `prometheus`.
    fn name(&self) -> &'static str;

    /// The machine that is sampled; for a fleet, the server.
    fn host(&self) -> &Host;

    /// Takes the next snapshot; `None` if there is nothing new, or the source has ended.
    ///
    /// # Errors
    ///
    /// If this snapshot could not be taken; a later one may succeed.
    fn sample(&mut self) -> Result<Option<Snapshot>>;

    /// Takes a snapshot in which every map is counted that can be, and for which the source waited
    /// for tracers and owners; `None` if the source has ended. [`sample_until_counted`] does this for
    /// a source that has nothing else to wait for.
    ///
    /// # Errors
    ///
    /// As [`Self::sample`].
    fn sample_complete(&mut self) -> Result<Option<Snapshot>>;

    /// The number of maps whose first count is not complete: sampling again at once continues it.
    fn still_counting(&self) -> usize;

    /// Waits until the uptime `due`, and returns the uptime of the next sample: `due`, or later if
    /// that has passed.
    fn wait(&mut self, due: Duration) -> Duration;

    /// Takes a message for the user that is not an error.
    fn notice(&mut self) -> Option<String>;

    /// Whether snapshots are being written to a file.
    fn is_recording(&self) -> bool;

    /// `None` if losses cannot be traced here.
    fn loss_tracer(&mut self) -> Option<&mut dyn TraceLosses>;

    /// `None` for a live source.
    fn replay(&mut self) -> Option<&mut dyn Replay>;

    /// `None` for a source that always sends all maps.
    fn remote(&mut self) -> Option<&mut dyn RemoteQuery>;
}

/// A source that can trace the losses of maps.
pub trait TraceLosses {
    /// Starts or stops tracing. Attaching tracers takes time, for which only
    /// [`Source::sample_complete`] waits; snapshots say how far it came.
    fn trace_losses(&mut self, on: bool);
}

/// A source whose snapshots were all taken before.
pub trait Replay {
    /// When the snapshots were taken, in order.
    fn moments(&self) -> &[Moment];

    /// Makes `moments()[index]` the next sample.
    fn seek(&mut self, index: usize);
}

/// A source that has more maps than it sends, and fetches them in the background.
pub trait RemoteQuery {
    /// Sets which maps are wanted from now on.
    fn set_query(&mut self, query: SourceQuery);

    /// Sets which maps are on the screen: their past is fetched for [`Self::take_backfill`].
    fn set_visible(&mut self, keys: &[MapKey]);

    /// Takes what was fetched of the past of visible maps.
    fn take_backfill(&mut self) -> Vec<Backfill>;

    /// Whether a sample would have something new before the next one is due.
    fn has_pending(&self) -> bool;
}

/// The capabilities of any source: without the capability, a method does nothing.
pub trait SourceExt: Source {
    /// See [`TraceLosses::trace_losses`].
    fn trace_losses(&mut self, on: bool) {
        if let Some(tracer) = self.loss_tracer() {
            tracer.trace_losses(on);
        }
    }

    /// See [`Replay::moments`]; empty for a live source.
    fn moments(&mut self) -> &[Moment] {
        self.replay().map_or(&[], |replay| replay.moments())
    }

    /// See [`Replay::seek`].
    fn seek(&mut self, index: usize) {
        if let Some(replay) = self.replay() {
            replay.seek(index);
        }
    }

    /// See [`RemoteQuery::set_query`].
    fn set_query(&mut self, query: SourceQuery) {
        if let Some(remote) = self.remote() {
            remote.set_query(query);
        }
    }

    /// See [`RemoteQuery::set_visible`].
    fn set_visible(&mut self, keys: &[MapKey]) {
        if let Some(remote) = self.remote() {
            remote.set_visible(keys);
        }
    }

    /// See [`RemoteQuery::take_backfill`].
    fn take_backfill(&mut self) -> Vec<Backfill> {
        self.remote()
            .map_or_else(Vec::new, RemoteQuery::take_backfill)
    }

    /// See [`RemoteQuery::has_pending`].
    fn has_pending(&mut self) -> bool {
        self.remote().is_some_and(|remote| remote.has_pending())
    }
}

impl<S: Source + ?Sized> SourceExt for S {}

/// Samples until every map was counted once.
///
/// # Errors
///
/// As [`Source::sample`].
pub fn sample_until_counted(source: &mut (impl Source + ?Sized)) -> Result<Option<Snapshot>> {
    let mut snapshot = source.sample()?;
    for _ in 0..MAX_PASSES {
        if source.still_counting() == 0 {
            break;
        }
        snapshot = source.sample()?;
    }
    Ok(snapshot)
}

/// Implements [`Source::wait`] for a live source: sleeps until `due` by the clock `now`. After a
/// wake-up that is far too late, since the process was stopped or the machine slept, the time of
/// waking is returned, so that missed samples are not made up for.
pub fn sleep_until(due: Duration, now: impl Fn() -> Duration) -> Duration {
    let start = now();
    if due <= start {
        return start;
    }
    thread::sleep(due.saturating_sub(start));
    let woken = now();
    if woken > due + WAKEUP_TOLERANCE {
        woken
    } else {
        due
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// The result in milliseconds of a sleep until one second, with these readings of the clock.
    fn due(clock: &[u64]) -> u64 {
        let clock = RefCell::new(clock.iter().copied());
        let now = || Duration::from_millis(clock.borrow_mut().next().expect("a time"));
        let due = sleep_until(Duration::from_secs(1), now);
        due.as_millis().try_into().expect("a short time")
    }

    #[test]
    fn a_late_wake_up_is_on_time_within_the_tolerance_only() {
        assert_eq!(due(&[999, 1000]), 1000);
        assert_eq!(due(&[999, 1040]), 1000);
        assert_eq!(due(&[999, 1060]), 1060);
        assert_eq!(due(&[999, 3_601_000]), 3_601_000);
        assert_eq!(due(&[1000]), 1000);
        assert_eq!(due(&[1700]), 1700);
    }
}
