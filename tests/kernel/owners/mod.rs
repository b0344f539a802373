//! Each way to hold a map, one process at a time.
//!
//! The holders are helper processes: each runs one of [`tasks`], prints the ids on a line and waits.
//! The descriptors of this process itself are never listed.

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

/// The first kernels that list mappings, and the cgroup that a map is charged to.
pub const MAPPINGS: (u32, u32) = (5, 12);
const PAYERS: (u32, u32) = (5, 11);

fn collector() -> OwnershipCollector {
    OwnershipCollector::new().unwrap_or_else(|error| panic!("{error:#}"))
}

fn collect(collector: &mut OwnershipCollector) -> Owners {
    collector
        .collect()
        .unwrap_or_else(|error| panic!("{error:#}"))
}

fn key(id: u32) -> MapKey {
    MapKey {
        node: None,
        id: MapId(id),
    }
}

/// Whether this is not the first pid namespace: holders are unknown there,
/// which [`holders_are_unknown_in_another_pid_namespace`] is about.
fn are_holders_hidden() -> bool {
    let namespace = fs::read_link("/proc/self/ns/pid").expect("a pid namespace");
    let is_first = namespace == Path::new("pid:[4026531836]");
    if !is_first {
        eprintln!("not tested: in this pid namespace it is not known who holds a map");
    }
    !is_first
}

/// Whether holders, or pins in another mount namespace, are unknown here.
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

