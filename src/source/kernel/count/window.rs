//! What the looks at one map's slots add up to.

use std::time::Duration;

use super::occupancy::BucketSample;
use crate::source::kernel::bpf::wire::{Record, count_method, scan_limit};
use crate::text::units;
use crate::types::count::{Count, CountMethod};

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
        let age = now.saturating_sub(oldest).as_secs_f64();
        let parts = match self.looks.len() {
            // It is of this very read.
            1 if oldest >= now => None,
            1 => Some(format!("looked at in its turn, {age:.1} s ago")),
            looks => Some(format!(
                "looked at in {looks} parts, the oldest {age:.1} s ago"
            )),
        };
        if self.method == count_method::COUNT_BUCKET_SAMPLE {
            return self.estimate(record, &parts.unwrap_or_default());
        }
        let count = match parts {
            Some(note) => Count::with_note(method, note),
            None => Count::exact(method),
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

    /// What those chains that have entries say of how many there are.
    pub(crate) fn estimate(&self, record: &Record, parts: &str) -> (Option<u64>, Count) {
        let heads = BucketSample {
            chains: record.layout.table().bucket_count,
            seen: self.slots,
            used: self.used(),
            capacity: record.known_capacity().unwrap_or(u64::MAX),
        };
        let estimate = heads.estimate();
        let of = if self.slots < record.layout.table().bucket_count {
            format!(
                "{} of ",
                units::with_thousands_separators(self.slots.into())
            )
        } else {
            String::new()
        };
        let note = format!(
            "within {} (three standard deviations), by how many of {of}its {} buckets are empty, {parts}",
            units::with_thousands_separators(estimate.error),
            units::with_thousands_separators(record.layout.table().bucket_count.into()),
        );
        let count = Count {
            error: estimate.error,
            ..Count::with_note(CountMethod::Estimate, note)
        };
        (Some(estimate.entries), count)
    }

    /// Why there is no number.
    pub(crate) fn incomplete_reason(&self, is_cut: bool) -> String {
        let used = units::with_thousands_separators(self.used());
        if self.is_unanswered {
            "its slots could not be read; that takes x86-64 or arm64".to_owned()
        } else if is_cut && self.method == count_method::COUNT_BUCKET_WALK {
            format!(
                "at least {used}: some of its chains changed while they were followed, or are too long"
            )
        } else if is_cut && !self.has_to_be_split() {
            format!("at least {used}: its lists are too long to follow")
        } else {
            let (what, of) = match self.method {
                count_method::COUNT_WALK => ("lists", "used"),
                count_method::COUNT_BUCKET_WALK => ("buckets", "used"),
                count_method::COUNT_BUCKET_SAMPLE => ("buckets", "not empty"),
                _ => ("slots", "used"),
            };
            format!(
                "not complete: {} of {} {what} looked at, at least {used} {of}",
                units::with_thousands_separators(self.looked_at().into()),
                units::with_thousands_separators(self.slots.into()),
            )
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
