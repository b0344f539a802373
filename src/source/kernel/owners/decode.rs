//! Bytes from the ownership iterators become records. No I/O.

use crate::source::kernel::bpf::plain::records;

pub use crate::source::kernel::bpf::skel::types::{
    held_by, holder_record as HolderRecord, memcg_record as MemcgRecord,
    prog_map_record as ProgMapRecord,
};

/// What processes hold. A last piece shorter than a record is left out, here and below.
pub fn holders(bytes: &[u8]) -> impl Iterator<Item = HolderRecord> {
    records(bytes)
}

/// Which program uses which map; the id of a map that could not be read is 0.
pub(crate) fn prog_maps(bytes: &[u8]) -> impl Iterator<Item = ProgMapRecord> {
    records(bytes)
}

/// Every map, with the memory cgroup that it is charged to.
pub(crate) fn memcgs(bytes: &[u8]) -> impl Iterator<Item = MemcgRecord> {
    records(bytes)
}

/// The inode of the cgroup; `None` if the map is charged to none, or that is not known.
pub(crate) fn charged_cgroup(map: &MemcgRecord) -> Option<u64> {
    (map.cgroup != 0).then_some(map.cgroup)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_record_is_skipped() {
        let bytes = vec![7; 2 * size_of::<HolderRecord>() - 1];
        assert_eq!(holders(&bytes).count(), 1);
        assert_eq!(prog_maps(&bytes[..3]).count() + memcgs(&[]).count(), 0);
    }

    #[test]
    fn an_uncharged_map_has_no_cgroup() {
        let map = |cgroup| MemcgRecord {
            cgroup,
            ..MemcgRecord::default()
        };
        assert_eq!(charged_cgroup(&map(0)), None);
        assert_eq!(charged_cgroup(&map(42)), Some(42));
    }
}
