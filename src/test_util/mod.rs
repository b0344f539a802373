//! Small data for tests and benches: `map("conns").id(7).used(90, 100)`. Not part of the interface.

pub mod inputs;
pub mod scripted;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::analysis::history::History;
use crate::text::count_note::uncounted_reason;
use crate::types::count::{Count, CountMethod, CountNote};
use crate::types::doctor_report::{
    CAPABILITIES, Capability, Cost, DoctorReport, KernelSupport, LossCheck, MapAccess, Privileges,
    TracerProbe, TypeCheck, TypeLosses,
};
use crate::types::errno::Errno;
use crate::types::fleet::ExportedFields;
use crate::types::host::{Host, Moment};
use crate::types::loss::Loss;
use crate::types::loss_tracing::LossTracing;
use crate::types::map_flags::MapFlags;
use crate::types::map_id::{MapId, MapKey};
use crate::types::map_type::{Kind, MapType};
use crate::types::ownership::{HeldVia, Holder, Owners, Ownership, Process, Program};
use crate::types::reading::Reading;
use crate::types::snapshot::{KernelFacts, Layout, MapFacts, Origin, Snapshot};

/// A machine whose facts all differ from each other.
#[must_use]
pub fn host() -> Host {
    Host {
        name: "node-17".into(),
        kernel: "6.18.44".into(),
        boot_id: "6f0c7a52-0000-4000-8000-000000000001".into(),
    }
}

/// What is found out about a machine that shows everything.
#[must_use]
pub fn checkup() -> DoctorReport {
    let capability = |(name, gives)| Capability {
        name,
        is_effective: true,
        purpose: gives,
    };
    DoctorReport {
        host: host(),
        at: moment(0).wall,
        map_access: MapAccess::Shown,
        privileges: Privileges {
            uid: 0,
            capabilities: CAPABILITIES.map(capability).into(),
            seccomp: Some(false),
            first_pid_namespace: Some(true),
            first_user_namespace: Some(true),
            first_mount_namespace: Some(true),
            insufficient_memlock_limit: None,
        },
        kernel_support: KernelSupport {
            btf: Some(true),
            lockdown: Some("none".into()),
            memory_cgroup: Some("/sys/fs/cgroup (version 2)".to_owned()),
            memory_is_version_1: false,
            bpffs: Some(vec!["/sys/fs/bpf".to_owned()]),
        },
        types: MapType::all().map(type_check).collect(),
        losses: Some(LossCheck {
            refused: None,
            tracers: TracerProbe::Attached,
            types: MapType::all()
                .filter(|map_type| map_type.is_loss_traceable())
                .map(type_losses)
                .collect(),
            took: Duration::from_millis(80),
        }),
        ownership_gaps: Some(Vec::new()),
        cost: Some(Cost {
            maps: 47,
            read: Duration::from_micros(38),
            sample: Duration::from_micros(61),
            owners: Some(Duration::from_micros(1400)),
        }),
    }
}

fn type_check(map_type: MapType) -> TypeCheck {
    let (counted, count_method, note) = match map_type.kind() {
        _ if map_type == MapType::STRUCT_OPS => {
            (None, None, Some("it takes a program of its own".into()))
        }
        _ if map_type == MapType::BLOOM_FILTER || map_type.kind() == Kind::Fixed => (
            Some(false),
            Some(CountMethod::None),
            Some(uncounted_reason(map_type.uncounted_reason()).into()),
        ),
        _ if map_type.supports_batch_lookup() => (Some(true), Some(CountMethod::Counter), None),
        _ if map_type == MapType::ARENA => (Some(true), Some(CountMethod::Walk), None),
        Kind::Uncounted => (Some(true), Some(CountMethod::Walk), None),
        Kind::Slots => (Some(true), Some(CountMethod::Scan), None),
        _ => (Some(true), Some(CountMethod::Field), None),
    };
    TypeCheck {
        map_type,
        counted,
        count_method,
        note,
    }
}

fn type_losses(map_type: MapType) -> TypeLosses {
    let drops = map_type.is_buffer() || map_type.is_redirect_map();
    TypeLosses {
        map_type,
        failed_updates: !drops,
        evictions: map_type.kind() == Kind::Evicting,
        drops,
        note: None,
    }
}

/// The key of a map of this machine.
#[must_use]
pub fn key(id: u32) -> MapKey {
    MapKey {
        node: None,
        id: MapId(id),
    }
}

/// `seconds` after a boot at 14:25:09 on 2026-11-22, UTC.
///
/// # Panics
///
/// Never: the time is a valid one.
#[must_use]
pub fn moment(seconds: u32) -> Moment {
    Moment {
        uptime: Duration::from_secs(seconds.into()),
        wall: Timestamp::from_second(1_795_357_509 + i64::from(seconds)).expect("a time in 2026"),
    }
}

