//! The two commands of bpf(2) that walk a map. The iterators of libbpf-rs do not report how a walk
//! ended: they stop silently at an error, at the end, and at a batch that is not full.

#![expect(
    unsafe_code,
    reason = "two calls through libbpf's foreign interface, over buffers whose sizes are checked here"
)]

use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use libbpf_rs::libbpf_sys::{bpf_map_batch_opts, bpf_map_get_next_key, bpf_map_lookup_batch};
use rustix::io::Errno;

/// Bytes of the token that says where a batch ended, whatever the size of a key: a hash has the
/// number of a bucket there.
const MIN_TOKEN_LEN: usize = size_of::<u32>();

/// A map as bpf(2) reads it.
#[derive(Debug, Clone, Copy)]
pub struct MapSyscalls<'fd> {
    /// Its descriptor.
    pub fd: BorrowedFd<'fd>,
    /// Bytes of a key.
    pub key_size: usize,
    /// Bytes of a value as read: in a per-CPU map, the values of all CPUs.
    pub value_size: usize,
}

/// The buffers of one batch, and the position where the next one starts.
#[derive(Debug)]
pub struct Batch {
    keys: Vec<u8>,
    values: Vec<u8>,
    token: Vec<u8>,
    next: Vec<u8>,
    has_begun: bool,
}

impl MapSyscalls<'_> {
    /// Buffers for this many entries, at the start of the map.
    pub fn batch(&self, entries: u32) -> Batch {
        let bytes = |size: usize| vec![0; size.max(1) * entries as usize];
        let token = vec![0; self.key_size.max(MIN_TOKEN_LEN)];
        Batch {
            keys: bytes(self.key_size),
            values: bytes(self.value_size),
            next: token.clone(),
            token,
            has_begun: false,
        }
    }

    /// Larger buffers at the position of another batch.
    pub fn larger(&self, batch: Batch, entries: u32) -> Batch {
        Batch {
            keys: vec![0; self.key_size.max(1) * entries as usize],
            values: vec![0; self.value_size.max(1) * entries as usize],
            ..batch
        }
    }

    /// Reads one batch. Returns the number of entries, and how it ended: `NOENT` at the end of the map. After
    /// another error the next call continues after the entries that were returned.
    pub fn read(&self, batch: &mut Batch) -> (u32, Result<(), Errno>) {
        let room = batch.keys.len() / self.key_size.max(1);
        let room = room.min(batch.values.len() / self.value_size.max(1));
        let mut count = u32::try_from(room).unwrap_or(u32::MAX);
        let options = bpf_map_batch_opts {
            sz: size_of::<bpf_map_batch_opts>() as u64,
            ..bpf_map_batch_opts::default()
        };
        let from = if batch.has_begun {
            batch.token.as_mut_ptr()
        } else {
            ptr::null_mut()
        };
        assert!(batch.next.len() >= self.key_size.max(MIN_TOKEN_LEN));
        // SAFETY: the kernel writes at most `count` keys and values, for which there is room, and
        // a token of a key or a number, for which there is, too; it reads a token that it wrote.
        let done = unsafe {
            bpf_map_lookup_batch(
                self.fd.as_raw_fd(),
                from.cast(),
                batch.next.as_mut_ptr().cast(),
                batch.keys.as_mut_ptr().cast(),
                batch.values.as_mut_ptr().cast(),
                &raw mut count,
                &raw const options,
            )
        };
        let done = result(done);
        // A failure before the first entry leaves no token, or one that is not needed.
        let given = match done {
            Ok(()) | Err(Errno::NOENT) => count,
            // It is set before any entry is read, and not at all where this is not known.
            Err(
                Errno::INVAL
                | Errno::OPNOTSUPP
                | Errno::FAULT
                | Errno::PERM
                | Errno::NOSPC
                | Errno::INTR,
            ) => 0,
            Err(error) if error.raw_os_error() == NOT_SUPPORTED => 0,
            Err(_) => count,
        };
        if done.is_ok() || given > 0 {
            std::mem::swap(&mut batch.token, &mut batch.next);
            batch.has_begun = true;
        }
        (given, done)
    }

    /// Puts the key after this one, or the first, into `next`. `NOENT`: there is none.
    pub(crate) fn next_key(&self, key: Option<&[u8]>, next: &mut [u8]) -> Result<(), Errno> {
        assert!(next.len() == self.key_size);
        assert!(key.is_none_or(|key| key.len() == self.key_size));
        let key = key.map_or(ptr::null(), <[u8]>::as_ptr);
        // SAFETY: both are as long as a key, and the kernel writes to the second only.
        result(unsafe {
            bpf_map_get_next_key(self.fd.as_raw_fd(), key.cast(), next.as_mut_ptr().cast())
        })
    }
}

/// `ENOTSUPP`, which is no error of the system's: a type that has no batches.
pub(crate) const NOT_SUPPORTED: i32 = 524;

/// libbpf returns an error as a negative number.
fn result(returned: i32) -> Result<(), Errno> {
    if returned < 0 {
        Err(Errno::from_raw_os_error(-returned))
    } else {
        Ok(())
    }
}
