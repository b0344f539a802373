//! Measures times and sizes with maps of its own, and compares each with its target: `cargo bench`,
//! as root.
//!
//! Numbers differ between machines, so targets are ratios within one run. A missed target is reported
//! but fails nothing, since a busy machine misses them, too.

mod crowd;
mod export;
mod fleet;
mod history;
mod holders;
#[path = "../../tests/support/crowd.rs"]
mod pinned;
mod terminal;

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use libbpf_rs::libbpf_sys::bpf_map_create_opts;
use libbpf_rs::{MapCore, MapFlags, MapHandle, MapType};
use mapstop::source::Source;
use mapstop::source::kernel::Kernel;
use mapstop::tui::render;
use mapstop::tui::state::App;
use mapstop::types::host::Host;
use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};
use ratatui::Terminal as Screen;
use ratatui::backend::TestBackend;
use terminal::Terminal;

const BPFTOOL: &str = "/usr/sbin/bpftool";

/// The number of maps, and how often each step is then repeated.
const STAGES: [(usize, usize); 3] = [(100, 1000), (1000, 300), (10_000, 60)];

/// The timed steps, repeated in this order.
///
/// To time one more, write it as a method of [`Bench`] and add it here: it gets a column.
const STEPS: [(&str, Step); 4] = [
    ("read", Bench::read),
    ("tick", Bench::tick),
    ("draw 80x24", |bench| bench.draw(0)),
    ("draw 140x40", |bench| bench.draw(1)),
];

type Step = fn(&mut Bench) -> Result<()>;

/// A tick, divided by a bare read, which is the minimum.
const MAX_TICK_BY_READ: f64 = 2.0;
/// A screen, with any number of maps ...
const MAX_DRAW: Duration = Duration::from_millis(1);
/// ... and with the largest number divided by the smallest.
const MAX_DRAW_RATIO: f64 = 1.5;
const MAX_CPU_BY_BPFTOOL: f64 = 0.5;
const MAX_START_UP: Duration = Duration::from_millis(60);
/// A live view of 10,000 maps after ten minutes, in MiB.
const MAX_HISTORY: f64 = 64.0;
/// Terminal sizes.
const SIZES: [(u16, u16); 2] = [(80, 24), (140, 40)];
/// Bytes a second to each of them while nothing happens, with this many maps.
const MAX_QUIET_BYTES: [f64; 2] = [600.0, 1100.0];
const QUIET_MAPS: usize = 50;
/// By number of maps, in MiB.
const MAX_MEMORY: [(usize, f64); 2] = [(100, 12.0), (10_000, 40.0)];

fn main() -> Result<()> {
    if holders::is_one_of_a_crowd()? {
        return Ok(());
    }
    // `cargo test --benches` runs this, too.
    if !env::args().any(|arg| arg == "--bench") {
        println!("to measure, run: cargo bench");
        return Ok(());
    }
    // It needs no descriptors.
    if env::args().any(|arg| arg == "crowd") {
        print_table(&crowd::rows()?);
        return Ok(());
    }
    let fleet = fleet::rows()?;
    print_table(&fleet);
    // They need no maps, and no root.
    if env::args().any(|arg| arg == "fleet") {
        return Ok(());
    }
    let most_maps = STAGES.iter().map(|(maps, _)| *maps).max().unwrap_or(0) as u64;
    setrlimit(Resource::RLIMIT_NOFILE, most_maps + 1000, most_maps + 1000)
        .context("cannot open so many maps: run as root")?;
    let mut bench = Bench {
        maps: Vec::new(),
        app: App::new(Host::default(), mapstop::source::kernel::now()),
        kernel: Kernel::new()?,
        screens: [
            Screen::new(TestBackend::new(SIZES[0].0, SIZES[0].1))?,
            Screen::new(TestBackend::new(SIZES[1].0, SIZES[1].1))?,
        ],
    };
    let mut head = vec!["maps".to_owned()];
    head.extend(STEPS.map(|(name, _)| name.to_owned()));
    head.extend(["tick/read".to_owned(), "target".to_owned()]);
    let mut ticks = vec![head];
    let mut runs = Vec::new();
    let mut draws = Vec::new();
    print_table(&holders::rows()?);
    bench.make_maps(QUIET_MAPS)?;
    print_table(&quiet_bytes());
    for (maps, repetitions) in STAGES {
        bench.make_maps(maps)?;
        let times = bench.time_steps(repetitions)?;
        ticks.push(row_of_times(maps, times));
        draws.push([times[2], times[3]]);
        if maps == 100 {
            runs.push(start_up()?);
            runs.push(first_screen()?);
        }
        if let Some((_, most)) = MAX_MEMORY.iter().find(|(count, _)| *count == maps) {
            runs.push(memory(maps, *most)?);
        }
        if maps >= 1000 {
            runs.extend(export::rows(maps)?);
        }
        if maps == 10_000 {
            runs.extend(cpu_by_bpftool()?);
        }
    }
    runs.extend(draw_rows(&draws));
    runs.extend(history_rows()?);
    // The maps of the stage before are deleted first.
    drop(bench);
    runs.extend(crowd::rows()?);
    print_table(&ticks);
    print_table(&runs);
    Ok(())
}

