//! The memory that a process may lock.

use rustix::process::{Resource, getrlimit};

use super::is_before;
use crate::source::kernel::host;
use crate::text::memlock::FIRST_WITHOUT_LOCKING;

/// More than all programs and maps take, those of loss tracing included.
pub(crate) const ENOUGH_TO_LOCK: u64 = 16 << 20;

/// `RLIMIT_MEMLOCK` in bytes, where programs and maps count towards it and it is too low.
pub(crate) fn low_memlock_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Memlock).current?;
    (limit < ENOUGH_TO_LOCK && counts_locked_memory(&host::release())).then_some(limit)
}

pub(crate) fn counts_locked_memory(release: &str) -> bool {
    is_before(release, FIRST_WITHOUT_LOCKING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_5_11_programs_use_locked_memory() {
        assert!(counts_locked_memory("5.10.0-46-cloud-amd64"));
        assert!(!counts_locked_memory("5.11.0") && !counts_locked_memory("6.1.0"));
    }
}
