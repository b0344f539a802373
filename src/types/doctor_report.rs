//! What one kernel, and the rights of one process on it, let mapstop show: found out by trying, and
//! what would close the gaps.

use std::borrow::Cow;
use std::time::Duration;

use compact_str::CompactString;
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::count::CountMethod;
use super::host::Host;
use super::map_type::MapType;
use super::ownership_gap::OwnershipGap;

/// Everything that was found out about a machine. What could not be is `None`, or not in its list.
#[derive(Debug, Clone, PartialEq)]
pub struct DoctorReport {
    /// The machine.
    pub host: Host,
    /// When it was examined.
    pub at: Timestamp,
    /// Whether its maps can be shown.
    pub outcome: MapAccess,
    /// What the process may do, and where it is.
    pub rights: Privileges,
    /// What the kernel describes and allows.
    pub system: KernelSupport,
    /// How a map of each type is counted; empty where maps cannot be read.
    pub types: Vec<TypeCheck>,
    /// What can be watched of what maps lose; `None` where maps cannot be read.
    pub losses: Option<LossCheck>,
    /// What of whose maps are cannot be told; `None` where nothing of it can.
    pub owners_unknown: Option<Vec<OwnershipGap>>,
    /// What reading costs; `None` where maps cannot be read.
    pub cost: Option<Cost>,
}

/// Whether maps can be shown, as the exit code of mapstop has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapAccess {
    /// They can.
    Shown,
    /// That is not permitted: in one line, why.
    NotPermitted(String),
    /// This kernel cannot: in one line, why.
    Unable(String),
    /// What this kernel says of itself cannot be read here: in one line, why.
    Hidden(String),
    /// It failed otherwise: in one line, how.
    Failed(String),
}

impl MapAccess {
    /// The word for it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::NotPermitted(_) => "not_permitted",
            Self::Unable(_) | Self::Hidden(_) => "unable",
            Self::Failed(_) => "failed",
        }
    }

    /// Why they cannot; `None` if they can.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Shown => None,
            Self::NotPermitted(why) | Self::Unable(why) | Self::Hidden(why) | Self::Failed(why) => {
                Some(why)
            }
        }
    }
}

/// The capabilities that mapstop has a use for, and what each gives; the first two are needed.
pub(crate) const CAPABILITIES: [(&str, &str); 5] = [
    ("CAP_BPF", "the table"),
    ("CAP_PERFMON", "the table"),
    ("CAP_SYS_ADMIN", "links, inner maps, C"),
    ("CAP_SYS_PTRACE", "whether pins are all seen"),
    ("CAP_DAC_READ_SEARCH", "pins where only root may look"),
];

/// A capability that mapstop has a use for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// Its name: `CAP_BPF`.
    pub name: &'static str,
    /// Whether the process has it, by itself or as part of `CAP_SYS_ADMIN`.
    pub held: bool,
    /// What it is good for.
    pub gives: &'static str,
}

/// What the process may do, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Privileges {
    /// The effective user.
    pub uid: u32,
    /// Those that are asked for, held or not.
    pub capabilities: Vec<Capability>,
    /// Whether a seccomp filter may refuse system calls.
    pub seccomp: Option<bool>,
    /// Whether it is in the first pid namespace, and sees every process.
    pub first_pid_namespace: Option<bool>,
    /// Whether it is in the first user namespace, where capabilities count for the machine.
    pub first_user_namespace: Option<bool>,
    /// Whether it is in the mount namespace of the first process, where most pins are.
    pub first_mount_namespace: Option<bool>,
    /// How many bytes it may lock, where that is too little for programs and maps; `None` where they
    /// are no part of that, or it is enough.
    pub memory_to_lock: Option<u64>,
}

impl Privileges {
    /// Whether it has this capability, and it counts.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let mut capabilities = self.capabilities.iter();
        capabilities.any(|capability| capability.name == name && capability.held)
    }
}

/// What the kernel describes and allows, and what is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KernelSupport {
    /// Whether it describes its structures (`/sys/kernel/btf/vmlinux`); `None` if that cannot be told.
    pub btf: Option<bool>,
    /// `none`, `integrity` or `confidentiality`; `None` if it has no lockdown, or does not tell here.
    pub lockdown: Option<CompactString>,
    /// Where the cgroups are that pay for memory; `None` if they are mounted nowhere here, or nothing
    /// tells what is.
    pub memory_cgroup: Option<String>,
    /// Whether memory is accounted for by a hierarchy of version 1, mounted or not.
    #[serde(skip)]
    pub memory_is_version_1: bool,
    /// Where maps may be pinned; `None` if nothing tells what is mounted.
    pub bpffs: Option<Vec<String>>,
}

impl KernelSupport {
    /// Whether it is known what is mounted.
    #[must_use]
    pub(crate) fn tells_mounts(&self) -> bool {
        self.bpffs.is_some()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn by_name<S: Serializer>(map_type: &MapType, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(map_type)
}

/// How a small map of a type was counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TypeCheck {
    /// The type.
    #[serde(rename = "type", serialize_with = "by_name")]
    pub map_type: MapType,
    /// Whether its count was right; `None` if no such map could be made.
    pub counted: Option<bool>,
    /// How it was counted.
    pub count_method: Option<CountMethod>,
    /// Why it was not made or not counted, or what is true of small maps of it alone.
    pub note: Option<Cow<'static, str>>,
}

/// What can be watched of what maps of a type lose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TypeLosses {
    /// The type.
    #[serde(rename = "type", serialize_with = "by_name")]
    pub map_type: MapType,
    /// Updates that are refused.
    pub failed_updates: bool,
    /// Entries that make room for others.
    pub evictions: bool,
    /// Records and packets that are dropped.
    pub drops: bool,
    /// What of it is not seen, and why.
    pub note: Option<Cow<'static, str>>,
}

impl TypeLosses {
    /// Whether anything is seen.
    #[must_use]
    pub fn sees(&self) -> bool {
        self.failed_updates || self.evictions || self.drops
    }
}

/// How far loading and attaching every tracer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TracerProbe {
    /// There was no map to count in.
    Untried,
    /// None could be attached.
    Refused,
    /// Some were.
    Attached,
}

/// What came of loading and attaching every tracer for a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LossCheck {
    /// Why no function can be traced, or nothing at all; `None` if neither is so.
    pub refused: Option<CompactString>,
    /// How far it came.
    #[serde(skip)]
    pub trial: TracerProbe,
    /// Each type that could lose something.
    pub types: Vec<TypeLosses>,
    /// What that took.
    #[serde(rename = "attach_s", serialize_with = "in_seconds")]
    pub took: Duration,
}

fn in_seconds<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64())
}

/// What reading costs here and now, each measured a few times: the middle one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// How many maps there are.
    pub maps: usize,
    /// One read of all maps from the kernel.
    #[serde(rename = "read_s", serialize_with = "in_seconds")]
    pub read: Duration,
    /// A tick: that, and what follows from it for the table.
    #[serde(rename = "tick_s", serialize_with = "in_seconds")]
    pub tick: Duration,
    /// A look for whose they are, beside the ticks.
    #[serde(rename = "owners_s", serialize_with = "in_seconds_if")]
    pub owners: Option<Duration>,
}

#[expect(clippy::ref_option, reason = "serde asks for it")]
fn in_seconds_if<S: Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => to.serialize_some(&time.as_secs_f64()),
        None => to.serialize_none(),
    }
}