struct Bench {
    maps: Vec<MapHandle>,
    kernel: Kernel,
    app: App,
    screens: [Screen<TestBackend>; 2],
}

impl Bench {
    /// Mostly small hashes, and some of what else is common.
    fn make_maps(&mut self, count: usize) -> Result<()> {
        for n in u32::try_from(self.maps.len())?..count.try_into()? {
            let (map_type, value_size, max_entries, entries) = match n % 20 {
                0..=11 => (MapType::Hash, 8, 16, n % 17),
                12..=14 => (MapType::LruHash, 8, 16, n % 9),
                15..=18 => (MapType::Array, 8, 4, 0),
                _ => (MapType::ProgArray, 4, 8, 0),
            };
            let map = make_map(&format!("bench_{n}"), map_type, value_size, max_entries)?;
            for key in 0..entries {
                map.update(&key.to_ne_bytes(), &[0; 8], MapFlags::ANY)?;
            }
            self.maps.push(map);
        }
        Ok(())
    }

    /// The bare read of the iterator.
    fn read(&mut self) -> Result<()> {
        self.kernel.read().map(|_| ())
    }

    /// All that the live view does between two screens, but for drawing.
    fn tick(&mut self) -> Result<()> {
        let snapshot = self.kernel.sample()?;
        let snapshot = snapshot.context("a kernel always has one more")?;
        self.app.ingest(snapshot, Duration::ZERO);
        Ok(())
    }

    /// One screen after the other, as the live view draws it.
    fn draw(&mut self, screen: usize) -> Result<()> {
        let screen = &mut self.screens[screen];
        let size = screen.size()?;
        self.app.resize(size.width, size.height);
        screen.draw(|frame| {
            let area = frame.area();
            render::draw(&self.app, area, frame.buffer_mut());
        })?;
        Ok(())
    }

    /// The median time of each step, in the order of [`STEPS`].
    fn time_steps(&mut self, repetitions: usize) -> Result<[Duration; STEPS.len()]> {
        // The first tick after maps were created costs more.
        self.tick()?;
        let mut times = STEPS.map(|_| Vec::with_capacity(repetitions));
        for _ in 0..repetitions {
            for ((_, step), times) in STEPS.iter().zip(&mut times) {
                let start = Instant::now();
                step(self)?;
                times.push(start.elapsed());
            }
        }
        Ok(times.map(median))
    }
}

fn row_of_times(maps: usize, times: [Duration; STEPS.len()]) -> Vec<String> {
    let ratio = times[1].as_secs_f64() / times[0].as_secs_f64();
    let mut row = vec![maps.to_string()];
    row.extend(times.map(in_us));
    row.push(format!("{ratio:.2}"));
    let target = format!("{MAX_TICK_BY_READ}");
    row.push(verdict(&target, ratio <= MAX_TICK_BY_READ));
    row
}

