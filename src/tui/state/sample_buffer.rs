//! The last readings, to step through while the screen stands still.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::types::host::Moment;
use crate::types::reading::Reading;

/// Readings at the most.
const MAX_READINGS: usize = 600;

/// Rows at the most in all of them, some 400 bytes each: 12.5 MiB.
const MAX_ROWS: usize = 32_768;

/// The latest reading, and those before it as far as there is room.
#[derive(Debug, Clone, Default)]
pub(super) struct SampleBuffer {
    readings: VecDeque<Arc<Reading>>,
    rows: usize,
}

impl SampleBuffer {
    /// Adds the latest. Where there is no room the oldest goes, but while the user looks at them
    /// the one before the latest does. Gives the last one that went.
    pub(super) fn push(
        &mut self,
        reading: Arc<Reading>,
        is_looked_at: bool,
    ) -> Option<Arc<Reading>> {
        self.rows += reading.rows.len();
        self.readings.push_back(reading);
        let mut last = None;
        while self.readings.len() > 1
            && (self.readings.len() > MAX_READINGS || self.rows > MAX_ROWS)
        {
            let left_out = if is_looked_at {
                self.readings.remove(self.readings.len() - 2)
            } else {
                self.readings.pop_front()
            };
            self.rows -= left_out.as_ref().map_or(0, |reading| reading.rows.len());
            last = left_out;
        }
        last
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The latest.
    pub(super) fn latest(&self) -> Option<&Arc<Reading>> {
        self.readings.back()
    }

    /// Whether the second is the latest, and the first the one before it.
    pub(super) fn is_next(&self, first: &Arc<Reading>, second: &Arc<Reading>) -> bool {
        let mut latest = self.readings.iter().rev();
        latest.next().is_some_and(|it| Arc::ptr_eq(it, second))
            && latest.next().is_some_and(|it| Arc::ptr_eq(it, first))
    }

    /// The one at this place.
    pub(super) fn get(&self, at: usize) -> Option<&Arc<Reading>> {
        self.readings.get(at)
    }

    /// When each was taken, the oldest first.
    pub(super) fn moments(&self) -> Arc<[Moment]> {
        self.readings.iter().map(|reading| reading.moment).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::history::History;
    use crate::test_util::{map, moment, snapshot};

    #[test]
    fn the_oldest_go_first_and_the_latest_always_stays() {
        let mut past = SampleBuffer::default();
        let mut history = History::default();
        for second in 0..700 {
            let reading = history.read(snapshot(second, [map("m")]));
            past.push(Arc::new(reading), false);
        }
        assert_eq!(past.moments().len(), MAX_READINGS);
        let many = (0..40_000).map(|id| map("m").id(id));
        past.push(Arc::new(history.read(snapshot(700, many))), false);
        assert_eq!(past.moments().len(), 1);
    }

    #[test]
    fn what_is_looked_at_stays_and_the_latest_is_always_there() {
        let mut past = SampleBuffer::default();
        let mut history = History::default();
        for second in 0..1000 {
            let reading = history.read(snapshot(second, [map("m")]));
            past.push(Arc::new(reading), second >= 600);
        }
        let moments = past.moments();
        assert_eq!(moments.len(), MAX_READINGS);
        assert_eq!(moments[..2], [moment(0), moment(1)]);
        assert_eq!(moments.last(), Some(&moment(999)));
    }

    #[test]
    fn what_went_last_is_given_back_and_nothing_where_there_is_room() {
        let mut past = SampleBuffer::default();
        let mut history = History::default();
        let mut push = |second, maps: u32| {
            let maps = (0..maps).map(|id| map("m").id(id));
            let reading = Arc::new(history.read(snapshot(second, maps)));
            past.push(reading, false)
        };
        assert_eq!(push(0, 3), None);
        assert_eq!(push(1, 5), None);
        let went = push(2, 40_000).expect("there is no room");
        assert_eq!((went.moment, went.rows.len()), (moment(1), 5));
    }
}
