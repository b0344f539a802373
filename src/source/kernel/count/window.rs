//! What the looks at one map's slots add up to.

use std::time::Duration;

use super::occupancy::BucketSample;
use crate::source::kernel::bpf::wire::{Record, count_method, scan_limit};
use crate::types::count::{Count, CountMethod, CountNote, ScanAge, ScanUnit, UncountedReason};

/// Slots of one map looked at in one tick.
pub(crate) const WINDOW: u32 = scan_limit::SCAN_WINDOW.0;

/// Heads of chains of one map looked at in one tick.
pub(crate) const SAMPLE_WINDOW: u32 = WINDOW * scan_limit::BUCKETS_PER_SLOT.0;

/// One look at the part `[first, end)` of a map's slots.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WindowResult {
    pub(crate) first: u32,
    pub(crate) end: u32,
    pub(crate) used: u32,
    /// There was more than could be followed: `used` is a lower bound.
    pub(crate) is_cut: bool,
    pub(crate) at: Duration,
}

/// What is known of one map's slots.
#[derive(Debug, Default)]
pub(crate) struct MapScan {
    pub(crate) slots: u32,
    pub(crate) method: count_method,
    /// Sorted by `first`, without overlaps.
    pub(crate) looks: Vec<WindowResult>,
    /// Entries met in the last look: where slots are lists, what the next look will cost.
    pub(crate) last_entries: Option<u32>,
    /// A look was asked for and none was taken: not understood, or not readable.
    pub(crate) is_unanswered: bool,
    /// The pass that saw the map last.
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

    /// Keeps a look in place of those it overlaps.
    pub(crate) fn add(&mut self, look: WindowResult) {
        self.looks
            .retain(|old| old.end <= look.first || old.first >= look.end);
        let at = self.looks.partition_point(|old| old.first < look.first);
        self.looks.insert(at, look);
    }

    pub(crate) fn looked_at(&self) -> u32 {
        self.looks.iter().map(|look| look.end - look.first).sum()
    }

    pub(crate) fn used(&self) -> u64 {
        self.looks.iter().map(|look| u64::from(look.used)).sum()
    }

    /// Whether this is a table of a few lists, which may be long.
    pub(crate) fn is_walk(&self) -> bool {
        self.method == count_method::COUNT_WALK
    }

    /// Whether a look at a smaller part than this one could still tell more.
    pub(crate) fn can_be_split(&self, look: &WindowResult) -> bool {
        self.is_walk() && look.is_cut && look.end - look.first > 1
    }

    pub(crate) fn has_to_be_split(&self) -> bool {
        self.looks.iter().any(|look| self.can_be_split(look))
    }

    /// Whether more looks would tell more.
    pub(crate) fn is_open(&self) -> bool {
        let is_seen = self.looked_at() == self.slots && !self.has_to_be_split();
        !is_seen && !self.is_unanswered
    }

    /// What a look costs at the most, as slots.
    pub(crate) fn cost(&self) -> u32 {
        let slots = self.slots.min(WINDOW);
        match self.method {
            count_method::COUNT_WALK => slots.saturating_add(self.last_entries.unwrap_or(WINDOW)),
            // There are as many entries as chains at the most, but for chance.
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
        let is_cut = self.looks.iter().any(|look| look.is_cut);
        if self.looked_at() < self.slots || is_cut {
            let note = self.incomplete_reason(is_cut);
            return (None, Count::with_note(method, note));
        }
        let oldest = self.looks.iter().map(|look| look.at).min().unwrap_or(now);
        // A map seen whole in this read has no age.
        let is_aged = self.looks.len() > 1 || oldest < now;
        let age = is_aged.then_some(ScanAge {
            parts: self.looks.len(),
            oldest: now.saturating_sub(oldest),
        });
        if self.method == count_method::COUNT_BUCKET_SAMPLE {
            return self.estimate(record, age);
        }
        let count = Count {
            note: age.map(CountNote::Aged),
            ..Count::exact(method)
        };
        let used = match self.method {
            // An entry that is replaced, or moves between two looks, was met twice.
            count_method::COUNT_BUCKET_WALK => {
                self.used().min(record.known_capacity().unwrap_or(u64::MAX))
            }
            _ => self.used(),
        };
        (Some(used), count)
    }

    /// The number of entries that most likely leaves as many buckets empty.
    pub(crate) fn estimate(&self, record: &Record, age: Option<ScanAge>) -> (Option<u64>, Count) {
        let heads = BucketSample {
            chains: record.layout.table().bucket_count,
            seen: self.slots,
            used: self.used(),
            capacity: record.known_capacity().unwrap_or(u64::MAX),
        };
        let estimate = heads.estimate();
        let note = CountNote::EmptyBuckets {
            tested: self.slots,
            buckets: record.layout.table().bucket_count,
            age,
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
                scanned: self.looked_at(),
                total: self.slots,
                used,
            }
        }
    }
}

/// How the kernel side counted, in the model's words.
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
