//! Whose maps are: each way to hold a map, one process at a time, told apart from the others.
//!
//! Those who hold are this program once more: it runs one of [`tasks`] alone, which makes what it
//! is told to, says the ids on a line and waits. Of this process itself nothing is ever listed.

mod folder;
mod helper;
mod tasks;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use compact_str::CompactString;
use libbpf_rs::MapType;
use mapstop::source::Source;
use mapstop::source::kernel::owners::OwnershipCollector;
use mapstop::types::map_id::{MapId, MapKey};
use mapstop::types::ownership::{HeldVia, Holder, Owner, Owners, Ownership, Program};

use crate::every_type::release;
use crate::support::{create, id_of, kernel, runs_programs, sample};
use folder::Folder;
use helper::Helper;

/// The first kernels that tell what processes have mapped, and which cgroup pays for a map.
pub const MAPPINGS: (u32, u32) = (5, 12);
const PAYERS: (u32, u32) = (5, 11);

fn looker() -> OwnershipCollector {
    OwnershipCollector::new().unwrap_or_else(|error| panic!("{error:#}"))
}

fn look(looker: &mut OwnershipCollector) -> Owners {
    looker.collect().unwrap_or_else(|error| panic!("{error:#}"))
}

fn key(id: u32) -> MapKey {
    MapKey {
        node: None,
        id: MapId(id),
    }
}

/// Whether this is a pid namespace that is not the first one: who holds a map is not known there,
/// which [`in_another_pid_namespace_holders_are_unknown_and_the_rest_is_there`] is about.
fn are_holders_hidden() -> bool {
    let namespace = fs::read_link("/proc/self/ns/pid").expect("a pid namespace");
    let is_first = namespace == Path::new("pid:[4026531836]");
    if !is_first {
        eprintln!("not tested: in this pid namespace it is not known who holds a map");
    }
    !is_first
}

/// Whether not all that keeps a map is known here: holders, or pins in another mount namespace.
fn is_in_a_container() -> bool {
    if are_holders_hidden() {
        return true;
    }
    let mounts_of = |process| fs::read_link(format!("/proc/{process}/ns/mnt"));
    let own = mounts_of("self").expect("a mount namespace");
    let is_first = if release() >= (6, 18) {
        own == Path::new("mnt:[4026531832]")
    } else {
        mounts_of("1").is_ok_and(|first| first == own)
    };
    if !is_first {
        eprintln!("not tested: in this mount namespace it is not known where a map is pinned");
    }
    !is_first
}

/// Whose a map is, once that is `as_expected`: another mapstop that runs meanwhile opens pins and
/// outer maps for a moment, and what ended takes a moment to be gone.
fn whose(id: u32, as_expected: impl Fn(&Ownership) -> bool) -> Arc<Ownership> {
    let mut looker = looker();
    let start = Instant::now();
    loop {
        let owners = look(&mut looker);
        let ownership = owners
            .get(&key(id))
            .unwrap_or_else(|| panic!("no map {id}"));
        if as_expected(ownership) {
            return ownership.clone();
        }
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{ownership:#?} {:?}",
            owners.note
        );
        sleep(Duration::from_millis(50));
    }
}

/// The one process that holds it, and no other.
fn only_holder(ownership: &Ownership) -> Option<&Holder> {
    match ownership.holders.as_deref()? {
        [holder] => Some(holder),
        _ => None,
    }
}

fn has_no_holder(ownership: &Ownership) -> bool {
    ownership.holders.as_ref().is_some_and(Vec::is_empty)
}

fn only_program(ownership: &Ownership) -> &Program {
    match ownership.programs.as_deref() {
        Some([program]) => program,
        other => panic!("{other:?}"),
    }
}

/// The only text of a list that is known.
fn only(list: Option<&[CompactString]>) -> Option<&str> {
    match list? {
        [text] => Some(text),
        _ => None,
    }
}

#[test]
fn a_process_with_two_descriptors_of_a_map_holds_it_by_both() {
    if is_in_a_container() {
        return;
    }
    let folder = Folder::new();
    let helper = Helper::start("two_fds", folder.path());
    let ownership = whose(helper.ids[0], |ownership| only_holder(ownership).is_some());
    let holder = only_holder(&ownership).expect("one");
    assert_eq!(holder.process.pid, helper.pid());
    assert_eq!(holder.via, [HeldVia::Fd]);
    assert_eq!(holder.fds, helper.ids[1..]);
    assert!(
        holder.process.comm.starts_with("kernel-"),
        "{:?}",
        holder.process
    );
    assert!(holder.process.cgroup.is_some());
    assert_eq!(ownership.programs.as_deref(), Some(&[][..]));
    assert_eq!(ownership.pins.as_deref(), Some(&[][..]));
    assert_eq!(ownership.outer.as_deref(), Some(&[][..]));
}

#[test]
fn of_this_process_nothing_is_listed() {
    if is_in_a_container() {
        return;
    }
    let map = create(MapType::Hash, "our_own", (4, 8), 3);
    whose(id_of(&map), has_no_holder);
}

