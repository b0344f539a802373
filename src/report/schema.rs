//! The JSON schema of a report, on whose names other programs rely.
//!
//! Fields are only added. Null is unknown, to this source or on this kernel; a list that was
//! read and is empty is `[]`.

use std::borrow::Cow;
use std::sync::Arc;

use compact_str::CompactString;
use serde::Serialize;

use super::Report;
use super::envelope::Envelope;
use super::loss::LossJson;
use crate::text::count_note::count_note;
use crate::types::count::CountMethod;
use crate::types::fleet::Node;
use crate::types::map_type::{Kind, Unit};
use crate::types::mark::{Mark, MarkReason};
use crate::types::ownership::{Holder, Ownership, Program};
use crate::types::reading::Reading;
use crate::types::row::Row;

/// The version of the schema.
pub const VERSION: u32 = 1;

/// One report.
#[derive(Debug, Serialize)]
pub struct ReportJson<'a> {
    #[serde(flatten)]
    envelope: Envelope<'a>,
    interval_s: Option<f64>,
    /// Seconds since boot at which owners were resolved; null if they were not.
    owners_uptime_s: Option<f64>,
    /// Why owners are known in part only.
    owners_note: Option<&'a str>,
    /// The state of loss tracing: `off`, `starting`, `on` or `refused`.
    losses_state: &'static str,
    /// Seconds since boot at which tracing began; null if it is off.
    losses_uptime_s: Option<f64>,
    /// What is not traced, or why nothing is.
    losses_note: Option<&'a str>,
    /// The number of all maps, those left out included; null for one machine.
    fleet_maps: Option<u64>,
    /// The machines of a fleet; null for one machine, or where it is not known which there are.
    nodes: Option<Vec<NodeJson<'a>>>,
    maps: Vec<MapJson<'a>>,
}

/// A machine of a fleet.
#[derive(Debug, Serialize)]
pub struct NodeJson<'a> {
    /// What maps call it.
    pub name: &'a str,
    /// Whether its numbers could be collected the last time.
    pub up: bool,
    /// How old its last numbers are; null if that is not known.
    pub age_s: Option<f64>,
}

/// One map of a report.
#[derive(Debug, Serialize)]
pub struct MapJson<'a> {
    /// The machine; null when there is only one.
    pub node: Option<&'a str>,
    /// The kernel's number for the map.
    pub id: u32,
    /// Empty for a nameless map.
    pub name: &'a str,
    /// The kernel's name of the type, or `type_99`.
    #[serde(rename = "type")]
    pub map_type: CompactString,
    /// What full means.
    pub kind: Kind,
    /// Bytes of a key.
    pub key_bytes: Option<u32>,
    /// Bytes of a value.
    pub value_bytes: Option<u32>,
    /// The size it was made with.
    pub max_entries: u32,
    /// The kernel's names without `BPF_F_`.
    pub flags: Option<Vec<CompactString>>,
    /// Closed for writes from user space.
    pub frozen: Option<bool>,
    /// References of every kind.
    pub refs: Option<u64>,
    /// Open files and pins.
    pub user_refs: Option<u64>,
    /// In `unit`.
    pub used: Option<u64>,
    /// In `unit`.
    pub capacity: Option<u64>,
    /// The unit of the two.
    pub unit: Unit,
    /// used / capacity, where a level means something.
    pub pressure: Option<f64>,
    /// How `used` came about.
    pub count_method: Option<CountMethod>,
    /// Why there is no number, or how far it may be off.
    pub count_note: Option<Cow<'a, str>>,
    /// Over `interval_s`.
    pub growth_per_s: Option<f64>,
    /// 0 at capacity; null where it is steady, noisy or not known.
    pub full_in_s: Option<f64>,
    /// `crit`, `warn` or `none`; null when the level is not known.
    pub mark: Option<Mark>,
    /// Why it is marked; null without a mark, or if an exporter does not say.
    pub mark_reason: Option<MarkReason>,
    /// Kernel memory.
    pub memory_bytes: Option<u64>,
    /// Whether that is the kernel's own number.
    pub memory_exact: Option<bool>,
    /// Losses; null if they are not counted.
    pub loss: Option<LossJson<'a>>,
    /// How long the reader of a buffer has not moved although it fills up.
    pub stalled_s: Option<f64>,
    /// How long an entry stays in an LRU map that evicts.
    pub entry_lifetime_s: Option<f64>,
    /// The processes that hold it.
    pub holders: Option<Vec<HolderJson<'a>>>,
    /// The programs that use it.
    pub programs: Option<Vec<ProgramJson<'a>>>,
    /// The paths it is pinned at.
    pub pins: Option<Vec<&'a str>>,
    /// The memory cgroup that pays for it.
    pub cgroup: Option<&'a str>,
    /// The most direct owner.
    pub owner: Option<CompactString>,
    /// The ids of the maps that it is an inner map of.
    pub outer: Option<Vec<u32>>,
    /// Whether no visible holder exists.
    pub orphan: Option<bool>,
    /// The systemd unit it belongs to, by cgroup; empty if it is in none.
    pub service: Option<String>,
    /// The container or pod it belongs to; empty if it is in none.
    pub container: Option<String>,
    /// The uid of the Kubernetes pod it belongs to; empty if it is in none.
    pub pod: Option<String>,
}

