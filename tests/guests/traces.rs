//! mapstop attaches tracers only on request, and leaves nothing in the kernel.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use libbpf_rs::ProgramType;
use libbpf_rs::query::{LinkInfoIter, MapInfoIter, ProgInfoIter};
use serde_json::Value;

use crate::is_guest;
use crate::mapstop::Mapstop;
use crate::support::{create_hash, id};

/// The ids of everything that bpf(2) lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Everything {
    programs: BTreeSet<u32>,
    links: BTreeSet<u32>,
    maps: BTreeSet<u32>,
}

impl Everything {
    fn now() -> Self {
        Self {
            programs: ProgInfoIter::default().map(|program| program.id).collect(),
            links: LinkInfoIter::default().map(|link| link.id).collect(),
            maps: MapInfoIter::default().map(|map| map.id).collect(),
        }
    }

    /// Waits until nothing else is loaded: the kernel frees objects a moment after their process ends.
    pub fn is_all(&self) {
        let start = Instant::now();
        let mut now = Self::now();
        while now != *self {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "{now:?}, not {self:?}"
            );
            sleep(Duration::from_millis(50));
            now = Self::now();
        }
    }
}

/// The names of the tracers that are loaded.
fn tracers() -> BTreeSet<String> {
    let programs = ProgInfoIter::default();
    let is_tracer = |name: &String| name.starts_with("ms_");
    let names = programs.map(|program| program.name.to_string_lossy().into_owned());
    names.filter(is_tracer).collect()
}

/// The names of the programs that are attached by a link.
pub fn linked() -> BTreeSet<String> {
    let attached: BTreeSet<_> = LinkInfoIter::default().map(|link| link.prog_id).collect();
    let programs = ProgInfoIter::default();
    let programs = programs.filter(|program| attached.contains(&program.id));
    programs
        .map(|program| program.name.to_string_lossy().into_owned())
        .collect()
}

fn ids(report: &Value) -> BTreeSet<u32> {
    let maps = report["maps"].as_array().expect("maps").iter();
    let ids = maps.map(|map| u32::try_from(map["id"].as_u64().expect("an id")));
    ids.map(|id| id.expect("an id")).collect()
}

#[test]
fn nothing_is_traced_by_default() {
    if !is_guest() {
        return;
    }
    let _map = create_hash("not_traced", 10, 10);
    let before = Everything::now();
    let mut mapstop = Mapstop::start(&[]);
    for _ in 0..4 {
        mapstop.report();
        let programs = ProgInfoIter::default();
        let new = programs.filter(|program| !before.programs.contains(&program.id));
        // The iterators of maps are tracing programs, too.
        let names: BTreeSet<_> = new
            .inspect(|program| assert_eq!(program.ty, ProgramType::Tracing))
            .map(|program| program.name.to_string_lossy().into_owned())
            .collect();
        let iterators = [
            "mapstop_fds",
            "mapstop_maps",
            "mapstop_memcgs",
            "mapstop_mmaps",
            "mapstop_progs",
        ];
        let unknown: Vec<_> = names
            .iter()
            .filter(|name| !iterators.contains(&&***name))
            .collect();
        assert_eq!(unknown, [""; 0]);
        assert_eq!(Everything::now().maps, before.maps);
    }
    drop(mapstop);
    before.is_all();
}

#[test]
fn tracer_maps_are_hidden_and_freed_after_a_kill() {
    if !is_guest() {
        return;
    }
    let map = create_hash("traced", 10, 10);
    let before = Everything::now();
    let mut mapstop = Mapstop::start(&["--losses"]);
    let report = mapstop.until(|report| report["losses_state"] == "on");
    // Only for the map types that are present.
    assert_eq!(tracers(), BTreeSet::from(["ms_hash_update".to_owned()]));
    let now = Everything::now();
    assert_eq!(now.maps.difference(&before.maps).count(), 2);
    assert_eq!(ids(&report), before.maps);
    assert_eq!(ids(&mapstop.report()), before.maps);
    assert!(before.maps.contains(&id(&map).parse().expect("an id")));
    mapstop.kill();
    before.is_all();
}

#[test]
fn a_report_leaves_nothing_behind() {
    if !is_guest() {
        return;
    }
    let _map = create_hash("traced", 10, 10);
    let before = Everything::now();
    let output = Mapstop::run(&["--once", "-d", "0.5", "--losses", "-j"]);
    assert_eq!(output.status.code(), Some(0));
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["losses_state"], "on");
    assert_eq!(ids(&report), before.maps);
    before.is_all();
}
