//! The tasks of the helpers: each holds a map in one way, and waits.

use std::fs;
use std::io::{IoSlice, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use libbpf_rs::libbpf_sys::bpf_map_create_opts;
use libbpf_rs::{Link, MapCore, MapFlags, MapHandle, MapType, RingBufferBuilder};
use mapstop::source::kernel::owners::OwnershipCollector;
use mapstop::types::ownership::Ownership;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
    sendmsg, socketpair,
};

use crate::support::{create, id_of, zoo};

/// What a helper makes, and where.
pub const TASK: &str = "MAPSTOP_TEST_HOLDER";
pub const FOLDER: &str = "MAPSTOP_TEST_FOLDER";

/// A process name with escape sequences and characters that text formats have to escape.
const HOSTILE: &[u8] = b"e\x1b[2J\"\n,\xff";

/// Runs only as another process; see [`super::helper::Helper`].
#[test]
fn runs_its_task() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap_or_default());
    let _kept = match &*task {
        "two_fds" => two_fds(),
        "program" => program(),
        "link" => link(&folder, None),
        "pinned_link" => link(&folder, Some(folder.join("bpffs/a_link"))),
        "mapping" => mapping(),
        "flight" => flight(),
        "pins" => pins(&folder),
        "cgroup" => in_cgroup(&folder),
        "hostile" => hostile(),
        "false_file" => false_file(&folder),
        "outer" => outer(),
        "count" => count_unknown_holders(),
        other => panic!("no task '{other}'"),
    };
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// Objects that are kept until the end.
type Kept = Box<dyn std::any::Any>;

fn say(ids: &[u32]) {
    println!("\nmade: {ids:?}");
}

fn two_fds() -> Kept {
    let map = create(MapType::Hash, "two_fds", (4, 8), 3);
    let second = MapHandle::try_from(&map).expect("a dup");
    say(&[
        id_of(&map),
        map.as_fd().as_raw_fd().cast_unsigned(),
        second.as_fd().as_raw_fd().cast_unsigned(),
    ]);
    Box::new((map, second))
}

/// A program that writes to a ring buffer, by a descriptor of it alone; the ids of both.
fn load_program() -> (OwnedFd, u32) {
    let mut zoo = zoo(&["events"]);
    let id = id_of(&zoo.map("events").expect("the map"));
    let program = zoo.program("write_events").expect("this kernel runs it");
    let fd = program.as_fd().try_clone_to_owned().expect("a dup");
    (fd, id)
}

fn program() -> Kept {
    let (fd, id) = load_program();
    say(&[id]);
    Box::new(fd)
}

/// A program on a cgroup of its own, by its link alone, or by a pin of that.
fn link(cgroup: &Path, pin: Option<PathBuf>) -> Kept {
    let cgroup = fs::read_to_string(cgroup.join("cgroup")).expect("a path");
    let cgroup = fs::File::open(cgroup).expect("a cgroup");
    let mut zoo = zoo(&["egress_bytes", "egress_pcpu"]);
    let id = id_of(&zoo.map("egress_bytes").expect("the map"));
    let program = zoo.program("count_egress").expect("this kernel runs it");
    let mut link = program.attach_cgroup(cgroup.as_raw_fd()).expect("a link");
    let link: Option<Link> = match pin {
        Some(pin) => {
            link.pin(pin).expect("a pin");
            None
        }
        None => Some(link),
    };
    drop(zoo);
    say(&[id]);
    Box::new(link)
}

fn mapping() -> Kept {
    let map = create(MapType::RingBuf, "mapping", (0, 0), 4096);
    let id = id_of(&map);
    let mut builder = RingBufferBuilder::new();
    builder.add(&map, |_| 0).expect("a ring buffer");
    let ring = builder.build().expect("its memory");
    drop(map);
    say(&[id]);
    Box::new(ring)
}

