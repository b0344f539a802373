//! A recording that goes by as it once did: a source of how things would be now, if it had begun with
//! this process.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::Recording;
use crate::model::snapshot::{Host, Moment, Snapshot};
use crate::model::source::Source;

/// A recording in its own time. After its end, all stays as it was.
pub struct Timed {
    recording: Recording,
    moments: Vec<Moment>,
    start: Instant,
}

impl Timed {
    /// Begins now.
    #[must_use]
    pub fn new(recording: Recording) -> Self {
        Self {
            moments: recording.moments().to_vec(),
            recording,
            start: Instant::now(),
        }
    }

    /// The sample that was the latest so long after the first, and the moment that it is then.
    fn at(&self, elapsed: Duration) -> Option<(usize, Moment)> {
        let first = self.moments.first()?;
        let uptime = first.uptime + elapsed;
        let at = self
            .moments
            .partition_point(|moment| moment.uptime <= uptime);
        let wall = first.wall.checked_add(elapsed).unwrap_or(first.wall);
        Some((at.saturating_sub(1), Moment { uptime, wall }))
    }
}

impl Source for Timed {
    fn name(&self) -> &'static str {
        self.recording.name()
    }

    fn host(&self) -> &Host {
        self.recording.host()
    }

    fn sample(&mut self) -> Result<Option<Snapshot>> {
        let Some((at, moment)) = self.at(self.start.elapsed()) else {
            return Ok(None);
        };
        self.recording.seek(at);
        let snapshot = self.recording.sample()?;
        Ok(snapshot.map(|snapshot| Snapshot { moment, ..snapshot }))
    }

    fn wait(&mut self, due: Duration) -> Duration {
        due
    }

    fn notice(&mut self) -> Option<String> {
        self.recording.notice()
    }
}
