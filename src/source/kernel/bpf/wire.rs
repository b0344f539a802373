//! Bytes from the iterator become records, and a record becomes the facts of a map. No I/O.

use std::mem::size_of;

use super::plain;
use crate::text::sanitize::sanitize;
use crate::types::count::Count;
use crate::types::map_flags::MapFlags;
use crate::types::map_id::{MapId, MapKey};
use crate::types::map_type::MapType;
use crate::types::snapshot::{KernelFacts, Layout, MapFacts, Origin};

pub use super::skel::types::{
    bpf_map_type, count_method, map_record as Record, map_record_flags, scan_limit,
    scan_request as ScanRequest, scan_request_magic,
};

pub const RECORD_SIZE: usize = size_of::<Record>();

/// The records in the bytes of a read.
pub fn records(bytes: &[u8]) -> impl Iterator<Item = Record> {
    plain::records(bytes)
}

impl Record {
    pub fn has(&self, flag: map_record_flags) -> bool {
        self.flags.0 & flag.0 != 0
    }

    /// Entries in use, where the program counted them without a scan.
    pub(crate) fn known_used(&self) -> Option<u64> {
        self.has(map_record_flags::REC_F_HAS_USED)
            .then_some(self.used)
    }

    /// `None` if it is unlimited or unknown.
    pub(crate) fn known_capacity(&self) -> Option<u64> {
        self.has(map_record_flags::REC_F_HAS_CAPACITY)
            .then_some(self.capacity)
    }

    pub(crate) fn known_consumer_pos(&self) -> Option<u64> {
        self.has(map_record_flags::REC_F_HAS_CONSUMER_POS)
            .then_some(self.consumer_pos)
    }

    /// Records that perf events dropped; `None` before 6.0, and for other types.
    pub(crate) fn known_perf_lost(&self) -> Option<u64> {
        self.has(map_record_flags::REC_F_HAS_PERF_LOST)
            .then_some(self.perf_lost)
    }
}

/// The facts of a map whose entries were counted as `used` and `count` say.
pub(crate) fn map_facts(record: &Record, used: Option<u64>, count: Count) -> MapFacts {
    MapFacts {
        key: MapKey {
            node: None,
            id: MapId(record.id),
        },
        name: sanitize(&record.name),
        map_type: MapType(record.map_type.0),
        key_size: Some(record.key_size),
        value_size: Some(record.value_size),
        max_entries: record.max_entries,
        flags: Some(MapFlags(record.map_flags)),
        used,
        capacity: record.known_capacity(),
        count,
        loss: None,
        origin: Origin::Kernel(KernelFacts {
            is_frozen: record.has(map_record_flags::REC_F_FROZEN),
            refs: record.refs,
            user_refs: record.user_refs,
            layout: layout(record),
            consumer_pos: record.known_consumer_pos(),
        }),
    }
}

/// The layout of a record, from the member of its union that its type has.
fn layout(record: &Record) -> Layout {
    known_layout(record).unwrap_or(Layout {
        container_size: record.container_size,
        map_extra: record.map_extra,
        ..Layout::default()
    })
}

