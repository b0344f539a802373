//! Bytes from the iterator become records, and a record becomes a map's facts. Knows no kernel.

use std::mem::{offset_of, size_of};

use crate::text::sanitize::sanitize;
use crate::types::count::Count;
use crate::types::map_flags::MapFlags;
use crate::types::map_id::{MapId, MapKey};
use crate::types::map_type::MapType;
use crate::types::snapshot::{Layout, MapFacts};

pub use super::skel::types::{
    count_method, map_fact, map_record as Record, question as Question, question_magic, scan_limit,
};

/// Bytes of one record.
pub const RECORD_SIZE: usize = size_of::<Record>();

/// What the kernel writes for a number it could not give: `UNKNOWN` in `wire.h`.
const UNKNOWN: u64 = u64::MAX;

/// Copies the bytes of one field out of a record.
macro_rules! field {
    ($bytes:expr, $name:ident: $type:ty) => {{
        let mut raw = [0; size_of::<$type>()];
        let start = offset_of!(Record, $name);
        raw.copy_from_slice(&$bytes[start..start + size_of::<$type>()]);
        <$type>::from_ne_bytes(raw)
    }};
}

fn record(bytes: &[u8]) -> Record {
    let mut name = [0; 16];
    let at = offset_of!(Record, name);
    name.copy_from_slice(&bytes[at..at + 16]);
    Record {
        used: field!(bytes, used: u64),
        capacity: field!(bytes, capacity: u64),
        map_extra: field!(bytes, map_extra: u64),
        refs: field!(bytes, refs: u64),
        user_refs: field!(bytes, user_refs: u64),
        consumed: field!(bytes, consumed: u64),
        lost: field!(bytes, lost: u64),
        waiting: field!(bytes, waiting: u64),
        room: field!(bytes, room: u64),
        id: field!(bytes, id: u32),
        map_type: field!(bytes, map_type: u32),
        key_size: field!(bytes, key_size: u32),
        value_size: field!(bytes, value_size: u32),
        max_entries: field!(bytes, max_entries: u32),
        map_flags: field!(bytes, map_flags: u32),
        method: count_method(field!(bytes, method: u32)),
        facts: map_fact(field!(bytes, facts: u32)),
        slots: field!(bytes, slots: u32),
        scan_first: field!(bytes, scan_first: u32),
        scan_end: field!(bytes, scan_end: u32),
        scan_used: field!(bytes, scan_used: u32),
        container_size: field!(bytes, container_size: u32),
        elem_size: field!(bytes, elem_size: u32),
        bucket_count: field!(bytes, bucket_count: u32),
        node_size: field!(bytes, node_size: u32),
        data_size: field!(bytes, data_size: u32),
        lock_size: field!(bytes, lock_size: u32),
        name,
    }
}

/// The records in what was read. A last piece shorter than a record is left out.
pub fn records(bytes: &[u8]) -> impl Iterator<Item = Record> {
    bytes.chunks_exact(RECORD_SIZE).map(record)
}

/// A number the kernel may not have given.
pub fn non_sentinel(number: u64) -> Option<u64> {
    (number != UNKNOWN).then_some(number)
}

/// Whether the kernel side says this of a map.
pub fn has(record: &Record, fact: map_fact) -> bool {
    record.facts.0 & fact.0 != 0
}

/// The facts of a map whose entries were counted as `used` and `count` say.
pub fn facts(record: &Record, used: Option<u64>, count: Count) -> MapFacts {
    MapFacts {
        key: MapKey {
            node: None,
            id: MapId(record.id),
        },
        name: sanitize(&record.name),
        map_type: MapType(record.map_type),
        key_size: Some(record.key_size),
        value_size: Some(record.value_size),
        max_entries: record.max_entries,
        flags: Some(MapFlags(record.map_flags)),
        frozen: Some(has(record, map_fact::FACT_FROZEN)),
        refs: Some(record.refs),
        user_refs: Some(record.user_refs),
        used,
        capacity: non_sentinel(record.capacity),
        count,
        layout: Layout {
            container_size: record.container_size,
            elem_size: record.elem_size,
            bucket_count: record.bucket_count,
            node_size: record.node_size,
            data_size: record.data_size,
            lock_size: record.lock_size,
            map_extra: record.map_extra,
        },
        consumer_pos: non_sentinel(record.consumed),
        loss: None,
        exported: None,
    }
}

impl Question {
    /// The bytes that the kernel side looks for at the start of a read's buffer.
    pub fn to_bytes(self) -> [u8; size_of::<Self>()] {
        let mut bytes = [0; size_of::<Self>()];
        let mut put = |at: usize, number: u32| {
            bytes[at..at + 4].copy_from_slice(&number.to_ne_bytes());
        };
        put(offset_of!(Self, magic), self.magic.0);
        put(offset_of!(Self, first_id), self.first_id);
        put(offset_of!(Self, last_id), self.last_id);
        put(offset_of!(Self, round), self.round);
        put(offset_of!(Self, walk_parts), self.walk_parts);
        put(offset_of!(Self, window), self.window.0);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::count::CountMethod;

    /// A record's bytes with a different number in every field: byte `n` of it is `n`.
    fn numbered() -> Vec<u8> {
        (0..RECORD_SIZE)
            .map(|n| u8::try_from(n).unwrap_or(0))
            .collect()
    }

    #[test]
    fn every_field_comes_from_its_own_place() {
        let bytes = numbered();
        let r = records(&bytes).next().expect("a record");
        let wide = [
            r.used,
            r.capacity,
            r.map_extra,
            r.refs,
            r.user_refs,
            r.consumed,
            r.lost,
            r.waiting,
            r.room,
        ];
        let narrow = [
            r.id,
            r.map_type,
            r.key_size,
            r.value_size,
            r.max_entries,
            r.map_flags,
            r.method.0,
            r.facts.0,
            r.slots,
            r.scan_first,
            r.scan_end,
            r.scan_used,
            r.container_size,
            r.elem_size,
            r.bucket_count,
            r.node_size,
            r.data_size,
            r.lock_size,
        ];
        let again: Vec<u8> = wide
            .iter()
            .flat_map(|n| n.to_ne_bytes())
            .chain(narrow.iter().flat_map(|n| n.to_ne_bytes()))
            .chain(r.name)
            .collect();
        assert_eq!(
            again, bytes,
            "a record has no padding and no field is read twice"
        );
    }

    #[test]
    fn a_record_cut_short_is_left_out() {
        let mut bytes = numbered();
        bytes.extend_from_slice(&numbered()[..RECORD_SIZE - 1]);
        assert_eq!(records(&bytes).count(), 1);
        assert_eq!(records(&[]).count(), 0);
    }

    #[test]
    fn what_the_kernel_could_not_give_is_unknown() {
        assert_eq!(non_sentinel(u64::MAX), None);
        assert_eq!(non_sentinel(0), Some(0));
    }

    #[test]
    fn a_hostile_name_is_harmless_after_decoding() {
        let mut bytes = vec![0; RECORD_SIZE];
        let at = offset_of!(Record, name);
        bytes[at..at + 4].copy_from_slice(b"a\x1b[m");
        let record = records(&bytes).next().expect("a record");
        let count = Count::exact(CountMethod::None);
        assert_eq!(facts(&record, None, count).name, "a?[m");
    }

    #[test]
    fn any_bytes_decode() {
        for filler in [0x00, 0x7f, 0xff] {
            let bytes = vec![filler; 3 * RECORD_SIZE + 5];
            assert_eq!(records(&bytes).count(), 3);
        }
    }
}
