//! Ownership of maps: the processes that hold them, the programs that use them, pins, outer maps, and
//! the cgroup that is charged.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use compact_str::{CompactString, ToCompactString};

use super::map_id::{MapId, MapKey};

/// How a process keeps a map alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HeldVia {
    /// By a descriptor of the map.
    Fd,
    /// By a mapping of its memory.
    Mmap,
    /// By a descriptor of a link to a program that uses it.
    Link,
    /// By a descriptor of a program that uses it.
    Program,
}

impl HeldVia {
    /// The same word in every output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fd => "fd",
            Self::Mmap => "mmap",
            Self::Link => "link",
            Self::Program => "prog",
        }
    }
}

/// A process that holds at least one map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Of the thread group, in the initial PID namespace of its machine.
    pub pid: u32,
    /// Sanitized.
    pub comm: CompactString,
    /// Sanitized path of its cgroup; `None` if that could not be read.
    pub cgroup: Option<Arc<str>>,
}

/// A process that holds a certain map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub process: Arc<Process>,
    /// The ways in which it holds the map, sorted, without duplicates, never empty.
    pub via: Vec<HeldVia>,
    /// Its descriptors of the map itself, in order.
    pub fds: Vec<u32>,
}

/// A program that uses at least one map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// As `bpftool prog show` lists it.
    pub id: u32,
    /// Sanitized; empty if it has none.
    pub name: CompactString,
    /// Its type, as the kernel calls it in lower case without its prefix: `sched_cls`; `type_99`
    /// for one that is not known here.
    pub program_type: CompactString,
    /// Where links attach it, one text each, as `tcx ingress eth0`; `None` if links could not be
    /// read.
    pub attached: Option<Vec<CompactString>>,
    /// The paths that it or its links are pinned at; `None` if those could not be read.
    pub pins: Option<Vec<CompactString>>,
}

/// The ownership of one map. A list is `None` if it could not be read, and empty if there is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ownership {
    /// The processes that hold it, by id.
    pub holders: Option<Vec<Holder>>,
    /// The programs that use it, by id.
    pub programs: Option<Vec<Arc<Program>>>,
    /// The paths it is pinned at, in every bpffs that mapstop can see.
    pub pins: Option<Vec<CompactString>>,
    /// The maps that hold it as an inner map, by id; `None` if outer maps could not be read.
    pub outer: Option<Vec<MapId>>,
    /// The path of the memory cgroup that it is charged to; `None` if there is none, or it is unknown.
    pub cgroup: Option<Arc<str>>,
    /// Who owns the first of the outer maps, as [`Owners::new`] finds it.
    pub outer_owner: Option<CompactString>,
}

/// The ownership of all maps at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owners {
    /// The uptime at which it was collected.
    pub at: Duration,
    /// Why something of it is unknown, in a few words; `None` if nothing is.
    pub note: Option<CompactString>,
    /// Sorted by key.
    maps: Vec<(MapKey, Arc<Ownership>)>,
}

impl Owners {
    /// Sorts the maps, and adds the owners of outer maps.
    #[must_use]
    pub fn new(
        at: Duration,
        note: Option<CompactString>,
        maps: impl IntoIterator<Item = (MapKey, Ownership)>,
    ) -> Self {
        let maps = maps
            .into_iter()
            .map(|(key, ownership)| (key, Arc::new(ownership)));
        let mut maps: Vec<_> = maps.collect();
        maps.sort_by(|(a, _), (b, _)| a.cmp(b));
        maps.dedup_by(|(a, _), (b, _)| a == b);
        let mut owners = Self { at, note, maps };
        owners.set_outer_owners();
        owners
    }

    /// Sets the owner of each map's outer map. An outer map cannot itself be an inner one, so one step is
    /// enough.
    fn set_outer_owners(&mut self) {
        for n in 0..self.maps.len() {
            let (key, ownership) = &self.maps[n];
            let Some(id) = ownership.outer.as_ref().and_then(|outer| outer.first()) else {
                continue;
            };
            let outer = self.get(&MapKey {
                node: key.node.clone(),
                id: *id,
            });
            let owner = outer.and_then(|outer| Some(outer.owner()?.to_compact_string()));
            Arc::make_mut(&mut self.maps[n].1).outer_owner = owner;
        }
    }

    /// Each map that was there, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&MapKey, &Arc<Ownership>)> {
        self.maps.iter().map(|(key, ownership)| (key, ownership))
    }

    /// The ownership of a map; `None` if the map was not there.
    #[must_use]
    pub fn get(&self, key: &MapKey) -> Option<&Arc<Ownership>> {
        let at = self.maps.binary_search_by(|(there, _)| there.cmp(key));
        Some(&self.maps[at.ok()?].1)
    }

    /// Whether both have the same ownership of the same maps, whenever they were collected.
    #[must_use]
    pub fn same_content(&self, other: &Self) -> bool {
        self.note == other.note && self.maps == other.maps
    }
}

