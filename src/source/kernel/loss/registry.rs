//! The tracers, and what those that could be attached make observable of each type of maps.

use std::borrow::Cow;
use std::time::Duration;

use libbpf_rs::MapType as Of;

use crate::types::map_type::MapType;

/// What a tracer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// Updates that were refused.
    Refused,
    /// Entries that made room for others.
    Evicted,
    /// Records that did not fit.
    Dropped,
}

/// How a tracer is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// To the end of a function, by a trampoline.
    Function,
    /// To a tracepoint.
    Tracepoint,
}

/// What a tracer is good for where the kernel does not have what it traces, or refuses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It sees what no other one does.
    Always,
    /// A kernel without this function has no maps that lose anything by it.
    IfThere,
    /// It sees bpf(2) only, and is attached where the one that sees all of it cannot be.
    Instead,
}

/// A program of `losses.bpf.c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tracer {
    /// Its name.
    pub program: &'static str,
    /// What it traces.
    pub target: &'static str,
    /// How.
    pub hook: Hook,
    /// The types of maps that it counts for, by number.
    pub types: &'static [Of],
    /// What it counts.
    pub counts: Counts,
    /// Whether it has to be there.
    pub need: Need,
}

impl Tracer {
    fn is_for(&self, map_type: MapType) -> bool {
        self.types.iter().any(|of| *of as u32 == map_type.0)
    }
}

const fn function(
    program: &'static str,
    target: &'static str,
    types: &'static [Of],
    counts: Counts,
    need: Need,
) -> Tracer {
    Tracer {
        program,
        target,
        hook: Hook::Function,
        types,
        counts,
        need,
    }
}

const fn tracepoint(program: &'static str, target: &'static str, types: &'static [Of]) -> Tracer {
    Tracer {
        program,
        target,
        hook: Hook::Tracepoint,
        types,
        counts: Counts::Dropped,
        need: Need::Always,
    }
}

const STORAGES: &[Of] = &[
    Of::SkStorage,
    Of::InodeStorage,
    Of::TaskStorage,
    Of::CGrpStorage,
];
const QUEUES: &[Of] = &[Of::Queue, Of::Stack];
const DEVMAPS: &[Of] = &[Of::Devmap, Of::DevmapHash];
const LRUS: &[Of] = &[Of::LruHash, Of::LruPercpuHash];

/// Every tracer. Those that stand in for others come last.
#[rustfmt::skip]
pub const TRACERS: [Tracer; 21] = {
    use Counts::{Dropped, Evicted, Refused};
    use Need::{Always, IfThere, Instead};
    [
        function("on_htab_map_update_elem", "htab_map_update_elem", &[Of::Hash], Refused, Always),
        function("on_bpf_fd_htab_map_update_elem", "bpf_fd_htab_map_update_elem", &[Of::HashOfMaps], Refused, Always),
        function("on_htab_percpu_map_update_elem", "htab_percpu_map_update_elem", &[Of::PercpuHash], Refused, Always),
        function("on_bpf_percpu_hash_update", "bpf_percpu_hash_update", &[Of::PercpuHash], Refused, Always),
        function("on_htab_lru_map_update_elem", "htab_lru_map_update_elem", &[Of::LruHash], Refused, Always),
        function("on___htab_lru_percpu_map_update_elem", "__htab_lru_percpu_map_update_elem", &[Of::LruPercpuHash], Refused, Always),
        function("on_htab_lru_map_delete_node", "htab_lru_map_delete_node", LRUS, Evicted, Always),
        function("on_bpf_get_stackid", "bpf_get_stackid", &[Of::StackTrace], Refused, Always),
        function("on_sock_hash_update_common", "sock_hash_update_common", &[Of::Sockhash], Refused, Always),
        function("on_dev_map_hash_update_elem", "dev_map_hash_update_elem", &[Of::DevmapHash], Refused, Always),
        function("on_bpf_local_storage_update", "bpf_local_storage_update", STORAGES, Refused, Always),
        function("on_bpf_ringbuf_reserve", "bpf_ringbuf_reserve", &[Of::RingBuf], Dropped, Always),
        function("on_bpf_ringbuf_output", "bpf_ringbuf_output", &[Of::RingBuf], Dropped, Always),
        function("on_bpf_ringbuf_reserve_dynptr", "bpf_ringbuf_reserve_dynptr", &[Of::RingBuf], Dropped, IfThere),
        function("on_trie_update_elem", "trie_update_elem", &[Of::LpmTrie], Refused, Always),
        function("on_queue_stack_map_push_elem", "queue_stack_map_push_elem", QUEUES, Refused, Always),
        tracepoint("on_xdp_redirect_err", "xdp_redirect_err", &[Of::Devmap, Of::DevmapHash, Of::Cpumap, Of::Xskmap]),
        tracepoint("on_xdp_cpumap_enqueue", "xdp_cpumap_enqueue", &[Of::Cpumap]),
        tracepoint("on_xdp_cpumap_kthread", "xdp_cpumap_kthread", &[Of::Cpumap]),
        function("on_trie_update_value", "bpf_map_update_value", &[Of::LpmTrie], Refused, Instead),
        function("on_queue_stack_update_value", "bpf_map_update_value", QUEUES, Refused, Instead),
    ]
};

