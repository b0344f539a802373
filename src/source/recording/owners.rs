//! Owners in the line of a snapshot: processes and programs are listed once, and maps refer to
//! them.
//!
//! Only lines with changed owners have them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::text::sanitize::sanitize;
use crate::types::map_id::{MapId, MapKey};
use crate::types::ownership::{HeldVia, Holder, Owners, Ownership, Process, Program};

/// The owners in a line.
#[derive(Debug, Serialize, Deserialize)]
pub struct OwnersLine<'a> {
    /// Uptime.
    at_ns: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    note: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    processes: Vec<ProcessLine<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    programs: Vec<ProgramLine<'a>>,
    #[serde(borrow)]
    maps: Vec<MapLine<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ProcessLine<'a> {
    pid: u32,
    #[serde(borrow)]
    comm: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    cgroup: Option<Cow<'a, str>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ProgramLine<'a> {
    id: u32,
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    name: Cow<'a, str>,
    #[serde(rename = "type", borrow)]
    program_type: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attached: Option<Vec<CompactString>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pins: Option<Vec<CompactString>>,
}

/// Lists that were not read are left out; empty ones are there.
#[derive(Debug, Serialize, Deserialize)]
struct MapLine<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    node: Option<Cow<'a, str>>,
    id: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holders: Option<Vec<HolderLine>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    programs: Option<Vec<u32>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pins: Option<Vec<CompactString>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outer: Option<Vec<u32>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    cgroup: Option<Cow<'a, str>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct HolderLine {
    pid: u32,
    via: Vec<ViaWord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fds: Vec<u32>,
}

/// Reads a kind of hold that only later versions know as the least direct one.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ViaWord {
    Fd,
    Mmap,
    Link,
    #[serde(other)]
    Prog,
}

impl From<HeldVia> for ViaWord {
    fn from(via: HeldVia) -> Self {
        match via {
            HeldVia::Fd => Self::Fd,
            HeldVia::Mmap => Self::Mmap,
            HeldVia::Link => Self::Link,
            HeldVia::Program => Self::Prog,
        }
    }
}

impl From<ViaWord> for HeldVia {
    fn from(word: ViaWord) -> Self {
        match word {
            ViaWord::Fd => Self::Fd,
            ViaWord::Mmap => Self::Mmap,
            ViaWord::Link => Self::Link,
            ViaWord::Prog => Self::Program,
        }
    }
}

impl<'a> From<&'a Owners> for OwnersLine<'a> {
    fn from(owners: &'a Owners) -> Self {
        let (mut processes, mut programs) = (BTreeMap::new(), BTreeMap::new());
        for (_, ownership) in owners.iter() {
            for holder in ownership.holders.iter().flatten() {
                processes.insert(holder.process.pid, &*holder.process);
            }
            for program in ownership.programs.iter().flatten() {
                programs.insert(program.id, &**program);
            }
        }
        Self {
            at_ns: owners.at.as_nanos().try_into().unwrap_or(u64::MAX),
            note: owners.note.as_deref().map(Cow::Borrowed),
            processes: processes.into_values().map(ProcessLine::from).collect(),
            programs: programs.into_values().map(ProgramLine::from).collect(),
            maps: owners.iter().map(MapLine::from).collect(),
        }
    }
}

impl<'a> From<&'a Process> for ProcessLine<'a> {
    fn from(process: &'a Process) -> Self {
        Self {
            pid: process.pid,
            comm: Cow::Borrowed(&process.comm),
            cgroup: process.cgroup.as_deref().map(Cow::Borrowed),
        }
    }
}

impl<'a> From<&'a Program> for ProgramLine<'a> {
    fn from(program: &'a Program) -> Self {
        Self {
            id: program.id,
            name: Cow::Borrowed(&program.name),
            program_type: Cow::Borrowed(&program.program_type),
            attached: program.attached.clone(),
            pins: program.pins.clone(),
        }
    }
}

impl<'a> From<(&'a MapKey, &'a Arc<Ownership>)> for MapLine<'a> {
    fn from((key, of): (&'a MapKey, &'a Arc<Ownership>)) -> Self {
        let holder = |holder: &Holder| HolderLine {
            pid: holder.process.pid,
            via: holder.via.iter().copied().map(ViaWord::from).collect(),
            fds: holder.fds.clone(),
        };
        let holders = of.holders.as_deref();
        let programs = of.programs.as_deref();
        Self {
            node: key.node.as_deref().map(Cow::Borrowed),
            id: key.id.0,
            holders: holders.map(|holders| holders.iter().map(holder).collect()),
            programs: programs.map(|programs| programs.iter().map(|p| p.id).collect()),
            pins: of.pins.clone(),
            outer: of
                .outer
                .as_deref()
                .map(|ids| ids.iter().map(|id| id.0).collect()),
            cgroup: of.cgroup.as_deref().map(Cow::Borrowed),
        }
    }
}

