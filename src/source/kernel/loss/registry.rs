//! The table of tracers, and which losses of a map type the attached ones cover.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use libbpf_rs::MapType as BpfMapType;

use crate::types::loss::LossKind;
use crate::types::map_type::MapType;

/// How a tracer is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// To the end of a function, by a trampoline.
    Function,
    /// To a tracepoint.
    Tracepoint,
}

/// What follows if a tracer cannot be attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// Some losses are not seen.
    Required,
    /// Nothing, if the kernel lacks the function: it cannot lose anything by it then.
    Optional,
    /// Nothing: it sees updates by bpf(2) alone, and is attached only where the required tracer of the
    /// types cannot be.
    Fallback,
}

/// A program of `loss_trace.bpf.c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tracer {
    pub program: &'static str,
    /// The traced function or tracepoint.
    pub target: &'static str,
    pub hook: Hook,
    pub types: &'static [BpfMapType],
    pub kind: LossKind,
    pub requirement: Requirement,
}

impl Tracer {
    fn is_for(&self, map_type: MapType) -> bool {
        self.types.iter().any(|known| *known as u32 == map_type.0)
    }
}

const fn function(
    program: &'static str,
    target: &'static str,
    types: &'static [BpfMapType],
    kind: LossKind,
    requirement: Requirement,
) -> Tracer {
    Tracer {
        program,
        target,
        hook: Hook::Function,
        types,
        kind,
        requirement,
    }
}

const fn tracepoint(
    program: &'static str,
    target: &'static str,
    types: &'static [BpfMapType],
) -> Tracer {
    Tracer {
        program,
        target,
        hook: Hook::Tracepoint,
        types,
        kind: LossKind::Dropped,
        requirement: Requirement::Required,
    }
}

const STORAGES: &[BpfMapType] = &[
    BpfMapType::SkStorage,
    BpfMapType::InodeStorage,
    BpfMapType::TaskStorage,
    BpfMapType::CGrpStorage,
];
const QUEUES: &[BpfMapType] = &[BpfMapType::Queue, BpfMapType::Stack];
const DEVMAPS: &[BpfMapType] = &[BpfMapType::Devmap, BpfMapType::DevmapHash];
const LRUS: &[BpfMapType] = &[BpfMapType::LruHash, BpfMapType::LruPercpuHash];

/// Every tracer. Fallbacks come last.
#[rustfmt::skip]
pub const TRACERS: &[Tracer] = {
    use LossKind::{Dropped, Evicted, Failed};
    use BpfMapType::{
        Cpumap, Devmap, DevmapHash, Hash, HashOfMaps, LpmTrie, LruHash, LruPercpuHash, PercpuHash, RingBuf, Sockhash, StackTrace, Xskmap,
    };
    use Requirement::{Fallback, Optional, Required};
    &[
        function("ms_hash_update", "htab_map_update_elem", &[Hash], Failed, Required),
        function("ms_hom_update", "bpf_fd_htab_map_update_elem", &[HashOfMaps], Failed, Required),
        function("ms_pchash_prog", "htab_percpu_map_update_elem", &[PercpuHash], Failed, Required),
        function("ms_pchash_sys", "bpf_percpu_hash_update", &[PercpuHash], Failed, Required),
        function("ms_lru_update", "htab_lru_map_update_elem", &[LruHash], Failed, Required),
        function("ms_pclru_update", "__htab_lru_percpu_map_update_elem", &[LruPercpuHash], Failed, Required),
        function("ms_lru_evict", "htab_lru_map_delete_node", LRUS, Evicted, Required),
        function("ms_get_stackid", "bpf_get_stackid", &[StackTrace], Failed, Required),
        function("ms_sockhash_upd", "sock_hash_update_common", &[Sockhash], Failed, Required),
        function("ms_devhash_upd", "dev_map_hash_update_elem", &[DevmapHash], Failed, Required),
        function("ms_storage_upd", "bpf_local_storage_update", STORAGES, Failed, Required),
        function("ms_rb_reserve", "bpf_ringbuf_reserve", &[RingBuf], Dropped, Required),
        function("ms_rb_output", "bpf_ringbuf_output", &[RingBuf], Dropped, Required),
        function("ms_rb_dynptr", "bpf_ringbuf_reserve_dynptr", &[RingBuf], Dropped, Optional),
        function("ms_trie_update", "trie_update_elem", &[LpmTrie], Failed, Required),
        function("ms_queue_push", "queue_stack_map_push_elem", QUEUES, Failed, Required),
        tracepoint("ms_xdp_redirect", "xdp_redirect_err", &[Devmap, DevmapHash, Cpumap, Xskmap]),
        tracepoint("ms_cpu_enqueue", "xdp_cpumap_enqueue", &[Cpumap]),
        tracepoint("ms_cpu_kthread", "xdp_cpumap_kthread", &[Cpumap]),
        function("ms_trie_sys", "bpf_map_update_value", &[LpmTrie], Failed, Fallback),
        function("ms_queue_sys", "bpf_map_update_value", QUEUES, Failed, Fallback),
    ]
};

/// A set of map types: a bit for each number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MapTypeSet(u64);

impl MapTypeSet {
    /// Types too new to have a tracer are left out.
    pub fn insert(&mut self, map_type: MapType) {
        self.0 |= 1_u64.checked_shl(map_type.0).unwrap_or(0);
    }

    pub fn contains(self, map_type: MapType) -> bool {
        self.0 & 1_u64.checked_shl(map_type.0).unwrap_or(0) != 0
    }

    pub(crate) fn has_any(self, types: &[BpfMapType]) -> bool {
        types
            .iter()
            .any(|map_type| self.contains(MapType(*map_type as u32)))
    }

    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// In the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = MapType> {
        (0..u64::BITS)
            .map(MapType)
            .filter(move |map_type| self.contains(*map_type))
    }
}

