//! Makes the maps of the zoo and works them while mapstop shows them: `demo MAPSTOP [ARGS]`.
//! Without arguments it only works them, until ^C.

#[path = "zoo/mod.rs"]
mod zoo;

use std::env;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use libbpf_rs::{MapCore, MapHandle, RingBuffer, RingBufferBuilder};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGINT, SIGTERM};

use zoo::{Zoo, put, take};

const TICK: Duration = Duration::from_millis(100);

/// The share of its maximum that a map holds so many seconds after the start.
type Level = fn(f64) -> f64;

/// What is worked. More than its maximum is refused, or evicts old entries, as the type does.
const TABLES: [(&str, Level); 8] = [
    ("conn_track_v4", |t| 0.6 + t / 450.0),
    ("pol_ep_02366", |_| 1.1),
    ("dns_inflight", |t| 0.79 + t / 5000.0),
    ("ct4_global", |t| 1.0 + t / 20.0),
    ("snat_v4_ext", |_| 0.25),
    ("fib_trie", |t| 0.18 + t / 10_000.0),
    ("tcp_conns", |t| 0.45 + 0.3 * (t / 6.0).sin()),
    ("work_queue", |t| 0.4 + 0.1 * (t / 3.0).sin()),
];

/// The share of the ring buffer that its slow reader leaves in it.
const BACKLOG: Level = |t| 0.45 + 0.35 * (t / 4.0).sin();

/// What is put into the other maps, once.
const OTHERS: [(&str, u32); 27] = [
    ("inner_00", 12),
    ("settings", 16),
    ("prog_stats", 256),
    ("jmp_table", 31),
    ("perf_out", 0),
    ("cgroup_list", 3),
    ("dev_table", 2),
    ("dev_redirect", 40),
    ("cpu_steer", 1),
    ("xsk_queues", 2),
    ("sock_redir", 24),
    ("sock_by_tuple", 70),
    ("reuse_socks", 4),
    ("sk_flow_state", 9),
    ("inode_labels", 6),
    ("task_state", 2),
    ("cgrp_stats", 3),
    ("stack_traces", 8),
    ("free_ports", 64),
    ("pid_seen", 300),
    ("commands", 200),
    ("heap", 30),
    ("egress_bytes", 2),
    ("egress_pcpu", 2),
    ("svc_slots", 5),
    ("policy_maps", 7),
    ("bpf_zoo_cc", 0),
];

fn main() -> Result<ExitCode> {
    let mut arguments = env::args_os().skip(1).peekable();
    if let Some(option) = arguments.peek()
        && option.as_encoded_bytes().starts_with(b"-")
    {
        println!("usage: mapstop-demo [MAPSTOP [ARGS]...]");
        let is_help = ["-h", "--help"].iter().any(|help| option == help);
        return Ok(ExitCode::from(if is_help { 0 } else { 2 }));
    }
    // mapstop draws on the terminal.
    libbpf_rs::set_print(None);
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let mut demo = Demo::new().context("the demo needs root, to make BPF maps")?;
    demo.work();
    let Some(mapstop) = arguments.next() else {
        println!("working {} maps until ^C", demo.zoo.names().len());
        while !stop.load(Ordering::Relaxed) {
            sleep(TICK);
            demo.work();
        }
        return Ok(ExitCode::SUCCESS);
    };
    let mut child = start(&mapstop, arguments)?;
    let status = loop {
        // A signal from the terminal is mapstop's, too: it ends, and then we do.
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if stop.swap(false, Ordering::Relaxed) {
            let pid = Pid::from_child(&child);
            kill_process(pid, Signal::TERM).context("cannot end mapstop")?;
        }
        sleep(TICK);
        demo.work();
    };
    Ok(exit_code(status))
}

fn start(mapstop: &OsString, arguments: impl Iterator<Item = OsString>) -> Result<Child> {
    Command::new(mapstop)
        .args(arguments)
        .spawn()
        .with_context(|| format!("cannot run {}", mapstop.display()))
}

/// The status of a process as a shell gives it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

/// The maps at work.
struct Demo {
    zoo: Zoo,
    tables: Vec<Table>,
    events: Option<Events>,
    start: Instant,
}

impl Demo {
    fn new() -> Result<Self> {
        let mut zoo = Zoo::load(|_| true)?;
        for (name, entries) in OTHERS {
            // What this kernel cannot make or fill stays away or empty.
            let _ = zoo.fill(name, entries);
        }
        let tables = TABLES.iter().filter_map(|(name, level)| {
            Some(Table {
                map: zoo.map(name).ok()?,
                level: *level,
                entries: 0,
            })
        });
        Ok(Self {
            tables: tables.collect(),
            events: Events::new(&zoo),
            zoo,
            start: Instant::now(),
        })
    }

    fn work(&mut self) {
        let seconds = self.start.elapsed().as_secs_f64();
        for table in &mut self.tables {
            table.work(seconds);
        }
        if let Some(events) = &mut self.events {
            events.work(&mut self.zoo, seconds);
        }
    }
}

/// A map with entries 0, 1, 2 ...
struct Table {
    map: MapHandle,
    level: Level,
    entries: u32,
}

impl Table {
    fn work(&mut self, seconds: f64) {
        let level = share(self.map.max_entries(), (self.level)(seconds));
        while self.entries < level && put(&self.map, self.entries, self.entries).is_ok() {
            self.entries += 1;
        }
        while self.entries > level && take(&self.map, self.entries - 1).is_ok() {
            self.entries -= 1;
        }
    }
}

/// A ring buffer and its reader.
struct Events {
    reader: RingBuffer<'static>,
    /// Records that fit.
    room: u32,
    /// Records in it.
    backlog: u32,
}

impl Events {
    /// Bytes of a record, and of its header.
    const RECORD: u32 = 56;
    const HEADER: u32 = 8;
    /// Records written in a tick.
    const WRITTEN: u32 = 30;

    fn new(zoo: &Zoo) -> Option<Self> {
        let map = zoo.map("events").ok()?;
        let mut builder = RingBufferBuilder::new();
        builder.add(&map, |_| 0).ok()?;
        Some(Self {
            reader: builder.build().ok()?,
            room: map.max_entries() / (Self::RECORD + Self::HEADER),
            backlog: 0,
        })
    }

    fn work(&mut self, zoo: &mut Zoo, seconds: f64) {
        let level = share(self.room, BACKLOG(seconds));
        let missing = level.saturating_sub(self.backlog).max(Self::WRITTEN);
        self.backlog += zoo.write_events(missing, Self::RECORD).unwrap_or(0);
        let surplus = self.backlog.saturating_sub(level);
        if surplus > 0 {
            let read = self.reader.consume_raw_n(surplus as usize);
            self.backlog -= u32::try_from(read).unwrap_or(0);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a level is positive, and a map not as large as that"
)]
fn share(capacity: u32, level: f64) -> u32 {
    (f64::from(capacity) * level) as u32
}
