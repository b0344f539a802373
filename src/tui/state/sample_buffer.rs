//! The last readings, to step through while the view is paused.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::types::host::Moment;
use crate::types::reading::Reading;

/// Readings kept, at most.
const MAX_READINGS: usize = 600;

/// Rows in all of them, at most: some 400 bytes each, 12.5 MiB.
const MAX_ROWS: usize = 32_768;

/// The latest reading, and as many earlier ones as there is room for.
#[derive(Debug, Clone, Default)]
pub(super) struct SampleBuffer {
    readings: VecDeque<Arc<Reading>>,
    rows: usize,
}

impl SampleBuffer {
    /// Adds the latest reading, and drops the oldest if there is no room; while paused, the one before
    /// the latest instead. Returns the last one dropped.
    pub(super) fn push(&mut self, reading: Arc<Reading>, is_paused: bool) -> Option<Arc<Reading>> {
        self.rows += reading.rows.len();
        self.readings.push_back(reading);
        let mut last = None;
        while self.readings.len() > 1
            && (self.readings.len() > MAX_READINGS || self.rows > MAX_ROWS)
        {
            let dropped = if is_paused {
                self.readings.remove(self.readings.len() - 2)
            } else {
                self.readings.pop_front()
            };
            self.rows -= dropped.as_ref().map_or(0, |reading| reading.rows.len());
            last = dropped;
        }
        last
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn latest(&self) -> Option<&Arc<Reading>> {
        self.readings.back()
    }

    /// Whether `second` is the latest, and `first` the one before it.
    pub(super) fn is_next(&self, first: &Arc<Reading>, second: &Arc<Reading>) -> bool {
        let mut latest = self.readings.iter().rev();
        latest.next().is_some_and(|it| Arc::ptr_eq(it, second))
            && latest.next().is_some_and(|it| Arc::ptr_eq(it, first))
    }

    pub(super) fn get(&self, index: usize) -> Option<&Arc<Reading>> {
        self.readings.get(index)
    }

    /// The times of all readings, the oldest first.
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
    fn the_oldest_samples_are_dropped_first() {
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
    fn a_paused_sample_and_the_latest_are_kept() {
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
    fn dropped_samples_are_returned_for_reuse() {
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