/// A snapshot taken `seconds` after boot.
pub fn snapshot(seconds: u32, maps: impl IntoIterator<Item = MapBuilder>) -> Snapshot {
    let moment = moment(seconds);
    let mut owned = Vec::new();
    let mut facts = Vec::new();
    for map in maps {
        owned.extend(
            map.ownership
                .map(|ownership| (map.facts.key.clone(), ownership)),
        );
        facts.push(map.facts);
    }
    facts.sort_by(|a, b| a.key.cmp(&b.key));
    let owners = (!owned.is_empty()).then(|| Arc::new(Owners::new(moment.uptime, None, owned)));
    Snapshot {
        moment,
        cpus: 2,
        maps: facts,
        owners,
        loss_tracing: LossTracing::Off,
        fleet: None,
    }
}

/// A snapshot taken `seconds` after boot, whose losses have been watched since `since`.
pub fn watched(seconds: u32, since: u32, maps: impl IntoIterator<Item = MapBuilder>) -> Snapshot {
    Snapshot {
        loss_tracing: LossTracing::On {
            since: moment(since).uptime,
            sees_updates: true,
            note: None,
            deleted_map_losses: 0,
        },
        ..snapshot(seconds, maps)
    }
}

/// Owners of maps 3 to 5: one of all that can be known, one of nobody, one of nothing known.
#[must_use]
pub fn owners_of_all_kinds() -> Owners {
    let process = |pid, comm: &str, cgroup: Option<&str>| {
        Arc::new(Process {
            pid,
            comm: comm.into(),
            cgroup: cgroup.map(Arc::from),
        })
    };
    let holder = |process: Arc<Process>, via: &[HeldVia], fds: &[u32]| Holder {
        process,
        via: via.to_vec(),
        fds: fds.to_vec(),
    };
    let flowd = process(2214, "flowd", Some("/system.slice/flowd.service"));
    let flowctl = process(9127, "flowctl", None);
    let program = Program {
        id: 812,
        name: "tc_ingress".into(),
        program_type: "sched_cls".into(),
        attached: Some(vec!["tcx ingress eth0".into()]),
        pins: Some(Vec::new()),
    };
    let all = Ownership {
        holders: Some(vec![
            holder(flowd, &[HeldVia::Fd, HeldVia::Program], &[11, 12]),
            holder(flowctl, &[HeldVia::Link], &[]),
        ]),
        programs: Some(vec![Arc::new(program)]),
        pins: Some(vec!["/sys/fs/bpf/conns".into()]),
        outer: Some(vec![MapId(9)]),
        cgroup: Some("/system.slice/flowd.service".into()),
        outer_owner: None,
    };
    let nobody = Ownership {
        holders: Some(Vec::new()),
        programs: Some(Vec::new()),
        pins: Some(Vec::new()),
        outer: Some(Vec::new()),
        ..Ownership::default()
    };
    let maps = [
        (key(3), all),
        (key(4), nobody),
        (key(5), Ownership::default()),
    ];
    Owners::new(moment(6).uptime, Some("a note".into()), maps)
}

/// What a single snapshot of these maps says.
pub fn reading(maps: impl IntoIterator<Item = MapBuilder>) -> Reading {
    History::default().read(snapshot(0, maps))
}

/// A hash of 16-byte keys and 64-byte values, 7 of 1,000 entries used, until told otherwise.
#[must_use]
pub fn map(name: &str) -> MapBuilder {
    MapBuilder {
        facts: MapFacts {
            key: key(1),
            name: name.into(),
            map_type: MapType::HASH,
            key_size: Some(16),
            value_size: Some(64),
            max_entries: 1000,
            flags: Some(MapFlags(0)),
            used: Some(7),
            capacity: Some(1000),
            count: Count::exact(CountMethod::Counter),
            loss: None,
            origin: Origin::Kernel(KernelFacts {
                refs: 4,
                user_refs: 2,
                ..KernelFacts::default()
            }),
        },
        ownership: None,
    }
}

/// Builds one map's facts.
#[derive(Debug, Clone)]
pub struct MapBuilder {
    facts: MapFacts,
    ownership: Option<Ownership>,
}

impl MapBuilder {
    /// Sets the id.
    #[must_use]
    pub fn id(mut self, id: u32) -> Self {
        self.facts.key.id = MapId(id);
        self
    }

    /// Returns the id.
    #[must_use]
    pub fn get_id(&self) -> u32 {
        self.facts.key.id.0
    }

