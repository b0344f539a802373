//! The bytes of a read become the facts of all maps, in the light of the reads before. Knows no
//! kernel.

use std::time::Duration;

use super::scheduler::ScanScheduler;
use crate::source::kernel::bpf::wire::{self, ScanRequest};
use crate::source::kernel::loss::PerfLost;
use crate::types::snapshot::MapFacts;

/// What is remembered of the maps from read to read.
#[derive(Debug)]
pub struct Maps {
    scans: ScanScheduler,
    losses: PerfLost,
}

impl Maps {
    /// Of a machine that may have so many CPUs.
    pub fn new(cpus: u32) -> Self {
        Self {
            scans: ScanScheduler::new(cpus),
            losses: PerfLost::default(),
        }
    }

    /// What to look at in the next read.
    pub fn request(&self) -> ScanRequest {
        self.scans.request()
    }

    /// The facts of the maps in a whole read that was begun at this uptime, in order and each once, but
    /// for those that are `hidden`.
    pub fn apply_read(
        &mut self,
        bytes: &[u8],
        at: Duration,
        mut hidden: impl FnMut(u32) -> bool,
    ) -> Vec<MapFacts> {
        let records = wire::records(bytes);
        // It would be moved while it grows, and is large.
        let mut maps = Vec::with_capacity(records.size_hint().1.unwrap_or_default());
        maps.extend(records.filter(|record| !hidden(record.id)).map(|record| {
            let (used, count) = self.scans.count(&record, at);
            MapFacts {
                loss: self.losses.look(&record),
                ..wire::map_facts(&record, used, count)
            }
        }));
        self.scans.finish_pass();
        self.losses.finish_pass();
        // The kernel goes by id; ids wrap, and a map made meanwhile may be met twice.
        if !maps.is_sorted_by(|a, b| a.key < b.key) {
            maps.sort_by(|a, b| a.key.cmp(&b.key));
            maps.dedup_by(|a, b| a.key == b.key);
        }
        maps
    }

    /// Whether another read at once would show a map that has not been looked at at all although the
    /// kernel side would.
    pub fn has_unseen(&self) -> bool {
        self.scans.has_unseen()
    }

    /// How many maps more reads would tell more of.
    pub fn incomplete(&self) -> usize {
        self.scans.incomplete()
    }
}
