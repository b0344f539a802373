//! What a map costs: kernel memory, computed from what its record says.

use super::snapshot::MapFacts;

/// Kernel memory that a map takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Bytes.
    pub bytes: u64,
    /// Whether that is the very number that the kernel itself would tell (`memlock` in fdinfo, from
    /// Linux 6.4 on).
    pub is_exact: bool,
}

/// What a map takes on a machine with so many possible CPUs; `None` if that cannot be told.
#[must_use]
pub fn memory(_facts: &MapFacts, _cpus: u32) -> Option<Memory> {
    None
}

/// What is to be said about it, in a few words; `None` if nothing.
#[must_use]
pub fn says(_facts: &MapFacts, _cpus: u32) -> Option<String> {
    None
}

/// Bytes that would be free if a preallocated map had been made with fewer entries; `None` where
/// that cannot be told, or its size does not matter.
#[must_use]
pub fn freed_by(_facts: &MapFacts, _cpus: u32, _max_entries: u32) -> Option<u64> {
    None
}
