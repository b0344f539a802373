//! Counts the entries of one map by reading all of them through bpf(2).

pub(crate) mod syscalls;

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::os::fd::AsFd;
use std::thread;

use anyhow::{Result, bail};
use libbpf_rs::{MapCore, MapHandle};
use rustix::io::Errno;

use crate::text::remedies::SUDO;
use crate::types::map_id::MapId;
use crate::types::map_type::MapType;
use syscalls::{MapSyscalls, NOT_SUPPORTED};

/// Bytes for the entries of one batch, or so.
const BATCH_BYTES: usize = 1 << 20;
/// Entries of one batch, at the least and at the most.
const BATCH: (usize, usize) = (16, 4096);
/// A bucket of a hash must fit into one batch; one of so many entries does not exist.
const MAX_BUCKET_LEN: u32 = 1 << 20;
/// A bucket may be locked; it is tried again so often, then it is a failure.
const MAX_TRIES: u32 = 1000;
/// Keys between two reports where they are read one by one.
const STEP: u64 = 1024;

/// Counts the entries of a map by reading every key, and every value where they come in batches; it
/// tells how many there were so far, and ends early with `None` when it is told not to go on. Entries
/// that come or go meanwhile may be counted or not, and none is counted twice.
///
/// # Errors
///
/// When the map is gone, may not be opened (that takes `CAP_SYS_ADMIN`), or has no keys to read.
pub fn count_exactly(id: MapId, go_on: &mut dyn FnMut(u64) -> bool) -> Result<Option<u64>> {
    let map = match MapHandle::from_map_id(id.0) {
        Ok(map) => map,
        Err(error) => match error.kind() {
            libbpf_rs::ErrorKind::PermissionDenied => {
                bail!("opening a map by its id takes CAP_SYS_ADMIN: {SUDO}")
            }
            libbpf_rs::ErrorKind::NotFound => bail!("it is gone"),
            _ => bail!("it cannot be opened: {error}"),
        },
    };
    let map_type = MapType(map.info()?.info.type_);
    if !map_type.is_iterable() {
        bail!("a {map_type} has no keys to read");
    }
    let value_size = map.value_size() as usize;
    let raw = MapSyscalls {
        fd: map.as_fd(),
        key_size: map.key_size() as usize,
        value_size: if map.map_type().is_percpu() {
            value_size.next_multiple_of(8) * libbpf_rs::num_possible_cpus()?
        } else {
            value_size
        },
    };
    if map_type.supports_batch_lookup() {
        match by_batches(&raw, go_on)? {
            BatchOutcome::Whole(entries) => return Ok(Some(entries)),
            BatchOutcome::Stopped => return Ok(None),
            BatchOutcome::NoBatches => {}
        }
    }
    by_keys(&raw, map.max_entries(), go_on)
}

/// How a walk by batches ended.
enum BatchOutcome {
    /// At the end, after so many entries.
    Whole(u64),
    /// It was told to.
    Stopped,
    /// Before it began: this kernel has no batches for the type.
    NoBatches,
}

/// Bucket by bucket, each under its lock, so that no entry is met twice.
fn by_batches(raw: &MapSyscalls<'_>, go_on: &mut dyn FnMut(u64) -> bool) -> Result<BatchOutcome> {
    let of_entry = raw.key_size + raw.value_size;
    let entries = (BATCH_BYTES / of_entry.max(1)).clamp(BATCH.0, BATCH.1);
    let mut entries = u32::try_from(entries).unwrap_or(u32::MAX);
    let mut batch = raw.batch(entries);
    let mut total = 0;
    let mut tries = 0;
    loop {
        let (count, done) = raw.read(&mut batch);
        total += u64::from(count);
        match done {
            Ok(()) => tries = 0,
            Err(Errno::NOENT) => return Ok(BatchOutcome::Whole(total)),
            Err(Errno::NOSPC) if entries < MAX_BUCKET_LEN => {
                entries *= 2;
                batch = raw.larger(batch, entries);
            }
            Err(Errno::INVAL | Errno::OPNOTSUPP) if total == 0 => {
                return Ok(BatchOutcome::NoBatches);
            }
            Err(error) if total == 0 && error.raw_os_error() == NOT_SUPPORTED => {
                return Ok(BatchOutcome::NoBatches);
            }
            // Somebody has the lock of a bucket, or a signal came.
            Err(
                error
                @ (Errno::AGAIN | Errno::BUSY | Errno::DEADLK | Errno::TIMEDOUT | Errno::INTR),
            ) => {
                tries = if count > 0 { 0 } else { tries + 1 };
                if tries > MAX_TRIES {
                    bail!("its buckets stay locked ({error})");
                }
                thread::yield_now();
            }
            Err(error) => bail!("it cannot be read: {error}"),
        }
        if !go_on(total) {
            return Ok(BatchOutcome::Stopped);
        }
    }
}

/// Key by key. The kernel begins anew behind a key that went away meanwhile, so that keys are met
/// again: they are told apart by a hash of 64 bits.
fn by_keys(
    raw: &MapSyscalls<'_>,
    max: u32,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<u64>> {
    let hasher = RandomState::new();
    let mut met = HashSet::new();
    let mut key: Option<Vec<u8>> = None;
    let mut next = vec![0; raw.key_size];
    // Twice through, at the most: what changes so fast has no exact count.
    let most = 2 * u64::from(max) + STEP;
    for step in 0.. {
        match raw.next_key(key.as_deref(), &mut next) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(Some(met.len() as u64)),
            Err(Errno::INTR) => continue,
            Err(error) => bail!("its keys cannot be read: {error}"),
        }
        met.insert(hasher.hash_one(&next));
        if step > most {
            bail!("it changes too fast to be read key by key");
        }
        if step % STEP == 0 && !go_on(met.len() as u64) {
            return Ok(None);
        }
        key.get_or_insert_with(|| vec![0; raw.key_size])
            .copy_from_slice(&next);
    }
    Ok(None)
}
