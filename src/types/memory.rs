//! The kernel memory that a map takes.

/// Kernel memory that a map takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Bytes.
    pub bytes: u64,
    /// Whether that is the very number that the kernel itself would tell (`memlock` in fdinfo, from
    /// Linux 6.4 on; before that it tells a rough one).
    pub is_exact: bool,
}
