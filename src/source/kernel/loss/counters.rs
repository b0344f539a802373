//! The two BPF arrays that tracers count in.

use std::collections::HashMap;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, BorrowedFd};

use libbpf_rs::libbpf_sys::bpf_map_create_opts;
use libbpf_rs::{Error, MapCore, MapFlags, MapHandle, MapType};

use crate::source::kernel::bpf::loss_skel::types::{
    loss_cause, loss_kind, loss_limit, loss_record,
};
use crate::source::kernel::bpf::plain::records;
use crate::source::kernel::host::memlock::low_memlock_limit;
use crate::text::memlock::memlock_message;
use crate::text::sanitize::sanitize;
use crate::types::errno::{Errno, ErrnoCounts};
use crate::types::loss::LossCause;

const SLOTS: u32 = loss_limit::LOSS_SLOTS.0;
const KINDS: usize = loss_kind::LOSS_KINDS.0 as usize;
const EVICTED: usize = loss_kind::LOSS_EVICTED.0 as usize;
const DROPPED: usize = loss_kind::LOSS_DROPPED.0 as usize;
const ATTEMPTS: usize = loss_kind::LOSS_ATTEMPTS.0 as usize;

/// What was counted for one map.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MapCounters {
    counts: [u64; KINDS],
    /// The cause of the latest loss.
    pub cause: Option<LossCause>,
}

impl MapCounters {
    /// Failed updates by errno.
    pub fn failed(&self) -> ErrnoCounts {
        // The first kinds, in the same order.
        let both = Errno::counted().zip(self.counts);
        both.filter(|(_, count)| *count > 0).collect()
    }

    pub fn evictions(&self) -> u64 {
        self.counts[EVICTED]
    }

    /// Records or packets that did not fit.
    pub fn drops(&self) -> u64 {
        self.counts[DROPPED]
    }

    /// Stacks that were stored or refused.
    pub fn attempts(&self) -> u64 {
        self.counts[ATTEMPTS]
    }

    /// All losses but evictions, which are what an LRU map is for.
    pub(crate) fn failures(&self) -> u64 {
        self.total() - self.evictions()
    }

    pub fn total(&self) -> u64 {
        self.counts.iter().sum::<u64>() - self.attempts()
    }

    fn add(&mut self, other: Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.cause = other.cause.or(self.cause.take());
    }

    /// Subtracts what was counted before. The cause is kept only if anything was counted since.
    pub fn since(mut self, base: &Self) -> Self {
        for (count, before) in self.counts.iter_mut().zip(base.counts) {
            *count = count.saturating_sub(before);
        }
        if self.total() == 0 {
            self.cause = None;
        }
        self
    }

    /// `None` if these are not the bytes of one record.
    fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != size_of::<loss_record>() {
            return None;
        }
        let record: loss_record = records(bytes).next()?;
        let cause = match (record.cause, record.tgid) {
            // Not written yet, or it could not be read.
            (loss_cause::CAUSE_PROCESS, 0) => None,
            (loss_cause::CAUSE_PROCESS, pid) => Some(LossCause::Process {
                pid,
                comm: sanitize(&record.comm),
            }),
            (loss_cause::CAUSE_PROGRAM, _) => Some(LossCause::Program),
            _ => None,
        };
        Some(Self {
            counts: record.counts,
            cause,
        })
    }
}

/// The counters of all maps at one moment.
#[derive(Debug, Clone, Default)]
pub struct LossCounters {
    /// By map id. A map without an entry lost nothing.
    pub by_map: HashMap<u32, MapCounters>,
    /// Losses of maps that found no slot.
    pub without_slot: u64,
    /// The slots that are claimed, and the ids of their maps.
    claimed: Vec<(u32, u32)>,
}

/// `ms_loss_slots` and `ms_loss_records` of `loss_trace.bpf.c`.
#[derive(Debug)]
pub struct CounterMaps {
    slots: MapHandle,
    records: MapHandle,
}

