//! The flags that a map was created with.

use std::fmt;

/// The bits of `map_flags` that say something about the map, with the kernel's names in
/// lower case without `BPF_F_` (`include/uapi/linux/bpf.h`).
pub(crate) const FLAGS: [(u32, &str); 19] = [
    (1 << 0, "no_prealloc"),
    (1 << 1, "no_common_lru"),
    (1 << 2, "numa_node"),
    (1 << 3, "rdonly"),
    (1 << 4, "wronly"),
    (1 << 5, "stack_build_id"),
    (1 << 6, "zero_seed"),
    (1 << 7, "rdonly_prog"),
    (1 << 8, "wronly_prog"),
    (1 << 9, "clone"),
    (1 << 10, "mmapable"),
    (1 << 11, "preserve_elems"),
    (1 << 12, "inner_map"),
    (1 << 13, "link"),
    (1 << 14, "path_fd"),
    (1 << 15, "vtype_btf_obj_fd"),
    (1 << 16, "token_fd"),
    (1 << 17, "segv_on_fault"),
    (1 << 18, "no_user_conv"),
];

/// `map_flags` as the kernel keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MapFlags(pub u32);

impl MapFlags {
    /// `BPF_F_NO_PREALLOC`: entries are allocated on insert.
    pub const NO_PREALLOC: Self = Self(1 << 0);
    /// `BPF_F_NO_COMMON_LRU`: each CPU has a list of its own.
    pub const NO_COMMON_LRU: Self = Self(1 << 1);
    /// `BPF_F_MMAPABLE`: its memory can be mapped.
    pub const MMAPABLE: Self = Self(1 << 10);

    /// Whether all of these are set.
    #[must_use]
    pub fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// The inverse of [`Self::names`], for one name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some((bit, _)) = FLAGS.iter().find(|(_, known)| *known == name) {
            return Some(Self(*bit));
        }
        let bit = name.strip_prefix("bit_")?.parse().ok()?;
        1u32.checked_shl(bit).map(Self)
    }

    /// The names of the bits that are set; `bit_20` for one that is not in `FLAGS`.
    pub fn names(self) -> impl Iterator<Item = compact_str::CompactString> {
        (0..u32::BITS).filter_map(move |bit| {
            let mask = 1 << bit;
            (self.0 & mask != 0).then(|| {
                FLAGS.iter().find(|(known, _)| *known == mask).map_or_else(
                    || compact_str::format_compact!("bit_{bit}"),
                    |(_, name)| (*name).into(),
                )
            })
        })
    }
}

/// Comma-separated names; nothing when no bit is set.
impl fmt::Display for MapFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, name) in self.names().enumerate() {
            if n > 0 {
                f.write_str(",")?;
            }
            f.write_str(&name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_the_kernels_names_and_unknown_bits_are_shown() {
        assert_eq!(MapFlags(0).to_string(), "");
        assert_eq!(MapFlags(1 | 1 << 7).to_string(), "no_prealloc,rdonly_prog");
        assert_eq!(MapFlags(1 << 30).to_string(), "bit_30");
    }
}
