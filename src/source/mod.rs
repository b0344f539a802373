//! Where snapshots come from: a kernel as they are taken, a recording as they were.

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

/// Samples for one whole snapshot at the most, while maps are still counted for the first time.
const MAX_PASSES: u32 = 1000;

/// So much later than it was meant to be a sleeper may wake and still be on time.
const WAKEUP_TOLERANCE: Duration = Duration::from_millis(50);

/// A kernel, a recording, or one that records another.
pub trait Source {
    /// What to call it in a report: `kernel`, `recording`.
    fn name(&self) -> &'static str;

    /// The machine it looks at, or looked at.
    fn host(&self) -> &Host;

    /// Takes the next snapshot; `None` when there is nothing new, or will be no more.
    ///
    /// # Errors
    ///
    /// When this snapshot could not be taken; a later one may succeed.
    fn sample(&mut self) -> Result<Option<Snapshot>>;

    /// Takes a snapshot in which everything that can be counted is, as far as that ends; `None`
    /// when there will be no more.
    ///
    /// # Errors
    ///
    /// As [`Self::sample`].
    fn sample_complete(&mut self) -> Result<Option<Snapshot>> {
        sample_until_counted(self)
    }

    /// How many maps are still being counted for the first time, so that sampling again at once
    /// would tell more.
    fn still_counting(&self) -> usize {
        0
    }

    /// Lets time pass until this uptime, and gives the uptime that the next sample is for: `due`,
    /// or later if that is past.
    fn wait(&mut self, due: Duration) -> Duration;

    /// When its snapshots were taken, in order, where all of them are there already; empty for a
    /// live source.
    fn moments(&self) -> &[Moment] {
        &[]
    }

    /// Makes the next sample the one taken at `moments()[at]`.
    fn seek(&mut self, _at: usize) {}

    /// Begins to watch what maps lose, or ends that. It may take a while, which nobody waits for but
    /// [`Self::sample_complete`]; what came of it is in the snapshots that follow. A recording shows what
    /// was watched then.
    fn watch_losses(&mut self, _on: bool) {}

    /// Whether there is more to be had than at the last sample, before another is due.
    fn has_pending(&self) -> bool {
        false
    }

    /// Says what is wanted from now on, to a source that has more than that.
    fn set_query(&mut self, _wish: SourceQuery) {}

    /// Says which maps somebody looks at, so that what they held before can be had of [`Self::take_backfill`].
    fn set_visible(&mut self, _keys: &[MapKey]) {}

    /// What maps held before they were first seen, as far as it is known by now; each is given once.
    fn take_backfill(&mut self) -> Vec<Backfill> {
        Vec::new()
    }

    /// Whether what is read is being written to a file.
    fn is_recording(&self) -> bool {
        false
    }

    /// What the user should know although it is no error; each is given once.
    fn notice(&mut self) -> Option<String> {
        None
    }
}

/// What [`Source::sample_complete`] does where there is nothing more to wait for.
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

/// What [`Source::wait`] does where time passes by itself: sleeps until it is due by this clock. One
/// that wakes far too late, as it was stopped meanwhile or the machine slept, is not to make up for
/// what it missed.
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

    /// What it is due at when it is due at a second, by a clock that says these milliseconds.
    fn due(clock: &[u64]) -> u64 {
        let clock = RefCell::new(clock.iter().copied());
        let now = || Duration::from_millis(clock.borrow_mut().next().expect("a time"));
        let due = sleep_until(Duration::from_secs(1), now);
        due.as_millis().try_into().expect("a short time")
    }

    #[test]
    fn the_beat_is_kept_by_who_wakes_a_moment_late_and_begins_anew_after_a_long_sleep() {
        assert_eq!(due(&[999, 1000]), 1000);
        assert_eq!(due(&[999, 1040]), 1000);
        assert_eq!(due(&[999, 1060]), 1060);
        assert_eq!(due(&[999, 3_601_000]), 3_601_000);
        assert_eq!(due(&[1000]), 1000);
        assert_eq!(due(&[1700]), 1700);
    }
}
