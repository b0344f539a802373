//! Schedules which slots are scanned in which tick, and keeps the results. No I/O.
//!
//! Some types have no counter; their slots must be scanned one by one. A tick may scan [`TICK_BUDGET`]
//! slots over all maps, and one window of each, so maps take turns in the order of their ids, and large
//! ones are scanned in parts. The plan goes out as a [`ScanRequest`], the results come back in the
//! records, and the latest result of each window is kept here.

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

/// Slots and list nodes that are scanned in one tick, over all maps.
const TICK_BUDGET: u32 = 65_536;

/// Ticks that may read twice, so that new maps are counted sooner.
const CATCH_UP_TICKS: u32 = 8;

/// Slots of each map that the first read scans.
const FIRST_WINDOW: u32 = 64;

/// The scans of all maps so far, and the plan for the next read.
#[derive(Debug)]
pub struct ScanScheduler {
    /// CPUs that the machine may have; 0 if unknown.
    cpus: u32,
    maps: BTreeMap<u32, MapScan>,
    request: ScanRequest,
    /// A walk of this read was cut short, and its window can be split.
    was_cut: bool,
    pass: u64,
}

impl Default for ScanScheduler {
    fn default() -> Self {
        Self {
            cpus: 0,
            maps: BTreeMap::new(),
            // The numbers of slots are not known yet. The first read scans a window of each map, which is all of
            // a small one, and no lists, since they may be long.
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
    /// Scans the maps between these two ids, each as far as one read goes, and no others.
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

    /// For a machine with at most this many CPUs.
    pub fn new(cpus: u32) -> Self {
        Self {
            cpus,
            ..Self::default()
        }
    }

    /// What to scan in the next read.
    pub fn request(&self) -> ScanRequest {
        self.request
    }

    /// Adds the scan in this record, and returns the entries of the map.
    pub fn count(&mut self, record: &Record, now: Duration) -> (Option<u64>, Count) {
        if record.method == count_method::COUNT_PERCPU_APPROX {
            return estimate_percpu_count(record, self.cpus);
        }
        if record.slots == 0 {
            return unscanned_count(record, method(record.method));
        }
        let scanned = self.record_window(record, now).count(record, now);
        if record.has(map_record_flags::REC_F_FULL) {
            return (record.known_capacity(), Count::exact(CountMethod::Walk));
        }
        scanned
    }

    fn record_window(&mut self, record: &Record, now: Duration) -> &MapScan {
        let request = &self.request;
        let scan = self
            .maps
            .entry(record.id)
            .or_insert_with(|| MapScan::new(record));
        if (scan.slots, scan.method) != (record.slots, record.method) {
            // Another map with a reused id.
            *scan = MapScan::new(record);
        }
        scan.pass = self.pass;
        // A map that the first read did not scan whole counts as not scanned.
        let is_first = request.window != scan_limit::SCAN_WINDOW;
        if is_first && record.scan_end.saturating_sub(record.scan_first) < record.slots {
            return scan;
        }
        if record.scan_end > record.scan_first {
            scan.is_unanswered = false;
            scan.last_entries = Some(record.scan_used);
            let window = WindowResult {
                first: record.scan_first,
                end: record.scan_end,
                used: record.scan_used,
                is_cut: record.has(map_record_flags::REC_F_TRUNCATED),
                at: now,
            };
            self.was_cut |= scan.can_be_split(&window);
            scan.add(window);
        } else if (request.first_id..=request.last_id).contains(&record.id) {
            scan.is_unanswered = true;
        }
        scan
    }

    /// Ends a read of all maps: forgets deleted ones, and plans the next read.
    pub(crate) fn finish_pass(&mut self) {
        let pass = self.pass;
        self.maps.retain(|_, scan| scan.pass == pass);
        self.pass += 1;
        let request = &mut self.request;
        if request.window != scan_limit::SCAN_WINDOW {
            // The first read is over: from now on maps take turns.
            request.window = scan_limit::SCAN_WINDOW;
            request.walk_parts = 1;
            request.last_id = 0;
        }
        // One read can walk it whole.
        let is_small = |scan: &MapScan| {
            !scan.is_open() && scan.slots <= scan_limit::MAX_LISTS.0 && scan.used() < WINDOW.into()
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
        let Some((&id, scan)) = first else {
            (request.first_id, request.last_id) = (u32::MAX, 0);
            return;
        };
        (request.first_id, request.last_id) = (id, id);
        let mut budget = TICK_BUDGET.saturating_sub(scan.cost());
        for (&id, scan) in turn {
            let Some(rest) = budget.checked_sub(scan.cost()) else {
                break;
            };
            budget = rest;
            request.last_id = id;
        }
    }

    /// Whether another read at once would scan a map for the first time. So the first screen shows what it
    /// can; but where new maps take many ticks, they wait for their turns, since otherwise every tick would
    /// cost twice as much for a long time.
    pub(crate) fn has_unseen(&self) -> bool {
        let turn = self.request.first_id..=self.request.last_id;
        let unseen = self
            .maps
            .iter()
            .filter(|(_, scan)| scan.windows.is_empty() && scan.is_open());
        let (mut cost, mut is_next) = (0_u32, false);
        for (id, scan) in unseen {
            cost = cost.saturating_add(scan.cost());
            is_next |= turn.contains(id);
        }
        let is_first = self.pass == 1;
        is_next && (is_first || cost <= CATCH_UP_TICKS * TICK_BUDGET)
    }

    /// The number of maps whose count is not complete.
    pub fn incomplete(&self) -> usize {
        self.maps.values().filter(|scan| scan.is_open()).count()
    }
}

/// The count of a map with a per-CPU counter, of which each CPU holds back a share.
fn estimate_percpu_count(record: &Record, cpus: u32) -> (Option<u64>, Count) {
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
    // No map is reported as full because of an estimate.
    let most = record
        .known_capacity()
        .unwrap_or(u64::MAX)
        .saturating_sub(1);
    (Some(record.used.min(most)), count)
}

/// The count of a map that needs no scan.
fn unscanned_count(record: &Record, method: CountMethod) -> (Option<u64>, Count) {
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
