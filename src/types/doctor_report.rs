//! What mapstop can show with this kernel and the privileges of this process.

use std::borrow::Cow;
use std::time::Duration;

use compact_str::CompactString;
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::count::CountMethod;
use super::host::Host;
use super::map_type::MapType;
use super::ownership_gap::OwnershipGap;

/// The result of the probes. What could not be probed is `None`, or missing from its list.
#[derive(Debug, Clone, PartialEq)]
pub struct DoctorReport {
    /// The machine.
    pub host: Host,
    /// When it was probed.
    pub at: Timestamp,
    /// Whether its maps can be shown.
    pub map_access: MapAccess,
    /// The capabilities and namespaces of the process.
    pub privileges: Privileges,
    /// What the kernel supports, and what is mounted.
    pub kernel_support: KernelSupport,
    /// How a map of each type is counted; empty where maps cannot be read.
    pub types: Vec<TypeCheck>,
    /// Which losses can be traced; `None` where maps cannot be read.
    pub losses: Option<LossCheck>,
    /// What cannot be found out about owners; `None` where owners cannot be collected at all.
    pub ownership_gaps: Option<Vec<OwnershipGap>>,
    /// What reading costs; `None` where maps cannot be read.
    pub cost: Option<Cost>,
}

/// Whether maps can be shown, as the exit code of mapstop has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapAccess {
    /// Maps can be shown.
    Shown,
    /// The process lacks permission: the reason, in one line.
    NotPermitted(String),
    /// This kernel does not support it: the reason, in one line.
    Unable(String),
    /// What this kernel supports cannot be read here: the reason, in one line.
    Hidden(String),
    /// Another failure: the error, in one line.
    Failed(String),
}

impl MapAccess {
    /// The value of `maps` in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::NotPermitted(_) => "not_permitted",
            Self::Unable(_) | Self::Hidden(_) => "unable",
            Self::Failed(_) => "failed",
        }
    }

    /// Why maps cannot be shown; `None` if they can.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Shown => None,
            Self::NotPermitted(why) | Self::Unable(why) | Self::Hidden(why) | Self::Failed(why) => {
                Some(why)
            }
        }
    }
}

/// The capabilities that mapstop uses, and what each one is for; the first two are required.
pub(crate) const CAPABILITIES: [(&str, &str); 5] = [
    ("CAP_BPF", "required"),
    ("CAP_PERFMON", "required"),
    ("CAP_SYS_ADMIN", "links, inner maps, exact counts"),
    ("CAP_SYS_PTRACE", "whether all pins are seen"),
    ("CAP_DAC_READ_SEARCH", "pins that only root may read"),
];

/// A capability that mapstop uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// As in capabilities(7): `CAP_BPF`.
    pub name: &'static str,
    /// Whether the process has it, by itself or as part of `CAP_SYS_ADMIN`.
    #[serde(rename = "held")]
    pub is_effective: bool,
    /// What it is used for.
    #[serde(rename = "gives")]
    pub purpose: &'static str,
}

/// The capabilities and namespaces of the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Privileges {
    /// The effective user.
    pub uid: u32,
    /// Each of `CAPABILITIES`, held or not.
    pub capabilities: Vec<Capability>,
    /// Whether a seccomp filter may refuse system calls.
    pub seccomp: Option<bool>,
    /// Whether it is in the first pid namespace, and sees every process.
    pub first_pid_namespace: Option<bool>,
    /// Whether it is in the first user namespace, where capabilities count for the machine.
    pub first_user_namespace: Option<bool>,
    /// Whether it is in the mount namespace of the first process, where most pins are.
    pub first_mount_namespace: Option<bool>,
    /// The limit of locked memory in bytes, if it is too low for programs and maps; `None` if it is high enough, or
    /// they do not count against it.
    #[serde(rename = "memory_to_lock")]
    pub insufficient_memlock_limit: Option<u64>,
}

