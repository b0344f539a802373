//! The windows of one map that were scanned, and what they add up to.

use std::time::Duration;

use super::occupancy::BucketSample;
use crate::source::kernel::bpf::wire::{Record, count_method, scan_limit};
use crate::types::count::{Count, CountMethod, CountNote, ScanAge, ScanUnit, UncountedReason};

/// Slots of one map that are scanned in one tick.
pub(crate) const WINDOW: u32 = scan_limit::SCAN_WINDOW.0;

/// Buckets of one map that are sampled in one tick.
pub(crate) const SAMPLE_WINDOW: u32 = WINDOW * scan_limit::BUCKETS_PER_SLOT.0;

/// The scan of the slots `[first, end)` of a map.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WindowResult {
    pub(crate) first: u32,
    pub(crate) end: u32,
    pub(crate) used: u32,
    /// The walk was cut short: `used` is a lower bound.
    pub(crate) is_cut: bool,
    pub(crate) at: Duration,
}

/// The scan of one map.
#[derive(Debug, Default)]
pub(crate) struct MapScan {
    pub(crate) slots: u32,
    pub(crate) method: count_method,
    /// Sorted by `first`, without overlaps.
    pub(crate) windows: Vec<WindowResult>,
    /// Entries found in the last window. Where slots are lists, the next window is expected to cost as much.
    pub(crate) last_entries: Option<u32>,
    /// A scan was requested but the program did not perform it: it did not find the request, or could not
    /// read the memory.
    pub(crate) is_unanswered: bool,
    /// The last read that had the map.
    pub(crate) pass: u64,
}

impl MapScan {
    pub(crate) fn new(record: &Record) -> Self {
        Self {
            slots: record.slots,
            method: record.method,
            ..Self::default()
        }
    }

    /// Replaces the windows that this one overlaps.
    pub(crate) fn add(&mut self, window: WindowResult) {
        self.windows
            .retain(|old| old.end <= window.first || old.first >= window.end);
        let at = self.windows.partition_point(|old| old.first < window.first);
        self.windows.insert(at, window);
    }

    pub(crate) fn scanned(&self) -> u32 {
        self.windows
            .iter()
            .map(|window| window.end - window.first)
            .sum()
    }

    pub(crate) fn used(&self) -> u64 {
        self.windows
            .iter()
            .map(|window| u64::from(window.used))
            .sum()
    }

    /// Whether this is a table of a few lists, which may be long.
    pub(crate) fn is_walk(&self) -> bool {
        self.method == count_method::COUNT_WALK
    }

    /// Whether a smaller window than this one could be walked further.
    pub(crate) fn can_be_split(&self, window: &WindowResult) -> bool {
        self.is_walk() && window.is_cut && window.end - window.first > 1
    }

    pub(crate) fn has_to_be_split(&self) -> bool {
        self.windows.iter().any(|window| self.can_be_split(window))
    }

    /// Whether further scans would complete the count.
    pub(crate) fn is_open(&self) -> bool {
        let is_seen = self.scanned() == self.slots && !self.has_to_be_split();
        !is_seen && !self.is_unanswered
    }

    /// The most that a scan of the next window costs, in slots.
    pub(crate) fn cost(&self) -> u32 {
        let slots = self.slots.min(WINDOW);
        match self.method {
            count_method::COUNT_WALK => slots.saturating_add(self.last_entries.unwrap_or(WINDOW)),
            // A table has at most as many entries as buckets, but they are not spread evenly.
            count_method::COUNT_BUCKET_WALK => {
                slots.saturating_add(self.last_entries.unwrap_or(slots))
            }
            count_method::COUNT_BUCKET_SAMPLE => {
                self.slots.min(SAMPLE_WINDOW) / scan_limit::BUCKETS_PER_SLOT.0
            }
            _ => slots,
        }
    }

    pub(crate) fn count(&self, record: &Record, now: Duration) -> (Option<u64>, Count) {
        let method = method(self.method);
        let is_cut = self.windows.iter().any(|window| window.is_cut);
        if self.scanned() < self.slots || is_cut {
            let note = self.incomplete_reason(is_cut);
            return (None, Count::with_note(method, note));
        }
        let oldest = self
            .windows
            .iter()
            .map(|window| window.at)
            .min()
            .unwrap_or(now);
        // A map scanned whole in this read has no age.
        let is_aged = self.windows.len() > 1 || oldest < now;
        let age = is_aged.then_some(ScanAge {
            parts: self.windows.len(),
            oldest: now.saturating_sub(oldest),
        });
        if self.method == count_method::COUNT_BUCKET_SAMPLE {
            return self.estimate(record, age);
        }
        let count = Count {
            note: age.map(|age| CountNote::Aged(Box::new(age))),
            ..Count::exact(method)
        };
        let used = match self.method {
            // An entry that is replaced, or that moves between two scans, may be counted twice.
            count_method::COUNT_BUCKET_WALK => {
                self.used().min(record.known_capacity().unwrap_or(u64::MAX))
            }
            _ => self.used(),
        };
        (Some(used), count)
    }

    /// Estimates the entries from the non-empty buckets.
    pub(crate) fn estimate(&self, record: &Record, age: Option<ScanAge>) -> (Option<u64>, Count) {
        let sample = BucketSample {
            buckets: record.layout.table().bucket_count,
            sampled: self.slots,
            nonempty: self.used(),
            capacity: record.known_capacity().unwrap_or(u64::MAX),
        };
        let estimate = sample.estimate();
        let note = CountNote::EmptyBuckets {
            tested: self.slots,
            buckets: record.layout.table().bucket_count,
            age: age.map(Box::new),
        };
        let count = Count {
            error: estimate.error,
            ..Count::with_note(CountMethod::Estimate, note)
        };
        (Some(estimate.entries), count)
    }

    /// Why there is no number.
    pub(crate) fn incomplete_reason(&self, is_cut: bool) -> CountNote {
        let used = self.used();
        if self.is_unanswered {
            CountNote::Uncounted(UncountedReason::Unreadable)
        } else if is_cut && self.method == count_method::COUNT_BUCKET_WALK {
            CountNote::ChainsCut { used }
        } else if is_cut && !self.has_to_be_split() {
            CountNote::ListsTooLong { used }
        } else {
            CountNote::Incomplete {
                unit: match self.method {
                    count_method::COUNT_WALK => ScanUnit::Lists,
                    count_method::COUNT_BUCKET_WALK => ScanUnit::Buckets,
                    count_method::COUNT_BUCKET_SAMPLE => ScanUnit::TestedBuckets,
                    _ => ScanUnit::Slots,
                },
                scanned: self.scanned(),
                total: self.slots,
                used,
            }
        }
    }
}

/// The method of the record as the type that is shown.
pub(crate) fn method(method: count_method) -> CountMethod {
    match method {
        count_method::COUNT_COUNTER => CountMethod::Counter,
        count_method::COUNT_FIELD => CountMethod::Field,
        count_method::COUNT_SCAN => CountMethod::Scan,
        count_method::COUNT_WALK | count_method::COUNT_BUCKET_WALK => CountMethod::Walk,
        count_method::COUNT_BUCKET_SAMPLE | count_method::COUNT_PERCPU_APPROX => {
            CountMethod::Estimate
        }
        _ => CountMethod::None,
    }
}
