//! Updates that were refused. Each error has a cause of its own, and a topic.

use super::{Find, Finding, Measurement, Rule, format_rate, format_time};
use crate::advise::observed::MapObservation;
use crate::text::units;
use crate::types::errno::Errno;
use crate::types::loss::{LossCause, LossKind};
use crate::types::map_flags::MapFlags;
use crate::types::map_type::{AllocKind, Kind};
use crate::types::row::Row;

pub(super) const FULL: Rule = Rule {
    topic: "refused_full",
    find: Find::EachMap(|row, measurement| judge(row, measurement, Cause::Full)),
};
pub(super) const NO_MEMORY: Rule = Rule {
    topic: "refused_memory",
    find: Find::EachMap(|row, measurement| judge(row, measurement, Cause::NoMemory)),
};
pub(super) const BUSY: Rule = Rule {
    topic: "refused_busy",
    find: Find::EachMap(|row, measurement| judge(row, measurement, Cause::Busy)),
};
pub(super) const DEADLOCK: Rule = Rule {
    topic: "refused_deadlock",
    find: Find::EachMap(|row, measurement| judge(row, measurement, Cause::Deadlock)),
};
pub(super) const TIMEOUT: Rule = Rule {
    topic: "refused_timeout",
    find: Find::EachMap(|row, measurement| judge(row, measurement, Cause::Timeout)),
};
pub(super) const OTHER: Rule = Rule {
    topic: "refused",
    find: Find::EachMap(|row, measurement| judge(row, measurement, Cause::Other)),
};

/// Why an update was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// There is no room for another entry.
    Full,
    /// There was no memory for an entry, or no free one.
    NoMemory,
    /// The lock is taken on this CPU (up to Linux 6.14; for queues and stacks also later).
    Busy,
    /// Waiting for the lock would never end (`resilient spin locks`, from Linux 6.15).
    Deadlock,
    /// The lock was not released for a quarter of a second (`RES_DEF_TIMEOUT`).
    Timeout,
    Other,
}

impl Cause {
    /// `None` for a collision of stacks, which has a rule of its own.
    fn from_errno(row: &Row, errno: Errno) -> Option<Self> {
        Some(match errno {
            Errno::EEXIST if row.facts.map_type.collides() => return None,
            Errno::E2BIG | Errno::ENOSPC => Self::Full,
            // The list of free buckets is empty (`__bpf_get_stackid`).
            Errno::ENOMEM if row.facts.map_type.collides() => Self::Full,
            Errno::ENOMEM => Self::NoMemory,
            Errno::EBUSY => Self::Busy,
            Errno::EDEADLK => Self::Deadlock,
            Errno::ETIMEDOUT => Self::Timeout,
            _ => Self::Other,
        })
    }

    fn remedy(self, row: &Row, observation: &MapObservation) -> String {
        match self {
            Self::Full => remedy_full(row, observation),
            Self::NoMemory => remedy_no_memory(row),
            Self::Busy => "move the update out of programs that run inside another update of this map (NMI, \
                           perf events, tracing of the kernel), or use a map without a lock for each bucket, \
                           such as percpu_array"
                .to_owned(),
            Self::Deadlock => "the kernel gave up an update that would have waited for itself: move it out of \
                               programs that run inside another update of this map (NMI, perf events, \
                               tracing of the kernel), and do not update two maps in opposite orders"
                .to_owned(),
            Self::Timeout => "find out what holds its lock for that long: many updates of one bucket, or a \
                              virtual CPU that does not run"
                .to_owned(),
            Self::Other => {
                "find out what this error means to the program that updates the map".to_owned()
            }
        }
    }
}

/// Whether updates were refused for lack of room while it was measured.
pub(super) fn was_full(row: &Row, measurement: &Measurement<'_>) -> bool {
    judge(row, measurement, Cause::Full).is_some()
}