/// Types of maps, as bits by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Types(u64);

impl Types {
    /// Adds one; types so new that nothing traces them are left out.
    pub fn insert(&mut self, map_type: MapType) {
        self.0 |= 1_u64.checked_shl(map_type.0).unwrap_or(0);
    }

    /// Whether this one is among them.
    pub fn contains(self, map_type: MapType) -> bool {
        self.0 & 1_u64.checked_shl(map_type.0).unwrap_or(0) != 0
    }

    /// Whether one of these is among them.
    pub fn has_any(self, types: &[Of]) -> bool {
        types.iter().any(|of| self.contains(MapType(*of as u32)))
    }

    /// Those that are in either.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Each of them, in order.
    pub fn iter(self) -> impl Iterator<Item = MapType> {
        (0..u64::BITS)
            .map(MapType)
            .filter(move |of| self.contains(*of))
    }
}

/// What came of a tracer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// There was no reason to attach it yet.
    Untried,
    /// It counts, from this uptime on.
    Attached(Duration),
    /// This kernel does not have what it traces.
    Missing,
    /// It was refused: why, in a few words.
    Refused(Cow<'static, str>),
}

/// What can be observed of a type of maps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sight {
    /// Whether updates that are refused are seen.
    pub failed: bool,
    /// Whether evictions are.
    pub evictions: bool,
    /// Whether records that did not fit are.
    pub drops: bool,
    /// The uptime from which on all that is seen is counted.
    pub since: Option<Duration>,
    /// What is not seen, and why.
    pub reason: Option<Cow<'static, str>>,
}

impl Sight {
    /// Whether anything is seen.
    pub fn sees(&self) -> bool {
        self.failed || self.evictions || self.drops
    }
}

/// What the tracers see of this type; `outcomes` are those of [`TRACERS`], in their order. `None`
/// while they are still being attached, or if it has none.
pub fn sight(map_type: MapType, outcomes: &[Outcome]) -> Option<Sight> {
    let mut sight = Sight::default();
    let mut can_lose = false;
    let of_type = || {
        let both = TRACERS.iter().zip(outcomes);
        both.filter(move |(tracer, _)| tracer.is_for(map_type))
    };
    for counts in [Counts::Refused, Counts::Evicted, Counts::Dropped] {
        let mut missed = None;
        let mut is_seen = false;
        for (tracer, outcome) in of_type().filter(|(tracer, _)| tracer.counts == counts) {
            can_lose = true;
            if let Outcome::Attached(since) = outcome {
                sight.since = sight.since.max(Some(*since));
            }
            match (outcome, tracer.need) {
                (Outcome::Attached(_), Need::Instead) => {
                    is_seen = true;
                    missed = missed.map(|why: Cow<'static, str>| {
                        Cow::Owned(format!("updates by BPF programs are not seen: {why}"))
                    });
                }
                (Outcome::Attached(_), _) => is_seen = true,
                (_, Need::Instead) | (Outcome::Missing, Need::IfThere) => {}
                (Outcome::Untried, _) => return None,
                (Outcome::Missing, Need::Always) => {
                    let why = format!("this kernel has no {} to trace", tracer.target);
                    missed.get_or_insert(Cow::Owned(why));
                }
                (Outcome::Refused(why), _) => {
                    missed.get_or_insert(why.clone());
                }
            }
        }
        match counts {
            Counts::Refused => sight.failed = is_seen,
            Counts::Evicted => sight.evictions = is_seen,
            Counts::Dropped => sight.drops = is_seen,
        }
        sight.reason = sight.reason.or(missed);
    }
    // A device's own drops are told without the map that led to it.
    if sight.drops && DEVMAPS.iter().any(|of| *of as u32 == map_type.0) {
        let after = "drops after the redirect are not seen";
        sight.reason.get_or_insert(after.into());
    }
    can_lose.then_some(sight)
}

