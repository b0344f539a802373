//! A source of tests: only what a test is about has to be written.

use std::time::Duration;

use anyhow::Result;

use super::host;
use crate::source::{RemoteQuery, Replay, Source, TraceLosses, sample_until_counted};
use crate::types::host::Host;
use crate::types::snapshot::Snapshot;

/// What a source of a test does.
pub trait Script {
    /// See [`Source::sample`].
    ///
    /// # Errors
    ///
    /// As the test wants it.
    fn sample(&mut self) -> Result<Option<Snapshot>>;

    /// See [`Source::still_counting`].
    fn still_counting(&self) -> usize {
        0
    }

    /// See [`Source::wait`]; without a script, time passes at once.
    fn wait(&mut self, due: Duration) -> Duration {
        due
    }
}

/// A live source without capabilities that follows a script.
#[derive(Debug)]
pub struct Scripted<S> {
    host: Host,
    /// What it does, with the state that the test looks at.
    pub script: S,
}

impl<S> Scripted<S> {
    /// A source on the machine [`host`].
    pub fn new(script: S) -> Self {
        Self {
            host: host(),
            script,
        }
    }
}

impl<S: Script> Source for Scripted<S> {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn host(&self) -> &Host {
        &self.host
    }

    fn sample(&mut self) -> Result<Option<Snapshot>> {
        self.script.sample()
    }

    fn sample_complete(&mut self) -> Result<Option<Snapshot>> {
        sample_until_counted(self)
    }

    fn still_counting(&self) -> usize {
        self.script.still_counting()
    }

    fn wait(&mut self, due: Duration) -> Duration {
        self.script.wait(due)
    }

    fn notice(&mut self) -> Option<String> {
        None
    }

    fn is_recording(&self) -> bool {
        false
    }

    fn loss_tracer(&mut self) -> Option<&mut dyn TraceLosses> {
        None
    }

    fn replay(&mut self) -> Option<&mut dyn Replay> {
        None
    }

    fn remote(&mut self) -> Option<&mut dyn RemoteQuery> {
        None
    }
}
