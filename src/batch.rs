//! Reports to stdout: samples, waits, prints, until there are enough of them or nobody reads.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::cli::{Batch, Command, Format};
use crate::exit::Exit;
use crate::model::history::History;
use crate::model::row::Reading;
use crate::model::source::Source;
use crate::output::{self, Report};
use crate::run::complain;

/// Prints the reports that were asked for, or those that there are.
///
/// # Errors
///
/// When the maps cannot be read, or the reports not be written.
pub fn run(command: &Command, batch: &Batch, source: &mut impl Source) -> Result<Exit> {
    let mut exit = Exit::Fine;
    let mut due = source.wait(Duration::ZERO);
    let mut history = before_first(batch, source)?;
    let mut printed = 0;
    for n in 0u64.. {
        if batch.count.is_some_and(|count| printed >= count) {
            break;
        }
        if n > 0 {
            due = source.wait(due + batch.delay);
        }
        let sampled = source.sample_whole();
        while let Some(notice) = source.notice() {
            complain(&notice);
        }
        let snapshot = match sampled {
            Ok(Some(snapshot)) => snapshot,
            Ok(None) => break,
            // One report is lost, not those to come. What was recorded stays as it is.
            Err(error) if n > 0 && source.moments().is_empty() => {
                complain(&format!("{error:#}; trying again"));
                continue;
            }
            Err(error) => return Err(error),
        };
        let reading = history.read(snapshot);
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
        match print(batch, &report, printed == 0) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(exit),
            done => done.context("cannot write the report")?,
        }
        printed += 1;
    }
    Ok(exit)
}

/// What the first report is compared with. A report of how things are now is about the last
/// snapshot, where they are all there already.
fn before_first(batch: &Batch, source: &mut impl Source) -> Result<History> {
    let moments = source.moments().len();
    match batch.measure {
        time if batch.is_once && moments > 0 => look_back(source, moments - 1, time),
        Some(time) => measure(source, time),
        None => Ok(History::default()),
    }
}

/// Goes to the last of the snapshots, and remembers what the maps held `time` before it, or in the
/// one before it.
fn look_back(source: &mut impl Source, last: usize, time: Option<Duration>) -> Result<History> {
    let mut history = History::default();
    let moments = source.moments();
    let base = match time {
        None => last.checked_sub(1),
        Some(time) => {
            let then = moments[last].uptime.saturating_sub(time);
            (0..last).min_by_key(|at| moments[*at].uptime.abs_diff(then))
        }
    };
    if let Some(base) = base {
        source.seek(base);
        if let Some(snapshot) = source.sample_whole()? {
            history.read(snapshot);
        }
    }
    source.seek(last);
    Ok(history)
}

/// Remembers what the maps hold now and lets the time pass, sampling a tenth of it apart, a
/// second at the most.
fn measure(source: &mut impl Source, time: Duration) -> Result<History> {
    let mut history = History::default();
    if let Some(snapshot) = source.sample_whole()? {
        history.read(snapshot);
    }
    let start = source.wait(Duration::ZERO);
    let step = (time / 10).min(Duration::from_secs(1));
    let mut due = start;
    while start + time > due + step {
        due = source.wait(due + step);
        source.sample()?;
    }
    source.wait(start + time);
    Ok(history)
}

/// The places of the rows to print, in order.
fn places(command: &Command, reading: &Reading) -> Result<Vec<usize>> {
    let rows = &reading.rows;
    let mut places: Vec<_> = (0..rows.len())
        .filter(|place| {
            let row = &rows[*place];
            command.filter.matches(row)
                && command.map.as_deref().is_none_or(|map| row.is_called(map))
        })
        .collect();
    if let Some(map) = &command.map
        && !rows.iter().any(|row| row.is_called(map))
    {
        anyhow::bail!("no map has the id or name '{map}'");
    }
    command.sort.apply(rows, &mut places);
    Ok(places)
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
        Format::Text { columns, theme } => {
            if !is_first {
                writeln!(out)?;
            }
            let paint = |mark, text: &str| match theme {
                Some(theme) => theme.paint(mark, text),
                None => text.to_owned(),
            };
            output::text::write(report, columns.as_deref(), paint, &mut out)?;
        }
        Format::Json { pretty } => output::json::write(report, *pretty, &mut out)?,
        Format::Csv => output::csv::write(report, is_first, &mut out)?,
    }
    out.flush()
}