impl CounterMaps {
    /// Creates both maps.
    ///
    /// # Errors
    ///
    /// When the kernel refuses to create one.
    pub fn new() -> libbpf_rs::Result<Self> {
        Ok(Self {
            slots: array("ms_loss_slots", size_of::<u64>(), SLOTS)?,
            records: array("ms_loss_records", size_of::<loss_record>(), SLOTS + 1)?,
        })
    }

    /// Why they could not be created, in words.
    pub(crate) fn creation_failure(error: &libbpf_rs::Error) -> String {
        let is_refused = error.kind() == libbpf_rs::ErrorKind::PermissionDenied;
        match low_memlock_limit().filter(|_| is_refused) {
            Some(limit) => memlock_message(limit),
            None => format!("cannot create the counter maps: {error}"),
        }
    }

    /// The map of this name in `loss_trace.bpf.c`.
    pub fn map(&self, name: &str) -> Option<BorrowedFd<'_>> {
        match name {
            "ms_loss_slots" => Some(self.slots.as_fd()),
            "ms_loss_records" => Some(self.records.as_fd()),
            _ => None,
        }
    }

    /// The ids of both maps.
    ///
    /// # Errors
    ///
    /// When the kernel does not return them.
    pub fn ids(&self) -> libbpf_rs::Result<[u32; 2]> {
        Ok([self.slots.info()?.info.id, self.records.info()?.info.id])
    }

    /// Reads all counters.
    ///
    /// # Errors
    ///
    /// When a slot cannot be read.
    pub fn read(&self) -> libbpf_rs::Result<LossCounters> {
        let mut lost = LossCounters::default();
        let any = MapFlags::ANY;
        let mut read = 0;
        for (key, value) in self.slots.lookup_batch(SLOTS, any, any)? {
            read += 1;
            let slot = key.try_into().map_or(0, u32::from_ne_bytes);
            let id = value.try_into().map_or(0, u64::from_ne_bytes);
            if let Ok(id) = u32::try_from(id)
                && id != 0
            {
                lost.claimed.push((slot, id));
            }
        }
        if read != SLOTS {
            return Err(Error::from(io::Error::other("the slots cannot be read")));
        }
        for (slot, id) in &lost.claimed {
            let counted = self.record(*slot)?;
            lost.by_map.entry(*id).or_default().add(counted);
        }
        lost.without_slot = self.record(SLOTS)?.total();
        Ok(lost)
    }

    fn record(&self, slot: u32) -> libbpf_rs::Result<MapCounters> {
        let bytes = self.records.lookup(&slot.to_ne_bytes(), MapFlags::ANY)?;
        let counted = bytes.as_deref().and_then(MapCounters::decode);
        counted.ok_or_else(|| Error::from(io::Error::other("a slot cannot be read")))
    }

    /// Frees the slots of maps that were deleted after `lost` was read: nothing is counted in them any
    /// more. Returns the final counters of these maps. A slot that cannot be freed stays claimed.
    pub fn free(
        &self,
        lost: &LossCounters,
        is_there: impl Fn(u32) -> bool,
    ) -> HashMap<u32, MapCounters> {
        let mut deleted: HashMap<u32, MapCounters> = HashMap::new();
        for (slot, id) in lost.claimed.iter().filter(|(_, id)| !is_there(*id)) {
            let key = slot.to_ne_bytes();
            let nothing = [0; size_of::<loss_record>()];
            // Read again: the map may have lost something since `lost` was read.
            let Ok(counted) = self.record(*slot) else {
                continue;
            };
            // The id is cleared last: from then on another map may claim the slot.
            if self.records.update(&key, &nothing, MapFlags::ANY).is_ok() {
                deleted.entry(*id).or_default().add(counted);
                let _ = self.slots.update(&key, &[0; 8], MapFlags::ANY);
            }
        }
        deleted
    }
}

