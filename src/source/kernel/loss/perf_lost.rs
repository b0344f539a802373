//! Losses that the kernel counts without tracers: the records that perf events lost since their map was
//! first seen, and the backlog of their buffers.

use std::collections::HashMap;
use std::sync::Arc;

use crate::source::kernel::bpf::wire::Record;
use crate::types::loss::{Backlog, Loss};

/// State of one map between reads.
#[derive(Debug, Default)]
struct Track {
    /// The sum over its events at the last read.
    counted: u64,
    /// Records lost before the map was first seen.
    before: u64,
    /// Records lost since the map was first seen.
    lost: u64,
    /// The last result, shared as long as it stays the same.
    latest: Option<Arc<Loss>>,
    was_met: bool,
}

#[derive(Debug, Default)]
pub struct PerfLost {
    tracks: HashMap<u32, Track>,
}

impl PerfLost {
    /// `None` if the kernel counts no losses of this map. To be called for every map of a read.
    pub fn update(&mut self, record: &Record) -> Option<Arc<Loss>> {
        let lost = record.known_perf_lost();
        if lost.is_none() && record.perf_capacity == 0 {
            return None;
        }
        let track = self.tracks.entry(record.id).or_insert_with(|| Track {
            counted: lost.unwrap_or(0),
            before: lost.unwrap_or(0),
            ..Track::default()
        });
        track.was_met = true;
        let now = track.update(lost, record);
        if track.latest.as_deref() != Some(&now) {
            track.latest = Some(Arc::new(now));
        }
        track.latest.clone()
    }

    /// Forgets the maps that a whole read did not meet.
    pub(crate) fn finish_pass(&mut self) {
        self.tracks
            .retain(|_, track| std::mem::take(&mut track.was_met));
    }
}

/// The unread part of the fullest buffer.
#[expect(clippy::cast_precision_loss, reason = "at most a thousand")]
fn part_of_full(record: &Record) -> f64 {
    record.perf_fullest as f64 / 1000.0
}

impl Track {
    fn update(&mut self, lost: Option<u64>, record: &Record) -> Loss {
        if let Some(counted) = lost {
            // Less than before: it has other events now, which may have lost something before they
            // were put into the map.
            let more = counted.saturating_sub(self.counted);
            self.lost = self.lost.saturating_add(more);
            self.counted = counted;
        }
        Loss {
            drops: lost.map(|_| self.lost),
            drops_before: lost.map(|_| self.before),
            reason: lost
                .is_none()
                .then_some("lost records are counted by Linux 6.0 and later".into()),
            backlog: Some(Backlog {
                bytes: record.perf_backlog,
                room: record.perf_capacity,
                fullest: part_of_full(record),
            })
            .filter(|backlog| backlog.room > 0),
            ..Loss::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::kernel::bpf::wire::map_record_flags;

    fn events(perf_lost: u64) -> Record {
        Record {
            id: 7,
            flags: map_record_flags::REC_F_HAS_PERF_LOST,
            perf_lost,
            perf_backlog: 300,
            perf_capacity: 8192,
            perf_fullest: 40,
            ..Record::default()
        }
    }

    /// One read of this map.
    fn read(perf_lost: &mut PerfLost, record: &Record) -> Option<Arc<Loss>> {
        let found = perf_lost.update(record);
        perf_lost.finish_pass();
        found
    }

    #[test]
    fn losses_count_from_the_first_sample() {
        let mut perf_lost = PerfLost::default();
        let drops: Vec<_> = [100, 100, 131, 150]
            .map(|count| read(&mut perf_lost, &events(count)).expect("a loss").drops)
            .into();
        assert_eq!(drops, [Some(0), Some(0), Some(31), Some(50)]);
    }

    #[test]
    fn what_was_lost_before_the_first_look_is_kept_apart() {
        let mut perf_lost = PerfLost::default();
        let before: Vec<_> = [100, 131]
            .map(|count| {
                read(&mut perf_lost, &events(count))
                    .expect("a loss")
                    .drops_before
            })
            .into();
        assert_eq!(before, [Some(100), Some(100)]);
    }

    #[test]
    fn earlier_losses_of_new_events_are_not_counted() {
        let mut perf_lost = PerfLost::default();
        let drops: Vec<_> = [100, 131, 40, 45]
            .map(|count| read(&mut perf_lost, &events(count)).expect("a loss").drops)
            .into();
        assert_eq!(drops, [Some(0), Some(31), Some(31), Some(36)]);
    }

    #[test]
    fn a_reused_map_id_starts_from_zero() {
        let mut perf_lost = PerfLost::default();
        read(&mut perf_lost, &events(100));
        perf_lost.finish_pass();
        let loss = read(&mut perf_lost, &events(900)).expect("a loss");
        assert_eq!(loss.drops, Some(0));
    }

    #[test]
    fn the_backlog_is_known_without_the_losses() {
        let record = Record {
            flags: map_record_flags::default(),
            ..events(0)
        };
        let loss = read(&mut PerfLost::default(), &record).expect("a loss");
        assert_eq!(loss.drops, None);
        assert!(
            loss.reason
                .as_deref()
                .is_some_and(|why| why.contains("6.0"))
        );
        let backlog = Backlog {
            bytes: 300,
            room: 8192,
            fullest: 0.04,
        };
        assert_eq!(loss.backlog, Some(backlog));
    }

    #[test]
    fn other_maps_have_no_losses_without_tracers() {
        assert_eq!(read(&mut PerfLost::default(), &Record::default()), None);
    }

    #[test]
    fn an_unchanged_loss_is_shared() {
        let mut perf_lost = PerfLost::default();
        let first = read(&mut perf_lost, &events(5)).expect("a loss");
        let second = read(&mut perf_lost, &events(5)).expect("a loss");
        assert!(Arc::ptr_eq(&first, &second));
    }
}
