//! Whether the kernel describes its structures.

use std::path::Path;

use crate::types::load_error::BTF;

/// Whether the kernel describes its structures; `None` if that cannot be told.
pub fn has_btf() -> Option<bool> {
    // What every sysfs has.
    let is_mounted = Path::new("/sys/kernel").exists();
    is_mounted.then(|| Path::new(BTF).exists())
}
