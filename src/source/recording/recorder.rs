//! A source that writes what another gives to a file on the way.

use std::time::Duration;

use anyhow::Result;

use super::writer::Writer;
use crate::analysis::backfill::Backfill;
use crate::source::Source;
use crate::source::request::SourceQuery;
use crate::types::host::{Host, Moment};
use crate::types::map_id::MapKey;
use crate::types::snapshot::Snapshot;

/// A source that is recorded. That the file can no longer be written does not stop it.
pub struct Recorder<S> {
    source: S,
    /// `None` once a write has failed.
    writer: Option<Writer>,
    notice: Option<String>,
}

impl<S: Source> Recorder<S> {
    /// Records what this source will give.
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

    fn moments(&self) -> &[Moment] {
        self.source.moments()
    }

    fn seek(&mut self, at: usize) {
        self.source.seek(at);
    }

    fn watch_losses(&mut self, on: bool) {
        self.source.watch_losses(on);
    }

    fn has_pending(&self) -> bool {
        self.source.has_pending()
    }

    fn set_query(&mut self, wish: SourceQuery) {
        self.source.set_query(wish);
    }

    fn set_visible(&mut self, keys: &[MapKey]) {
        self.source.set_visible(keys);
    }

    fn take_backfill(&mut self) -> Vec<Backfill> {
        self.source.take_backfill()
    }

    fn is_recording(&self) -> bool {
        self.writer.is_some()
    }

    fn notice(&mut self) -> Option<String> {
        self.notice.take().or_else(|| self.source.notice())
    }
}
