//! Losses of maps: counted where the kernel allows tracing; elsewhere there is a reason.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use libbpf_rs::query::{MapInfoIter, ProgInfoIter};
use libbpf_rs::{MapCore, MapFlags, MapHandle, MapType};
use mapstop::source::kernel::Kernel;
use mapstop::source::{Source, TraceLosses};
use mapstop::types::errno::Errno;
use mapstop::types::loss::{Loss, LossCause};
use mapstop::types::loss_tracing::LossTracing;
use mapstop::types::snapshot::Snapshot;
use serde_json::Value;

use crate::every_type::release;
use crate::support::{create, find, id_of, kernel, sample, zoo};

/// The reason where no function can be traced, as on many hardened kernels.
const REFUSED: &str = "this kernel refuses BPF trampolines";

/// A kernel with tracing on, and the first sample after all tracers are attached.
fn watching() -> (Kernel, Snapshot) {
    let mut kernel = kernel();
    kernel.trace_losses(true);
    let snapshot = kernel.sample_complete().expect("a sample");
    (kernel, snapshot.expect("a kernel always has one more"))
}

/// The loss of a map in a snapshot; `None` if this kernel refuses tracing, with a note.
fn loss_of(snapshot: &Snapshot, map: &MapHandle) -> Option<Loss> {
    let facts = find(snapshot, id_of(map)).expect("the map");
    // Tracing is tried again when another test creates a map with tracepoints.
    if snapshot.loss_tracing == LossTracing::Starting {
        assert_eq!(facts.loss, None);
        return None;
    }
    let loss = Loss::clone(facts.loss.as_deref().expect("what it lost"));
    match &snapshot.loss_tracing {
        LossTracing::Refused(why) => {
            assert_eq!(why, REFUSED);
            let unseen = Loss {
                reason: Some(REFUSED.into()),
                ..Loss::default()
            };
            assert_eq!(loss, unseen);
            None
        }
        // Another test has a map with tracepoints.
        LossTracing::On {
            note, sees_updates, ..
        } if loss.reason.as_deref() == Some(REFUSED) => {
            assert!(!sees_updates);
            let words = format!("only XDP redirects and perf buffers are counted; {REFUSED}");
            assert!(note.as_ref().is_some_and(|note| note.contains(&words)));
            assert!(!loss.is_traced);
            None
        }
        LossTracing::On { since, .. } => {
            assert!(*since <= snapshot.moment.uptime);
            assert!(loss.is_traced);
            Some(loss)
        }
        other => panic!("not watched: {other:?}"),
    }
}

/// This process, as the cause of a loss.
fn this_process() -> LossCause {
    let comm = fs::read_to_string("/proc/self/comm").expect("a name");
    LossCause::Process {
        pid: std::process::id(),
        comm: comm.trim_end().into(),
    }
}

/// Inserts this many entries with different keys, and returns how many were refused.
fn fill(map: &MapHandle, entries: u32) -> usize {
    let value = vec![1; map.value_size() as usize];
    let is_refused = |key: &u32| {
        let put = map.update(&key.to_ne_bytes(), &value, MapFlags::ANY);
        put.is_err()
    };
    (0..entries).filter(is_refused).count()
}

#[test]
fn refused_updates_are_counted_and_name_the_process() {
    let map = create(MapType::Hash, "too_small", (4, 8), 100);
    assert_eq!(fill(&map, 120), 20, "before anyone watched");
    let (mut kernel, before) = watching();
    if let Some(loss) = loss_of(&before, &map) {
        assert_eq!((loss.failed, loss.cause), (Some([].into()), None));
    }
    // A map created meanwhile is traced, too.
    let other = create(MapType::Hash, "made_meanwhile", (4, 8), 10);
    assert_eq!(fill(&map, 150), 50);
    assert_eq!(fill(&other, 17), 7);
    let snapshot = sample(&mut kernel);
    for (map, refused) in [(&map, 50), (&other, 7)] {
        if let Some(loss) = loss_of(&snapshot, map) {
            assert_eq!(loss.failed, Some([(Errno(7), refused)].into()));
            // Before 5.15 a tracer cannot read the system call of the process.
            let is_named = release() >= (5, 15);
            assert_eq!(loss.cause, is_named.then(this_process));
            assert_eq!((loss.evictions, loss.drops), (None, None));
            assert_eq!(loss.reason, None);
        }
    }
}

#[test]
fn evictions_are_counted() {
    let map = create(MapType::LruHash, "makes_room", (4, 8), 1000);
    let (mut kernel, _) = watching();
    assert_eq!(fill(&map, 2000), 0);
    let left = u64::try_from(map.keys().count()).expect("a count");
    if let Some(loss) = loss_of(&sample(&mut kernel), &map) {
        assert_eq!(loss.evictions, Some(2000 - left));
        assert_eq!(loss.failed, Some([].into()));
    }
}

#[test]
fn tracepoints_count_losses_where_functions_cannot_be_traced() {
    let zoo = zoo(&["dev_table"]);
    let map = zoo.map("dev_table").expect("a devmap");
    let (_kernel, snapshot) = watching();
    let facts = find(&snapshot, id_of(&map)).expect("the map");
    let loss = facts.loss.as_deref().expect("what it lost");
    assert!(loss.is_traced);
    assert_eq!(loss.drops, Some(0));
    let reason = loss.reason.as_deref();
    assert_eq!(reason, Some("drops after the redirect are not counted"));
    assert_eq!((&loss.failed, loss.evictions), (&None, None));
    // Where functions can be traced, tracepoints are not used.
    let is_part = snapshot
        .loss_tracing
        .note()
        .is_some_and(|note| note.contains(REFUSED));
    let name = if is_part { "part" } else { "on" };
    assert_eq!(snapshot.loss_tracing.name(), name);
}

