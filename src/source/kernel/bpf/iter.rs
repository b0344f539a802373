//! Reads an iterator to its end.

use std::io::{ErrorKind, Read};

use anyhow::{Context, Error, Result, bail};
use libbpf_rs::{Iter, Link};

/// The most that one read(2) returns (`PAGE_SIZE << 3` in `bpf_iter.c`).
const READ_SIZE: usize = 32 * 1024;

/// The most bytes of one read of all records; a million maps take 160 MB.
const MAX_BYTES: usize = 1 << 30;

/// The most EAGAIN or EINTR in a row before reading fails. The kernel returns EAGAIN after a million
/// objects without a record (`MAX_ITER_OBJECTS` in `bpf_iter.c`).
const MAX_RETRIES: u32 = 1000;

/// Replaces `bytes` by all records of the iterator. Each read(2) has `request` at the start of its buffer,
/// where the program may look for it.
///
/// # Errors
///
/// When the kernel could not give all of it, for lack of memory or of permission. `bytes` is incomplete
/// then.
pub(crate) fn drain(link: &Link, what: &str, request: &[u8], bytes: &mut Vec<u8>) -> Result<()> {
    let iter = Iter::new(link).map_err(|error| cannot_open(error, what))?;
    take_all(iter, request, bytes).with_context(|| format!("cannot read the {what} iterator"))
}

/// It could be opened when it was loaded: if that is not permitted now, capabilities were lost meanwhile.
fn cannot_open(error: libbpf_rs::Error, what: &str) -> Error {
    let is_refused = error.kind() == libbpf_rs::ErrorKind::PermissionDenied;
    let why = if is_refused {
        "; this kernel needs CAP_BPF and CAP_PERFMON for every read"
    } else {
        ""
    };
    Error::new(error).context(format!("cannot open the {what} iterator{why}"))
}

fn take_all(mut iter: impl Read, request: &[u8], bytes: &mut Vec<u8>) -> Result<()> {
    bytes.clear();
    let mut retries = 0;
    loop {
        let start = bytes.len();
        if start > MAX_BYTES || retries > MAX_RETRIES {
            bail!("it does not end");
        }
        bytes.resize(start + READ_SIZE, 0);
        // The answer overwrites the request, so each read(2) needs it again.
        bytes[start..start + request.len()].copy_from_slice(request);
        let read = iter.read(&mut bytes[start..]);
        bytes.truncate(start + read.as_ref().copied().unwrap_or(0));
        match read {
            Ok(0) => return Ok(()),
            Ok(_) => retries = 0,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                retries += 1;
            }
            Err(e) => return Err(e.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io;

    use rustix::io::Errno;

    use super::*;

    /// Returns one of these per read, and the last one from then on.
    struct Script(VecDeque<Result<&'static [u8], Errno>>);

    impl Read for Script {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert_eq!(&buffer[..7], b"request");
            assert_eq!(buffer.len(), READ_SIZE);
            let next = match self.0.len() {
                1 => self.0[0],
                _ => self.0.pop_front().expect("something"),
            };
            let given = next?;
            buffer[..given.len()].copy_from_slice(given);
            Ok(given.len())
        }
    }

    fn read(script: impl IntoIterator<Item = Result<&'static [u8], Errno>>) -> Result<Vec<u8>> {
        let mut bytes = b"what was there before".to_vec();
        let script = Script(script.into_iter().collect());
        take_all(script, b"request", &mut bytes).map(|()| bytes)
    }

    fn refusal(errno: Errno) -> String {
        let error = read([Ok(&b"maps"[..]), Err(errno)]).expect_err("no memory, or no permission");
        format!("{error:#}")
    }

    #[test]
    fn pieces_are_joined_and_old_content_dropped() {
        let read = read([Ok(&b"rec"[..]), Ok(b"ord"), Ok(b"")]).expect("all of it");
        assert_eq!(read, b"record");
    }

    #[test]
    fn an_interrupted_read_is_retried_from_the_start() {
        let again = [Err(Errno::AGAIN), Err(Errno::INTR)];
        let script = [Err(Errno::INTR), Ok(&b"rec"[..])];
        let script = script
            .into_iter()
            .chain(again)
            .chain([Ok(&b"ord"[..]), Ok(b"")]);
        assert_eq!(read(script).expect("all of it"), b"record");
    }

    #[test]
    fn endless_retries_are_given_up() {
        for errno in [Errno::AGAIN, Errno::INTR] {
            assert!(refusal(errno).contains("does not end"));
        }
        let few = (0..MAX_RETRIES).map(|_| Err(Errno::AGAIN));
        let twice = few
            .clone()
            .chain([Ok(&b"x"[..])])
            .chain(few)
            .chain([Ok(&b""[..])]);
        assert_eq!(read(twice).expect("each time it came further"), b"x");
    }

    #[test]
    fn enomem_and_eperm_are_errors() {
        assert!(refusal(Errno::NOMEM).contains("Cannot allocate memory"));
        assert!(refusal(Errno::PERM).contains("Operation not permitted"));
        assert!(refusal(Errno::FAULT).contains("Bad address"));
    }

    #[test]
    fn lost_capabilities_are_named() {
        let message = |number| {
            let error = libbpf_rs::Error::from_raw_os_error(number);
            format!("{:#}", cannot_open(error, "map"))
        };
        let refused = message(Errno::PERM.raw_os_error());
        assert!(
            refused.contains("needs CAP_BPF and CAP_PERFMON"),
            "{refused}"
        );
        assert!(!message(Errno::NOMEM.raw_os_error()).contains("CAP_"));
    }
}
