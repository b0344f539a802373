//! A map of every type that this kernel can create, compared with bpf(2).

use std::collections::BTreeSet;

use libbpf_rs::{MapCore, MapHandle};
use mapstop::types::count::CountMethod::{Counter, Field, None as NoCount, Scan, Walk};
use mapstop::types::count::{CountMethod, CountNote};
use mapstop::types::map_type::Kind;
use mapstop::types::map_type::Kind::{Bounded, Evicting, Fixed, Slots, Stream, Uncounted};
use mapstop::types::map_type::Unit;
use mapstop::types::map_type::Unit::{Bytes, Entries, Pages};
use mapstop::types::snapshot::MapFacts;

use crate::support::{counted, id_of, kernel};
use crate::zoo::Zoo;

/// What is expected of a map of the zoo.
pub struct Expected {
    map: &'static str,
    pub map_type: &'static str,
    kind: Kind,
    unit: Unit,
    pub method: CountMethod,
    /// The first kernel that must count the entries; older ones may give a reason why not.
    pub since: (u32, u32),
    /// The capacity.
    capacity: Option<u64>,
    /// How many entries to insert: different for each map, so that none is mistaken for another.
    entries: u32,
}

impl Expected {
    /// Whether this method is right for this kernel.
    pub fn is_counted_by(&self, method: CountMethod, release: (u32, u32)) -> bool {
        match self.method {
            // Entries allocated on demand are counted by every kernel; others, and per-CPU ones, are
            // walked.
            Counter if release < COUNTER => [Walk, Field].contains(&method),
            // Tables of devices and sockets have a counter since 6.4.
            Field if release < (6, 4) => [Scan, Field].contains(&method),
            expected => method == expected,
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "a line of the table below")]
const fn expect(
    map: &'static str,
    map_type: &'static str,
    kind: Kind,
    unit: Unit,
    method: CountMethod,
    since: (u32, u32),
    capacity: u64,
    entries: u32,
) -> Expected {
    Expected {
        map,
        map_type,
        kind,
        unit,
        method,
        since,
        capacity: if capacity == UNLIMITED {
            None
        } else {
            Some(capacity)
        },
        entries,
    }
}

const UNLIMITED: u64 = u64::MAX;

/// Iterators exist since 5.8, the element counter of hash tables since 6.6.
pub const FIRST: (u32, u32) = (5, 8);
pub const COUNTER: (u32, u32) = (6, 6);

#[rustfmt::skip]
pub const EXPECTED: [Expected; 36] = [
    expect("conn_track_v4", "hash",           Bounded,   Entries,     Counter, FIRST,   65_536, 1003),
    expect("tcp_conns",     "hash",           Bounded,   Entries,     Counter, FIRST,   4096,   417),
    expect("pol_ep_02366",  "hash",           Bounded,   Entries,     Counter, FIRST,   1024,   1024),
    expect("inner_00",      "hash",           Bounded,   Entries,     Counter, FIRST,   64,     31),
    expect("dns_inflight",  "percpu_hash",    Bounded,   Entries,     Counter, FIRST,   1024,   211),
    expect("ct4_global",    "lru_hash",       Evicting,  Entries,     Counter, FIRST,   4096,   301),
    expect("snat_v4_ext",   "lru_percpu_hash", Evicting, Entries,     Counter, FIRST,   8192,   503),
    expect("fib_trie",      "lpm_trie",       Bounded,   Entries,     Field,   FIRST,   65_536, 1009),
    expect("settings",      "array",          Fixed,     Entries,     NoCount, FIRST,   16,     5),
    expect("prog_stats",    "percpu_array",   Fixed,     Entries,     NoCount, FIRST,   256,    6),
    expect("jmp_table",     "prog_array",     Slots,     Unit::Slots, Scan,    FIRST,   64,     29),
    expect("perf_out",      "perf_event_array", Slots,   Unit::Slots, Scan,    FIRST,   8,      0),
    expect("cgroup_list",   "cgroup_array",   Slots,     Unit::Slots, Scan,    FIRST,   16,     3),
    expect("dev_table",     "devmap",         Slots,     Unit::Slots, Field,   FIRST,   32,     13),
    expect("dev_redirect",  "devmap_hash",    Bounded,   Entries,     Field,   FIRST,   256,    97),
    expect("cpu_steer",     "cpumap",         Slots,     Unit::Slots, Scan,    FIRST,   2,      1),
    expect("xsk_queues",    "xskmap",         Slots,     Unit::Slots, Field,   FIRST,   8,      7),
    expect("sock_redir",    "sockmap",        Slots,     Unit::Slots, Scan,    FIRST,   128,    17),
    expect("sock_by_tuple", "sockhash",       Bounded,   Entries,     Field,   (5, 10), 128,    19),
    expect("reuse_socks",   "reuseport_sockarray", Slots, Unit::Slots, Scan,   FIRST,   16,     11),
    expect("sk_flow_state", "sk_storage",     Uncounted, Entries,     Walk,    FIRST,   UNLIMITED, 37),
    expect("inode_labels",  "inode_storage",  Uncounted, Entries,     Walk,    FIRST,   UNLIMITED, 41),
    expect("task_state",    "task_storage",   Uncounted, Entries,     Walk,    FIRST,   UNLIMITED, 2),
    expect("cgrp_stats",    "cgrp_storage",   Uncounted, Entries,     Walk,    FIRST,   UNLIMITED, 4),
    expect("stack_traces",  "stack_trace",    Bounded,   Entries,     Scan,    FIRST,   1024,   5),
    expect("work_queue",    "queue",          Bounded,   Entries,     Field,   FIRST,   100,    43),
    expect("free_ports",    "stack",          Bounded,   Entries,     Field,   FIRST,   100,    47),
    expect("pid_seen",      "bloom_filter",   Uncounted, Entries,     NoCount, FIRST,   UNLIMITED, 53),
    expect("events",        "ringbuf",        Stream,    Bytes,       Field,   FIRST,   65_536, 59),
    expect("commands",      "user_ringbuf",   Stream,    Bytes,       Field,   FIRST,   65_536, 61),
    expect("heap",          "arena",          Bounded,   Pages,       Walk,    (6, 13), 100,    15),
    expect("egress_bytes",  "cgroup_storage", Uncounted, Entries,     Walk,    FIRST,   UNLIMITED, 2),
    expect("egress_pcpu",   "percpu_cgroup_storage", Uncounted, Entries, Walk, FIRST,   UNLIMITED, 2),
    expect("svc_slots",     "array_of_maps",  Slots,     Unit::Slots, Scan,    FIRST,   32,     9),
    expect("policy_maps",   "hash_of_maps",   Bounded,   Entries,     Counter, FIRST,   32,     10),
    expect("bpf_zoo_cc",    "struct_ops",     Fixed,     Entries,     NoCount, FIRST,   1,      0),
];

#[test]
fn every_type_is_counted() {
    let mut zoo = Zoo::load(|_| true).expect("the zoo loads");
    let mut kernel = kernel();
    let release = release();
    let mut compared = BTreeSet::new();
    let mut skipped = Vec::new();
    let mut names = zoo.names();
    let mut filled = Vec::new();
    for expected in &EXPECTED {
        let Some(place) = names.iter().position(|name| name == expected.map) else {
            skipped.push(format!("{}: this kernel lacks it", expected.map_type));
            continue;
        };
        names.remove(place);
        match zoo.fill(expected.map, expected.entries) {
            Ok(used) => filled.push((expected, used)),
            Err(error) => skipped.push(format!("{}: {error:#}", expected.map_type)),
        }
    }
    assert_eq!(
        names, [""; 0],
        "maps of the zoo that nothing is expected of"
    );
    for (expected, used) in filled {
        let map = zoo.map(expected.map).expect("made above");
        let facts = counted(&mut kernel, id_of(&map));
        assert_is_as_bpf_says(&facts, &map);
        assert_is_as_expected(&facts, expected, used, release);
        compared.insert(expected.map_type);
    }
    println!("compared {} types; skipped: {skipped:#?}", compared.len());
    let enough = if release >= (6, 13) { 30 } else { 20 };
    assert!(
        compared.len() >= enough,
        "{compared:?}, skipped {skipped:#?}"
    );
}

/// Everything that both the iterator and bpf(2) return.
pub fn assert_is_as_bpf_says(facts: &MapFacts, map: &MapHandle) {
    let bpf_info = map.info().expect("bpf(2) knows the map");
    let name = bpf_info.name().expect("a name");
    let info = &bpf_info.info;
    assert_eq!(facts.key.id.0, info.id, "id of {name}");
    assert_eq!(facts.name, name);
    assert_eq!(facts.map_type.0, info.type_, "type of {name}");
    assert_eq!(facts.key_size, Some(info.key_size), "key size of {name}");
    assert_eq!(
        facts.value_size,
        Some(info.value_size),
        "value size of {name}"
    );
    assert_eq!(facts.max_entries, info.max_entries, "max of {name}");
    assert_eq!(
        facts.flags.map(|flags| flags.0),
        Some(info.map_flags),
        "flags of {name}"
    );
}

fn assert_is_as_expected(
    facts: &MapFacts,
    expected: &Expected,
    used: Option<u64>,
    release: (u32, u32),
) {
    let name = expected.map;
    assert_eq!(facts.name, name);
    assert_eq!(facts.map_type.to_string(), expected.map_type);
    assert_eq!(facts.map_type.kind(), expected.kind, "kind of {name}");
    assert_eq!(facts.map_type.unit(), expected.unit, "unit of {name}");
    assert_eq!(facts.capacity, expected.capacity, "capacity of {name}");
    assert_eq!(
        facts.kernel().map(|kernel| kernel.is_frozen),
        Some(false),
        "{name} is not frozen"
    );
    if release < expected.since {
        // This kernel may have no number, but then there is a reason; a number must be right.
        assert!(
            facts.used.is_none() || facts.used == used,
            "{name}: {facts:?}"
        );
        assert!(
            facts.used.is_some() || facts.count.note.is_some(),
            "{name} says why"
        );
        return;
    }
    assert_eq!(facts.used, used, "used of {name}: {:?}", facts.count);
    let method = facts.count.method;
    let is_counted_otherwise = method != expected.method;
    assert!(
        expected.is_counted_by(method, release),
        "method of {name}: {:?}",
        facts.count
    );
    assert_ne!(used, Some(0), "{name} was not filled");
    // A note is the reason for a missing number. A number has a note only if it was counted in parts or
    // in an earlier read, since maps of other tests take turns, too.
    let note = &facts.count.note;
    let is_in_parts = matches!(note, Some(CountNote::Aged(_)));
    let takes_turns = is_counted_otherwise || matches!(method, Scan | Walk);
    assert!(
        note.is_some() == used.is_none() || is_in_parts && takes_turns,
        "{name}: {:?}",
        facts.count
    );
}

/// Major and minor number of this kernel.
pub fn release() -> (u32, u32) {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy().into_owned();
    let mut numbers = release.split('.').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}
