//! Why the map iterator cannot be loaded.

use std::fmt;

use compact_str::CompactString;

/// The first kernel with BPF iterators.
pub(crate) const FIRST_WITH_ITERATORS: (u32, u32) = (5, 8);

/// Where a kernel describes its own structures.
pub const BTF: &str = "/sys/kernel/btf/vmlinux";

/// What stands between mapstop and the maps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadErrorKind {
    /// Capabilities are missing: which ones, and who asked.
    NotPermitted {
        /// Those of the needed that the process does not have.
        missing: Vec<&'static str>,
        /// Those of the needed that it has.
        held: Vec<&'static str>,
        /// The effective user.
        uid: u32,
    },
    /// The process is in a user namespace: what it has of capabilities counts in there alone.
    InUserNamespace,
    /// Programs count to the memory that a user may lock, which is too little.
    LockedMemory {
        /// So many bytes.
        limit: u64,
        /// The effective user.
        uid: u32,
    },
    /// `lockdown=confidentiality`: no program may read the kernel's memory.
    LockedDown,
    /// The kernel, which calls itself so, is older than BPF iterators.
    TooOld(CompactString),
    /// It does not describe its structures.
    NoBtf(CompactString),
    /// Where it would describe them is not mounted.
    NoSys,
    /// Something else, in libbpf's words.
    Failed,
}

/// Why the iterator could not be loaded. `doctor` has words for it: what, why, and what to do.
#[derive(Debug)]
pub struct LoadError {
    /// What is in the way.
    pub obstacle: LoadErrorKind,
    /// The version the kernel calls itself (`uname -r`).
    pub release: CompactString,
    /// The error and what libbpf said before it.
    pub details: String,
}

impl std::error::Error for LoadError {}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot load the map iterator: {}", self.details)
    }
}