fn sanitized_list(list: Option<Vec<CompactString>>) -> Option<Vec<CompactString>> {
    list.map(|list| list.iter().map(|text| sanitize(text.as_bytes())).collect())
}

/// Shared texts, sanitized.
#[derive(Default)]
struct Shared(BTreeMap<CompactString, Arc<str>>);

impl Shared {
    fn text(&mut self, text: Option<Cow<'_, str>>) -> Option<Arc<str>> {
        let text = sanitize(text?.as_bytes());
        let shared = self.0.entry(text.clone());
        Some(Arc::clone(shared.or_insert_with(|| text.as_str().into())))
    }
}

impl From<OwnersLine<'_>> for Owners {
    fn from(line: OwnersLine<'_>) -> Self {
        let mut shared = Shared::default();
        let mut processes = BTreeMap::new();
        for process in line.processes {
            let process = Process {
                pid: process.pid,
                comm: sanitize(process.comm.as_bytes()),
                cgroup: shared.text(process.cgroup),
            };
            processes.insert(process.pid, Arc::new(process));
        }
        let programs = line.programs.into_iter().map(|program| {
            let program = Program {
                id: program.id,
                name: sanitize(program.name.as_bytes()),
                program_type: sanitize(program.program_type.as_bytes()),
                attached: sanitized_list(program.attached),
                pins: sanitized_list(program.pins),
            };
            (program.id, Arc::new(program))
        });
        let programs: BTreeMap<_, _> = programs.collect();
        let mut maps = Vec::with_capacity(line.maps.len());
        for map in line.maps {
            let holder = |holder: HolderLine| {
                let via: Vec<_> = holder.via.into_iter().map(HeldVia::from).collect();
                let process = Arc::clone(processes.get(&holder.pid)?);
                (!via.is_empty()).then_some(Holder {
                    process,
                    via,
                    fds: holder.fds,
                })
            };
            let program = |id: u32| programs.get(&id).cloned();
            let list = |ids: Vec<u32>| ids.into_iter().filter_map(program).collect();
            let node = map
                .node
                .map(|node| Arc::from(sanitize(node.as_bytes()).as_str()));
            let id = MapId(map.id);
            let of = Ownership {
                holders: map
                    .holders
                    .map(|holders| holders.into_iter().filter_map(holder).collect()),
                programs: map.programs.map(list),
                pins: sanitized_list(map.pins),
                outer: map.outer.map(|ids| ids.into_iter().map(MapId).collect()),
                cgroup: shared.text(map.cgroup),
                outer_owner: None,
            };
            maps.push((MapKey { node, id }, of));
        }
        let note = line.note.map(|note| sanitize(note.as_bytes()));
        Self::new(Duration::from_nanos(line.at_ns), note, maps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{key, owners_of_all_kinds};

    #[test]
    fn what_is_written_is_read_again() {
        let owners = owners_of_all_kinds();
        let text = serde_json::to_string(&OwnersLine::from(&owners)).expect("JSON");
        let line: OwnersLine<'_> = serde_json::from_str(&text).expect("a line");
        assert_eq!(Owners::from(line), owners);
    }

    #[test]
    fn hostile_texts_are_harmless_and_unknown_ids_left_out() {
        let text = r#"{"at_ns":1,"processes":[{"pid":7,"comm":"a\u001b[2J","cgroup":"/\u0007"}],
            "maps":[{"id":3,"holders":[{"pid":7,"via":["fd","later"]},{"pid":8,"via":["fd"]}],
            "programs":[9],"pins":["/sys/\n"],"cgroup":"\u202e"}]}"#;
        let line: OwnersLine<'_> = serde_json::from_str(text).expect("a line");
        let owners = Owners::from(line);
        let of = owners.get(&key(3)).expect("a map");
        let holders = of.holders.as_deref().expect("a list");
        assert_eq!(holders.len(), 1);
        assert_eq!(holders[0].process.comm, "a?[2J");
        assert_eq!(holders[0].via, [HeldVia::Fd, HeldVia::Program]);
        assert_eq!(of.programs.as_deref(), Some(&[][..]));
        assert_eq!(of.pins.as_deref(), Some(&["/sys/?".into()][..]));
        assert_eq!(of.cgroup.as_deref(), Some("?"));
        assert_eq!(of.outer, None);
    }
}