/// A process that holds a map.
#[derive(Debug, Serialize)]
pub struct HolderJson<'a> {
    pub pid: u32,
    pub comm: &'a str,
    /// Its cgroup's path.
    pub cgroup: Option<&'a str>,
    /// How: `fd`, `mmap`, `link`, `prog`.
    pub via: Vec<&'static str>,
    /// How many descriptors of the map itself it has.
    pub fds: usize,
}

/// A program that uses a map.
#[derive(Debug, Serialize)]
pub struct ProgramJson<'a> {
    pub id: u32,
    pub name: &'a str,
    /// The kernel's name of its type in lower case.
    #[serde(rename = "type")]
    pub program_type: &'a str,
    /// Where links attach it.
    pub attached: Option<&'a [CompactString]>,
    /// The paths that it or its links are pinned at.
    pub pins: Option<&'a [CompactString]>,
}

impl<'a> From<&'a Holder> for HolderJson<'a> {
    fn from(holder: &'a Holder) -> Self {
        Self {
            pid: holder.process.pid,
            comm: &holder.process.comm,
            cgroup: holder.process.cgroup.as_deref(),
            via: holder.via.iter().map(|via| via.name()).collect(),
            fds: holder.fds.len(),
        }
    }
}

impl<'a> From<&'a Arc<Program>> for ProgramJson<'a> {
    fn from(program: &'a Arc<Program>) -> Self {
        Self {
            id: program.id,
            name: &program.name,
            program_type: &program.program_type,
            attached: program.attached.as_deref(),
            pins: program.pins.as_deref(),
        }
    }
}

/// Each of a list that was read.
fn to_json_list<'a, T, S: From<&'a T>>(list: Option<&'a [T]>) -> Option<Vec<S>> {
    Some(list?.iter().map(S::from).collect())
}

impl<'a> From<&'a Row> for MapJson<'a> {
    fn from(row: &'a Row) -> Self {
        let facts = &row.facts;
        let kernel = facts.kernel();
        let ownership = row.ownership.as_deref();
        let workload = row.workload();
        Self {
            node: facts.key.node.as_deref(),
            id: facts.key.id.0,
            name: &facts.name,
            map_type: compact_str::format_compact!("{}", facts.map_type),
            kind: row.kind(),
            key_bytes: facts.key_size,
            value_bytes: facts.value_size,
            max_entries: facts.max_entries,
            flags: facts.flags.map(|flags| flags.names().collect()),
            frozen: kernel.map(|kernel| kernel.is_frozen),
            refs: kernel.map(|kernel| kernel.refs),
            user_refs: kernel.map(|kernel| kernel.user_refs),
            used: facts.used,
            capacity: facts.capacity,
            unit: row.unit(),
            pressure: row.pressure,
            count_method: (!facts.is_exported()).then_some(facts.count.method),
            count_note: count_note(&facts.count),
            growth_per_s: row.growth_per_s,
            full_in_s: row.full_in.seconds(),
            mark: row.mark,
            mark_reason: row.mark_reason,
            memory_bytes: row.memory.map(|memory| memory.bytes),
            memory_exact: row.is_memory_exact(),
            loss: facts
                .loss
                .as_deref()
                .map(|loss| LossJson::from_row(row, loss)),
            stalled_s: row.stalled_for.map(|time| time.as_secs_f64()),
            entry_lifetime_s: row.entry_lifetime().map(|time| time.as_secs_f64()),
            holders: ownership.and_then(|ownership| to_json_list(ownership.holders.as_deref())),
            programs: ownership.and_then(|ownership| to_json_list(ownership.programs.as_deref())),
            pins: row.pin_list(),
            cgroup: ownership.and_then(|ownership| ownership.cgroup.as_deref()),
            owner: row.owner(),
            outer: ownership.and_then(|ownership| {
                Some(ownership.outer.as_ref()?.iter().map(|id| id.0).collect())
            }),
            orphan: ownership.and_then(Ownership::is_orphan),
            service: workload
                .as_ref()
                .map(|workload| workload.service().unwrap_or_default()),
            container: workload
                .as_ref()
                .map(|workload| workload.container().unwrap_or_default()),
            pod: workload.map(|workload| workload.pod().unwrap_or_default().to_owned()),
        }
    }
}

impl<'a> From<&Report<'a>> for ReportJson<'a> {
    fn from(report: &Report<'a>) -> Self {
        let Report { host, reading, .. } = report;
        let owners = reading.owners.as_deref();
        Self {
            envelope: Envelope::new(VERSION, reading, host, report.source).with_uptime(reading),
            interval_s: reading.interval.map(|interval| interval.as_secs_f64()),
            owners_uptime_s: owners.map(|owners| owners.at.as_secs_f64()),
            owners_note: owners.and_then(|owners| owners.note.as_deref()),
            losses_state: reading.loss_tracing.name(),
            losses_uptime_s: reading
                .loss_tracing
                .since()
                .map(|since| since.as_secs_f64()),
            losses_note: reading.loss_tracing.note(),
            fleet_maps: reading.fleet.as_ref().map(|fleet| fleet.map_count),
            nodes: nodes_json(reading),
            maps: report.rows().map(MapJson::from).collect(),
        }
    }
}

fn nodes_json<'a>(reading: &'a Reading) -> Option<Vec<NodeJson<'a>>> {
    let nodes = reading.fleet.as_ref()?.nodes.as_ref()?;
    let shape = |node: &'a Node| NodeJson {
        name: &node.name,
        up: node.is_up,
        age_s: node.age(reading.moment.wall).map(|age| age.as_secs_f64()),
    };
    Some(nodes.iter().map(shape).collect())
}
