//! Whether the kernel describes its structures.

use std::path::Path;

use crate::types::load_error::BTF;

/// Whether the kernel has BTF; `None` if that is unknown.
pub(crate) fn has_btf() -> Option<bool> {
    // What every sysfs has.
    let is_mounted = Path::new("/sys/kernel").exists();
    is_mounted.then(|| Path::new(BTF).exists())
}
