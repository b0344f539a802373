//! What the kernel tells of losses by itself: the records that perf events lost since their map was
//! first seen, and ring buffers whose reader stands still.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::decode::{Record, known};
use crate::model::loss::{Backlog, Loss};

/// A buffer with less free room than this part of it is about to drop something.
const LEAST_ROOM: u64 = 4;

/// A reader may sleep that long and more; one that sleeps longer while its buffer is nearly full
/// is said to stand still.
const LEAST_STALL: Duration = Duration::from_secs(3);

/// What was read of one map before.
#[derive(Debug, Default)]
struct Track {
    /// What its events had lost then, all in all.
    counted: u64,
    /// What they lost since the map was first seen.
    lost: u64,
    /// Where its reader was, and since when, while the buffer is nearly full.
    still: Option<(u64, Duration)>,
    /// What was said last; most often it is the same again.
    said: Option<Arc<Loss>>,
    was_met: bool,
}

/// Remembers what goes on in buffers.
#[derive(Debug, Default)]
pub struct Free {
    tracks: HashMap<u32, Track>,
}

impl Free {
    /// What this map lost; `None` if the kernel tells nothing of it. To be asked of every map of a
    /// pass; `used` are the bytes in a ring buffer.
    pub fn look(&mut self, record: &Record, used: Option<u64>, now: Duration) -> Option<Arc<Loss>> {
        let lost = known(record.lost);
        let consumed = known(record.consumed);
        if lost.is_none() && consumed.is_none() && record.room == 0 {
            return None;
        }
        let track = self.tracks.entry(record.id).or_insert_with(|| Track {
            counted: lost.unwrap_or(0),
            ..Track::default()
        });
        track.was_met = true;
        let loss = match consumed {
            Some(at) => track.reader(at, used.zip(known(record.capacity)), now)?,
            None => track.events(lost, record),
        };
        if track.said.as_deref() != Some(&loss) {
            track.said = Some(Arc::new(loss));
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
            self.lost += counted.saturating_sub(self.counted);
            self.counted = counted;
        }
        Loss {
            drops: lost.map(|_| self.lost),
            reason: lost
                .is_none()
                .then_some("records that were lost are told by Linux 6.0 and later".into()),
            backlog: Some(Backlog {
                bytes: record.waiting,
                room: record.room,
            })
            .filter(|backlog| backlog.room > 0),
            ..Loss::default()
        }
    }

    fn reader(&mut self, at: u64, level: Option<(u64, u64)>, now: Duration) -> Option<Loss> {
        let is_nearly_full =
            level.is_some_and(|(used, capacity)| used > capacity - capacity / LEAST_ROOM);
        if !is_nearly_full {
            self.still = None;
            return None;
        }
        let still = self.still.filter(|(then, _)| *then == at);
        let (_, since) = *self.still.insert(still.unwrap_or((at, now)));
        (now.saturating_sub(since) >= LEAST_STALL).then(|| Loss {
            stalled_since: Some(since),
            ..Loss::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn events(lost: u64) -> Record {
        Record {
            id: 7,
            lost,
            waiting: 300,
            room: 8192,
            consumed: u64::MAX,
            capacity: 2,
            ..Record::default()
        }
    }

    fn ring(consumed: u64) -> Record {
        Record {
            id: 8,
            lost: u64::MAX,
            consumed,
            capacity: 4096,
            ..Record::default()
        }
    }

    /// One pass over this map.
    fn pass(free: &mut Free, record: &Record, used: u64, now: u64) -> Option<Arc<Loss>> {
        let loss = free.look(record, Some(used), s(now));
        free.finish_pass();
        loss
    }

    #[test]
    fn records_are_lost_from_the_first_look_on() {
        let mut free = Free::default();
        let drops: Vec<_> = [100, 100, 131, 150]
            .map(|lost| pass(&mut free, &events(lost), 2, 1).expect("a loss").drops)
            .into();
        assert_eq!(drops, [Some(0), Some(0), Some(31), Some(50)]);
    }

    #[test]
    fn other_events_begin_anew_and_what_they_had_lost_is_not_counted() {
        let mut free = Free::default();
        let drops: Vec<_> = [100, 131, 40, 45]
            .map(|lost| pass(&mut free, &events(lost), 2, 1).expect("a loss").drops)
            .into();
        assert_eq!(drops, [Some(0), Some(31), Some(31), Some(36)]);
    }

    #[test]
    fn a_map_that_takes_over_the_id_of_another_begins_anew() {
        let mut free = Free::default();
        pass(&mut free, &events(100), 2, 1);
        pass(&mut free, &ring(5), 1, 2);
        let loss = pass(&mut free, &events(900), 2, 3).expect("a loss");
        assert_eq!(loss.drops, Some(0));
    }

    #[test]
    fn the_backlog_is_told_where_losses_are_not() {
        let loss = pass(&mut Free::default(), &events(u64::MAX), 2, 1).expect("a loss");
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
    fn a_reader_stalls_when_it_stands_still_for_a_while_and_the_buffer_is_nearly_full() {
        let mut free = Free::default();
        let stalled: Vec<_> = [
            // Time, where it reads, bytes that wait.
            (10, 0, 3072),
            (11, 0, 3073),
            (13, 0, 4000),
            (14, 0, 4096),
            (23, 0, 4096),
            (24, 8, 4088),
            (26, 8, 4096),
            (27, 8, 4096),
            (28, 8, 3000),
            (40, 8, 4096),
        ]
        .into_iter()
        .map(|(now, at, used)| pass(&mut free, &ring(at), used, now)?.stalled_since)
        .collect();
        let none = None;
        let expected = [
            none,
            none,
            none,
            Some(s(11)),
            Some(s(11)),
            none,
            none,
            Some(s(24)),
            none,
            none,
        ];
        assert_eq!(stalled, expected);
    }

    #[test]
    fn other_maps_lose_nothing_that_the_kernel_tells() {
        let record = Record {
            lost: u64::MAX,
            consumed: u64::MAX,
            ..Record::default()
        };
        assert_eq!(pass(&mut Free::default(), &record, 5, 1), None);
    }

    #[test]
    fn what_stays_the_same_is_said_by_the_same_words() {
        let mut free = Free::default();
        let first = pass(&mut free, &events(5), 2, 1).expect("a loss");
        let second = pass(&mut free, &events(5), 2, 2).expect("a loss");
        assert!(Arc::ptr_eq(&first, &second));
    }
}