    /// Sets the type by the kernel's number.
    #[must_use]
    pub fn of_type(mut self, number: u32) -> Self {
        self.facts.map_type = MapType(number);
        self
    }

    /// Sets the type by its name.
    ///
    /// # Panics
    ///
    /// If there is no such type.
    #[must_use]
    pub fn named_type(mut self, name: &str) -> Self {
        self.facts.map_type = MapType::from_name(name).expect("a map type");
        self
    }

    /// Sets what is in it and what would fit.
    #[must_use]
    pub fn used(mut self, used: u64, capacity: u32) -> Self {
        self.facts.used = Some(used);
        self.facts.capacity = Some(capacity.into());
        self.facts.max_entries = capacity;
        self
    }

    /// Its used count could not be read.
    #[must_use]
    pub fn uncounted(mut self) -> Self {
        self.facts.used = None;
        self.facts.count = Count::with_note(
            CountMethod::None,
            CountNote::Text("this kernel keeps no count of it".into()),
        );
        self
    }

    /// Has no limit.
    #[must_use]
    pub fn unlimited(mut self) -> Self {
        self.facts.capacity = None;
        self.facts.max_entries = 0;
        self
    }

    /// Sets the sizes of key and value in bytes.
    #[must_use]
    pub fn sizes(mut self, key: u32, value: u32) -> Self {
        self.facts.key_size = Some(key);
        self.facts.value_size = Some(value);
        self
    }

    /// Sets the flags.
    #[must_use]
    pub fn flags(mut self, flags: u32) -> Self {
        self.facts.flags = Some(MapFlags(flags));
        self
    }

    /// User space can no longer write to it.
    #[must_use]
    pub fn frozen(mut self) -> Self {
        self.kernel_mut().is_frozen = true;
        self
    }

    /// Its memory is made of what that of most maps is: elements of 128 bytes, a bucket for each.
    #[must_use]
    pub fn with_layout(self) -> Self {
        let bucket_count = self.facts.max_entries.next_power_of_two();
        self.layout(Layout {
            container_size: 640,
            elem_size: 128,
            bucket_count,
            node_size: 16,
            ..Layout::default()
        })
    }

    /// Sets the machine it is of.
    #[must_use]
    pub fn node(mut self, node: &str) -> Self {
        self.facts.key.node = Some(node.into());
        self
    }

    /// A map of an exporter, which exports neither its flags nor its references.
    #[must_use]
    pub fn exported(mut self, told: ExportedFields) -> Self {
        self.facts.origin = Origin::Exporter(Arc::new(told));
        self
    }

    /// Sets what its memory is made of.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.kernel_mut().layout = layout;
        self
    }

    /// Sets whose it is.
    #[must_use]
    pub fn owned(mut self, ownership: Ownership) -> Self {
        self.ownership = Some(ownership);
        self
    }

    /// Sets how far its reader has come.
    #[must_use]
    pub fn read_up_to(mut self, position: u64) -> Self {
        self.kernel_mut().consumer_pos = Some(position);
        self
    }

    fn kernel_mut(&mut self) -> &mut KernelFacts {
        self.facts.kernel_mut().expect("a map of the kernel")
    }

    /// Sets what it lost.
    #[must_use]
    pub fn loss(mut self, loss: Loss) -> Self {
        self.facts.loss = Some(Arc::new(loss));
        self
    }

    /// Its losses are watched: so many updates were refused since it is full (`E2BIG`).
    #[must_use]
    pub fn refused(self, count: u64) -> Self {
        let by_error = (count > 0).then_some((Errno::E2BIG, count));
        self.lost(|loss| loss.failed = Some(by_error.into_iter().collect()))
    }

    /// Its losses are watched: so many entries made room for others.
    #[must_use]
    pub fn evicted(self, count: u64) -> Self {
        self.lost(|loss| loss.evictions = Some(count))
    }

    /// Its losses are watched: so many records did not fit.
    #[must_use]
    pub fn dropped(self, count: u64) -> Self {
        self.lost(|loss| loss.drops = Some(count))
    }

    fn lost(mut self, change: impl FnOnce(&mut Loss)) -> Self {
        let loss = Arc::make_mut(self.facts.loss.get_or_insert_default());
        loss.is_traced = true;
        change(loss);
        self
    }

    /// Sets how it was counted.
    #[must_use]
    pub fn counted(mut self, method: CountMethod) -> Self {
        self.facts.count.method = method;
        self
    }

    /// It was estimated, and may be off by so much.
    #[must_use]
    pub fn estimated(mut self, error: u64) -> Self {
        self.facts.count = Count {
            error,
            ..Count::with_note(
                CountMethod::Estimate,
                CountNote::Text(format!("within {error}").into()),
            )
        };
        self
    }
}
