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

/// Approximate bytes of the entries of one batch.
const BATCH_BYTES: usize = 1 << 20;
/// Entries of one batch, at least and at most.
const BATCH_LEN: (usize, usize) = (16, 4096);
/// A bucket of a hash must fit into one batch; none is that long.
const MAX_BUCKET_LEN: u32 = 1 << 20;
/// How often a locked bucket is tried again.
const MAX_TRIES: u32 = 1000;
/// Keys between two calls of `go_on`, where keys are read one by one.
const REPORT_INTERVAL: u64 = 1024;

/// Counts the entries of a map by reading every key, and every value where they come in batches.
/// `go_on` gets the number so far; when it returns `false`, the count ends with `None`. An entry that is
/// added or deleted meanwhile may be counted or not, but none is counted twice.
///
/// # Errors
///
/// When the map is deleted, opening it is not permitted (that needs `CAP_SYS_ADMIN`), or its type has no
/// keys to read.
pub fn count_exactly(id: MapId, go_on: &mut dyn FnMut(u64) -> bool) -> Result<Option<u64>> {
    let map = match MapHandle::from_map_id(id.0) {
        Ok(map) => map,
        Err(error) => match error.kind() {
            libbpf_rs::ErrorKind::PermissionDenied => {
                bail!("opening a map by id needs CAP_SYS_ADMIN; run {SUDO}")
            }
            libbpf_rs::ErrorKind::NotFound => bail!("it was deleted"),
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
        match count_by_batches(&raw, go_on)? {
            BatchOutcome::Complete(entries) => return Ok(Some(entries)),
            BatchOutcome::Stopped => return Ok(None),
            BatchOutcome::NoBatches => {}
        }
    }
    count_by_keys(&raw, map.max_entries(), go_on)
}

/// How reading in batches ended.
enum BatchOutcome {
    /// At the end of the map, with this many entries.
    Complete(u64),
    Stopped,
    /// This kernel has no batches for the type.
    NoBatches,
}

/// Bucket by bucket, each under its lock, so that no entry is counted twice.
fn count_by_batches(
    raw: &MapSyscalls<'_>,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<BatchOutcome> {
    let entry_size = raw.key_size + raw.value_size;
    let entries = (BATCH_BYTES / entry_size.max(1)).clamp(BATCH_LEN.0, BATCH_LEN.1);
    let mut entries = u32::try_from(entries).unwrap_or(u32::MAX);
    let mut batch = raw.batch(entries);
    let mut total = 0;
    let mut tries = 0;
    loop {
        let (count, done) = raw.read(&mut batch);
        total += u64::from(count);
        match done {
            Ok(()) => tries = 0,
            Err(Errno::NOENT) => return Ok(BatchOutcome::Complete(total)),
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
            // Another CPU holds the lock of a bucket, or a signal arrived.
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

/// Key by key. After a key that was deleted meanwhile, the kernel starts again from the first one: a set of
/// 64-bit hashes leaves out the keys that were counted already.
fn count_by_keys(
    raw: &MapSyscalls<'_>,
    max: u32,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<u64>> {
    let hasher = RandomState::new();
    let mut seen = HashSet::new();
    let mut key: Option<Vec<u8>> = None;
    let mut next = vec![0; raw.key_size];
    // At most two passes: a map that changes so fast has no exact count.
    let max_steps = 2 * u64::from(max) + REPORT_INTERVAL;
    for step in 0.. {
        match raw.next_key(key.as_deref(), &mut next) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(Some(seen.len() as u64)),
            Err(Errno::INTR) => continue,
            Err(error) => bail!("its keys cannot be read: {error}"),
        }
        seen.insert(hasher.hash_one(&next));
        if step > max_steps {
            bail!("it changes too fast to be read key by key");
        }
        if step % REPORT_INTERVAL == 0 && !go_on(seen.len() as u64) {
            return Ok(None);
        }
        key.get_or_insert_with(|| vec![0; raw.key_size])
            .copy_from_slice(&next);
    }
    Ok(None)
}
