//! The tracers, and what those that could be attached make observable of each type of maps.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::time::Duration;

use libbpf_rs::MapType as Of;

use crate::types::map_type::MapType;

/// What a tracer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossKind {
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
pub enum Requirement {
    /// It sees what no other one does.
    Always,
    /// A kernel without this function has no maps that lose anything by it.
    Optional,
    /// It sees bpf(2) only, and is attached where the one that sees all of it cannot be.
    Fallback,
}

/// A program of `loss_trace.bpf.c`.
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
    pub counts: LossKind,
    /// Whether it has to be there.
    pub need: Requirement,
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
    counts: LossKind,
    need: Requirement,
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
        counts: LossKind::Dropped,
        need: Requirement::Always,
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
    use LossKind::{Dropped, Evicted, Refused};
    use Requirement::{Always, Optional, Fallback};
    [
        function("ms_hash_update", "htab_map_update_elem", &[Of::Hash], Refused, Always),
        function("ms_hom_update", "bpf_fd_htab_map_update_elem", &[Of::HashOfMaps], Refused, Always),
        function("ms_pchash_prog", "htab_percpu_map_update_elem", &[Of::PercpuHash], Refused, Always),
        function("ms_pchash_sys", "bpf_percpu_hash_update", &[Of::PercpuHash], Refused, Always),
        function("ms_lru_update", "htab_lru_map_update_elem", &[Of::LruHash], Refused, Always),
        function("ms_pclru_update", "__htab_lru_percpu_map_update_elem", &[Of::LruPercpuHash], Refused, Always),
        function("ms_lru_evict", "htab_lru_map_delete_node", LRUS, Evicted, Always),
        function("ms_get_stackid", "bpf_get_stackid", &[Of::StackTrace], Refused, Always),
        function("ms_sockhash_upd", "sock_hash_update_common", &[Of::Sockhash], Refused, Always),
        function("ms_devhash_upd", "dev_map_hash_update_elem", &[Of::DevmapHash], Refused, Always),
        function("ms_storage_upd", "bpf_local_storage_update", STORAGES, Refused, Always),
        function("ms_rb_reserve", "bpf_ringbuf_reserve", &[Of::RingBuf], Dropped, Always),
        function("ms_rb_output", "bpf_ringbuf_output", &[Of::RingBuf], Dropped, Always),
        function("ms_rb_dynptr", "bpf_ringbuf_reserve_dynptr", &[Of::RingBuf], Dropped, Optional),
        function("ms_trie_update", "trie_update_elem", &[Of::LpmTrie], Refused, Always),
        function("ms_queue_push", "queue_stack_map_push_elem", QUEUES, Refused, Always),
        tracepoint("ms_xdp_redirect", "xdp_redirect_err", &[Of::Devmap, Of::DevmapHash, Of::Cpumap, Of::Xskmap]),
        tracepoint("ms_cpu_enqueue", "xdp_cpumap_enqueue", &[Of::Cpumap]),
        tracepoint("ms_cpu_kthread", "xdp_cpumap_kthread", &[Of::Cpumap]),
        function("ms_trie_sys", "bpf_map_update_value", &[Of::LpmTrie], Refused, Fallback),
        function("ms_queue_sys", "bpf_map_update_value", QUEUES, Refused, Fallback),
    ]
};

/// Types of maps, as bits by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MapTypeSet(u64);

impl MapTypeSet {
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
pub struct Coverage {
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

impl Coverage {
    /// Whether anything is seen.
    pub fn sees(&self) -> bool {
        self.failed || self.evictions || self.drops
    }
}

/// What the tracers see of this type; `outcomes` are those of [`TRACERS`], in their order. `None`
/// while they are still being attached, or if it has none.
pub fn coverage(map_type: MapType, outcomes: &[Outcome]) -> Option<Coverage> {
    let mut sight = Coverage::default();
    let mut can_lose = false;
    let of_type = || {
        let both = TRACERS.iter().zip(outcomes);
        both.filter(move |(tracer, _)| tracer.is_for(map_type))
    };
    for counts in [LossKind::Refused, LossKind::Evicted, LossKind::Dropped] {
        let mut missed = None;
        let mut is_seen = false;
        for (tracer, outcome) in of_type().filter(|(tracer, _)| tracer.counts == counts) {
            can_lose = true;
            if let Outcome::Attached(since) = outcome {
                sight.since = sight.since.max(Some(*since));
            }
            match (outcome, tracer.need) {
                (Outcome::Attached(_), Requirement::Fallback) => {
                    is_seen = true;
                    missed = missed.map(|why: Cow<'static, str>| {
                        Cow::Owned(format!("updates by BPF programs are not seen: {why}"))
                    });
                }
                (Outcome::Attached(_), _) => is_seen = true,
                (_, Requirement::Fallback) | (Outcome::Missing, Requirement::Optional) => {}
                (Outcome::Untried, _) => return None,
                (Outcome::Missing, Requirement::Always) => {
                    let why = format!("this kernel has no {} to trace", tracer.target);
                    missed.get_or_insert(Cow::Owned(why));
                }
                (Outcome::Refused(why), _) => {
                    missed.get_or_insert(why.clone());
                }
            }
        }
        match counts {
            LossKind::Refused => sight.failed = is_seen,
            LossKind::Evicted => sight.evictions = is_seen,
            LossKind::Dropped => sight.drops = is_seen,
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
pub fn next_wanted(types: MapTypeSet, outcomes: &[Outcome]) -> Option<usize> {
    let is_wanted = |at: &usize| {
        let tracer = &TRACERS[*at];
        outcomes[*at] == Outcome::Untried
            && types.has_any(tracer.types)
            && (tracer.need != Requirement::Fallback || needs_fallback(tracer, outcomes))
    };
    (0..TRACERS.len()).find(is_wanted)
}

/// Whether what this one stands in for was refused.
fn needs_fallback(tracer: &Tracer, outcomes: &[Outcome]) -> bool {
    TRACERS.iter().zip(outcomes).any(|(other, outcome)| {
        other.need == Requirement::Always
            && other.types == tracer.types
            && matches!(outcome, Outcome::Refused(_) | Outcome::Missing)
    })
}

/// The types of which not all can be seen, in a few words; `None` if there are none.
pub fn coverage_note(types: MapTypeSet, outcomes: &[Outcome]) -> Option<String> {
    let mut none = Vec::new();
    let mut part = Vec::new();
    for map_type in types.iter() {
        let Some(sight) = coverage(map_type, outcomes).filter(|sight| sight.reason.is_some())
        else {
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