/// Why a tracer cannot count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusedReason {
    /// The kernel, or a policy, refuses to trace any function.
    NoTrampolines,
    CannotLoad {
        target: &'static str,
        /// The error as ` (EINVAL)`; empty if it is unknown.
        errno: String,
    },
    CannotAttach {
        target: &'static str,
        errno: String,
    },
    /// The maps to count in cannot be created or read: why, in words.
    NoCounters(Cow<'static, str>),
}

impl fmt::Display for RefusedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTrampolines => f.write_str("this kernel refuses BPF trampolines"),
            Self::CannotLoad { target, errno } => {
                write!(
                    f,
                    "this kernel refuses to load the tracer of {target}{errno}"
                )
            }
            Self::CannotAttach { target, errno } => {
                write!(f, "this kernel does not allow tracing {target}{errno}")
            }
            Self::NoCounters(why) => f.write_str(why),
        }
    }
}

/// The state of a tracer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// There was no map to attach it for yet.
    Untried,
    /// It counts from this uptime on.
    Attached(Duration),
    /// This kernel lacks the target.
    Missing,
    Refused(RefusedReason),
}

/// Which losses of a map type are counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    pub failed: bool,
    pub evictions: bool,
    pub drops: bool,
    /// The uptime from which on all of them are.
    pub since: Option<Duration>,
    /// What is not counted, and why.
    pub reason: Option<Cow<'static, str>>,
}

impl Coverage {
    pub fn counts_any(&self) -> bool {
        self.failed || self.evictions || self.drops
    }
}

/// `outcomes` are those of [`TRACERS`], in their order. `None` while the tracers of this type are still
/// being attached, or if it has none.
pub(crate) fn coverage(map_type: MapType, outcomes: &[Outcome]) -> Option<Coverage> {
    let mut coverage = Coverage::default();
    let mut can_lose = false;
    let of_type = || {
        let both = TRACERS.iter().zip(outcomes);
        both.filter(move |(tracer, _)| tracer.is_for(map_type))
    };
    for kind in LossKind::ALL {
        let mut missed = None;
        let mut is_seen = false;
        for (tracer, outcome) in of_type().filter(|(tracer, _)| tracer.kind == kind) {
            can_lose = true;
            if let Outcome::Attached(since) = outcome {
                coverage.since = coverage.since.max(Some(*since));
            }
            match (outcome, tracer.requirement) {
                (Outcome::Attached(_), Requirement::Fallback) => {
                    is_seen = true;
                    missed = missed.map(|why: Cow<'static, str>| {
                        Cow::Owned(format!("updates by BPF programs are not counted: {why}"))
                    });
                }
                (Outcome::Attached(_), _) => is_seen = true,
                (_, Requirement::Fallback) | (Outcome::Missing, Requirement::Optional) => {}
                (Outcome::Untried, _) => return None,
                (Outcome::Missing, Requirement::Required) => {
                    let why = format!("this kernel has no {}", tracer.target);
                    missed.get_or_insert(Cow::Owned(why));
                }
                (Outcome::Refused(why), _) => {
                    missed.get_or_insert(why.to_string().into());
                }
            }
        }
        match kind {
            LossKind::Failed => coverage.failed = is_seen,
            LossKind::Evicted => coverage.evictions = is_seen,
            LossKind::Dropped => coverage.drops = is_seen,
        }
        coverage.reason = coverage.reason.or(missed);
    }
    // The tracepoint of a device's own drops does not name the map that led to it.
    if coverage.drops && DEVMAPS.iter().any(|devmap| *devmap as u32 == map_type.0) {
        let after = "drops after the redirect are not counted";
        coverage.reason.get_or_insert(after.into());
    }
    can_lose.then_some(coverage)
}

pub fn is_traced(map_type: MapType) -> bool {
    TRACERS.iter().any(|tracer| tracer.is_for(map_type))
}

/// The index of a tracer that is wanted for maps of these types and was not tried yet.
pub(crate) fn next_wanted(types: MapTypeSet, outcomes: &[Outcome]) -> Option<usize> {
    let is_wanted = |index: &usize| {
        let tracer = &TRACERS[*index];
        outcomes[*index] == Outcome::Untried
            && types.has_any(tracer.types)
            && (tracer.requirement != Requirement::Fallback || needs_fallback(tracer, outcomes))
    };
    (0..TRACERS.len()).find(is_wanted)
}

/// Whether the required tracer of the same types cannot be attached.
fn needs_fallback(tracer: &Tracer, outcomes: &[Outcome]) -> bool {
    TRACERS.iter().zip(outcomes).any(|(other, outcome)| {
        other.requirement == Requirement::Required
            && other.types == tracer.types
            && matches!(outcome, Outcome::Refused(_) | Outcome::Missing)
    })
}

/// The types whose losses are not all counted, in words; `None` if there are none.
pub(crate) fn coverage_note(types: MapTypeSet, outcomes: &[Outcome]) -> Option<String> {
    let mut none = Vec::new();
    let mut part = Vec::new();
    for map_type in types.iter() {
        let Some(seen) = coverage(map_type, outcomes).filter(|seen| seen.reason.is_some()) else {
            continue;
        };
        let list = if seen.counts_any() {
            &mut part
        } else {
            &mut none
        };
        list.push(map_type.to_string());
    }
    let notes = [
        ("not observable here", none),
        ("only partly observable", part),
    ]
    .into_iter()
    .filter(|(_, list)| !list.is_empty())
    .map(|(what, list)| format!("{what}: {}", list.join(", ")));
    let notes: Vec<_> = notes.collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}