/// A map whose only descriptor is in a socket message.
fn flight() -> Kept {
    let map = create(MapType::Hash, "in_flight", (4, 8), 3);
    let flags = SocketFlags::CLOEXEC;
    let sockets = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None);
    let (from, to) = sockets.expect("two sockets");
    let fds = [map.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(&fds)));
    sendmsg(
        &from,
        &[IoSlice::new(b"x")],
        &mut ancillary,
        SendFlags::empty(),
    )
    .expect("sent");
    say(&[id_of(&map)]);
    drop(map);
    Box::new((from, to))
}

fn pins(folder: &Path) -> Kept {
    let mut map = create(MapType::Hash, "pinned", (4, 8), 3);
    fs::create_dir(folder.join("bpffs/deep")).expect("a folder");
    map.pin(folder.join("bpffs/deep/a_map")).expect("a pin");
    let mut zoo = zoo(&["events"]);
    let events = id_of(&zoo.map("events").expect("the map"));
    let mut program = zoo.program("write_events").expect("this kernel runs it");
    program.pin(folder.join("bpffs/a_program")).expect("a pin");
    say(&[id_of(&map), events]);
    Box::new(())
}

fn in_cgroup(folder: &Path) -> Kept {
    let cgroup = fs::read_to_string(folder.join("cgroup")).expect("a path");
    fs::write(Path::new(&cgroup).join("cgroup.procs"), "0").expect("it moves there");
    let map = create(MapType::Hash, "paid", (4, 8), 3);
    say(&[id_of(&map)]);
    Box::new(map)
}

fn hostile() -> Kept {
    fs::write("/proc/self/comm", HOSTILE).expect("any name will do");
    let map = create(MapType::Hash, "hostile", (4, 8), 3);
    say(&[id_of(&map)]);
    Box::new(map)
}

/// A regular file named like a map, and a map to compare with.
fn false_file(folder: &Path) -> Kept {
    let file = fs::File::create(folder.join("bpf-map")).expect("a file");
    let map = create(MapType::Hash, "true_one", (4, 8), 3);
    let fd = map.as_fd().as_raw_fd().cast_unsigned();
    say(&[id_of(&map), fd]);
    Box::new((file, map))
}

/// An array and a hash of maps, the only holders of their inner maps.
fn outer() -> Kept {
    let inner = || create(MapType::Hash, "inner", (4, 8), 3);
    let (first, second) = (inner(), inner());
    let options = bpf_map_create_opts {
        sz: size_of::<bpf_map_create_opts>() as u64,
        inner_map_fd: first.as_fd().as_raw_fd().cast_unsigned(),
        ..bpf_map_create_opts::default()
    };
    let create = |map_type| {
        let map = MapHandle::create(map_type, Some("outer"), 4, 4, 8, &options);
        map.expect("a map of maps")
    };
    let (array, hash) = (create(MapType::ArrayOfMaps), create(MapType::HashOfMaps));
    let put = |outer: &MapHandle, key: u32, inner: &MapHandle| {
        let fd = inner.as_fd().as_raw_fd().to_ne_bytes();
        outer
            .update(&key.to_ne_bytes(), &fd, MapFlags::ANY)
            .expect("room");
    };
    put(&array, 3, &first);
    put(&array, 5, &second);
    put(&hash, 77, &second);
    say(&[id_of(&array), id_of(&hash), id_of(&first), id_of(&second)]);
    Box::new((array, hash))
}

/// How many maps there are, and how many whose holders are unknown.
fn count_unknown_holders() -> Kept {
    let _map = create(MapType::Hash, "in_namespace", (4, 8), 3);
    let owners = OwnershipCollector::new()
        .expect("it loads")
        .collect()
        .expect("owners");
    assert!(
        owners
            .note
            .as_deref()
            .is_some_and(|note| note.contains("pid namespace")),
        "{:?}",
        owners.note
    );
    let count = |list: &mut dyn Iterator<Item = &Arc<Ownership>>| u32::try_from(list.count());
    let all = count(&mut owners.iter().map(|(_, ownership)| ownership));
    let unknown = owners.iter().map(|(_, ownership)| ownership);
    let unknown = count(
        &mut unknown
            .filter(|ownership| ownership.holders.is_none() && ownership.programs.is_some()),
    );
    say(&[all.expect("few"), unknown.expect("few")]);
    Box::new(())
}