#[test]
fn a_process_with_a_program_holds_what_that_uses() {
    if is_in_a_container() || !runs_programs() {
        return;
    }
    let folder = Folder::new();
    let helper = Helper::start("program", folder.path());
    let ownership = whose(helper.ids[0], |ownership| only_holder(ownership).is_some());
    let holder = only_holder(&ownership).expect("one");
    assert_eq!(holder.process.pid, helper.pid());
    assert_eq!(
        (&*holder.via, &*holder.fds),
        (&[HeldVia::Program][..], &[][..])
    );
    let program = only_program(&ownership);
    assert_eq!(
        (&*program.name, &*program.program_type),
        ("write_events", "syscall")
    );
    assert_eq!(program.attached.as_deref(), Some(&[][..]));
    assert_eq!(program.pins.as_deref(), Some(&[][..]));
}

fn unified() -> PathBuf {
    let mounts = fs::read_to_string("/proc/self/mounts").expect("the mounts");
    let mut mounts = mounts
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>());
    let mount = mounts.find(|words| words[2] == "cgroup2");
    mount.expect("cgroups of version 2")[1].into()
}

#[test]
fn a_process_with_a_link_holds_what_its_program_uses() {
    if is_in_a_container() {
        return;
    }
    let folder = Folder::new().with_cgroup(&unified());
    let helper = Helper::start("link", folder.path());
    let ownership = whose(helper.ids[0], |ownership| only_holder(ownership).is_some());
    let holder = only_holder(&ownership).expect("one");
    assert_eq!(holder.process.pid, helper.pid());
    assert_eq!(
        (&*holder.via, &*holder.fds),
        (&[HeldVia::Link][..], &[][..])
    );
    let program = only_program(&ownership);
    assert_eq!(
        (&*program.name, &*program.program_type),
        ("count_egress", "cgroup_skb")
    );
    let expected = format!("cgroup inet_egress {}", folder.cgroup());
    assert_eq!(only(program.attached.as_deref()), Some(&*expected));
}

#[test]
fn a_program_that_a_pinned_link_attaches_holds_a_map_without_a_process() {
    if is_in_a_container() {
        return;
    }
    let folder = Folder::new().with_bpffs().with_cgroup(&unified());
    let mut helper = Helper::start("pinned_link", folder.path());
    helper.end();
    let ownership = whose(helper.ids[0], has_no_holder);
    let program = only_program(&ownership);
    assert_eq!(only(program.pins.as_deref()), Some(&*folder.pin("a_link")));
    assert_eq!(program.attached.as_ref().map(Vec::len), Some(1));
    assert_eq!(ownership.pins.as_deref(), Some(&[][..]));
    assert!(matches!(ownership.owner(), Some(Owner::Program(_))));
}

#[test]
fn a_process_that_mapped_a_map_and_closed_it_holds_it() {
    if is_in_a_container() {
        return;
    }
    let folder = Folder::new();
    let helper = Helper::start("mapping", folder.path());
    if release() < MAPPINGS {
        // Whether there is such a process is not known, then.
        let ownership = whose(helper.ids[0], |_| true);
        assert_eq!(ownership.holders, None);
        return;
    }
    let ownership = whose(helper.ids[0], |ownership| only_holder(ownership).is_some());
    let holder = only_holder(&ownership).expect("one");
    assert_eq!(holder.process.pid, helper.pid());
    assert_eq!(
        (&*holder.via, &*holder.fds),
        (&[HeldVia::Mmap][..], &[][..])
    );
}

#[test]
fn pins_are_found_of_maps_and_of_programs_and_gone_once_they_are() {
    if is_in_a_container() || !runs_programs() {
        return;
    }
    let folder = Folder::new().with_bpffs();
    let mut helper = Helper::start("pins", folder.path());
    helper.end();
    let (map, events) = (helper.ids[0], helper.ids[1]);
    let ownership = whose(map, has_no_holder);
    assert_eq!(
        only(ownership.pins.as_deref()),
        Some(&*folder.pin("deep/a_map"))
    );
    assert!(matches!(ownership.owner(), Some(Owner::Pin(_))));
    let ownership = whose(events, has_no_holder);
    assert_eq!(ownership.pins.as_deref(), Some(&[][..]));
    assert_eq!(
        only(only_program(&ownership).pins.as_deref()),
        Some(&*folder.pin("a_program"))
    );

    // The same files again are not opened again; what takes the place of one is.
    let mut looker = looker();
    let pins = |looker: &mut OwnershipCollector, id: u32| {
        let owners = look(looker);
        owners
            .get(&key(id))
            .and_then(|ownership| ownership.pins.clone())
    };
    let before = pins(&mut looker, map);
    assert_eq!(pins(&mut looker, map), before);
    fs::remove_file(folder.pin("deep/a_map")).expect("a file");
    let mut other = create(MapType::Hash, "in_its_place", (4, 8), 3);
    other.pin(folder.pin("deep/a_map")).expect("a pin");
    let now = pins(&mut looker, id_of(&other));
    assert_eq!(only(now.as_deref()), Some(&*folder.pin("deep/a_map")));
    assert!(pins(&mut looker, map).is_none_or(|pins| pins.is_empty()));
}

