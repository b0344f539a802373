//! The bytes of a read become the facts of all maps, with what earlier reads found. No I/O.

use std::time::Duration;

use super::scheduler::ScanScheduler;
use crate::source::kernel::bpf::wire::{self, ScanRequest};
use crate::source::kernel::loss::PerfLost;
use crate::types::snapshot::MapFacts;

/// State of the maps between reads.
#[derive(Debug)]
pub struct Maps {
    scans: ScanScheduler,
    losses: PerfLost,
}

impl Maps {
    /// For a machine with at most this many CPUs.
    pub fn new(cpus: u32) -> Self {
        Self::with_scans(ScanScheduler::new(cpus))
    }

    /// Scans the maps between these two ids, each as far as one read goes, and no others.
    pub fn only(first_id: u32, last_id: u32) -> Self {
        Self::with_scans(ScanScheduler::only(first_id, last_id))
    }

    fn with_scans(scans: ScanScheduler) -> Self {
        Self {
            scans,
            losses: PerfLost::default(),
        }
    }

    /// What to scan in the next read.
    pub fn request(&self) -> ScanRequest {
        self.scans.request()
    }

    /// The facts of the maps in a whole read that began at this uptime, in the order of their ids and each
    /// once, without those that are `hidden`.
    pub(crate) fn apply_read(
        &mut self,
        bytes: &[u8],
        at: Duration,
        mut hidden: impl FnMut(u32) -> bool,
    ) -> Vec<MapFacts> {
        let records = wire::records(bytes);
        // Facts are large: avoid moving them while the vector grows.
        let mut maps = Vec::with_capacity(records.size_hint().1.unwrap_or_default());
        maps.extend(records.filter(|record| !hidden(record.id)).map(|record| {
            let (used, count) = self.scans.count(&record, at);
            MapFacts {
                loss: self.losses.update(&record),
                ..wire::map_facts(&record, used, count)
            }
        }));
        self.scans.finish_pass();
        self.losses.finish_pass();
        // The kernel iterates by id. Ids wrap around, and a map created meanwhile may be returned twice.
        if !maps.is_sorted_by(|a, b| a.key < b.key) {
            maps.sort_by(|a, b| a.key.cmp(&b.key));
            maps.dedup_by(|a, b| a.key == b.key);
        }
        maps
    }

    /// Whether another read at once would show a map that was not scanned yet.
    pub(crate) fn has_unseen(&self) -> bool {
        self.scans.has_unseen()
    }

    /// The number of maps whose scan is not complete.
    pub fn incomplete(&self) -> usize {
        self.scans.incomplete()
    }
}
