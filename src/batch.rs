//! Reports to stdout: samples, waits, prints, until there are enough of them or nobody reads.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::cli::{Batch, Command, Format};
use crate::exit::Exit;
use crate::model::history::History;
use crate::model::row::{Reading, Row};
use crate::model::snapshot::{Snapshot, Source};
use crate::output::{self, Report};

/// Samples for one report at the most, while maps are still counted for the first time.
const MOST_PASSES: u32 = 1000;

/// Prints the reports that were asked for.
///
/// # Errors
///
/// When the maps cannot be read, or the reports not be written.
pub fn run(command: &Command, batch: &Batch, source: &mut impl Source) -> Result<Exit> {
    let mut history = History::default();
    let mut exit = Exit::Fine;
    let mut due = Instant::now();
    if let Some(time) = batch.measure {
        history = measure(source, time)?;
    }
    for n in 0.. {
        if batch.count.is_some_and(|count| n >= count) {
            break;
        }
        if n > 0 {
            due = wait(due, batch.delay);
        }
        let snapshot = match sample_whole(source) {
            Ok(snapshot) => snapshot,
            // One report is lost, not those to come.
            Err(error) if n > 0 => {
                crate::run::complain(&format!("{error:#}; trying again"));
                continue;
            }
            Err(error) => return Err(error),
        };
        let before = std::mem::take(&mut history);
        history.push(&snapshot);
        let reading = Reading::new(snapshot, &before);
        let places = places(command, &reading)?;
        let report = Report {
            host: source.host(),
            source: source.name(),
            reading: &reading,
            places: &places,
        };
        if is_met(batch, &report) {
            exit = Exit::FailOn;
        }
        match print(batch, &report, n == 0) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(exit),
            printed => printed.context("cannot write the report")?,
        }
    }
    Ok(exit)
}

/// Takes a snapshot in which everything that can be counted is, as far as that ends.
fn sample_whole(source: &mut impl Source) -> Result<Snapshot> {
    let mut snapshot = source.sample()?;
    for _ in 0..MOST_PASSES {
        if !source.is_still_counting() {
            break;
        }
        snapshot = source.sample()?;
    }
    Ok(snapshot)
}

/// Remembers what the maps hold now and lets the time pass, sampling a tenth of it apart, a
/// second at the most.
fn measure(source: &mut impl Source, time: Duration) -> Result<History> {
    let mut history = History::default();
    history.push(&sample_whole(source)?);
    let start = Instant::now();
    let step = (time / 10).min(Duration::from_secs(1));
    let mut due = start;
    while start + time > due + step {
        due = wait(due, step);
        source.sample()?;
    }
    wait(start, time);
    Ok(history)
}

/// Waits until `delay` after `due`, and gives that time; if it is past, the samples in between are
/// left out.
fn wait(due: Instant, delay: Duration) -> Instant {
    let now = Instant::now();
    let next = due + delay;
    if next > now {
        thread::sleep(next - now);
        next
    } else {
        now
    }
}

/// The places of the rows to print, in order.
fn places(command: &Command, reading: &Reading) -> Result<Vec<usize>> {
    let rows = &reading.rows;
    let mut places: Vec<_> = (0..rows.len())
        .filter(|place| {
            let row = &rows[*place];
            command.filter.matches(row) && command.map.as_deref().is_none_or(|map| is_map(row, map))
        })
        .collect();
    if let Some(map) = &command.map
        && !rows.iter().any(|row| is_map(row, map))
    {
        anyhow::bail!("no map has the id or name '{map}'");
    }
    command.sort.apply(rows, &mut places);
    Ok(places)
}

/// Whether the row is the map that was asked for by id or name.
#[must_use]
pub fn is_map(row: &Row, map: &str) -> bool {
    row.facts.name == map || map.parse() == Ok(row.key().id.0)
}

fn is_met(batch: &Batch, report: &Report) -> bool {
    batch.fail_on.is_some_and(|limit| {
        report
            .rows()
            .any(|row| row.mark.is_some_and(|mark| mark >= limit))
    })
}

fn print(batch: &Batch, report: &Report, is_first: bool) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match &batch.format {
        Format::Text(columns) => {
            if !is_first {
                writeln!(out)?;
            }
            output::text::write(report, columns.as_deref(), &mut out)?;
        }
        Format::Json { pretty } => output::json::write(report, *pretty, &mut out)?,
        Format::Csv => output::csv::write(report, is_first, &mut out)?,
    }
    out.flush()
}
