//! The sentence about locked memory, which a refusal and the doctor share.

/// The first kernel in which programs are no part of the memory that a user may lock.
pub(crate) const FIRST_WITHOUT_LOCKING: (u32, u32) = (5, 11);

/// Why it does not help to be permitted, where so many bytes may be locked.
pub(crate) fn memlock_message(limit: u64) -> String {
    let (major, minor) = FIRST_WITHOUT_LOCKING;
    format!(
        "before Linux {major}.{minor} programs and maps are part of the memory a user may lock: {} KiB here (ulimit -l)",
        limit >> 10
    )
}
