//! Maps created and deleted at full speed while mapstop runs, and very many maps. Needs root. The long
//! tests are for `make storm`.

#[path = "support/crowd.rs"]
mod crowd;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use libbpf_rs::{MapHandle, MapType};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use serde_json::Value;

use crowd::Crowd;
use support::{add, create_hash, id, map};

const MAPSTOP: &str = env!("CARGO_BIN_EXE_mapstop");

/// Set for the processes that create and delete maps.
const MAKES_MAPS: &str = "MAPSTOP_TEST_STORM";
const PROCESSES: usize = 3;
const INTERVAL: Duration = Duration::from_millis(100);

/// Maps that stay, and how many entries each has.
const STABLE: u32 = 300;

fn used(n: u32) -> u32 {
    n % 11
}

/// Memory limit in KiB: twice the maximum measured in a minute.
const MAX_MEMORY: usize = 48 << 10;
/// Allowed growth of memory after it settled, in KiB.
const MAX_GROWTH: usize = 3 << 10;

#[test]
fn a_short_storm() {
    if !support::limits::may_open(2048) {
        return;
    }
    // It settles when the list of deleted maps is full, which takes longer.
    storm(Duration::from_secs(4));
}

#[test]
#[ignore = "takes a minute: make storm"]
fn a_storm_of_a_minute() {
    let grown = storm(Duration::from_secs(60));
    assert!(grown.iter().all(|kib| *kib < MAX_GROWTH), "{grown:?}");
}

/// One of the processes of a storm: creates and deletes maps until its stdin is closed.
#[test]
#[ignore = "run by the storms, and nothing by itself"]
fn makes_maps() {
    if env::var_os(MAKES_MAPS).is_none() {
        return;
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        over.store(true, Ordering::Relaxed);
    });
    let kinds = [
        (MapType::Hash, (4, 8), 16),
        (MapType::Array, (4, 8), 4),
        (MapType::LruHash, (4, 8), 16),
        (MapType::Queue, (0, 8), 16),
        (MapType::ProgArray, (4, 4), 64),
        (MapType::RingBuf, (0, 0), 4096),
    ];
    while !is_over.load(Ordering::Relaxed) {
        let maps: Vec<_> = (0..40)
            .map(|n| {
                let (kind, sizes, max) = kinds[n % kinds.len()];
                map(kind, "passes_by", sizes, max, 0)
            })
            .collect();
        maps.iter().step_by(kinds.len()).for_each(|map| add(map, 7));
    }
}

/// Processes that create maps; they end when this is dropped, and with this process.
struct Makers(Vec<Child>);

impl Makers {
    fn start() -> Self {
        let start = |_| {
            Command::new(env::current_exe().expect("this test"))
                .args(["--ignored", "--exact", "makes_maps"])
                .env(MAKES_MAPS, "1")
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .expect("a process")
        };
        Self((0..PROCESSES).map(start).collect())
    }
}

impl Drop for Makers {
    fn drop(&mut self) {
        for child in &mut self.0 {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// A live view in a terminal whose output is only drained.
struct View {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    _master: Box<dyn portable_pty::MasterPty + Send>,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl View {
    fn start(args: &[&str]) -> Self {
        let size = PtySize {
            rows: 40,
            cols: 140,
            ..PtySize::default()
        };
        let pty = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new(MAPSTOP);
        command.args(args);
        command.env("TERM", "xterm-256color");
        let child = pty.slave.spawn_command(command).expect("mapstop runs");
        let mut reader = pty.master.try_clone_reader().expect("a reader");
        let shown = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&shown);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                seen.lock().expect("no panic").extend(&bytes[..count]);
            }
        });
        Self {
            child,
            keys: pty.master.take_writer().expect("a writer"),
            _master: pty.master,
            shown,
        }
    }

    fn pid(&self) -> u32 {
        self.child.process_id().expect("it runs")
    }

