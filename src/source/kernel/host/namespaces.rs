//! The namespaces that this process is in.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// The inode of the first user namespace (`PROC_USER_INIT_INO`).
pub(crate) const FIRST_USER_NAMESPACE: u64 = 0xefff_fffd;

/// Whether this process is in a user namespace other than the first; `None` if that is unknown.
pub(crate) fn is_in_user_namespace() -> Option<bool> {
    let about = fs::metadata("/proc/self/ns/user").ok()?;
    Some(about.ino() != FIRST_USER_NAMESPACE)
}
