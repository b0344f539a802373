//! Why the map iterator cannot be loaded.

use std::fmt;

use compact_str::CompactString;

/// The first kernel with BPF iterators.
pub(crate) const FIRST_WITH_ITERATORS: (u32, u32) = (5, 8);

/// The kernel's BTF, which describes its structures.
pub const BTF: &str = "/sys/kernel/btf/vmlinux";

/// Why the map iterator cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadErrorKind {
    /// Capabilities are missing: which ones, and who asked.
    NotPermitted {
        /// Needed capabilities that the process does not have.
        missing: Vec<&'static str>,
        /// Needed capabilities that it has.
        present: Vec<&'static str>,
        /// The effective user.
        uid: u32,
    },
    /// The process is in a user namespace, where its capabilities do not allow loading programs.
    InUserNamespace,
    /// The limit of locked memory, which programs count against, is too low.
    LockedMemory {
        /// The limit in bytes.
        limit: u64,
        /// The effective user.
        uid: u32,
    },
    /// `lockdown=confidentiality`: no program may read the kernel's memory.
    LockedDown,
    /// The kernel, of this release, is older than BPF iterators.
    TooOld(CompactString),
    /// The kernel, of this release, has no BTF.
    NoBtf(CompactString),
    /// sysfs, where the BTF would be, is not mounted.
    NoSys,
    /// Something else, in libbpf's words.
    Failed,
}

/// Why the iterator could not be loaded. `doctor::load_message` explains it, and what to do.
#[derive(Debug)]
pub struct LoadError {
    /// The reason.
    pub kind: LoadErrorKind,
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
