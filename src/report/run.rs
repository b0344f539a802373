//! Prints reports to stdout, until `-n` of them or a closed pipe.

#[cfg(test)]
mod tests;

use std::io::{self, BufWriter, ErrorKind, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};

use super::fail_on::FailOnState;
use super::{Report, ReportWriter, writer};
use crate::analysis::history::History;
use crate::analysis::thresholds::MIN_PRESSURE_FOR_WARN;
use crate::diag;
use crate::exit_code::Exit;
use crate::options::{Batch, FailOn, Format, Options};
use crate::query::fields::LOSS;
use crate::source::warmup::warmup_samples;
use crate::source::{Source, SourceExt};
use crate::text::plural::count_noun;
use crate::types::count::CountMethod;
use crate::types::loss_tracing::LossTracing;
use crate::types::reading::Reading;
use crate::types::row::Row;

/// Prints reports until `-n` of them, or to the end of a recording.
///
/// # Errors
///
/// When the maps cannot be read, or the reports not be written.
pub fn run(options: &Options, batch: &Batch, source: &mut impl Source) -> Result<Exit> {
    run_to(&mut io::stdout(), options, batch, source)
}

fn run_to(
    out: &mut impl Write,
    options: &Options,
    batch: &Batch,
    source: &mut impl Source,
) -> Result<Exit> {
    let mut state = FailOnState::default();
    if options.losses {
        source.trace_losses(true);
    }
    let mut due = source.wait(Duration::ZERO);
    let mut history = History::default();
    history.thresholds = options.thresholds;
    warm_up(&mut history, batch, source)?;
    let mut writer = writer(&batch.format);
    let mut printed = 0;
    let mut down = Vec::new();
    for n in 0u64.. {
        if batch.count.is_some_and(|count| printed >= count) {
            break;
        }
        if n > 0 {
            due = source.wait(due + batch.delay);
        }
        let sampled = source.sample_complete();
        while let Some(notice) = source.notice() {
            diag::warn(&notice);
        }
        let snapshot = match sampled {
            Ok(Some(snapshot)) => snapshot,
            Ok(None) => break,
            // A live source may recover; a recording does not.
            Err(error) if n > 0 && source.moments().is_empty() => {
                diag::warn(&format!("{error:#}; retrying"));
                continue;
            }
            Err(error) => return Err(error),
        };
        // Tracers may have taken long to attach: the next report is due a whole interval later.
        if n == 0 {
            due = due.max(snapshot.moment.uptime);
        }
        let reading = history.read(snapshot);
        let indices = select_rows(options, &reading)?;
        let report = Report {
            host: source.host(),
            source: source.name(),
            reading: &reading,
            indices: &indices,
        };
        if n == 0
            && indices.is_empty()
            && let Some(line) = describe_no_match(options, &reading)
        {
            diag::warn(&line);
        }
        warn_nodes_down(&reading, &mut down);
        if n == 0
            && source.still_counting() > 0
            && let Some(line) = describe_uncounted(&report, batch.is_once)
        {
            diag::warn(&line);
        }
        if options.losses {
            state.warn_coverage(&report);
        }
        if let Some(fail_on) = batch.fail_on {
            state.judge(fail_on, &report);
        }
        match print_report(&mut *writer, &report, out) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
            done => done.context("cannot write the report")?,
        }
        printed += 1;
        if batch.is_once
            && matches!(batch.format, Format::Text { .. })
            && batch.fail_on != Some(FailOn::Full)
            && let Some(line) = describe_single_sample(&report)
        {
            diag::warn(&line);
        }
    }
    Ok(state.exit())
}

/// Why a report about some maps is empty; `None` without a filter.
fn describe_no_match(options: &Options, reading: &Reading) -> Option<String> {
    if options.filter.is_everything() {
        return None;
    }
    let is_local = options.server.is_none();
    let is_unwatched = reading.loss_tracing == LossTracing::Off
        && reading.rows.iter().all(|row| row.loss_per_s().is_none());
    if is_local && is_unwatched && options.filter.is_about(LOSS) {
        let line = if options.replay.is_some() {
            "loss is unknown in a recording made without --losses, so no map matches"
        } else {
            "loss is unknown without --losses, so no map matches; add --losses -d 10"
        };
        return Some(line.to_owned());
    }
    let maps = count_noun(reading.rows.len().try_into().ok()?, "map", "maps");
    Some(format!("no map matches the filter ({maps} read)"))
}

/// A line about maps of a report that are not counted yet; `None` if all are.
fn describe_uncounted(report: &Report, is_once: bool) -> Option<String> {
    let is_counted = |row: &Row| row.facts.count.method != CountMethod::None;
    let maps = report
        .rows()
        .filter(|row| row.facts.used.is_none() && is_counted(row))
        .count();
    if maps == 0 {
        return None;
    }
    let maps = count_noun(maps.try_into().ok()?, "map is", "maps are");
    let who = if is_once {
        "the live view and -b"
    } else {
        "later reports"
    };
    Some(format!(
        "{maps} too large to count in one report; {who} keep counting"
    ))
}

