//! Which slots to look at in which tick, and what the looks add up to. Knows no kernel.
//!
//! Some types keep no count; their slots must be looked at one by one. A tick may look at
//! [`TICK_BUDGET`] slots over all maps and at one window of each, so maps take turns in the order
//! of their ids and large ones are seen in parts. The plan goes out as a [`ScanRequest`], the looks
//! come back in the records, and each map's last look at each of its parts is kept here.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use super::window::{MapScan, WINDOW, WindowResult, method};
use crate::source::kernel::bpf::wire::{
    Record, ScanRequest, count_method, map_record_flags, scan_limit, scan_request_magic,
};
use crate::types::count::{Count, CountMethod, CountNote, UncountedReason};
use crate::types::map_type::{Kind, MapType};

/// Slots and list nodes looked at in one tick, over all maps.
const TICK_BUDGET: u32 = 65_536;

/// Ticks in which it may cost twice as much, so that new maps are counted sooner.
const CATCH_UP_TICKS: u32 = 8;

/// Slots of each map looked at in the first read.
const FIRST_WINDOW: u32 = 64;

/// The looks so far at the maps of one kernel, and the plan for the next.
#[derive(Debug)]
pub struct ScanScheduler {
    /// CPUs that the machine may have; 0 if that is not known.
    cpus: u32,
    maps: BTreeMap<u32, MapScan>,
    request: ScanRequest,
    /// A look in this pass was cut short that could be split.
    was_cut: bool,
    pass: u64,
}

impl Default for ScanScheduler {
    fn default() -> Self {
        Self {
            cpus: 0,
            maps: BTreeMap::new(),
            // How much there is to look at is not known yet: of all maps so much that small ones are
            // seen whole, and no lists, which may be long.
            request: ScanRequest {
                magic: scan_request_magic::SCAN_REQUEST_MAGIC,
                first_id: 0,
                last_id: u32::MAX,
                round: 0,
                walk_parts: 0,
                window: scan_limit(FIRST_WINDOW),
            },
            was_cut: false,
            pass: 0,
        }
    }
}

impl ScanScheduler {
    /// Looks at the maps between these two ids and no others, each as far as one look goes.
    pub fn only(first_id: u32, last_id: u32) -> Self {
        let mut scans = Self::default();
        scans.request = ScanRequest {
            first_id,
            last_id,
            walk_parts: 1,
            window: scan_limit::SCAN_WINDOW,
            ..scans.request
        };
        scans
    }

    /// On a machine that may have so many CPUs.
    pub fn new(cpus: u32) -> Self {
        Self {
            cpus,
            ..Self::default()
        }
    }

    /// What to look at in the next read.
    pub fn request(&self) -> ScanRequest {
        self.request
    }

    /// Takes in what a record says about its map's slots, and tells what is in the map.
    pub fn count(&mut self, record: &Record, now: Duration) -> (Option<u64>, Count) {
        if record.method == count_method::COUNT_PERCPU_APPROX {
            return percpu_estimate(record, self.cpus);
        }
        if record.slots == 0 {
            return whole(record, method(record.method));
        }
        self.record_window(record, now).count(record, now)
    }

    fn record_window(&mut self, record: &Record, now: Duration) -> &MapScan {
        let request = &self.request;
        let progress = self
            .maps
            .entry(record.id)
            .or_insert_with(|| MapScan::new(record));
        if (progress.slots, progress.method) != (record.slots, record.method) {
            // Another map under an old id.
            *progress = MapScan::new(record);
        }
        progress.pass = self.pass;
        // What the first read did not see whole counts as not looked at.
        let is_first = request.window != scan_limit::SCAN_WINDOW;
        if is_first && record.scan_end.saturating_sub(record.scan_first) < record.slots {
            return progress;
        }
        if record.scan_end > record.scan_first {
            progress.is_unanswered = false;
            progress.last_entries = Some(record.scan_used);
            let look = WindowResult {
                first: record.scan_first,
                end: record.scan_end,
                used: record.scan_used,
                is_cut: record.has(map_record_flags::REC_F_TRUNCATED),
                at: now,
            };
            self.was_cut |= progress.can_be_split(&look);
            progress.add(look);
        } else if (request.first_id..=request.last_id).contains(&record.id) {
            progress.is_unanswered = true;
        }
        progress
    }

