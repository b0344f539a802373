//! The kernel as a source: loads the iterator, reads it, turns its records into snapshots.
//!
//! The only folder that names libbpf. Nothing is left behind: what is loaded hangs on one
//! descriptor, which the kernel closes however the process ends.

mod btf;
mod decode;
mod host;
mod load;
mod scan;
mod skeleton;

use std::io::{ErrorKind, Read};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use libbpf_rs::{Iter, Link};

use crate::model::snapshot::{Host, Snapshot};
use crate::model::source::Source;
use decode::RECORD_SIZE;
use scan::Scans;

pub use host::now;
pub use load::{CannotStart, Obstacle};

/// The kernel hands out this much in one read at most (`PAGE_SIZE << 3` in `bpf_iter.c`).
const READ_SIZE: usize = 32 * 1024;

/// A read that comes to no end is given up after so many bytes; a million maps are 128 MB.
const TOO_MUCH: usize = 1 << 30;

/// The BPF maps of the running kernel.
#[derive(Debug)]
pub struct Kernel {
    link: Link,
    host: Host,
    cpus: u32,
    scans: Scans,
    /// What the last read gave, kept so that its memory is used again.
    bytes: Vec<u8>,
}

impl Kernel {
    /// Loads the iterator into the kernel.
    ///
    /// # Errors
    ///
    /// [`CannotStart`] when it is not permitted, or this kernel cannot.
    pub fn new() -> Result<Self, CannotStart> {
        load::load().map(Self::over)
    }

    fn over(link: Link) -> Self {
        Self {
            link,
            host: host::host(),
            cpus: host::cpus(),
            scans: Scans::default(),
            bytes: Vec::new(),
        }
    }

    /// Reads the iterator to its end and gives the raw records: what a sample costs at the least.
    ///
    /// # Errors
    ///
    /// When the kernel could not give them all, for lack of memory or of permission.
    pub fn read(&mut self) -> Result<&[u8]> {
        let question = self.scans.question().to_bytes();
        let mut iter = Iter::new(&self.link).context("cannot open the map iterator")?;
        self.bytes.clear();
        loop {
            let start = self.bytes.len();
            if start > TOO_MUCH {
                anyhow::bail!("the map iterator comes to no end");
            }
            self.bytes.resize(start + READ_SIZE, 0);
            // Each read(2) is a run of its own, so each carries the question.
            self.bytes[start..start + question.len()].copy_from_slice(&question);
            let read = iter.read(&mut self.bytes[start..]);
            self.bytes
                .truncate(start + read.as_ref().copied().unwrap_or(0));
            match read {
                Ok(0) => break,
                Ok(_) => {}
                // EAGAIN: a million maps without an end; EINTR: a signal. Go on.
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(e) => return Err(e).context("cannot read the map iterator"),
            }
        }
        Ok(&self.bytes)
    }

    /// One read of all maps, and what it adds to the looks at their slots.
    fn pass(&mut self) -> Result<Snapshot> {
        let moment = host::now();
        self.read()?;
        let scans = &mut self.scans;
        let mut maps: Vec<_> = decode::records(&self.bytes)
            .map(|record| {
                let (used, count) = scans.count(&record, moment.uptime);
                decode::facts(&record, used, count)
            })
            .collect();
        scans.finish_pass();
        // The kernel goes by id; ids wrap, and a map made meanwhile may be met twice.
        if !maps.is_sorted_by(|a, b| a.key < b.key) {
            maps.sort_by(|a, b| a.key.cmp(&b.key));
            maps.dedup_by(|a, b| a.key == b.key);
        }
        Ok(Snapshot {
            moment,
            cpus: self.cpus,
            maps,
            owners: None,
        })
    }

    /// How many bytes a map takes in what [`Self::read`] gives.
    #[must_use]
    pub fn record_size() -> usize {
        RECORD_SIZE
    }
}

impl Source for Kernel {
    fn name(&self) -> &'static str {
        "kernel"
    }

    fn host(&self) -> &Host {
        &self.host
    }

    fn sample(&mut self) -> Result<Option<Snapshot>> {
        let mut snapshot = self.pass()?;
        // A map met for the first time was not yet asked about; do not make it wait a tick.
        if self.scans.has_unseen() {
            snapshot = self.pass()?;
        }
        Ok(Some(snapshot))
    }

    fn is_still_counting(&self) -> bool {
        self.scans.is_incomplete()
    }

    fn wait(&mut self, due: Duration) -> Duration {
        let now = host::now().uptime;
        if due <= now {
            return now;
        }
        thread::sleep(due.saturating_sub(now));
        due
    }
}
