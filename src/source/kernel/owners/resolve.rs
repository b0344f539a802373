//! Joins processes, programs, pins and maps to the ownership of each map. No I/O.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use compact_str::CompactString;

use super::decode::{HolderRecord, MemcgRecord, ProgMapRecord, charged_cgroup, held_by};
use super::inner_maps::Outer;
use super::links::{Attached, program_type};
use super::pins::Pins;
use crate::text::sanitize::sanitize;
use crate::types::map_flags::MapFlags;
use crate::types::map_id::{MapId, MapKey};
use crate::types::map_type::MapType;
use crate::types::ownership::{HeldVia, Holder, Owners, Ownership, Process, Program};

/// The results of one collection. What could not be read is `None`.
#[derive(Debug, Default)]
pub struct RawOwnership {
    /// Every map, with the cgroup that it is charged to.
    pub maps: Vec<MemcgRecord>,
    /// What other processes hold by file descriptors.
    pub descriptors: Option<Vec<HolderRecord>>,
    /// What other processes hold by mappings.
    pub mappings: Option<Vec<HolderRecord>>,
    /// Which program uses which map.
    pub uses: Option<Vec<ProgMapRecord>>,
    /// Where programs are attached.
    pub links: Option<Vec<Attached>>,
    pub pins: Option<Pins>,
    /// Which map holds which.
    pub outer: Outer,
    /// Cgroup paths by pid.
    pub cgroup_of_process: HashMap<u32, Arc<str>>,
    /// Paths by inode of the cgroups that maps are charged to.
    pub cgroup_paths: HashMap<u64, Arc<str>>,
}

/// One reference from a process to a map. Sorts by map, then by pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Hold {
    map: u32,
    pid: u32,
    via: HeldVia,
    /// The file descriptor, if it is one of the map itself.
    fd: Option<u32>,
}

impl RawOwnership {
    /// The ownership of all maps at this uptime. `note` says what is unknown.
    pub fn join(&self, at: Duration, note: Option<CompactString>) -> Owners {
        let programs = self.programs();
        let mut users = self.users(&programs);
        let mut holders = self.holders();
        let has_all_uses = self.has_all_uses();
        let mut pins = self.pins_of_maps();
        let mut outer: HashMap<u32, Vec<MapId>> = HashMap::new();
        for (inner, outer_map) in &self.outer.pairs {
            outer.entry(*inner).or_default().push(MapId(*outer_map));
        }
        let maps = self.maps.iter().map(|map| {
            let id = map.map_id;
            let found = holders.remove(&id).unwrap_or_default();
            // Registered without a link, it is held by the kernel itself, which no iterator lists.
            let is_held_unseen = MapType(map.map_type.0).is_held_by_kernel();
            let holders =
                self.descriptors.is_some() && (!found.is_empty() || self.all_hold_kinds_read(map));
            let ownership = Ownership {
                holders: holders.then_some(found),
                programs: known(users.remove(&id).unwrap_or_default(), has_all_uses),
                pins: self.known_pins(pins.remove(&id).unwrap_or_default()),
                outer: known(
                    outer.remove(&id).unwrap_or_default(),
                    !self.outer.is_cut && !self.outer.is_refused && !is_held_unseen,
                ),
                cgroup: charged_cgroup(map).and_then(|id| self.cgroup_paths.get(&id).cloned()),
                outer_owner: None,
            };
            (key(id), ownership)
        });
        Owners::new(at, note, maps)
    }

    /// Whether every way in which a process could hold this map was read.
    fn all_hold_kinds_read(&self, map: &MemcgRecord) -> bool {
        let can_be_mapped = MapFlags(map.map_flags).has(MapFlags::MMAPABLE)
            || MapType(map.map_type.0).is_always_mmapable();
        self.uses.is_some() && (self.mappings.is_some() || !can_be_mapped)
    }

    /// Whether no program uses more maps than were read.
    pub(super) fn has_all_uses(&self) -> bool {
        let mut uses_read: HashMap<u32, (u32, u32)> = HashMap::new();
        for used in self.uses.iter().flatten() {
            uses_read
                .entry(used.prog_id)
                .or_insert((0, used.used_maps))
                .0 += 1;
        }
        self.uses.is_some() && uses_read.values().all(|(met, all)| met >= all)
    }

    fn known_pins(&self, found: Vec<CompactString>) -> Option<Vec<CompactString>> {
        let pins = self.pins.as_ref()?;
        known(
            found,
            !pins.is_cut && !pins.is_unreadable && !pins.is_elsewhere,
        )
    }

