//! Processes with many descriptors become the time it takes to find who holds which map.

use std::env;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write, stdin, stdout};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use libbpf_rs::{MapHandle, MapType};
use mapstop::source::kernel::owners::OwnershipCollector;

use super::{in_us, make_map, median, verdict};

/// Processes, descriptors of each, how often they are scanned, and how long a scan may take.
const CROWDS: [(usize, usize, usize, Duration); 2] = [
    (100, 28, 100, Duration::from_millis(3)),
    (500, 100, 30, Duration::from_millis(40)),
];

/// Maps among the descriptors of each.
const MAPS: usize = 2;

/// Set for a process of such a crowd: how many descriptors it opens.
const CROWD: &str = "MAPSTOP_BENCH_DESCRIPTORS";

/// Whether this process is one of a crowd; if so, it has opened its descriptors and waited until the
/// parent closed its stdin.
pub fn is_one_of_a_crowd() -> Result<bool> {
    let Ok(descriptors) = env::var(CROWD) else {
        return Ok(false);
    };
    let maps: Result<Vec<MapHandle>> = (0..MAPS)
        .map(|n| make_map(&format!("held_{n}"), MapType::Array, 8, 1))
        .collect();
    let _maps = maps?;
    // Three it was started with.
    let files = 3 + MAPS..descriptors.parse()?;
    let _files: Vec<File> = files
        .map(|_| File::open("/dev/null"))
        .collect::<std::io::Result<_>>()?;
    writeln!(stdout(), "open")?;
    stdin().read_to_end(&mut Vec::new())?;
    Ok(true)
}

/// Processes that are killed when this is dropped.
struct Crowd(Vec<Child>);

impl Crowd {
    fn start(processes: usize, descriptors: usize) -> Result<Self> {
        let mut crowd = Self(Vec::new());
        for _ in 0..processes {
            let child = Command::new(env::current_exe()?)
                .arg("--bench")
                .env(CROWD, descriptors.to_string())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn();
            crowd
                .0
                .push(child.context("cannot start so many processes")?);
        }
        for child in &mut crowd.0 {
            let stdout = child.stdout.as_mut().context("it has a pipe")?;
            BufReader::new(stdout).read_line(&mut String::new())?;
        }
        Ok(crowd)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for child in &mut self.0 {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// Reading and decoding descriptors and mappings alone, and a whole collection.
pub fn rows() -> Result<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    for (processes, descriptors, repetitions, most) in CROWDS {
        let crowd = Crowd::start(processes, descriptors)?;
        let mut collector = OwnershipCollector::new()?;
        let (mut scans, mut collections, mut found) = (Vec::new(), Vec::new(), 0);
        for _ in 0..repetitions {
            let start = Instant::now();
            found = collector.count_held().context("holders can be read")?;
            scans.push(start.elapsed());
            let start = Instant::now();
            collector.collect()?;
            collections.push(start.elapsed());
        }
        drop(crowd);
        let scan = median(scans);
        let what = format!(
            "of {processes} processes, {} descriptors",
            processes * descriptors
        );
        rows.push(vec![
            format!("holders {what} ({found} of BPF)"),
            in_us(scan),
            verdict(&in_us(most), scan <= most),
        ]);
        rows.push(vec![
            format!("owners as a whole, {what}"),
            in_us(median(collections)),
            String::new(),
        ]);
    }
    Ok(rows)
}