/// The highest cost of a screen, and whether it depends on the number of maps.
fn draw_rows(draws: &[[Duration; 2]]) -> Vec<Vec<String>> {
    let slowest = draws.iter().flatten().max().copied().unwrap_or_default();
    let (Some(fewest), Some(most)) = (draws.first(), draws.last()) else {
        return Vec::new();
    };
    let ratio = (0..2)
        .map(|n| most[n].as_secs_f64() / fewest[n].as_secs_f64())
        .fold(0.0, f64::max);
    let target = format!("{MAX_DRAW_RATIO}");
    vec![
        vec![
            "the slowest draw".to_owned(),
            in_us(slowest),
            verdict(&in_us(MAX_DRAW), slowest <= MAX_DRAW),
        ],
        vec![
            "a draw of the most maps, by one of the fewest".to_owned(),
            format!("{ratio:.2}"),
            verdict(&target, ratio <= MAX_DRAW_RATIO),
        ],
    ]
}

fn make_map(name: &str, map_type: MapType, value_size: u32, max_entries: u32) -> Result<MapHandle> {
    let options = bpf_map_create_opts {
        sz: size_of::<bpf_map_create_opts>() as u64,
        ..Default::default()
    };
    MapHandle::create(map_type, Some(name), 4, value_size, max_entries, &options)
        .context("cannot make maps: run as root")
}

fn program() -> OsString {
    let built = env!("CARGO_BIN_EXE_mapstop");
    env::var_os("MAPSTOP").unwrap_or_else(|| built.into())
}

fn mapstop() -> Command {
    Command::new(program())
}

/// The time from starting a program to its end, and the CPU time it took.
fn run(command: &mut Command) -> Result<(Duration, Duration)> {
    let cpu_of_children = || -> Result<Duration> {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        let micros = [usage.user_time(), usage.system_time()]
            .map(|time| time.tv_sec() * 1_000_000 + time.tv_usec());
        Ok(Duration::from_micros(
            micros.iter().sum::<i64>().try_into()?,
        ))
    };
    let cpu = cpu_of_children()?;
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).status();
    let took = start.elapsed();
    if !status.with_context(|| format!("{command:?}"))?.success() {
        bail!("{command:?} failed");
    }
    Ok((took, cpu_of_children()?.saturating_sub(cpu)))
}

fn start_up() -> Result<Vec<String>> {
    let times: Result<Vec<_>> = (0..20)
        .map(|_| Ok(run(mapstop().arg("--once"))?.0))
        .collect();
    let time = median(times?);
    Ok(vec![
        "mapstop --once on 100 maps, from exec to exit".to_owned(),
        in_us(time),
        verdict(&in_us(MAX_START_UP), time <= MAX_START_UP),
    ])
}

/// What the live view keeps in memory once it has settled.
fn memory(maps: usize, most: f64) -> Result<Vec<String>> {
    let view = Terminal::start(program(), &["-d", "0.2"], SIZES[0])?;
    view.time_until("quit")?;
    thread::sleep(Duration::from_secs(3));
    let (all, own) = view.memory()?;
    Ok(vec![
        format!("resident memory of the live view of {maps} maps ({own:.1} MiB of it its own)"),
        format!("{all:.1} MiB"),
        verdict(&format!("{most} MiB"), all <= most),
    ])
}

/// From exec to the first table in a terminal.
fn first_screen() -> Result<Vec<String>> {
    let times: Result<Vec<_>> = (0..20)
        .map(|_| Terminal::start(program(), &[], SIZES[0])?.time_until("quit"))
        .collect();
    let time = median(times?);
    Ok(vec![
        "mapstop on 100 maps, from exec to its first screen".to_owned(),
        in_us(time),
        verdict(&in_us(MAX_START_UP), time <= MAX_START_UP),
    ])
}

