//! The kernel memory that a map takes.

/// The kernel memory of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Number of bytes.
    pub bytes: u64,
    /// Whether the kernel shows the same number (`memlock` in fdinfo, since Linux 6.4; older kernels
    /// show a rough one).
    pub is_exact: bool,
}
