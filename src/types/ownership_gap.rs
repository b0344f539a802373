//! What cannot be found out about owners, and why, in the words of every output.

use std::fmt;

use compact_str::CompactString;
use serde::{Serialize, Serializer};

/// Something about owners that is not known, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OwnershipGap {
    /// Processes outside the pid namespace are not visible.
    OtherProcesses,
    /// It is unknown whether there are processes outside the pid namespace.
    AllProcesses,
    /// The iterator of descriptors failed.
    Descriptors,
    /// The iterator of mappings failed, or is not there.
    Mappings,
    /// The iterator of programs failed, or is not there.
    Programs,
    /// A program uses more maps than one read returns, or changed meanwhile.
    SomePrograms,
    /// Listing links is not permitted.
    Links,
    /// Mounts are unknown.
    Mounts,
    /// Some directories with pins could not be read.
    SomePins,
    /// mapstop is not in the mount namespace of process 1, where most pins are.
    OtherPins,
    /// It is unknown whether mapstop is in the mount namespace of process 1.
    AllPins,
    /// There are too many pins.
    ManyPins,
    /// Reading outer maps is not permitted.
    OuterMaps,
    /// Some outer maps are too large.
    LargeOuterMaps,
}

impl OwnershipGap {
    /// What is not known, in a word or two.
    #[must_use]
    pub fn what(self) -> &'static str {
        self.texts().0
    }

    /// Why, in a few words.
    #[must_use]
    pub fn why(self) -> &'static str {
        self.texts().1
    }

    fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::OtherProcesses => (
                "holders",
                "mapstop runs in a pid namespace and does not see every process",
            ),
            Self::AllProcesses => ("holders", "without /proc, some processes may not be seen"),
            Self::Descriptors => ("holders", "cannot read file descriptors"),
            Self::Mappings => (
                "holders",
                "cannot read mappings, which needs Linux 5.12 or later",
            ),
            Self::Programs => ("programs", "cannot be read, which needs Linux 5.9 or later"),
            Self::SomePrograms => ("programs", "one uses more maps than could be read"),
            Self::Links => ("links", "listing them needs CAP_SYS_ADMIN"),
            Self::Mounts => ("pins", "cannot read /proc/self/mountinfo"),
            Self::SomePins => ("pins", "some cannot be read"),
            Self::OtherPins => ("pins", "mapstop runs in a mount namespace of its own"),
            Self::AllPins => ("pins", "mapstop may run in a mount namespace of its own"),
            Self::ManyPins => ("pins", "too many to read them all"),
            Self::OuterMaps => ("outer maps", "reading them needs CAP_SYS_ADMIN"),
            Self::LargeOuterMaps => ("outer maps", "some are too large to read"),
        }
    }
}

impl fmt::Display for OwnershipGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what(), self.why())
    }
}

impl Serialize for OwnershipGap {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// All of it in a line; `None` if there is nothing.
#[must_use]
pub fn note(unknown: &[OwnershipGap]) -> Option<CompactString> {
    let all: Vec<_> = unknown.iter().map(ToString::to_string).collect();
    (!all.is_empty()).then(|| all.join("; ").into())
}