    /// Ends a pass over all maps: forgets those that are gone and plans the next one.
    pub fn finish_pass(&mut self) {
        let pass = self.pass;
        self.maps.retain(|_, progress| progress.pass == pass);
        self.pass += 1;
        let request = &mut self.request;
        if request.window != scan_limit::SCAN_WINDOW {
            // The first read is over: from now on it goes in turns.
            request.window = scan_limit::SCAN_WINDOW;
            request.walk_parts = 1;
            request.last_id = 0;
        }
        // What one look can see whole.
        let is_small = |progress: &MapScan| {
            !progress.is_open()
                && progress.slots <= scan_limit::MAX_LISTS.0
                && progress.used() < WINDOW.into()
        };
        if std::mem::take(&mut self.was_cut) {
            request.walk_parts = request.walk_parts.saturating_mul(2);
        } else if self.maps.values().filter(|p| p.is_walk()).all(is_small) {
            request.walk_parts = 1;
        }
        let mut turn = self.maps.range(request.last_id.saturating_add(1)..);
        let first = turn.next().or_else(|| {
            request.round = request.round.wrapping_add(1);
            turn = self.maps.range(..);
            turn.next()
        });
        let Some((&id, progress)) = first else {
            (request.first_id, request.last_id) = (u32::MAX, 0);
            return;
        };
        (request.first_id, request.last_id) = (id, id);
        let mut budget = TICK_BUDGET.saturating_sub(progress.cost());
        for (&id, progress) in turn {
            let Some(rest) = budget.checked_sub(progress.cost()) else {
                break;
            };
            budget = rest;
            request.last_id = id;
        }
    }

    /// Whether another pass at once would show a map that has not been looked at at all although the
    /// kernel side would. The first screen shows what it can; but a crowd that takes many ticks waits
    /// for its turns, as it would make every tick cost twice as much for a long time.
    pub fn has_unseen(&self) -> bool {
        let turn = self.request.first_id..=self.request.last_id;
        let unseen = self
            .maps
            .iter()
            .filter(|(_, of)| of.looks.is_empty() && of.is_open());
        let (mut cost, mut is_next) = (0_u32, false);
        for (id, progress) in unseen {
            cost = cost.saturating_add(progress.cost());
            is_next |= turn.contains(id);
        }
        let is_first = self.pass == 1;
        is_next && (is_first || cost <= CATCH_UP_TICKS * TICK_BUDGET)
    }

    /// How many maps more passes would tell more of.
    pub fn incomplete(&self) -> usize {
        self.maps.values().filter(|of| of.is_open()).count()
    }
}

/// The count of a record of which each CPU still has a part for itself.
fn percpu_estimate(record: &Record, cpus: u32) -> (Option<u64>, Count) {
    let method = CountMethod::Estimate;
    if cpus == 0 {
        let note = CountNote::Uncounted(UncountedReason::UnknownCpus);
        return (None, Count::with_note(method, note));
    }
    let count = Count {
        error: u64::from(scan_limit::PERCPU_BATCH_SLACK.0) * u64::from(cpus),
        ..Count::with_note(
            method,
            CountNote::PercpuPending(scan_limit::PERCPU_BATCH_SLACK.0),
        )
    };
    // No map is called full by a number that may be off.
    let most = record
        .known_capacity()
        .unwrap_or(u64::MAX)
        .saturating_sub(1);
    (Some(record.used.min(most)), count)
}

/// The count of a record whose slots need no scan.
fn whole(record: &Record, method: CountMethod) -> (Option<u64>, Count) {
    let map_type = MapType(record.map_type.0);
    let used = record.known_used();
    let is_impossible = map_type.kind() == Kind::Stream && used > record.known_capacity();
    let reason = match (method, used) {
        (_, Some(_)) if is_impossible => Some(UncountedReason::ImpossiblePosition),
        (_, Some(_)) => None,
        (CountMethod::Counter, None) => Some(UncountedReason::InMotion),
        (CountMethod::Walk, None) => Some(UncountedReason::FragmentedPages),
        (_, None) => Some(map_type.uncounted_reason()),
    };
    let count = Count {
        note: reason.map(CountNote::Uncounted),
        ..Count::exact(method)
    };
    (used.filter(|_| !is_impossible), count)
}