/// `None` for a type that is missing here.
fn known_layout(record: &Record) -> Option<Layout> {
    use bpf_map_type as Type;
    let base = Layout {
        container_size: record.container_size,
        map_extra: record.map_extra,
        ..Layout::default()
    };
    let union = &record.layout;
    Some(match record.map_type {
        Type::BPF_MAP_TYPE_HASH
        | Type::BPF_MAP_TYPE_PERCPU_HASH
        | Type::BPF_MAP_TYPE_LRU_HASH
        | Type::BPF_MAP_TYPE_LRU_PERCPU_HASH
        | Type::BPF_MAP_TYPE_HASH_OF_MAPS
        | Type::BPF_MAP_TYPE_SOCKHASH
        | Type::BPF_MAP_TYPE_SK_STORAGE
        | Type::BPF_MAP_TYPE_INODE_STORAGE
        | Type::BPF_MAP_TYPE_TASK_STORAGE
        | Type::BPF_MAP_TYPE_CGRP_STORAGE => {
            let table = union.table();
            Layout {
                elem_size: table.elem_size,
                bucket_count: table.bucket_count,
                node_size: table.bucket_size,
                data_size: table.spare_elem_size,
                lock_size: table.lock_size,
                ..base
            }
        }
        Type::BPF_MAP_TYPE_ARRAY
        | Type::BPF_MAP_TYPE_PERCPU_ARRAY
        | Type::BPF_MAP_TYPE_PROG_ARRAY
        | Type::BPF_MAP_TYPE_PERF_EVENT_ARRAY
        | Type::BPF_MAP_TYPE_CGROUP_ARRAY
        | Type::BPF_MAP_TYPE_ARRAY_OF_MAPS
        | Type::BPF_MAP_TYPE_INSN_ARRAY => {
            let array = union.array();
            Layout {
                elem_size: array.elem_size,
                node_size: array.page_size,
                ..base
            }
        }
        Type::BPF_MAP_TYPE_STACK_TRACE => Layout {
            bucket_count: union.stack_trace().bucket_count,
            ..base
        },
        Type::BPF_MAP_TYPE_LPM_TRIE => {
            let trie = union.trie();
            Layout {
                node_size: trie.node_size,
                data_size: trie.key_data_size,
                ..base
            }
        }
        Type::BPF_MAP_TYPE_DEVMAP | Type::BPF_MAP_TYPE_DEVMAP_HASH | Type::BPF_MAP_TYPE_XSKMAP => {
            let redirect = union.redirect();
            Layout {
                node_size: redirect.entry_size,
                bucket_count: redirect.bucket_count,
                ..base
            }
        }
        Type::BPF_MAP_TYPE_CGROUP_STORAGE | Type::BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE => Layout {
            elem_size: union.cgroup_storage().elem_size,
            ..base
        },
        Type::BPF_MAP_TYPE_RINGBUF | Type::BPF_MAP_TYPE_USER_RINGBUF => Layout {
            bucket_count: union.ringbuf().page_count,
            ..base
        },
        Type::BPF_MAP_TYPE_BLOOM_FILTER => Layout {
            bucket_count: union.bloom().bitset_size,
            ..base
        },
        Type::BPF_MAP_TYPE_STRUCT_OPS => {
            let ops = union.struct_ops();
            Layout {
                elem_size: ops.func_size,
                bucket_count: ops.func_count,
                node_size: ops.page_size,
                ..base
            }
        }
        Type::BPF_MAP_TYPE_ARENA => {
            let arena = union.arena();
            let is_counted = arena.is_counted != 0;
            Layout {
                elem_size: if is_counted { arena.page_size } else { 0 },
                node_size: if is_counted { 0 } else { arena.page_size },
                ..base
            }
        }
        // These have no member.
        Type::BPF_MAP_TYPE_SOCKMAP
        | Type::BPF_MAP_TYPE_CPUMAP
        | Type::BPF_MAP_TYPE_REUSEPORT_SOCKARRAY
        | Type::BPF_MAP_TYPE_QUEUE
        | Type::BPF_MAP_TYPE_STACK => base,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::count::CountMethod;

    #[test]
    fn missing_values_are_unknown() {
        let unknown = Record {
            used: 7,
            capacity: 8,
            consumer_pos: 9,
            perf_lost: 10,
            ..Record::default()
        };
        assert_eq!(
            (unknown.known_used(), unknown.known_capacity()),
            (None, None)
        );
        let known = Record {
            flags: map_record_flags(u32::MAX),
            ..unknown
        };
        assert_eq!(
            (known.known_used(), known.known_capacity()),
            (Some(7), Some(8))
        );
        assert_eq!(known.known_consumer_pos(), Some(9));
        assert_eq!(known.known_perf_lost(), Some(10));
    }

    #[test]
    fn names_are_sanitized() {
        let mut record = Record::default();
        record.name[..4].copy_from_slice(b"a\x1b[m");
        let count = Count::exact(CountMethod::None);
        assert_eq!(map_facts(&record, None, count).name, "a?[m");
    }

    #[test]
    fn any_bytes_decode() {
        for filler in [0x00, 0x7f, 0xff] {
            let bytes = vec![filler; 3 * RECORD_SIZE + 5];
            assert_eq!(records(&bytes).count(), 3);
        }
    }

    #[test]
    fn every_type_has_a_layout() {
        for known in MapType::all() {
            let record = Record {
                map_type: bpf_map_type(known.0),
                ..Record::default()
            };
            assert!(
                known_layout(&record).is_some(),
                "{known}: no arm in known_layout"
            );
        }
    }

    /// Uses a record whose union holds the numbers from 1 on.
    #[test]
    fn the_layout_depends_on_the_type() {
        let at = std::mem::offset_of!(Record, layout);
        let of_type = |map_type: bpf_map_type| {
            let mut bytes = vec![0; RECORD_SIZE];
            for number in 0..5_u8 {
                bytes[at + 4 * usize::from(number)] = number + 1;
            }
            let record = records(&bytes).next().expect("a record");
            let layout = layout(&Record { map_type, ..record });
            [
                layout.elem_size,
                layout.bucket_count,
                layout.node_size,
                layout.data_size,
                layout.lock_size,
            ]
        };
        for (map_type, expected) in [
            (bpf_map_type::BPF_MAP_TYPE_HASH, [1, 2, 3, 4, 5]),
            (bpf_map_type::BPF_MAP_TYPE_ARRAY, [1, 0, 2, 0, 0]),
            (bpf_map_type::BPF_MAP_TYPE_STACK_TRACE, [0, 1, 0, 0, 0]),
            (bpf_map_type::BPF_MAP_TYPE_LPM_TRIE, [0, 0, 1, 2, 0]),
            (bpf_map_type::BPF_MAP_TYPE_DEVMAP_HASH, [0, 2, 1, 0, 0]),
            (bpf_map_type::BPF_MAP_TYPE_RINGBUF, [0, 1, 0, 0, 0]),
            (bpf_map_type::BPF_MAP_TYPE_STRUCT_OPS, [1, 2, 3, 0, 0]),
            (bpf_map_type::BPF_MAP_TYPE_ARENA, [1, 0, 0, 0, 0]),
            (bpf_map_type(99), [0; 5]),
        ] {
            assert_eq!(of_type(map_type), expected, "{map_type:?}");
        }
    }
}