impl Privileges {
    /// Whether it has this capability, itself or as part of `CAP_SYS_ADMIN`.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let mut capabilities = self.capabilities.iter();
        capabilities.any(|capability| capability.name == name && capability.is_effective)
    }
}

/// What the kernel supports, and what is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KernelSupport {
    /// Whether it has BTF (`/sys/kernel/btf/vmlinux`); `None` if that is unknown.
    pub btf: Option<bool>,
    /// `none`, `integrity` or `confidentiality`; `None` if it has no lockdown, or the file is not readable here.
    pub lockdown: Option<CompactString>,
    /// Mount point of the cgroup hierarchy that memory is charged to; `None` if it is not mounted here, or mounts
    /// are unknown.
    pub memory_cgroup: Option<String>,
    /// Whether memory is charged to a hierarchy of version 1, mounted or not.
    #[serde(skip)]
    pub memory_is_version_1: bool,
    /// Mount points of bpffs; `None` if mounts are unknown.
    pub bpffs: Option<Vec<String>>,
}

impl KernelSupport {
    /// Whether mounts are known.
    #[must_use]
    pub(crate) fn has_mount_info(&self) -> bool {
        self.bpffs.is_some()
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde calls"
)]
fn serialize_map_type<S: Serializer>(map_type: &MapType, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(map_type)
}

/// How a small map of a type was counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TypeCheck {
    /// The type.
    #[serde(rename = "type", serialize_with = "serialize_map_type")]
    pub map_type: MapType,
    /// Whether its count was right; `None` if no such map could be created.
    pub counted: Option<bool>,
    /// How it was counted.
    pub count_method: Option<CountMethod>,
    /// Why it was not created or not counted, or how larger maps of this type differ.
    pub note: Option<Cow<'static, str>>,
}

/// Which losses of maps of a type can be traced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TypeLosses {
    /// The type.
    #[serde(rename = "type", serialize_with = "serialize_map_type")]
    pub map_type: MapType,
    /// Updates that are refused.
    pub failed_updates: bool,
    /// Entries that make room for others.
    pub evictions: bool,
    /// Records and packets that are dropped.
    pub drops: bool,
    /// What cannot be traced, and why.
    pub note: Option<Cow<'static, str>>,
}

impl TypeLosses {
    /// Whether any loss can be traced.
    #[must_use]
    pub fn can_trace_any(&self) -> bool {
        self.failed_updates || self.evictions || self.drops
    }
}

/// The result of attaching the tracers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TracerProbe {
    /// The maps for the counters could not be created.
    Untried,
    /// No tracer could be attached.
    Refused,
    /// At least one was attached.
    Attached,
}

/// The result of loading every tracer and attaching it for a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LossCheck {
    /// Why functions cannot be traced; `None` if they can.
    pub refused: Option<CompactString>,
    /// Whether any tracer was attached.
    #[serde(skip)]
    pub tracers: TracerProbe,
    /// Each type that could lose something.
    pub types: Vec<TypeLosses>,
    /// How long that took.
    #[serde(rename = "attach_s", serialize_with = "serialize_seconds")]
    pub took: Duration,
}

fn serialize_seconds<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64())
}

/// What reading costs here and now: medians of a few measurements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Number of maps.
    pub maps: usize,
    /// One read of all maps from the kernel.
    #[serde(rename = "read_s", serialize_with = "serialize_seconds")]
    pub read: Duration,
    /// A sample: a read, and the rows that follow from it.
    #[serde(rename = "tick_s", serialize_with = "serialize_seconds")]
    pub sample: Duration,
    /// One collection of owners, which is not part of a sample.
    #[serde(rename = "owners_s", serialize_with = "serialize_optional_seconds")]
    pub owners: Option<Duration>,
}

#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn serialize_optional_seconds<S: Serializer>(
    time: &Option<Duration>,
    to: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => to.serialize_some(&time.as_secs_f64()),
        None => to.serialize_none(),
    }
}