#[test]
fn a_map_in_flight_that_no_one_holds_is_an_orphan() {
    if is_in_a_container() {
        return;
    }
    let folder = Folder::new();
    let helper = Helper::start("flight", folder.path());
    let ownership = whose(helper.ids[0], has_no_holder);
    assert_eq!(ownership.is_orphan(), Some(true), "{ownership:?}");
}

#[test]
fn the_cgroup_that_pays_and_that_of_the_process_are_named() {
    if is_in_a_container() {
        return;
    }
    let memory = Path::new("/sys/fs/cgroup/memory");
    let root = if memory.join("cgroup.procs").exists() {
        memory.to_owned()
    } else {
        let root = unified();
        fs::write(root.join("cgroup.subtree_control"), "+memory").expect("memory is accounted for");
        root
    };
    let folder = Folder::new().with_cgroup(&root);
    let helper = Helper::start("cgroup", folder.path());
    let ownership = whose(helper.ids[0], |ownership| only_holder(ownership).is_some());
    let payer = folder.cgroup();
    let payer = (release() >= PAYERS).then_some(&*payer);
    assert_eq!(ownership.cgroup.as_deref(), payer);
    let holder = only_holder(&ownership).expect("one");
    assert_eq!(holder.process.cgroup.as_deref(), Some(&*folder.cgroup()));
    drop(helper);
}

#[test]
fn the_name_of_a_hostile_process_is_sanitized() {
    if is_in_a_container() {
        return;
    }
    let folder = Folder::new();
    let helper = Helper::start("hostile", folder.path());
    let ownership = whose(helper.ids[0], |ownership| only_holder(ownership).is_some());
    let holder = only_holder(&ownership).expect("one");
    assert_eq!(holder.process.comm, "e?[2J\"?,?");
}

#[test]
fn an_ordinary_file_called_bpf_map_is_no_map() {
    if is_in_a_container() {
        return;
    }
    let folder = Folder::new();
    let helper = Helper::start("false_file", folder.path());
    let ownership = whose(helper.ids[0], |ownership| only_holder(ownership).is_some());
    let holder = only_holder(&ownership).expect("one");
    assert_eq!(holder.fds, [helper.ids[1]]);
    // Read as a map, it would be one of any id.
    let owners = look(&mut looker());
    let by_it = owners
        .iter()
        .flat_map(|(_, ownership)| ownership.holders.iter().flatten());
    let by_it = by_it.filter(|holder| holder.process.pid == helper.pid());
    assert_eq!(by_it.count(), 1);
}

#[test]
fn inner_maps_have_their_outer_maps() {
    if is_in_a_container() {
        return;
    }
    let folder = Folder::new();
    let helper = Helper::start("outer", folder.path());
    let [array, hash, first, second] = helper.ids[..] else {
        panic!("{:?}", helper.ids);
    };
    let ownership = whose(first, has_no_holder);
    assert_eq!(ownership.outer, Some(vec![MapId(array)]));
    assert!(matches!(ownership.owner(), Some(Owner::Outer(..))));
    let ownership = whose(second, has_no_holder);
    assert_eq!(ownership.outer, Some(vec![MapId(array), MapId(hash)]));
    let ownership = whose(array, |ownership| only_holder(ownership).is_some());
    assert_eq!(ownership.outer.as_deref(), Some(&[][..]));
}

#[test]
fn in_another_pid_namespace_holders_are_unknown_and_the_rest_is_there() {
    let folder = Folder::new();
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--mount-proc", "--kill-child"]);
    command.arg(std::env::current_exe().expect("this program"));
    let helper = Helper::run(&mut command, "look", folder.path());
    let [all, unknown] = helper.ids[..] else {
        panic!("{:?}", helper.ids);
    };
    assert!(all > 0);
    assert_eq!(all, unknown);
}

#[test]
fn a_report_has_owners_and_a_new_map_gets_its_own_soon() {
    let mut kernel = kernel();
    let map = create(MapType::Hash, "before", (4, 8), 3);
    let snapshot = kernel
        .sample_complete()
        .expect("a sample")
        .expect("a kernel");
    assert!(snapshot.owners.is_some());
    let folder = Folder::new();
    let helper = Helper::start("two_fds", folder.path());
    let start = Instant::now();
    loop {
        let owners = sample(&mut kernel).owners.expect("as before");
        if let Some(ownership) = owners.get(&key(helper.ids[0])) {
            let pid = only_holder(ownership).map(|holder| holder.process.pid);
            let expected = (!are_holders_hidden()).then(|| helper.pid());
            assert_eq!(pid, expected);
            break;
        }
        // Sooner than the beat of five seconds, however long a look takes here.
        assert!(start.elapsed() < Duration::from_secs(4), "not looked for");
        sleep(Duration::from_millis(20));
    }
    drop(map);
}