/// Bytes a second to the terminal while nothing happens, with neighbours to compare with.
fn quiet_bytes() -> Vec<Vec<String>> {
    let mut rows = vec![vec![
        "bytes/s of quiet maps".to_owned(),
        "80x24".to_owned(),
        "140x40".to_owned(),
        "target".to_owned(),
    ]];
    for (name, program) in [
        ("mapstop", program()),
        ("htop", "htop".into()),
        ("btop", "btop".into()),
    ] {
        let mut row = vec![name.to_owned()];
        let mut is_reached = true;
        for (size, most) in SIZES.into_iter().zip(MAX_QUIET_BYTES) {
            let figure = match Terminal::start(program.clone(), &[], size) {
                Ok(terminal) => {
                    let bytes = terminal.bytes_per_second();
                    is_reached &= bytes <= most;
                    format!("{bytes:.0}")
                }
                Err(_) => "not here".to_owned(),
            };
            row.push(figure);
        }
        if name == "mapstop" {
            let [small, large] = MAX_QUIET_BYTES;
            row.push(verdict(&format!("{small}, {large}"), is_reached));
        }
        rows.push(row);
    }
    rows
}

/// What is remembered of many maps, in MiB.
fn history_rows() -> Result<Vec<Vec<String>>> {
    let (mib, points, _) = history::after(10_000, 600, 100)?;
    let (all, most, coarser) = history::after(100_000, 60, 1)?;
    Ok(vec![
        vec![
            format!("live view of 10000 maps, 1 % changing, ten minutes ({points} points)"),
            format!("{mib:.1} MiB"),
            verdict(&format!("{MAX_HISTORY} MiB"), mib <= MAX_HISTORY),
        ],
        vec![
            format!("live view of 100000 maps, all changing, a minute ({most} points)"),
            format!("{all:.1} MiB"),
            coarser.unwrap_or_default(),
        ],
    ])
}

/// CPU time of one report, by that of `bpftool map show`.
fn cpu_by_bpftool() -> Result<Vec<Vec<String>>> {
    if !Path::new(BPFTOOL).exists() {
        let what = format!("CPU time, by that of bpftool: there is no {BPFTOOL}");
        return Ok(vec![vec![what, "-".to_owned(), String::new()]]);
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        ours.push(run(mapstop().arg("--once"))?.1);
        theirs.push(run(Command::new(BPFTOOL).args(["map", "show"]))?.1);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    let row = |what: &str, figure, target| vec![what.to_owned(), figure, target];
    Ok(vec![
        row(
            "CPU time of mapstop --once on 10000 maps",
            in_us(ours),
            String::new(),
        ),
        row("CPU time of bpftool map show", in_us(theirs), String::new()),
        row(
            "CPU time, ours by theirs",
            format!("{ratio:.2}"),
            verdict(
                &format!("{MAX_CPU_BY_BPFTOOL}"),
                ratio <= MAX_CPU_BY_BPFTOOL,
            ),
        ),
    ])
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn in_us(time: Duration) -> String {
    format!("{} us", time.as_micros())
}

fn verdict(most: &str, is_reached: bool) -> String {
    let word = if is_reached { "reached" } else { "MISSED" };
    format!("<= {most}: {word}")
}

/// Prints rows in columns; the first and the last are aligned to the left.
fn print_table(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &[String], n: usize| row.get(n).cloned().unwrap_or_default();
    let width = |n| rows.iter().map(|row| cell(row, n).len()).max().unwrap_or(0);
    for row in rows {
        let line: Vec<_> = (0..columns)
            .map(|n| match (cell(row, n), width(n)) {
                (text, width) if n == 0 || n + 1 == columns => format!("{text:<width$}"),
                (text, width) => format!("{text:>width$}"),
            })
            .collect();
        println!("{}", line.join("   ").trim_end());
    }
    println!();
}