/// Whether there is a tracer for this type.
pub fn is_traced(map_type: MapType) -> bool {
    TRACERS.iter().any(|tracer| tracer.is_for(map_type))
}

/// A tracer that is wanted for maps of these types and was not tried yet.
pub fn next_wanted(types: Types, outcomes: &[Outcome]) -> Option<usize> {
    let is_wanted = |at: &usize| {
        let tracer = &TRACERS[*at];
        outcomes[*at] == Outcome::Untried
            && types.has_any(tracer.types)
            && (tracer.need != Need::Instead || lacks(tracer, outcomes))
    };
    (0..TRACERS.len()).find(is_wanted)
}

/// Whether what this one stands in for was refused.
fn lacks(tracer: &Tracer, outcomes: &[Outcome]) -> bool {
    TRACERS.iter().zip(outcomes).any(|(other, outcome)| {
        other.need == Need::Always
            && other.types == tracer.types
            && matches!(outcome, Outcome::Refused(_) | Outcome::Missing)
    })
}

/// The types of which not all can be seen, in a few words; `None` if there are none.
pub fn blind_spots(types: Types, outcomes: &[Outcome]) -> Option<String> {
    let mut none = Vec::new();
    let mut part = Vec::new();
    for map_type in types.iter() {
        let Some(sight) = sight(map_type, outcomes).filter(|sight| sight.reason.is_some()) else {
            continue;
        };
        let list = if sight.sees() { &mut part } else { &mut none };
        list.push(map_type.to_string());
    }
    let said = [("not observable here", none), ("only in part", part)]
        .into_iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(what, list)| format!("{what}: {}", list.join(", ")));
    let said: Vec<_> = said.collect();
    (!said.is_empty()).then(|| said.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: MapType = MapType(1);
    const PERCPU_HASH: MapType = MapType(5);
    const ARRAY: MapType = MapType(2);
    const LRU_HASH: MapType = MapType(9);
    const LPM_TRIE: MapType = MapType(11);
    const CPUMAP: MapType = MapType(16);
    const DEVMAP_HASH: MapType = MapType(25);
    const RINGBUF: MapType = MapType(27);
    const ATTACHED: Outcome = Outcome::Attached(Duration::from_secs(7));

    fn types(list: &[MapType]) -> Types {
        let mut types = Types::default();
        for map_type in list {
            types.insert(*map_type);
        }
        types
    }

    /// Tries what is wanted for these types, on a kernel where some targets come to something else.
    fn attach(list: &[MapType], others: &[(&str, Outcome)]) -> Vec<Outcome> {
        let on_kernel = |target| {
            let other = others.iter().find(|(of, _)| *of == target);
            other.map_or(ATTACHED, |(_, outcome)| outcome.clone())
        };
        let mut outcomes: Vec<_> = TRACERS
            .iter()
            .map(|tracer| match on_kernel(tracer.target) {
                Outcome::Missing => Outcome::Missing,
                _ => Outcome::Untried,
            })
            .collect();
        while let Some(at) = next_wanted(types(list), &outcomes) {
            outcomes[at] = on_kernel(TRACERS[at].target);
        }
        outcomes
    }

    fn attached(outcomes: &[Outcome]) -> Vec<&'static str> {
        let both = TRACERS.iter().zip(outcomes);
        both.filter(|(_, outcome)| **outcome == ATTACHED)
            .map(|(tracer, _)| tracer.target)
            .collect()
    }

    fn refused(why: &'static str) -> Outcome {
        Outcome::Refused(why.into())
    }

    #[test]
    fn every_tracer_has_a_name_of_its_own_and_a_type() {
        for (at, tracer) in TRACERS.iter().enumerate() {
            assert!(!tracer.types.is_empty());
            let others = &TRACERS[at + 1..];
            assert!(others.iter().all(|other| other.program != tracer.program));
        }
    }

    #[test]
    fn only_tracers_of_types_that_there_are_are_attached() {
        assert_eq!(attached(&attach(&[ARRAY], &[])), [""; 0]);
        assert_eq!(
            attached(&attach(&[ARRAY, HASH], &[])),
            ["htab_map_update_elem"]
        );
        assert_eq!(
            attached(&attach(&[LRU_HASH], &[])),
            ["htab_lru_map_update_elem", "htab_lru_map_delete_node"]
        );
        assert_eq!(attached(&attach(&[LPM_TRIE], &[])), ["trie_update_elem"]);
    }

    #[test]
    fn another_stands_in_where_a_function_cannot_be_traced_and_half_is_said() {
        let outcomes = attach(&[LPM_TRIE], &[("trie_update_elem", refused("it is busy"))]);
        assert_eq!(attached(&outcomes), ["bpf_map_update_value"]);
        let seen = sight(LPM_TRIE, &outcomes).expect("a sight");
        assert!(seen.failed && seen.sees());
        assert_eq!(
            seen.reason.as_deref(),
            Some("updates by BPF programs are not seen: it is busy")
        );
        assert_eq!(
            blind_spots(types(&[LPM_TRIE]), &outcomes).as_deref(),
            Some("only in part: lpm_trie")
        );
    }

    #[test]
    fn without_a_stand_in_nothing_is_seen() {
        let others = [
            ("trie_update_elem", refused("it is busy")),
            ("bpf_map_update_value", Outcome::Missing),
        ];
        let outcomes = attach(&[LPM_TRIE, HASH], &others);
        let seen = sight(LPM_TRIE, &outcomes).expect("a sight");
        assert!(!seen.sees());
        assert_eq!(seen.reason.as_deref(), Some("it is busy"));
        assert_eq!(
            blind_spots(types(&[LPM_TRIE, HASH]), &outcomes).as_deref(),
            Some("not observable here: lpm_trie")
        );
    }

    #[test]
    fn a_function_that_is_gone_is_named() {
        let outcomes = attach(&[MapType(7)], &[("bpf_get_stackid", Outcome::Missing)]);
        let seen = sight(MapType(7), &outcomes).expect("a sight");
        assert_eq!(
            seen.reason.as_deref(),
            Some("this kernel has no bpf_get_stackid to trace")
        );
    }

    #[test]
    fn a_helper_that_came_later_is_not_missed() {
        let missing = [("bpf_ringbuf_reserve_dynptr", Outcome::Missing)];
        let seen = sight(RINGBUF, &attach(&[RINGBUF], &missing)).expect("a sight");
        assert_eq!((seen.drops, seen.reason), (true, None));
    }

    #[test]
    fn one_of_two_ways_is_half() {
        let busy = [("bpf_percpu_hash_update", refused("it is busy"))];
        let seen = sight(PERCPU_HASH, &attach(&[PERCPU_HASH], &busy)).expect("a sight");
        assert_eq!(seen.reason.as_deref(), Some("it is busy"));
        assert!(seen.failed);
    }

    #[test]
    fn each_type_has_its_own_ways_to_lose() {
        let seen = |map_type| {
            let seen = sight(map_type, &attach(&[map_type], &[])).expect("a sight");
            (seen.failed, seen.evictions, seen.drops)
        };
        assert_eq!(seen(HASH), (true, false, false));
        assert_eq!(seen(LRU_HASH), (true, true, false));
        assert_eq!(seen(RINGBUF), (false, false, true));
        assert_eq!(seen(CPUMAP), (false, false, true));
        assert_eq!(seen(DEVMAP_HASH), (true, false, true));
        assert_eq!(sight(ARRAY, &attach(&[ARRAY], &[])), None);
    }

    #[test]
    fn what_is_seen_is_counted_since_the_last_of_its_tracers() {
        let later = Outcome::Attached(Duration::from_secs(9));
        let outcomes = attach(&[LRU_HASH], &[("htab_lru_map_delete_node", later)]);
        let seen = sight(LRU_HASH, &outcomes).expect("a sight");
        assert_eq!(seen.since, Some(Duration::from_secs(9)));
    }

    #[test]
    fn of_a_devmap_no_more_than_its_redirects_is_seen() {
        let reason = |map_type| {
            sight(map_type, &attach(&[map_type], &[]))
                .expect("a sight")
                .reason
        };
        let after = "drops after the redirect are not seen";
        assert_eq!(reason(DEVMAP_HASH).as_deref(), Some(after));
        assert_eq!(reason(CPUMAP), None);
    }

    #[test]
    fn nothing_is_said_of_a_type_while_its_tracers_are_being_attached() {
        assert_eq!(sight(LRU_HASH, &attach(&[HASH], &[])), None);
    }

    #[test]
    fn types_are_a_set_and_newer_ones_are_left_out() {
        let set = types(&[HASH, RINGBUF, MapType(64), MapType(99)]);
        let list: Vec<_> = set.union(types(&[ARRAY])).iter().collect();
        assert_eq!(list, [HASH, ARRAY, RINGBUF]);
        assert!(set.has_any(&[Of::Stack, Of::RingBuf]) && !set.has_any(&[Of::Stack]));
    }

    #[test]
    fn types_that_can_be_watched_are_those_with_a_tracer() {
        for map_type in MapType::all() {
            assert_eq!(is_traced(map_type), map_type.can_be_watched(), "{map_type}");
        }
    }
}
