//! Answers scrapes: samples at most ten times a second, however many scrapes come, and writes
//! each format once a sample.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::oneshot;

use super::cumulative::CumulativeLosses;
use super::openmetrics::{Format, Scrape, Writer};
use crate::analysis::history::History;
use crate::diag;
use crate::options::{ExportOptions, LabelBy, Options};
use crate::query::filter::Filter;
use crate::source::{Source, SourceExt};
use crate::types::loss_tracing::LossTracing;
use crate::types::reading::Reading;
use crate::types::snapshot::Snapshot;

/// Age up to which a sample is served again.
const FRESH: Duration = Duration::from_millis(100);
/// Time that a scrape waits for maps that are counted for the first time.
const MAX_COUNTING_TIME: Duration = Duration::from_millis(500);

/// One page in one format.
#[derive(Debug)]
pub struct Page {
    /// Later pages have higher numbers.
    pub number: u64,
    pub bytes: Arc<Vec<u8>>,
}

/// A page, or the reason why there is none.
pub type ScrapeResult = Result<Arc<Page>, Arc<str>>;

/// A request for a page.
#[derive(Debug)]
pub struct ScrapeRequest {
    pub format: Format,
    pub reply: oneshot::Sender<ScrapeResult>,
}

/// A sample and the pages written of it.
#[derive(Debug)]
struct Sample {
    reading: Reading,
    indices: Vec<usize>,
    took: Duration,
    pages: Vec<(Format, Arc<Page>)>,
}

/// Samples a source on request.
#[derive(Debug)]
pub struct Sampler<'a, S> {
    source: &'a mut S,
    filter: &'a Filter,
    options: ExportOptions,
    history: History,
    losses: CumulativeLosses,
    latest: Option<(Instant, Result<Sample, Arc<str>>)>,
    pages: u64,
    /// One for each requested format.
    writers: Vec<Writer>,
    /// The last warning about loss tracing, without its numbers.
    last_warning: Option<String>,
}

impl<'a, S: Source> Sampler<'a, S> {
    /// Takes a first complete sample, which later ones are compared with.
    ///
    /// # Errors
    ///
    /// When it cannot be taken.
    pub fn start(source: &'a mut S, options: &'a Options, export: ExportOptions) -> Result<Self> {
        if options.losses {
            source.trace_losses(true);
        }
        let mut history = History::live();
        history.thresholds = options.thresholds;
        let mut sampler = Self {
            source,
            filter: &options.filter,
            options: export,
            // Growth is over the last minute or the last few scrapes, whatever the
            // number of scrapers and their interval.
            history,
            losses: CumulativeLosses::default(),
            latest: None,
            pages: 0,
            writers: Vec::new(),
            last_warning: None,
        };
        let start = Instant::now();
        let snapshot = sampler.source.sample_complete()?;
        let sample = sampler.evaluate(snapshot.context("there is no sample to read")?, start);
        sampler.latest = Some((Instant::now(), Ok(sample)));
        Ok(sampler)
    }

    /// Answers until the channel is closed.
    pub fn serve(&mut self, requests: &Receiver<ScrapeRequest>) {
        for request in requests {
            let result = self.page(request.format);
            // The client may have disconnected.
            let _ = request.reply.send(result);
        }
    }

    fn page(&mut self, format: Format) -> ScrapeResult {
        let is_fresh = |latest: &(Instant, _)| latest.0.elapsed() < FRESH;
        if !self.latest.as_ref().is_some_and(is_fresh) {
            let had_failed = matches!(self.latest, Some((_, Err(_))));
            let sample = self.sample();
            match &sample {
                Err(why) if !had_failed => {
                    diag::warn(&format!(
                        "{why}; answering scrapes with 503 until this works"
                    ));
                }
                Ok(_) if had_failed => diag::warn("maps can be read again"),
                _ => {}
            }
            self.latest = Some((Instant::now(), sample));
        }
        match &mut self.latest {
            Some((_, Ok(sample))) => {
                let written = sample.pages.iter().find(|(written, _)| *written == format);
                if let Some((_, page)) = written {
                    return Ok(Arc::clone(page));
                }
                self.pages += 1;
                let scrape = Scrape {
                    reading: &sample.reading,
                    indices: &sample.indices,
                    took: sample.took,
                    totals: self.losses.totals(),
                };
                let page = Arc::new(Page {
                    number: self.pages,
                    bytes: writer(&mut self.writers, self.options, format).write(&scrape),
                });
                sample.pages.push((format, Arc::clone(&page)));
                Ok(page)
            }
            Some((_, Err(why))) => Err(Arc::clone(why)),
            None => Err("no sample has been read yet".into()),
        }
    }

    fn sample(&mut self) -> Result<Sample, Arc<str>> {
        let start = Instant::now();
        let mut snapshot = self.source.sample();
        while self.source.still_counting() > 0
            && start.elapsed() < MAX_COUNTING_TIME
            && snapshot.is_ok()
        {
            snapshot = self.source.sample();
        }
        while let Some(notice) = self.source.notice() {
            diag::warn(&notice);
        }
        match snapshot {
            Ok(Some(snapshot)) => Ok(self.evaluate(snapshot, start)),
            Ok(None) => Err("there are no more samples to read".into()),
            Err(error) => Err(format!("{error:#}").into()),
        }
    }

    fn evaluate(&mut self, snapshot: Snapshot, start: Instant) -> Sample {
        let took = start.elapsed();
        self.warn_coverage(&snapshot.loss_tracing);
        if let Some((_, Ok(old))) = self.latest.take() {
            self.history.recycle(old.reading);
        }
        let reading = self.history.read(snapshot);
        let rows = &reading.rows;
        let indices = (0..rows.len())
            .filter(|index| self.filter.matches(&rows[*index]))
            .collect();
        if self.options.label_by == LabelBy::Name {
            self.losses.add(rows, |row| self.filter.matches(row));
        }
        Sample {
            reading,
            indices,
            took,
            pages: Vec::new(),
        }
    }

    /// Warns once if losses are not counted, or not all of them.
    fn warn_coverage(&mut self, watching: &LossTracing) {
        let why = match watching {
            LossTracing::Refused(why) => Some(("losses cannot be watched", why)),
            LossTracing::On {
                note: Some(note), ..
            } => Some(("some losses are not seen", note)),
            LossTracing::On { note: None, .. } | LossTracing::Off | LossTracing::Starting => None,
        };
        let Some((what, why)) = why else {
            return;
        };
        let text = format!("{what}: {why}");
        // Numbers in the text change, and would cause a warning at every scrape.
        let without_numbers: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
        if self.last_warning.as_ref() != Some(&without_numbers) {
            diag::warn(&text);
            self.last_warning = Some(without_numbers);
        }
    }
}

/// The writer for this format, created on first use.
fn writer(writers: &mut Vec<Writer>, options: ExportOptions, format: Format) -> &mut Writer {
    let is_for = |writer: &Writer| writer.format() == format;
    let index = writers.iter().position(is_for).unwrap_or_else(|| {
        writers.push(Writer::new(options, format));
        writers.len() - 1
    });
    &mut writers[index]
}
