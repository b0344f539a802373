//! The sentence about locked memory, which a refusal and the doctor share.

/// The first kernel in which programs and maps do not count against the limit of locked memory.
pub(crate) const FIRST_WITHOUT_LOCKING: (u32, u32) = (5, 11);

/// Why loading fails although it is permitted, with this limit of locked memory in bytes.
pub(crate) fn memlock_message(limit: u64) -> String {
    let (major, minor) = FIRST_WITHOUT_LOCKING;
    format!(
        "before Linux {major}.{minor}, BPF programs and maps count against the limit of locked memory: {} KiB here (ulimit -l)",
        limit >> 10
    )
}
