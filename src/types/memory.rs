//! The kernel memory that a map takes.

/// Kernel memory that a map takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Bytes.
    pub bytes: u64,
    /// Whether the kernel shows the same number (`memlock` in fdinfo, since Linux 6.4; older kernels
    /// show a rough one).
    pub is_exact: bool,
}