    /// Waits until it has written this, and drops the output.
    fn wait_for(&self, text: &str) -> Duration {
        let start = Instant::now();
        loop {
            let mut shown = self.shown.lock().expect("no panic");
            if String::from_utf8_lossy(&shown).contains(text) {
                shown.clear();
                return start.elapsed();
            }
            drop(shown);
            assert!(start.elapsed() < Duration::from_secs(60), "no {text}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("to be heard");
    }

    fn end(mut self) {
        self.press("q");
        let status = self.child.wait().expect("it ends");
        assert_eq!(status.exit_code(), 0);
    }
}

/// Memory of a process that is its own, in KiB.
fn memory(pid: u32) -> usize {
    let lines = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = lines.lines().find(|line| line.starts_with("RssAnon:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.expect("a number").parse().expect("a number")
}

/// By how much the maximum of the second half exceeds that of the first.
fn growth(memory: &[usize]) -> usize {
    let most = |part: &[usize]| part.iter().max().copied().unwrap_or(0);
    let (first, second) = memory.split_at(memory.len() / 2);
    most(second).saturating_sub(most(first))
}

/// Returns what the memory of reports and view grew by in the second half, in KiB.
fn storm(time: Duration) -> [usize; 2] {
    let stable: Vec<MapHandle> = (0..STABLE)
        .map(|n| {
            // Maps between the remaining ones are deleted.
            drop(create_hash("goes", 0, 1));
            create_hash("stays", used(n), 20)
        })
        .collect();
    let expected: BTreeMap<u64, u32> = (0..)
        .zip(&stable)
        .map(|(n, map)| (id(map).parse().expect("a number"), used(n)))
        .collect();
    let count = time.as_millis() / INTERVAL.as_millis();
    let view = View::start(&["-d", "0.1"]);
    view.wait_for("quit");
    let makers = Makers::start();
    let mut mapstop = Command::new(MAPSTOP)
        .args(["-b", "-j", "-d", "0.1", "-n", &count.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("mapstop runs");
    let mut passers_by = BTreeSet::new();
    let mut memories = [Vec::new(), Vec::new()];
    let mut reports = 0;
    let start = Instant::now();
    for line in BufReader::new(mapstop.stdout.take().expect("a pipe")).lines() {
        let report: Value = serde_json::from_str(&line.expect("a line")).expect("a report");
        reports += 1;
        let mut seen = BTreeMap::new();
        for map in report["maps"].as_array().expect("maps") {
            let id = map["id"].as_u64().expect("an id");
            assert!(seen.insert(id, map).is_none(), "{id} is there twice");
            if map["name"] == "passes_by" {
                passers_by.insert(id);
            }
        }
        for (id, used) in &expected {
            let map = seen.get(id).unwrap_or_else(|| panic!("{id} is missing"));
            assert_eq!(map["used"], *used, "{map}");
        }
        // Its last line may arrive after it has ended.
        if reports < count {
            memories[0].push(memory(mapstop.id()));
        }
        memories[1].push(memory(view.pid()));
    }
    assert_eq!(mapstop.wait().expect("it ends").code(), Some(0));
    assert_eq!(reports, count);
    drop(makers);
    view.end();
    let grown = memories.each_ref().map(|memory| growth(memory));
    let most = memories
        .each_ref()
        .map(|memory| *memory.iter().max().expect("some"));
    println!(
        "{count} reports in {:.1?}, {} maps came and went in them; reports and view keep at most \
         {most:?} KiB, {grown:?} KiB more in the second half",
        start.elapsed(),
        passers_by.len(),
    );
    assert!(
        passers_by.len() > 500,
        "only {} passed by",
        passers_by.len()
    );
    assert!(most.iter().all(|kib| *kib < MAX_MEMORY), "{most:?}");
    grown
}

#[test]
#[ignore = "makes 100,000 maps: make storm"]
fn reports_records_and_replays_a_hundred_thousand_maps() {
    const MAPS: u32 = 100_000;
    let _crowd = Crowd::new(MAPS);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("crowd.mrec.zst");
    let path = path.to_str().expect("UTF-8");
    let run = |args: &[&str]| -> Vec<BTreeMap<String, Value>> {
        let start = Instant::now();
        let output = Command::new(MAPSTOP).args(args).output().expect("it runs");
        println!("{:.1?} for mapstop {}", start.elapsed(), args.join(" "));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*stderr), (Some(0), ""));
        let stdout = String::from_utf8(output.stdout).expect("UTF-8");
        let report = |line| {
            let report: Value = serde_json::from_str(line).expect("a report");
            let maps = report["maps"].as_array().expect("maps").iter();
            let ours = maps.filter_map(|map| {
                let name = map["name"].as_str().expect("a name");
                Some((name.strip_prefix("crowd_")?.to_owned(), map["used"].clone()))
            });
            ours.collect()
        };
        stdout.lines().map(report).collect()
    };
    let live = run(&["-b", "-j", "-n", "3", "-d", "1", "--record", path]);
    assert_eq!(live.len(), 3);
    for maps in &live {
        assert_eq!(maps.len(), MAPS as usize);
        for n in 0..MAPS {
            let (kind, .., entries) = Crowd::shape(n);
            if matches!(kind, MapType::Hash | MapType::LruHash) {
                assert_eq!(maps[&n.to_string()], entries, "{n}");
            }
        }
    }
    println!(
        "{} bytes recorded",
        fs::metadata(path).expect("a file").len()
    );
    assert_eq!(run(&["-b", "-j", "--replay", path]), live);
    for args in [&["-d", "1"][..], &["--replay", path]] {
        let mut view = View::start(args);
        let first = view.wait_for("crowd_");
        view.press("?");
        let help = view.wait_for("search");
        println!("{first:.1?} to the first screen, {help:.1?} to the help: {args:?}");
        assert!(
            help < Duration::from_secs(2),
            "it does not answer: {help:?}"
        );
        view.press("q");
        view.end();
    }
}