#[test]
fn nothing_stays_loaded_where_tracing_is_refused() {
    let child = Command::new(env!("CARGO_BIN_EXE_mapstop"))
        .args(["-b", "-j", "-d", "0.1", "--losses"])
        .stdout(Stdio::piped())
        .spawn();
    let mut child = Running(child.expect("mapstop runs"));
    let stdout = child.0.stdout.take().expect("a pipe");
    let is_there = |line: &str| line.contains(r#""losses_state":"refused""#);
    let mut lines = BufReader::new(stdout)
        .lines()
        .map(|line| line.expect("text"));
    if !lines.by_ref().nth(1).is_some_and(|line| is_there(&line)) {
        println!("not tested: something can be watched here");
        return;
    }
    let start = Instant::now();
    while !numbers(child.0.id(), "map_id").is_empty() {
        assert!(start.elapsed() < Duration::from_secs(30), "it stays");
        // It would block on its stdout; another test may have a map to trace.
        lines.next();
    }
}

#[test]
fn losses_of_a_map_deleted_between_samples_are_kept() {
    let seen = create(MapType::Hash, "goes_later", (4, 8), 10);
    let (mut kernel, before) = watching();
    if loss_of(&before, &seen).is_none() {
        return;
    }
    let unseen = create(MapType::Hash, "goes_at_once", (4, 8), 10);
    assert_eq!((fill(&seen, 13), fill(&unseen, 17)), (3, 7));
    drop((seen, unseen));
    // The kernel frees maps late, and other tests delete maps, too.
    let start = Instant::now();
    while sample(&mut kernel).loss_tracing.deleted_map_losses() < 10 {
        assert!(start.elapsed() < Duration::from_secs(30), "forgotten");
        sleep(Duration::from_millis(20));
    }
    let watching = sample(&mut kernel).loss_tracing;
    let words = format!("{} losses of deleted maps", watching.deleted_map_losses());
    assert!(watching.note().is_some_and(|note| note.contains(&words)));
}

#[test]
fn losses_are_known_only_while_tracing() {
    let map = create(MapType::Hash, "unwatched", (4, 8), 3);
    let mut kernel = kernel();
    let losses = |kernel: &mut Kernel| {
        let snapshot = sample(kernel);
        let facts = find(&snapshot, id_of(&map)).expect("the map");
        (facts.loss.clone(), snapshot.loss_tracing)
    };
    assert_eq!(losses(&mut kernel), (None, LossTracing::Off));
    kernel.trace_losses(true);
    kernel.sample_complete().expect("a sample");
    assert!(losses(&mut kernel).0.is_some());
    kernel.trace_losses(false);
    assert_eq!(losses(&mut kernel), (None, LossTracing::Off));
}

#[test]
fn tracing_again_starts_from_zero() {
    let map = create(MapType::Hash, "twice", (4, 8), 10);
    let (mut kernel, _) = watching();
    fill(&map, 12);
    kernel.trace_losses(false);
    kernel.trace_losses(true);
    let snapshot = kernel
        .sample_complete()
        .expect("a sample")
        .expect("one more");
    if let Some(loss) = loss_of(&snapshot, &map) {
        assert_eq!(loss.failed, Some([].into()));
    }
}

/// A child process that is killed with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The numbers under this key in fdinfo of all descriptors of a process.
fn numbers(pid: u32, key: &str) -> BTreeSet<u32> {
    let fds = fs::read_dir(format!("/proc/{pid}/fdinfo")).expect("its descriptors");
    let number = |path: PathBuf| {
        let text = fs::read_to_string(path).ok()?;
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| *name == key)?.1.trim().parse().ok()
    };
    fds.filter_map(|fd| number(fd.ok()?.path())).collect()
}

#[test]
fn tracers_are_hidden_and_end_with_the_process() {
    let map = create(MapType::Hash, "beside_it", (4, 8), 3);
    // Can be traced where functions cannot.
    let _zoo = zoo(&["dev_table"]);
    let child = Command::new(env!("CARGO_BIN_EXE_mapstop"))
        .args(["-b", "-j", "-d", "0.1", "--losses"])
        .stdout(Stdio::piped())
        .spawn();
    let mut child = Running(child.expect("mapstop runs"));
    let pid = child.0.id();
    let stdout = child.0.stdout.take().expect("a pipe");
    let mut lines = BufReader::new(stdout).lines();
    // The first report waits until all tracers are attached.
    let line = lines.by_ref().nth(1).expect("a report").expect("text");
    let own = numbers(pid, "map_id");
    assert_eq!(own.len(), 2, "the maps to count in");
    let report: Value = serde_json::from_str(&line).expect("JSON");
    let listed: BTreeSet<_> = report["maps"]
        .as_array()
        .expect("maps")
        .iter()
        .filter_map(|map| u32::try_from(map["id"].as_u64()?).ok())
        .collect();
    assert!(listed.contains(&id_of(&map)));
    assert_eq!(listed.intersection(&own).count(), 0, "{line}");
    let programs = numbers(pid, "prog_id");

    child.0.kill().expect("SIGKILL");
    child.0.wait().expect("its end");
    let start = Instant::now();
    let is_left = || {
        MapInfoIter::default().any(|map| own.contains(&map.id))
            || ProgInfoIter::default().any(|program| programs.contains(&program.id))
    };
    while is_left() {
        assert!(start.elapsed() < Duration::from_secs(30), "left behind");
        sleep(Duration::from_millis(20));
    }
}