/// The same, or for lack of memory, in which case a larger map does not help.
pub(super) fn was_full_or_without_memory(row: &Row, measurement: &Measurement<'_>) -> bool {
    was_full(row, measurement) || judge(row, measurement, Cause::NoMemory).is_some()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn judge(row: &Row, measurement: &Measurement<'_>, cause: Cause) -> Option<Finding> {
    let observation = measurement.observations.get(row.key())?;
    let losses = observation.losses.as_ref()?;
    let is_of_cause = |(errno, _): &(Errno, u64)| Cause::from_errno(row, *errno) == Some(cause);
    let errors: Vec<_> = losses.refused.iter().filter(is_of_cause).collect();
    let count: u64 = errors.iter().map(|(_, count)| count).sum();
    if count == 0 {
        return None;
    }
    let names: Vec<_> = errors.iter().map(|(errno, _)| errno.to_string()).collect();
    let mut measured = format!(
        "{} refused with {} in {}{}",
        super::count_noun(count, "update", "updates"),
        names.join(", "),
        format_time(losses.time),
        format_rate(count, losses.time)
    );
    if let Some(level) = describe_level(row, observation) {
        measured.push_str(&level);
    }
    if let Some(culprit) = describe_culprit(row) {
        measured.extend([", last by ", &culprit]);
    }
    Some(Finding {
        urgency: count as f64,
        ..Finding::new(row, measured, cause.remedy(row, observation))
    })
}

/// `; peak 30,123 of 200,000 entries (15 %)`.
fn describe_level(row: &Row, observation: &MapObservation) -> Option<String> {
    let capacity = row.facts.capacity.filter(|capacity| *capacity > 0)?;
    if observation.samples == 0 {
        return None;
    }
    let peak = observation.peak;
    let about = if row.facts.is_estimated() {
        "about "
    } else {
        ""
    };
    Some(format!(
        "; peak {about}{} ({} %)",
        super::format_level(row, peak, capacity),
        units::percent(Row::pressure_ratio(peak, capacity))
    ))
}

fn describe_culprit(row: &Row) -> Option<String> {
    if row.last_lost_kind() != Some(LossKind::Failed) {
        return None;
    }
    Some(match row.facts.loss.as_ref()?.cause.as_ref()? {
        LossCause::Process { pid, comm } => format!("{comm}({pid})"),
        LossCause::Program => format!("the BPF program {}", row.causing_program()?.name),
    })
}

fn remedy_full(row: &Row, observation: &MapObservation) -> String {
    let was_seen_full = row
        .facts
        .capacity
        .is_none_or(|capacity| observation.samples == 0 || observation.peak >= capacity);
    if was_seen_full || row.facts.is_estimated() {
        "make it larger, or find out why nothing is deleted".to_owned()
    } else {
        "make it larger, although no sample found it full: it fills up between samples, or the kernel refuses \
         inserts before it is full"
            .to_owned()
    }
}

/// What is known is the way in which the kernel allocates entries, not why it failed.
fn remedy_no_memory(row: &Row) -> String {
    let alloc = row.facts.map_type.alloc_kind();
    let is_lazy = row.facts.has_flag(MapFlags::NO_PREALLOC);
    let allocates = is_lazy
        || matches!(
            alloc,
            Some(
                AllocKind::Trie
                    | AllocKind::Storage
                    | AllocKind::CgroupStorage(_)
                    | AllocKind::DeviceTable
                    | AllocKind::SocketTable
            )
        );
    if row.kind() == Kind::Evicting {
        return "make it larger: no entry was free, and none could be evicted at that moment, which happens to \
                small LRU maps on many CPUs"
            .to_owned();
    }
    if !allocates {
        return "do not make it larger for this error: its entries were allocated with the map, and none was free at that \
                moment. Retry the update"
            .to_owned();
    }
    let mut change =
        "do not make it larger: the kernel could not allocate memory for an entry. ".to_owned();
    if is_lazy && matches!(alloc, Some(AllocKind::Hash(..))) {
        change.push_str("Create it without BPF_F_NO_PREALLOC, insert");
    } else {
        change.push_str("Insert");
    }
    change.push_str(
        " fewer entries at once (in atomic context the kernel has only a small reserve), or raise the memory \
         limit of its cgroup",
    );
    let cgroup = row
        .ownership
        .as_ref()
        .and_then(|ownership| ownership.cgroup.as_deref());
    if let Some(path) = cgroup {
        change.extend([" ", path]);
    }
    if alloc == Some(AllocKind::Storage) {
        change.push_str(" and, for sockets, net.core.optmem_max");
    }
    change
}