/// The best single answer to who owns a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'a> {
    /// A process that holds it.
    Process(&'a Process),
    /// A path it is pinned at.
    Pin(&'a str),
    /// A program that uses it.
    Program(&'a Program),
    /// An outer map that holds it, and the owner of that, if there is one.
    Outer(MapId, Option<&'a str>),
    /// No process, pin, program or outer map that mapstop can see. With the cgroup that is charged, if known.
    Orphan(Option<&'a str>),
}

/// As in the OWNER column: one word, but for the blanks in a name.
impl fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(process) => write!(f, "{}({})", process.comm, process.pid),
            Self::Pin(path) => f.write_str(path),
            Self::Program(program) if program.name.is_empty() => write!(f, "prog:{}", program.id),
            Self::Program(program) => write!(f, "prog:{}({})", program.name, program.id),
            Self::Outer(_, Some(owner)) => f.write_str(owner),
            Self::Outer(MapId(id), None) => write!(f, "map:{id}"),
            Self::Orphan(None) => f.write_str("orphan"),
            Self::Orphan(Some(path)) => match path.rsplit('/').find(|part| !part.is_empty()) {
                Some(last) => write!(f, "orphan({last})"),
                None => f.write_str("orphan"),
            },
        }
    }
}

impl Ownership {
    /// Who is named first; `None` if one who would come before could not be looked up. Of holders
    /// it is the most direct one, and among those the one that was there first.
    #[must_use]
    pub fn owner(&self) -> Option<Owner<'_>> {
        let holders = self.holders.as_deref()?.iter();
        let first = holders.min_by_key(|holder| (holder.via.first().copied(), holder.process.pid));
        if let Some(holder) = first {
            return Some(Owner::Process(&holder.process));
        }
        if let Some(path) = self.pins.as_deref()?.first() {
            return Some(Owner::Pin(path));
        }
        if let Some(program) = self.programs.as_deref()?.first() {
            return Some(Owner::Program(program));
        }
        if let Some(id) = self.outer.as_deref()?.first() {
            return Some(Owner::Outer(*id, self.outer_owner.as_deref()));
        }
        Some(Owner::Orphan(self.cgroup.as_deref()))
    }

    /// Whether no process, pin, program or outer map holds it; `None` if that is unknown. The cgroup that is
    /// charged for a map does not hold it.
    #[must_use]
    pub fn is_orphan(&self) -> Option<bool> {
        let known = [
            self.holders.as_ref().map(Vec::is_empty),
            self.programs.as_ref().map(Vec::is_empty),
            self.pins.as_ref().map(Vec::is_empty),
            self.outer.as_ref().map(Vec::is_empty),
        ];
        if known.contains(&Some(false)) {
            Some(false)
        } else if known.contains(&None) {
            None
        } else {
            Some(true)
        }
    }

    /// The cgroup that the service or container is derived from: that of the owner if it is a process, else
    /// the one that is charged.
    #[must_use]
    pub(crate) fn cgroup_path(&self) -> Option<&str> {
        match self.owner() {
            Some(Owner::Process(process)) if process.cgroup.is_some() => process.cgroup.as_deref(),
            _ => self.cgroup.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32) -> Arc<Process> {
        Arc::new(Process {
            pid,
            comm: "flowd".into(),
            cgroup: None,
        })
    }

    fn holder(pid: u32, via: HeldVia) -> Holder {
        Holder {
            process: process(pid),
            via: vec![via],
            fds: Vec::new(),
        }
    }

    fn known() -> Ownership {
        Ownership {
            holders: Some(Vec::new()),
            programs: Some(Vec::new()),
            pins: Some(Vec::new()),
            outer: Some(Vec::new()),
            ..Ownership::default()
        }
    }

    fn named(ownership: &Ownership) -> Option<String> {
        ownership.owner().map(|owner| owner.to_string())
    }

    #[test]
    fn the_owner_is_a_holder_then_a_pin_then_a_program_then_an_outer_map() {
        let mut of = known();
        assert_eq!(named(&of).as_deref(), Some("orphan"));
        of.cgroup = Some("/system.slice/flowd.service".into());
        assert_eq!(named(&of).as_deref(), Some("orphan(flowd.service)"));
        assert_eq!(of.is_orphan(), Some(true), "who pays does not hold");
        of.outer = Some(vec![MapId(7)]);
        assert_eq!(named(&of).as_deref(), Some("map:7"));
        of.programs = Some(vec![Arc::new(Program {
            id: 812,
            name: "tc_ingress".into(),
            program_type: "sched_cls".into(),
            attached: None,
            pins: None,
        })]);
        assert_eq!(named(&of).as_deref(), Some("prog:tc_ingress(812)"));
        of.pins = Some(vec!["/sys/fs/bpf/conns".into()]);
        assert_eq!(named(&of).as_deref(), Some("/sys/fs/bpf/conns"));
        of.holders = Some(vec![
            holder(5, HeldVia::Program),
            holder(9, HeldVia::Fd),
            holder(12, HeldVia::Fd),
        ]);
        assert_eq!(named(&of).as_deref(), Some("flowd(9)"));
    }

    #[test]
    fn an_inner_map_is_whose_its_outer_map_is() {
        let key = |id| MapKey {
            node: None,
            id: MapId(id),
        };
        let inner = Ownership {
            outer: Some(vec![MapId(9)]),
            ..known()
        };
        let outer = Ownership {
            holders: Some(vec![holder(5, HeldVia::Fd)]),
            ..known()
        };
        let owners = Owners::new(Duration::ZERO, None, [(key(3), inner), (key(9), outer)]);
        assert_eq!(
            named(owners.get(&key(3)).expect("a map")).as_deref(),
            Some("flowd(5)")
        );
    }

    #[test]
    fn what_is_not_known_makes_no_orphan() {
        for unknown in [
            Ownership {
                holders: None,
                ..known()
            },
            Ownership {
                programs: None,
                ..known()
            },
            Ownership {
                pins: None,
                ..known()
            },
            Ownership {
                outer: None,
                ..known()
            },
        ] {
            assert_eq!((unknown.is_orphan(), unknown.owner()), (None, None));
        }
    }
}
