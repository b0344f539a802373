//! What the kernel tells of losses by itself: the records that perf events lost since their map was
//! first seen, and what waits in their buffers.

use std::collections::HashMap;
use std::sync::Arc;

use crate::source::kernel::bpf::wire::Record;
use crate::types::loss::{Backlog, Loss};

/// What was read of one map before.
#[derive(Debug, Default)]
struct Track {
    /// What its events had lost then, all in all.
    counted: u64,
    /// What they lost since the map was first seen.
    lost: u64,
    /// What was said last; most often it is the same again.
    said: Option<Arc<Loss>>,
    was_met: bool,
}

/// Remembers what was lost.
#[derive(Debug, Default)]
pub struct PerfLost {
    tracks: HashMap<u32, Track>,
}

impl PerfLost {
    /// What this map lost; `None` if the kernel tells nothing of it. To be asked of every map of a
    /// pass.
    pub fn look(&mut self, record: &Record) -> Option<Arc<Loss>> {
        let lost = record.known_perf_lost();
        if lost.is_none() && record.perf_capacity == 0 {
            return None;
        }
        let track = self.tracks.entry(record.id).or_insert_with(|| Track {
            counted: lost.unwrap_or(0),
            ..Track::default()
        });
        track.was_met = true;
        let now = track.events(lost, record);
        if track.said.as_deref() != Some(&now) {
            track.said = Some(Arc::new(now));
        }
        track.said.clone()
    }

    /// Forgets the maps that a whole pass did not meet.
    pub fn finish_pass(&mut self) {
        self.tracks
            .retain(|_, track| std::mem::take(&mut track.was_met));
    }
}

impl Track {
    fn events(&mut self, lost: Option<u64>, record: &Record) -> Loss {
        if let Some(counted) = lost {
            // Less than before: there are other events in it now, which may have lost something
            // before they came.
            let more = counted.saturating_sub(self.counted);
            self.lost = self.lost.saturating_add(more);
            self.counted = counted;
        }
        Loss {
            drops: lost.map(|_| self.lost),
            reason: lost
                .is_none()
                .then_some("records that were lost are told by Linux 6.0 and later".into()),
            backlog: Some(Backlog {
                bytes: record.perf_backlog,
                room: record.perf_capacity,
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
            ..Record::default()
        }
    }

    /// One pass over this map.
    fn pass(free: &mut PerfLost, record: &Record) -> Option<Arc<Loss>> {
        let loss = free.look(record);
        free.finish_pass();
        loss
    }

    #[test]
    fn records_are_lost_from_the_first_look_on() {
        let mut free = PerfLost::default();
        let drops: Vec<_> = [100, 100, 131, 150]
            .map(|lost| pass(&mut free, &events(lost)).expect("a loss").drops)
            .into();
        assert_eq!(drops, [Some(0), Some(0), Some(31), Some(50)]);
    }

    #[test]
    fn other_events_begin_anew_and_what_they_had_lost_is_not_counted() {
        let mut free = PerfLost::default();
        let drops: Vec<_> = [100, 131, 40, 45]
            .map(|lost| pass(&mut free, &events(lost)).expect("a loss").drops)
            .into();
        assert_eq!(drops, [Some(0), Some(31), Some(31), Some(36)]);
    }

    #[test]
    fn a_map_that_takes_over_the_id_of_another_begins_anew() {
        let mut free = PerfLost::default();
        pass(&mut free, &events(100));
        free.finish_pass();
        let loss = pass(&mut free, &events(900)).expect("a loss");
        assert_eq!(loss.drops, Some(0));
    }

    #[test]
    fn the_backlog_is_told_where_losses_are_not() {
        let record = Record {
            flags: map_record_flags::default(),
            ..events(0)
        };
        let loss = pass(&mut PerfLost::default(), &record).expect("a loss");
        assert_eq!(loss.drops, None);
        assert!(
            loss.reason
                .as_deref()
                .is_some_and(|why| why.contains("6.0"))
        );
        let backlog = Backlog {
            bytes: 300,
            room: 8192,
        };
        assert_eq!(loss.backlog, Some(backlog));
    }

    #[test]
    fn other_maps_lose_nothing_that_the_kernel_tells() {
        assert_eq!(pass(&mut PerfLost::default(), &Record::default()), None);
    }

    #[test]
    fn what_stays_the_same_is_said_by_the_same_words() {
        let mut free = PerfLost::default();
        let first = pass(&mut free, &events(5)).expect("a loss");
        let second = pass(&mut free, &events(5)).expect("a loss");
        assert!(Arc::ptr_eq(&first, &second));
    }
}