/// What the marks of a single sample were judged by; `None` if there was time to measure growth, an exporter
/// measured it, or it would change no mark.
fn describe_single_sample(report: &Report) -> Option<String> {
    let reading = report.reading;
    if reading.interval.is_some() || reading.fleet.is_some() {
        return None;
    }
    // The mark of a map up to half full depends on its growth, too, but most maps are that empty.
    let depends_on_growth = |row: &Row| {
        row.kind().grows()
            && row
                .pressure
                .is_some_and(|level| level > MIN_PRESSURE_FOR_WARN)
    };
    report.rows().any(depends_on_growth).then(|| {
        "marks are from one sample; growth was not measured. Add -d 10 to measure it".to_owned()
    })
}

/// Warns about nodes that went down since the previous report.
fn warn_nodes_down(reading: &Reading, reported: &mut Vec<Arc<str>>) {
    let fleet = reading.fleet.iter();
    let down: Vec<_> = fleet.flat_map(|fleet| fleet.down()).collect();
    for node in down.iter().filter(|node| !reported.contains(&node.name)) {
        diag::warn(&crate::text::node::describe_down(node, reading.moment.wall));
    }
    *reported = down.iter().map(|node| Arc::clone(&node.name)).collect();
}

/// Reads the samples that the first report is compared with. Of a recording, one report with
/// `--once` is about the last sample.
fn warm_up(history: &mut History, batch: &Batch, source: &mut impl Source) -> Result<()> {
    if let Some(time) = batch.measure {
        // The last sample may be slightly early.
        history.set_min_trend_span(time.mul_f64(0.9));
    }
    let moments = source.moments().len();
    match batch.measure {
        time if batch.is_once && moments > 0 => {
            replay_before_last(history, source, moments - 1, time);
        }
        Some(time) => sample_for(history, source, time)?,
        None => {}
    }
    Ok(())
}

/// Seeks to the last sample of a recording, to be compared with the one `time` before it, or
/// with the previous one.
fn replay_before_last(
    history: &mut History,
    source: &mut impl Source,
    last: usize,
    time: Option<Duration>,
) {
    let moments = source.moments();
    let base = match time {
        None => last.checked_sub(1),
        Some(time) => {
            let then = moments[last].uptime.saturating_sub(time);
            (0..last).min_by_key(|at| moments[*at].uptime.abs_diff(then))
        }
    };
    source.seek(last);
    let maps = match source.sample_complete() {
        Ok(Some(snapshot)) => snapshot.maps.len(),
        // Reading it again for the report will return the error.
        Ok(None) | Err(_) => 0,
    };
    for at in warmup_samples(source.moments(), last, maps) {
        source.seek(at);
        // Samples that cannot be read are skipped, except the last.
        if let Ok(Some(snapshot)) = source.sample_complete() {
            if Some(at) == base {
                history.read(snapshot);
            } else {
                history.push_unreported(snapshot);
            }
        }
    }
    source.seek(last);
}

/// Samples through the time to measure, at intervals of a tenth of it, but of at most a second.
fn sample_for(history: &mut History, source: &mut impl Source, time: Duration) -> Result<()> {
    if let Some(snapshot) = source.sample_complete()? {
        history.read(snapshot);
    }
    let start = source.wait(Duration::ZERO);
    let step = (time / 10).min(Duration::from_secs(1));
    let mut due = start;
    while start + time > due + step {
        due = source.wait(due + step);
        if let Some(snapshot) = source.sample()? {
            history.push_unreported(snapshot);
        }
    }
    source.wait(start + time);
    Ok(())
}

/// The indices of the rows to print, in order.
fn select_rows(options: &Options, reading: &Reading) -> Result<Vec<usize>> {
    let rows = &reading.rows;
    let mut indices: Vec<_> = (0..rows.len())
        .filter(|index| {
            let row = &rows[*index];
            options.filter.matches(row)
                && options
                    .map
                    .as_deref()
                    .is_none_or(|map| row.matches_selector(map))
        })
        .collect();
    if let Some(map) = &options.map
        && !rows.iter().any(|row| row.matches_selector(map))
    {
        anyhow::bail!("{}", describe_unknown_map(map));
    }
    options.sort.apply(rows, &mut indices);
    Ok(indices)
}

/// The message for a value of `--map` that no map has.
fn describe_unknown_map(map: &str) -> String {
    let message = format!("no map has the id, name or pin '{map}'");
    let is_word = map
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    if !is_word || map.parse::<u32>().is_ok() {
        return message;
    }
    format!("{message}; -m needs the whole name. To search: mapstop -f {map}")
}

/// Buffers a report, so that it reaches the pipe in few writes.
fn print_report(
    writer: &mut dyn ReportWriter,
    report: &Report,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    writer.write(report, &mut out)?;
    out.flush()
}