fn array(name: &str, value_size: usize, max_entries: u32) -> libbpf_rs::Result<MapHandle> {
    let options = bpf_map_create_opts {
        sz: size_of::<bpf_map_create_opts>() as u64,
        ..bpf_map_create_opts::default()
    };
    let value_size = u32::try_from(value_size).unwrap_or(u32::MAX);
    let key_size = 4;
    let kind = MapType::Array;
    MapHandle::create(
        kind,
        Some(name),
        key_size,
        value_size,
        max_entries,
        &options,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::kernel::bpf::plain::bytes_of;

    fn record(counts: &[(loss_kind, u64)], cause: loss_cause) -> loss_record {
        let mut record = loss_record {
            cause,
            tgid: 2214,
            ..loss_record::default()
        };
        record.comm[..10].copy_from_slice(b"flow\x1bd\0old");
        for (kind, count) in counts {
            record.counts[kind.0 as usize] = *count;
        }
        record
    }

    fn counted(counts: &[(loss_kind, u64)], cause: loss_cause) -> MapCounters {
        MapCounters::decode(bytes_of(&record(counts, cause))).expect("a record")
    }

    #[test]
    fn every_kind_has_its_errno() {
        let counts: Vec<_> = (0..loss_kind::LOSS_KINDS.0)
            .map(|kind| (loss_kind(kind), u64::from(kind) + 1))
            .collect();
        let counted = counted(&counts, loss_cause::CAUSE_UNKNOWN);
        let names: Vec<_> = counted
            .failed()
            .iter()
            .map(|(errno, count)| format!("{} {count}", errno.name().expect("a known error")))
            .collect();
        let expected = [
            "E2BIG 1",
            "EAGAIN 2",
            "ENOMEM 3",
            "EBUSY 4",
            "EEXIST 5",
            "ENOSPC 6",
            "EDEADLK 7",
            "ETIMEDOUT 8",
        ];
        assert_eq!(names, expected);
        assert_eq!((counted.evictions(), counted.drops()), (9, 10));
        assert_eq!((counted.total(), counted.failures()), (55, 46));
        assert_eq!(counted.cause, None);
    }

    #[test]
    fn the_name_of_a_process_is_sanitized_and_a_program_has_none() {
        let by = |cause| counted(&[(loss_kind::LOSS_E2BIG, 1)], cause).cause;
        let process = LossCause::Process {
            pid: 2214,
            comm: "flow?d".into(),
        };
        assert_eq!(by(loss_cause::CAUSE_PROCESS), Some(process));
        assert_eq!(by(loss_cause::CAUSE_PROGRAM), Some(LossCause::Program));
        assert_eq!(by(loss_cause(77)), None);
    }

    #[test]
    fn a_process_without_a_pid_is_none() {
        let record = loss_record {
            tgid: 0,
            ..record(&[(loss_kind::LOSS_E2BIG, 1)], loss_cause::CAUSE_PROCESS)
        };
        let counted = MapCounters::decode(bytes_of(&record)).expect("a record");
        assert_eq!((counted.total(), counted.cause), (1, None));
    }

    #[test]
    fn losses_before_the_baseline_are_excluded() {
        let cause = loss_cause::CAUSE_PROGRAM;
        let base = counted(&[(loss_kind::LOSS_ENOMEM, 3)], cause);
        let later = [(loss_kind::LOSS_E2BIG, 2), (loss_kind::LOSS_ENOMEM, 3)];
        let since = counted(&later, cause).since(&base);
        assert_eq!(since.failed(), [(Errno::E2BIG, 2)].into());
        assert_eq!(since.cause, Some(LossCause::Program));
        assert_eq!(base.clone().since(&base), MapCounters::default());
    }

    #[test]
    fn the_slots_of_one_map_add_up() {
        let mut sum = counted(&[(loss_kind::LOSS_EVICTED, 3)], loss_cause::CAUSE_PROGRAM);
        sum.add(counted(
            &[(loss_kind::LOSS_EVICTED, 4)],
            loss_cause::CAUSE_UNKNOWN,
        ));
        assert_eq!(sum.evictions(), 7);
        assert_eq!(sum.cause, Some(LossCause::Program));
    }

    #[test]
    fn a_record_of_unexpected_size_is_rejected() {
        assert_eq!(MapCounters::decode(&[0; 7]), None);
    }
}
