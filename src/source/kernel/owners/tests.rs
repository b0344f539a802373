//! Joins of made-up records: which owners are found, and what stays unknown.

use std::time::Duration;

use super::decode::{HolderRecord, MemcgRecord, ProgMapRecord, held_by};
use super::inner_maps::Outer;
use super::links::Attached;
use super::pins::{Pinned, Pins};
use super::resolve::RawOwnership;
use super::{FIRST_PID_NAMESPACE, OwnershipGap, find_gaps, note};
use crate::source::kernel::bpf::wire::bpf_map_type;
use crate::types::map_id::{MapId, MapKey};
use crate::types::ownership::{HeldVia, Ownership};

fn map(map_id: u32) -> MemcgRecord {
    MemcgRecord {
        map_id,
        map_type: bpf_map_type::BPF_MAP_TYPE_HASH,
        ..MemcgRecord::default()
    }
}

fn holder(tgid: u32, by: held_by, id: u32, fd: u32) -> HolderRecord {
    let mut comm = [0; 16];
    comm[..5].copy_from_slice(b"flowd");
    HolderRecord {
        tgid,
        fd,
        id,
        by,
        comm,
    }
}

fn uses(prog_id: u32, map_id: u32) -> ProgMapRecord {
    ProgMapRecord {
        prog_id,
        prog_type: 3,
        map_id,
        used_maps: 1,
        name: [0; 16],
    }
}

/// Three maps; everything was read, and there is nothing.
fn nothing() -> RawOwnership {
    RawOwnership {
        maps: vec![map(1), map(2), map(3)],
        descriptors: Some(Vec::new()),
        mappings: Some(Vec::new()),
        uses: Some(Vec::new()),
        links: Some(Vec::new()),
        pins: Some(Pins::default()),
        ..RawOwnership::default()
    }
}

fn ownership_of(found: &RawOwnership, id: u32) -> Ownership {
    let owners = found.join(Duration::ZERO, None);
    let key = MapKey {
        node: None,
        id: MapId(id),
    };
    Ownership::clone(owners.get(&key).expect("a map"))
}

type Ways = (u32, Vec<HeldVia>, Vec<u32>);

/// Pid, ways and descriptors of each holder.
fn holders(found: &RawOwnership, id: u32) -> Option<Vec<Ways>> {
    let holders = ownership_of(found, id).holders?;
    let summary = |h: crate::types::ownership::Holder| (h.process.pid, h.via, h.fds);
    Some(holders.into_iter().map(summary).collect())
}

#[test]
fn each_way_to_hold_a_map_is_listed_once() {
    let found = RawOwnership {
        descriptors: Some(vec![
            holder(9, held_by::HELD_BY_LINK, 70, 4),
            holder(9, held_by::HELD_BY_FD, 1, 12),
            holder(9, held_by::HELD_BY_FD, 1, 3),
            holder(9, held_by::HELD_BY_FD, 1, 3),
            holder(5, held_by::HELD_BY_PROGRAM, 70, 6),
            holder(5, held_by::HELD_BY_MAP_LINK, 2, 8),
        ]),
        mappings: Some(vec![holder(9, held_by::HELD_BY_MAPPING, 1, 0)]),
        uses: Some(vec![uses(70, 1), uses(71, 2)]),
        ..nothing()
    };
    let expected = vec![
        (5, vec![HeldVia::Program], vec![]),
        (
            9,
            vec![HeldVia::Fd, HeldVia::Mmap, HeldVia::Link],
            vec![3, 12],
        ),
    ];
    assert_eq!(holders(&found, 1), Some(expected));
    assert_eq!(
        holders(&found, 2),
        Some(vec![(5, vec![HeldVia::Link], vec![])])
    );
    assert_eq!(holders(&found, 3), Some(vec![]));
}

