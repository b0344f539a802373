//! Where snapshots come from: a kernel as they are taken, a recording as they were.

use std::time::Duration;

use anyhow::Result;

use super::snapshot::{Host, MapKey, Moment, Snapshot};
use super::wish::{Earlier, Wish};

/// Samples for one whole snapshot at the most, while maps are still counted for the first time.
const MOST_PASSES: u32 = 1000;

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
    fn sample_whole(&mut self) -> Result<Option<Snapshot>> {
        sample_until_counted(self)
    }

    /// Whether maps are still being counted for the first time, so that sampling again at once
    /// would tell more.
    fn is_still_counting(&self) -> bool {
        false
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
    /// [`Self::sample_whole`]; what came of it is in the snapshots that follow. A recording shows what
    /// was watched then.
    fn watch_losses(&mut self, _on: bool) {}

    /// Whether there is more to be had than at the last sample, before another is due.
    fn has_news(&self) -> bool {
        false
    }

    /// Says what is wanted from now on, to a source that has more than that.
    fn wish(&mut self, _wish: Wish) {}

    /// Says which maps somebody looks at, so that what they held before can be had of [`Self::past`].
    fn look_at(&mut self, _keys: &[MapKey]) {}

    /// What maps held before they were first seen, as far as it is known by now; each is given once.
    fn past(&mut self) -> Vec<Earlier> {
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

/// What [`Source::sample_whole`] does where there is nothing more to wait for.
///
/// # Errors
///
/// As [`Source::sample`].
pub fn sample_until_counted(source: &mut (impl Source + ?Sized)) -> Result<Option<Snapshot>> {
    let mut snapshot = source.sample()?;
    for _ in 0..MOST_PASSES {
        if !source.is_still_counting() {
            break;
        }
        snapshot = source.sample()?;
    }
    Ok(snapshot)
}