/// The ownership of a map, once it is `as_expected`: another mapstop opens pins and outer maps for a
/// moment, and the kernel frees objects late.
fn ownership_of(id: u32, as_expected: impl Fn(&Ownership) -> bool) -> Arc<Ownership> {
    let mut collector = collector();
    let start = Instant::now();
    loop {
        let owners = collect(&mut collector);
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

/// The only process that holds it.
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
fn both_descriptors_of_a_process_are_listed() {
    if is_in_a_container() {
        return;
    }
    let folder = Folder::new();
    let helper = Helper::start("two_fds", folder.path());
    let ownership = ownership_of(helper.ids[0], |ownership| only_holder(ownership).is_some());
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
fn mapstops_own_descriptors_are_not_listed() {
    if is_in_a_container() {
        return;
    }
    let map = create(MapType::Hash, "our_own", (4, 8), 3);
    ownership_of(id_of(&map), has_no_holder);
}

#[test]
fn a_program_descriptor_holds_its_maps() {
    if is_in_a_container() || !runs_programs() {
        return;
    }
    let folder = Folder::new();
    let helper = Helper::start("program", folder.path());
    let ownership = ownership_of(helper.ids[0], |ownership| only_holder(ownership).is_some());
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
fn a_link_descriptor_holds_its_maps() {
    if is_in_a_container() {
        return;
    }
    let folder = Folder::new().with_cgroup(&unified());
    let helper = Helper::start("link", folder.path());
    let ownership = ownership_of(helper.ids[0], |ownership| only_holder(ownership).is_some());
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
fn a_pinned_link_holds_maps_through_its_program() {
    if is_in_a_container() {
        return;
    }
    let folder = Folder::new().with_bpffs().with_cgroup(&unified());
    let mut helper = Helper::start("pinned_link", folder.path());
    helper.end();
    let ownership = ownership_of(helper.ids[0], has_no_holder);
    let program = only_program(&ownership);
    assert_eq!(only(program.pins.as_deref()), Some(&*folder.pin("a_link")));
    assert_eq!(program.attached.as_ref().map(Vec::len), Some(1));
    assert_eq!(ownership.pins.as_deref(), Some(&[][..]));
    assert!(matches!(ownership.owner(), Some(Owner::Program(_))));
}

#[test]
fn a_mapping_holds_a_map_after_close() {
    if is_in_a_container() {
        return;
    }
    let folder = Folder::new();
    let helper = Helper::start("mapping", folder.path());
    if release() < MAPPINGS {
        // Then it is unknown whether there is such a process.
        let ownership = ownership_of(helper.ids[0], |_| true);
        assert_eq!(ownership.holders, None);
        return;
    }
    let ownership = ownership_of(helper.ids[0], |ownership| only_holder(ownership).is_some());
    let holder = only_holder(&ownership).expect("one");
    assert_eq!(holder.process.pid, helper.pid());
    assert_eq!(
        (&*holder.via, &*holder.fds),
        (&[HeldVia::Mmap][..], &[][..])
    );
}

#[test]
fn pins_of_maps_and_programs_are_listed_while_they_exist() {
    if is_in_a_container() || !runs_programs() {
        return;
    }
    let folder = Folder::new().with_bpffs();
    let mut helper = Helper::start("pins", folder.path());
    helper.end();
    let (map, events) = (helper.ids[0], helper.ids[1]);
    let ownership = ownership_of(map, has_no_holder);
    assert_eq!(
        only(ownership.pins.as_deref()),
        Some(&*folder.pin("deep/a_map"))
    );
    assert!(matches!(ownership.owner(), Some(Owner::Pin(_))));
    let ownership = ownership_of(events, has_no_holder);
    assert_eq!(ownership.pins.as_deref(), Some(&[][..]));
    assert_eq!(
        only(only_program(&ownership).pins.as_deref()),
        Some(&*folder.pin("a_program"))
    );

    // Known files are not opened again, but a replaced one is.
    let mut collector = collector();
    let pins = |collector: &mut OwnershipCollector, id: u32| {
        let owners = collect(collector);
        owners
            .get(&key(id))
            .and_then(|ownership| ownership.pins.clone())
    };
    let before = pins(&mut collector, map);
    assert_eq!(pins(&mut collector, map), before);
    fs::remove_file(folder.pin("deep/a_map")).expect("a file");
    let mut other = create(MapType::Hash, "in_its_place", (4, 8), 3);
    other.pin(folder.pin("deep/a_map")).expect("a pin");
    let now = pins(&mut collector, id_of(&other));
    assert_eq!(only(now.as_deref()), Some(&*folder.pin("deep/a_map")));
    assert!(pins(&mut collector, map).is_none_or(|pins| pins.is_empty()));
}

#[test]
fn a_map_in_a_socket_message_is_an_orphan() {
    if is_in_a_container() {
        return;
    }
    let folder = Folder::new();
    let helper = Helper::start("flight", folder.path());
    let ownership = ownership_of(helper.ids[0], has_no_holder);
    assert_eq!(ownership.is_orphan(), Some(true), "{ownership:?}");
}

#[test]
fn charged_and_process_cgroups_are_named() {
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
    let ownership = ownership_of(helper.ids[0], |ownership| only_holder(ownership).is_some());
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
    let ownership = ownership_of(helper.ids[0], |ownership| only_holder(ownership).is_some());
    let holder = only_holder(&ownership).expect("one");
    assert_eq!(holder.process.comm, "e?[2J\"?,?");
}

#[test]
fn a_regular_file_called_bpf_map_is_ignored() {
    if is_in_a_container() {
        return;
    }
    let folder = Folder::new();
    let helper = Helper::start("false_file", folder.path());
    let ownership = ownership_of(helper.ids[0], |ownership| only_holder(ownership).is_some());
    let holder = only_holder(&ownership).expect("one");
    assert_eq!(holder.fds, [helper.ids[1]]);
    // If it were read as a map, its id would be arbitrary.
    let owners = collect(&mut collector());
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
    let ownership = ownership_of(first, has_no_holder);
    assert_eq!(ownership.outer, Some(vec![MapId(array)]));
    assert!(matches!(ownership.owner(), Some(Owner::Outer(..))));
    let ownership = ownership_of(second, has_no_holder);
    assert_eq!(ownership.outer, Some(vec![MapId(array), MapId(hash)]));
    let ownership = ownership_of(array, |ownership| only_holder(ownership).is_some());
    assert_eq!(ownership.outer.as_deref(), Some(&[][..]));
}

#[test]
fn holders_are_unknown_in_another_pid_namespace() {
    let folder = Folder::new();
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--mount-proc", "--kill-child"]);
    command.arg(std::env::current_exe().expect("this program"));
    let helper = Helper::run(&mut command, "count", folder.path());
    let [all, unknown] = helper.ids[..] else {
        panic!("{:?}", helper.ids);
    };
    assert!(all > 0);
    assert_eq!(all, unknown);
}

#[test]
fn new_maps_get_owners_soon() {
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
        // Sooner than the interval of five seconds.
        assert!(start.elapsed() < Duration::from_secs(4), "not looked for");
        sleep(Duration::from_millis(20));
    }
    drop(map);
}