#[test]
fn an_unreadable_list_leaves_the_others_known() {
    let map = ownership_of(&nothing(), 1);
    assert_eq!(map.is_orphan(), Some(true));
    let without_holders = RawOwnership {
        descriptors: None,
        ..nothing()
    };
    let map = ownership_of(&without_holders, 1);
    assert_eq!((map.holders, map.programs.is_some()), (None, true));
    let without_programs = RawOwnership {
        uses: None,
        ..nothing()
    };
    let map = ownership_of(&without_programs, 1);
    assert_eq!((map.programs, map.holders), (None, None));
    let without_pins = RawOwnership {
        pins: None,
        ..nothing()
    };
    assert_eq!(ownership_of(&without_pins, 1).pins, None);
    let refused = RawOwnership {
        outer: Outer {
            pairs: vec![(2, 3)],
            is_refused: true,
            is_cut: false,
        },
        ..nothing()
    };
    assert_eq!(ownership_of(&refused, 1).outer, None);
    assert_eq!(ownership_of(&refused, 2).outer, Some(vec![MapId(3)]));
}

#[test]
fn without_mappings_only_mappable_maps_have_unknown_holders() {
    let ring = MemcgRecord {
        map_type: bpf_map_type::BPF_MAP_TYPE_RINGBUF,
        ..map(2)
    };
    let array = MemcgRecord {
        map_flags: 1 << 10,
        ..map(3)
    };
    let found = RawOwnership {
        maps: vec![map(1), ring, array],
        mappings: None,
        ..nothing()
    };
    let known = [1, 2, 3].map(|id| holders(&found, id).is_some());
    assert_eq!(known, [true, false, false]);
}

#[test]
fn a_link_names_its_target_and_its_pin() {
    let link = |link, program, text: &str| Attached {
        link,
        program,
        text: text.into(),
    };
    let pinned = |map, program, link| Pinned { map, program, link };
    let list = vec![
        ("/bpf/link".into(), pinned(None, Some(70), Some(5))),
        ("/bpf/map".into(), pinned(Some(1), None, None)),
        ("/bpf/prog".into(), pinned(None, Some(70), None)),
    ];
    let found = RawOwnership {
        uses: Some(vec![uses(71, 1), uses(70, 1), uses(70, 1)]),
        // Link 5 had program 70 when its pin was opened.
        links: Some(vec![
            link(5, 71, "xdp eth0"),
            link(6, 70, "tcx ingress eth0"),
        ]),
        pins: Some(Pins {
            list,
            ..Pins::default()
        }),
        ..nothing()
    };
    let map = ownership_of(&found, 1);
    assert_eq!(map.pins, Some(vec!["/bpf/map".into()]));
    let programs = map.programs.expect("they were read");
    let facts: Vec<_> = programs
        .iter()
        .map(|p| (p.id, p.attached.clone(), p.pins.clone()))
        .collect();
    let list = |text: &str| Some(vec![text.into()]);
    assert_eq!(
        facts,
        [
            (70, list("tcx ingress eth0"), list("/bpf/prog")),
            (71, list("xdp eth0"), list("/bpf/link")),
        ]
    );
    assert_eq!(programs[0].program_type, "sched_cls");
}

#[test]
fn every_gap_is_noted() {
    let text =
        |found: &RawOwnership| note(&find_gaps(found, Some(true), Some(true))).unwrap_or_default();
    assert_eq!(text(&nothing()), "");
    let found = RawOwnership {
        links: None,
        uses: Some(vec![ProgMapRecord {
            used_maps: 65,
            ..uses(70, 1)
        }]),
        ..nothing()
    };
    assert_eq!(
        text(&found),
        "programs: one uses more maps than could be read; links: listing them needs CAP_SYS_ADMIN"
    );
}

#[test]
fn an_unknown_namespace_is_not_reported_as_foreign() {
    let found = RawOwnership {
        descriptors: None,
        ..nothing()
    };
    assert_eq!(
        find_gaps(&found, None, None),
        [OwnershipGap::AllProcesses, OwnershipGap::AllPins]
    );
    assert_eq!(
        find_gaps(&found, Some(false), Some(false)),
        [OwnershipGap::OtherProcesses, OwnershipGap::OtherPins]
    );
    assert_eq!(
        find_gaps(&found, Some(true), Some(true)),
        [OwnershipGap::Descriptors]
    );
}

#[test]
fn the_first_pid_namespace_is_known_by_its_inode() {
    // `man 7 pid_namespaces`: "pid:[4026531836]".
    assert_eq!(FIRST_PID_NAMESPACE, 4_026_531_836);
}
