//! A source that records another: it writes every snapshot to a file and passes it on.

use std::time::Duration;

use anyhow::Result;

use super::writer::Writer;
use crate::source::{RemoteQuery, Replay, Source, TraceLosses};
use crate::types::host::Host;
use crate::types::snapshot::Snapshot;

/// A source with its recording. If the file can no longer be written, sampling continues.
pub struct Recorder<S> {
    source: S,
    /// `None` after a write has failed.
    writer: Option<Writer>,
    notice: Option<String>,
}

impl<S: Source> Recorder<S> {
    /// Wraps a source; `writer` gets every snapshot taken from it.
    pub fn new(source: S, writer: Writer) -> Self {
        Self {
            source,
            writer: Some(writer),
            notice: None,
        }
    }

    fn record(&mut self, snapshot: Option<&Snapshot>) {
        if let (Some(writer), Some(snapshot)) = (&mut self.writer, snapshot)
            && let Err(error) = writer.write(snapshot)
        {
            self.notice = Some(format!(
                "recording stopped: {error:#}; {}",
                writer.describe_contents()
            ));
            self.writer = None;
        }
    }
}

impl<S: Source> Source for Recorder<S> {
    fn name(&self) -> &'static str {
        self.source.name()
    }

    fn host(&self) -> &Host {
        self.source.host()
    }

    fn sample(&mut self) -> Result<Option<Snapshot>> {
        let snapshot = self.source.sample()?;
        self.record(snapshot.as_ref());
        Ok(snapshot)
    }

    fn sample_complete(&mut self) -> Result<Option<Snapshot>> {
        let snapshot = self.source.sample_complete()?;
        self.record(snapshot.as_ref());
        Ok(snapshot)
    }

    fn still_counting(&self) -> usize {
        self.source.still_counting()
    }

    fn wait(&mut self, due: Duration) -> Duration {
        self.source.wait(due)
    }

    fn is_recording(&self) -> bool {
        self.writer.is_some()
    }

    fn notice(&mut self) -> Option<String> {
        self.notice.take().or_else(|| self.source.notice())
    }

    fn loss_tracer(&mut self) -> Option<&mut dyn TraceLosses> {
        self.source.loss_tracer()
    }

    fn replay(&mut self) -> Option<&mut dyn Replay> {
        self.source.replay()
    }

    fn remote(&mut self) -> Option<&mut dyn RemoteQuery> {
        self.source.remote()
    }
}
