//! Reads an iterator to its end: read(2) after read(2) become bytes in one piece.

use std::io::{ErrorKind, Read};

use anyhow::{Context, Result};
use libbpf_rs::{Iter, Link};

/// The kernel hands out this much in one read at most (`PAGE_SIZE << 3` in `bpf_iter.c`).
const READ_SIZE: usize = 32 * 1024;

/// A read that comes to no end is given up after so many bytes; a million maps are 128 MB.
const TOO_MUCH: usize = 1 << 30;

/// Puts all that the iterator gives into `bytes`, in place of what was there. Each read begins
/// with `question` in its buffer, where the kernel side may look for it.
///
/// # Errors
///
/// When the kernel could not give all of it, for lack of memory or of permission.
pub fn to_end(link: &Link, what: &str, question: &[u8], bytes: &mut Vec<u8>) -> Result<()> {
    let mut iter = Iter::new(link).with_context(|| format!("cannot open the {what} iterator"))?;
    bytes.clear();
    loop {
        let start = bytes.len();
        if start > TOO_MUCH {
            anyhow::bail!("the {what} iterator comes to no end");
        }
        bytes.resize(start + READ_SIZE, 0);
        // Each read(2) is a run of its own, so each carries the question.
        bytes[start..start + question.len()].copy_from_slice(question);
        let read = iter.read(&mut bytes[start..]);
        bytes.truncate(start + read.as_ref().copied().unwrap_or(0));
        match read {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            // EAGAIN: a million objects without an end; EINTR: a signal. Go on.
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(e) => return Err(e).with_context(|| format!("cannot read the {what} iterator")),
        }
    }
}
