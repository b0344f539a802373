//! What maps lose: updates that were refused, entries that were evicted, records that were dropped.

use std::borrow::Cow;
use std::time::Duration;

use compact_str::CompactString;

/// Why an update was refused: the kernel's error number, as a positive one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Errno(pub u16);

/// Every error that counts as a loss, with its name and what it means for a map. `EEXIST` counts for
/// stack traces only, where it is a collision; from other maps it is the caller's business, as
/// `ENOENT` and `EINVAL` are.
const ERRORS: [(Errno, &str, &str); 8] = [
    (Errno(7), "E2BIG", "the map is full"),
    (Errno(11), "EAGAIN", "the buffer is full"),
    (Errno(12), "ENOMEM", "no memory, or no free element"),
    (Errno(16), "EBUSY", "its lock was taken"),
    (Errno(17), "EEXIST", "another stack has its place"),
    (Errno(28), "ENOSPC", "the map is full"),
    (Errno(35), "EDEADLK", "its lock would never have come"),
    (Errno(110), "ETIMEDOUT", "its lock did not come in time"),
];

impl Errno {
    /// The kernel's name of it, as `E2BIG`; `None` if it is none of those that are counted.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(self.entry()?.1)
    }

    /// What it means, in a few words; `None` if it is none of those that are counted.
    #[must_use]
    pub fn words(self) -> Option<&'static str> {
        Some(self.entry()?.2)
    }

    fn entry(self) -> Option<&'static (Self, &'static str, &'static str)> {
        ERRORS.iter().find(|(errno, _, _)| *errno == self)
    }
}

/// Who made a loss happen last, as far as that can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Culprit {
    /// A process, through bpf(2).
    Process {
        /// Its id.
        pid: u32,
        /// Its name, harmless.
        comm: CompactString,
    },
    /// A BPF program; which one is known only if it is the only one that uses the map.
    Program,
}

/// What one map lost. Counters are of the time since it was watched, those that the kernel keeps by
/// itself since the map was first seen; they only ever grow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loss {
    /// Whether what it loses is being counted by tracers.
    pub is_watched: bool,
    /// Why something of it cannot be observed here; `None` if all that the type can lose is.
    pub reason: Option<Cow<'static, str>>,
    /// Updates that were refused, by error, each once and in order; `None` if they are not counted.
    pub failed: Option<Vec<(Errno, u64)>>,
    /// Entries that made room for others; `None` if the type has none, or they are not counted.
    pub evictions: Option<u64>,
    /// Records that did not fit; `None` if the type has none, or they are not counted.
    pub drops: Option<u64>,
    /// Who made the last of them happen.
    pub culprit: Option<Culprit>,
}

impl Loss {
    /// All updates that were refused; `None` if they are not counted.
    #[must_use]
    pub fn failed_updates(&self) -> Option<u64> {
        Some(self.failed.as_ref()?.iter().map(|(_, count)| count).sum())
    }
}

/// Whether somebody asked for what maps lose, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Watching {
    /// Nobody did: no tracer is attached, and updates cost what they always do.
    #[default]
    Off,
    /// Tracers are being attached.
    Starting,
    /// Tracers count.
    On {
        /// The uptime from which on all of them do.
        since: Duration,
        /// What they do not see, in a few words: kinds of maps that cannot be watched here, maps
        /// without a place to be counted in, events that were missed.
        note: Option<CompactString>,
    },
    /// This kernel does not let itself be traced, and why, in a few words.
    Refused(CompactString),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_names_and_numbers_of_the_system() {
        use rustix::io::Errno as System;
        for (system, name) in [
            (System::TOOBIG, "E2BIG"),
            (System::AGAIN, "EAGAIN"),
            (System::NOMEM, "ENOMEM"),
            (System::BUSY, "EBUSY"),
            (System::EXIST, "EEXIST"),
            (System::NOSPC, "ENOSPC"),
            (System::DEADLK, "EDEADLK"),
            (System::TIMEDOUT, "ETIMEDOUT"),
        ] {
            let number = u16::try_from(system.raw_os_error()).expect("a small number");
            assert_eq!(Errno(number).name(), Some(name));
        }
        assert_eq!(Errno(2).name(), None);
    }

    #[test]
    fn refused_updates_add_up_over_their_errors() {
        let mut loss = Loss::default();
        assert_eq!(loss.failed_updates(), None);
        loss.failed = Some(vec![(Errno(7), 31), (Errno(12), 2)]);
        assert_eq!(loss.failed_updates(), Some(33));
    }
}
