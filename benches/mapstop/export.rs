//! Scrapes of many maps become CPU time and bytes, beside what ebpf-map-metrics' way takes for the same
//! maps: lines of text printed in the kernel, parsed, kept in a registry of gauges and encoded.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use libbpf_rs::{Iter, Link, ObjectBuilder};
use nix::sys::resource::{UsageWho, getrusage};
use prometheus::{Encoder, GaugeVec, Opts, Registry, TextEncoder};

use super::{in_us, mapstop, median, verdict};

const SCRAPES: usize = 15;
/// Between two of them: each is to be a sample of its own.
const PAUSE: Duration = Duration::from_millis(150);
/// CPU time of one scrape of 10,000 maps.
const MAX_CPU: Duration = Duration::from_millis(40);
/// By that of ebpf-map-metrics' way.
const MAX_BY_ANCESTOR: f64 = 1.0 / 3.0;

/// A scrape of all maps there are, and ebpf-map-metrics' way, alternately.
pub fn rows(maps: usize) -> Result<Vec<Vec<String>>> {
    let exporter = Exporter::start()?;
    let mut ancestor = Ancestor::start()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut bytes, mut their_bytes) = (0, 0);
    for _ in 0..SCRAPES {
        thread::sleep(PAUSE);
        let before = exporter.cpu()?;
        bytes = exporter.scrape()?;
        ours.push(exporter.cpu()?.saturating_sub(before));
        let before = cpu_of_thread()?;
        their_bytes = ancestor.scrape()?;
        theirs.push(cpu_of_thread()?.saturating_sub(before));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    let most = if maps == 10_000 {
        verdict(&in_us(MAX_CPU), ours <= MAX_CPU)
    } else {
        String::new()
    };
    let row = |what: String, figure, target| vec![what, figure, target];
    Ok(vec![
        row(
            format!("CPU time of a scrape of {maps} maps ({bytes} bytes)"),
            in_us(ours),
            most,
        ),
        row(
            format!("CPU time of ebpf-map-metrics' way ({their_bytes} bytes)"),
            in_us(theirs),
            String::new(),
        ),
        row(
            "CPU time relative to ebpf-map-metrics".to_owned(),
            format!("{ratio:.2}"),
            verdict(&format!("{MAX_BY_ANCESTOR:.2}"), ratio <= MAX_BY_ANCESTOR),
        ),
    ])
}

fn cpu_of_thread() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD)?;
    let micros = [usage.user_time(), usage.system_time()]
        .map(|time| time.tv_sec() * 1_000_000 + time.tv_usec());
    Ok(Duration::from_micros(
        micros.iter().sum::<i64>().try_into()?,
    ))
}

/// `mapstop export` as it is, scraped over loopback.
struct Exporter {
    child: Child,
    address: String,
}

impl Exporter {
    fn start() -> Result<Self> {
        let mut child = mapstop()
            .args(["export", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.as_mut().context("it has a pipe")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line
            .trim()
            .strip_prefix("serving http://")
            .and_then(|rest| rest.strip_suffix("/metrics"))
            .context("the exporter does not serve")?
            .to_owned();
        Ok(Self { child, address })
    }

    /// Reads one answer to its end, and gives how long it is.
    fn scrape(&self) -> Result<usize> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        Ok(stream.read_to_end(&mut answer)?)
    }

    /// What all of its threads took, the one that looks up owners included.
    fn cpu(&self) -> Result<Duration> {
        let mut all = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let ns: u64 = text.split(' ').next().context("its times")?.parse()?;
            all += ns;
        }
        Ok(Duration::from_nanos(all))
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The ancestor's way, without its server.
struct Ancestor {
    link: Link,
    registry: Registry,
    counts: GaugeVec,
    pressures: GaugeVec,
}

impl Ancestor {
    fn start() -> Result<Self> {
        let object = ObjectBuilder::default()
            .open_file(concat!(env!("OUT_DIR"), "/ancestor.bpf.o"))?
            .load()?;
        let program = object.progs_mut().next().context("it has a program")?;
        let link = program.attach()?;
        let gauges = |name, help| GaugeVec::new(Opts::new(name, help), &["id", "name"]);
        let counts = gauges("ebpf_map_curr_elem_count", "Current number of elements")?;
        let pressures = gauges("ebpf_map_pressure", "Pressure")?;
        let registry = Registry::new();
        registry.register(Box::new(counts.clone()))?;
        registry.register(Box::new(pressures.clone()))?;
        Ok(Self {
            link,
            registry,
            counts,
            pressures,
        })
    }

    fn scrape(&mut self) -> Result<usize> {
        for line in BufReader::new(Iter::new(&self.link)?).lines() {
            let line = line?;
            let mut fields = line.split_whitespace();
            let mut next = || fields.next().context("a field");
            let (id, name) = (next()?, next()?);
            let most: f64 = next()?.parse()?;
            let count: f64 = next()?.parse()?;
            self.counts.with_label_values(&[id, name]).set(count);
            let pressure = if most > 0.0 { count / most } else { 0.0 };
            self.pressures.with_label_values(&[id, name]).set(pressure);
        }
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text.len())
    }
}