    /// The programs that use maps, by id.
    fn programs(&self) -> HashMap<u32, Arc<Program>> {
        let mut attached: HashMap<u32, Vec<CompactString>> = HashMap::new();
        let mut program_of_link = HashMap::new();
        for link in self.links.iter().flatten() {
            attached
                .entry(link.program)
                .or_default()
                .push(link.text.clone());
            program_of_link.insert(link.link, link.program);
        }
        let mut pins: HashMap<u32, Vec<CompactString>> = HashMap::new();
        for (path, pinned) in self.pins.iter().flat_map(|pins| &pins.list) {
            // A link may have got another program since its pin was opened.
            let now = pinned.link.and_then(|link| program_of_link.get(&link));
            if let Some(program) = now.copied().or(pinned.program) {
                pins.entry(program).or_default().push(path.clone());
            }
        }
        let mut programs = HashMap::new();
        for usage in self.uses.iter().flatten() {
            programs.entry(usage.prog_id).or_insert_with(|| {
                let id = usage.prog_id;
                let attached = attached.remove(&id).unwrap_or_default();
                Arc::new(Program {
                    id,
                    name: sanitize(&usage.name),
                    program_type: program_type(usage.prog_type),
                    attached: self.links.is_some().then_some(attached),
                    pins: self.known_pins(pins.remove(&id).unwrap_or_default()),
                })
            });
        }
        programs
    }

    /// The programs that use each map, by id.
    fn users(&self, programs: &HashMap<u32, Arc<Program>>) -> HashMap<u32, Vec<Arc<Program>>> {
        let mut users: HashMap<u32, Vec<Arc<Program>>> = HashMap::new();
        for usage in self.uses.iter().flatten() {
            let program = programs.get(&usage.prog_id).cloned();
            users.entry(usage.map_id).or_default().extend(program);
        }
        for users in users.values_mut() {
            users.sort_by_key(|program| program.id);
            // The same map twice in one program's list.
            users.dedup_by_key(|program| program.id);
        }
        users
    }

    /// The paths where each map is pinned, itself or by a link that belongs to it.
    fn pins_of_maps(&self) -> HashMap<u32, Vec<CompactString>> {
        let mut pins: HashMap<u32, Vec<CompactString>> = HashMap::new();
        for (path, pinned) in self.pins.iter().flat_map(|pins| &pins.list) {
            if let Some(map) = pinned.map {
                pins.entry(map).or_default().push(path.clone());
            }
        }
        pins
    }

    /// The processes that hold each map, by id.
    fn holders(&self) -> HashMap<u32, Vec<Holder>> {
        let mut processes: HashMap<u32, Arc<Process>> = HashMap::new();
        for record in self.holder_records() {
            let process = processes.entry(record.tgid);
            process.or_insert_with(|| self.process(record));
        }
        let mut holds = self.holds();
        holds.sort_unstable();
        holds.dedup();
        let holder = |holds: &[Hold]| {
            let mut via: Vec<_> = holds.iter().map(|hold| hold.via).collect();
            via.dedup();
            Some(Holder {
                process: processes.get(&holds.first()?.pid)?.clone(),
                via,
                fds: holds.iter().filter_map(|hold| hold.fd).collect(),
            })
        };
        let of_map = |holds: &[Hold]| {
            let holders = holds.chunk_by(|a, b| a.pid == b.pid).filter_map(holder);
            Some((holds.first()?.map, holders.collect()))
        };
        let maps = holds.chunk_by(|a, b| a.map == b.map);
        maps.filter_map(of_map).collect()
    }

    /// Every reference from a process to a map, in any order.
    fn holds(&self) -> Vec<Hold> {
        let mut maps_by_program: HashMap<u32, Vec<u32>> = HashMap::new();
        for usage in self.uses.iter().flatten() {
            maps_by_program
                .entry(usage.prog_id)
                .or_default()
                .push(usage.map_id);
        }
        let mut holds = Vec::new();
        for record in self.holder_records() {
            let hold = |map, via| Hold {
                map,
                pid: record.tgid,
                via,
                fd: (via == HeldVia::Fd).then_some(record.fd),
            };
            let by_program = |via| {
                let maps = maps_by_program.get(&record.id).into_iter().flatten();
                maps.map(move |map| hold(*map, via))
            };
            match record.by {
                held_by::HELD_BY_FD => holds.push(hold(record.id, HeldVia::Fd)),
                held_by::HELD_BY_MAPPING => holds.push(hold(record.id, HeldVia::Mmap)),
                held_by::HELD_BY_MAP_LINK => holds.push(hold(record.id, HeldVia::Link)),
                held_by::HELD_BY_LINK => holds.extend(by_program(HeldVia::Link)),
                held_by::HELD_BY_PROGRAM => holds.extend(by_program(HeldVia::Program)),
                _ => {}
            }
        }
        holds
    }

    fn holder_records(&self) -> impl Iterator<Item = &HolderRecord> {
        [&self.descriptors, &self.mappings]
            .into_iter()
            .flatten()
            .flatten()
    }

    fn process(&self, record: &HolderRecord) -> Arc<Process> {
        Arc::new(Process {
            pid: record.tgid,
            comm: sanitize(&record.comm),
            cgroup: self.cgroup_of_process.get(&record.tgid).cloned(),
        })
    }

    /// The processes that hold something.
    pub(crate) fn pids(&self) -> impl Iterator<Item = u32> {
        self.holder_records().map(|record| record.tgid)
    }
}

/// `None` for an empty list that could not be read completely.
fn known<T>(found: Vec<T>, is_complete: bool) -> Option<Vec<T>> {
    (is_complete || !found.is_empty()).then_some(found)
}

fn key(id: u32) -> MapKey {
    MapKey {
        node: None,
        id: MapId(id),
    }
}
