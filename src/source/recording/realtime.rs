//! Replays a recording at its original speed, with times as if it had started with this process.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::Recording;
use crate::source::{RemoteQuery, Replay, Source, TraceLosses};
use crate::types::host::{Host, Moment};
use crate::types::snapshot::Snapshot;

/// A recording replayed in real time. After its end, the last sample is repeated.
pub struct RealtimeReplay {
    recording: Recording,
    moments: Vec<Moment>,
    start: Instant,
}

impl RealtimeReplay {
    /// Starts the replay.
    #[must_use]
    pub fn new(recording: Recording) -> Self {
        Self {
            moments: recording.moments().to_vec(),
            recording,
            start: Instant::now(),
        }
    }

    /// The index of the latest sample `elapsed` after the first, and the moment to give it.
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

impl Source for RealtimeReplay {
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

    fn sample_complete(&mut self) -> Result<Option<Snapshot>> {
        self.sample()
    }

    fn still_counting(&self) -> usize {
        0
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::recording::Writer;
    use crate::test_util::{host, map, moment, snapshot};

    /// A recording of a map that gains one entry a second, and its replay, started the given time ago.
    fn timed(seconds: &[u32], ago: Duration) -> RealtimeReplay {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("maps.mrec");
        let mut writer = Writer::create(&path, &host()).expect("a file");
        for second in seconds {
            let sample = snapshot(*second, [map("m").used((*second).into(), 1000)]);
            writer.write(&sample).expect("room");
        }
        drop(writer);
        let recording = Recording::open(&path).expect("a recording");
        RealtimeReplay {
            start: Instant::now().checked_sub(ago).expect("it is later"),
            ..RealtimeReplay::new(recording)
        }
    }

    fn at(timed: &RealtimeReplay, millis: u64) -> (usize, Moment) {
        let at = timed.at(Duration::from_millis(millis));
        at.expect("it is not empty")
    }

    #[test]
    fn the_latest_sample_counts_until_the_next_and_the_last_for_good() {
        let timed = timed(&[10, 12, 20], Duration::ZERO);
        for (millis, place) in [
            (0, 0),
            (1999, 0),
            (2000, 1),
            (9999, 1),
            (10_000, 2),
            (3_600_000, 2),
        ] {
            assert_eq!(at(&timed, millis).0, place, "{millis}");
        }
    }

    #[test]
    fn time_goes_on_between_samples_and_after_the_last_by_both_clocks() {
        let timed = timed(&[10, 12, 20], Duration::ZERO);
        for seconds in [0, 1, 2, 5, 10, 600] {
            let (_, now) = at(&timed, u64::from(seconds) * 1000);
            assert_eq!(now, moment(10 + seconds), "{seconds}");
        }
    }

    #[test]
    fn a_sample_is_what_was_held_then_at_the_time_it_is_now() {
        for (ago, used, is_over) in [(0, 10, false), (5, 12, false), (100, 20, true)] {
            let mut timed = timed(&[10, 12, 20], Duration::from_secs(ago));
            // After the end, every call returns the last sample.
            for _ in 0..2 {
                let sample = timed.sample().expect("a snapshot").expect("one");
                assert_eq!(sample.maps[0].used, Some(used), "{ago}");
                let uptime = sample.moment.uptime.as_secs();
                assert!((10 + ago..12 + ago).contains(&uptime), "{ago}: {uptime}");
                assert_eq!(uptime > 20, is_over);
            }
        }
    }
}
