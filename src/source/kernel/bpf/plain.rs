//! Records as bytes: which of the generated types are plain data, and the members of their union.

#![expect(
    unsafe_code,
    reason = "`Plain` is a promise, and a member of a union can be read only by one"
)]

use plain::Plain;

use super::loss_skel::types::loss_record;
use super::skel::types::{
    arena_layout, array_layout, bloom_layout, cgroup_storage_layout, holder_record, map_layout,
    map_record, memcg_record, prog_map_record, redirect_layout, ringbuf_layout, scan_request,
    stack_trace_layout, struct_ops_layout, table_layout, trie_layout,
};

// SAFETY: these consist of integers, and of enums represented as integers, so any bytes are a valid value.
// Nor do they have padding (see the test), so that a value is any bytes.
unsafe impl Plain for map_record {}
// SAFETY: as above.
unsafe impl Plain for scan_request {}
// SAFETY: as above.
unsafe impl Plain for holder_record {}
// SAFETY: as above.
unsafe impl Plain for prog_map_record {}
// SAFETY: as above.
unsafe impl Plain for memcg_record {}
// SAFETY: as above.
unsafe impl Plain for loss_record {}

/// The records in these bytes. A last piece shorter than a record is left out.
pub fn records<T: Plain + Default>(bytes: &[u8]) -> impl Iterator<Item = T> {
    bytes.chunks_exact(size_of::<T>()).filter_map(|bytes| {
        let mut record = T::default();
        plain::copy_from_bytes(&mut record, bytes).ok()?;
        Some(record)
    })
}

/// The bytes of a record.
pub(crate) fn bytes_of<T: Plain>(record: &T) -> &[u8] {
    // SAFETY: a plain type has no padding.
    unsafe { plain::as_bytes(record) }
}

/// A function for each member of `map_layout`.
macro_rules! members {
    ($($member:ident: $layout:ty,)*) => {
        impl map_layout {
            $(pub fn $member(&self) -> $layout {
                // SAFETY: a layout comes from the bytes of a record, or from `Default`, which sets its
                // largest member. Either sets all of it, and every member is made of integers.
                unsafe { self.$member }
            })*
        }
    };
}

members! {
    table: table_layout,
    array: array_layout,
    stack_trace: stack_trace_layout,
    trie: trie_layout,
    redirect: redirect_layout,
    cgroup_storage: cgroup_storage_layout,
    ringbuf: ringbuf_layout,
    bloom: bloom_layout,
    struct_ops: struct_ops_layout,
    arena: arena_layout,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record that needs no padding has the size of its fields.
    #[test]
    fn plain_records_have_no_padding() {
        let (word, long, name) = (4, 8, 16);
        assert_eq!(size_of::<map_layout>(), size_of::<table_layout>());
        assert_eq!(size_of::<table_layout>(), 5 * word);
        assert_eq!(
            size_of::<map_record>(),
            10 * long + 13 * word + size_of::<map_layout>() + name
        );
        assert_eq!(size_of::<scan_request>(), 6 * word);
        assert_eq!(size_of::<holder_record>(), 4 * word + name);
        assert_eq!(size_of::<prog_map_record>(), 4 * word + name);
        assert_eq!(size_of::<memcg_record>(), long + 4 * word);
        let kinds = loss_record::default().counts.len();
        assert_eq!(size_of::<loss_record>(), kinds * long + 2 * word + name);
    }

    #[test]
    fn records_survive_a_round_trip() {
        let record = holder_record {
            tgid: 7,
            fd: 3,
            comm: *b"0123456789abcdef",
            ..holder_record::default()
        };
        let mut bytes = bytes_of(&record).to_vec();
        bytes.extend_from_slice(bytes_of(&record));
        // Unaligned, and the second record is cut short.
        bytes.insert(0, 0);
        let records: Vec<holder_record> = records(&bytes[1..bytes.len() - 1]).collect();
        assert_eq!(records.len(), 1);
        assert_eq!((records[0].tgid, records[0].fd), (7, 3));
        assert_eq!(&records[0].comm, b"0123456789abcdef");
    }
}
