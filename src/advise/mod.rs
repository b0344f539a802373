//! `mapstop advise`: which maps to make larger or smaller, or to look at, judged by what was
//! measured.

pub mod observed;
pub mod output;
pub mod rules;

use std::io::{self, BufWriter, ErrorKind, Write};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::analysis::history::History;
use crate::diag;
use crate::exit_code::Exit;
use crate::options::{Advise, Options};
use crate::report::fail_on::coverage_warning;
use crate::source::{Source, SourceExt};
use crate::types::reading::Reading;
use observed::Observations;
use rules::Advice;

/// Samples that a live measurement takes.
const SAMPLES: u32 = 20;
/// Shortest and longest interval between samples.
const SAMPLE_INTERVAL: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// Advice, and the measurement it is based on.
#[derive(Debug, Clone, PartialEq)]
pub struct AdviceReport {
    /// From the first sample to the last.
    pub time: Duration,
    /// The number of samples.
    pub samples: usize,
    /// How many maps of the last sample were judged.
    pub maps: usize,
    /// How many of these maps have unknown holders.
    pub maps_with_unknown_holders: usize,
    /// The most urgent first.
    pub advice: Vec<Advice>,
}

/// Measures and prints the advice.
///
/// # Errors
///
/// When nothing can be read, or the advice cannot be written.
pub fn run(options: &Options, mode: &Advise, source: &mut impl Source) -> Result<Exit> {
    let mut history = History::live();
    history.thresholds = options.thresholds;
    history.set_min_trend_span(mode.time.mul_f64(0.9));
    let mut observations = Observations::default();
    if options.losses {
        source.trace_losses(true);
    }
    let last = if source.moments().is_empty() {
        measure_live(mode.time, source, &mut history, &mut observations)?
    } else {
        measure_recording(source, &mut history, &mut observations)
    };
    while let Some(notice) = source.notice() {
        diag::warn(&notice);
    }
    let Some(last) = last else {
        bail!("no sample could be read");
    };
    if options.losses
        && let Some(line) = coverage_warning(&last.loss_tracing)
    {
        diag::warn(&line);
    }
    let report = rules::advise(&last, &observations, &options.filter, options.thresholds);
    let mut out = BufWriter::new(io::stdout().lock());
    let host = source.host();
    let written = if mode.is_json {
        output::write_json(&report, &last, host, source.name(), &mut out)
    } else {
        output::write_text(&report, &mut out)
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Exit::Fine),
        done => done.context("cannot write the advice").map(|()| Exit::Fine),
    }
}

/// Samples for `time`.
fn measure_live(
    time: Duration,
    source: &mut impl Source,
    history: &mut History,
    observations: &mut Observations,
) -> Result<Option<Reading>> {
    let pace = (time / SAMPLES).clamp(SAMPLE_INTERVAL.0, SAMPLE_INTERVAL.1);
    let mut last: Option<Reading> = None;
    let mut begin = None;
    loop {
        let Some(snapshot) = source.sample_complete()? else {
            return Ok(last);
        };
        let now = snapshot.moment.uptime;
        let begin = *begin.get_or_insert(now);
        let reading = history.read(snapshot);
        observations.add(&reading);
        last = Some(reading);
        let left = (begin + time).saturating_sub(now);
        // The last sample may be slightly early.
        if left < pace / 2 {
            return Ok(last);
        }
        source.wait(now + pace.min(left));
    }
}

/// Reads a whole recording. Samples that cannot be read are skipped with a warning.
fn measure_recording(
    source: &mut impl Source,
    history: &mut History,
    observations: &mut Observations,
) -> Option<Reading> {
    let mut last = None;
    for at in 0..source.moments().len() {
        source.seek(at);
        match source.sample() {
            Ok(Some(snapshot)) => {
                let reading = history.read(snapshot);
                observations.add(&reading);
                last = Some(reading);
            }
            Ok(None) => break,
            Err(error) => diag::warn(&format!("{error:#}; sample skipped")),
        }
    }
    last
}
