//! Questions become pages: samples when one is asked for, at most once in a tenth of a second however
//! many ask, and writes each format once.

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

/// A sample is new enough for so long.
const FRESH: Duration = Duration::from_millis(100);
/// A scrape waits no longer for maps that are counted for the first time.
const MAX_COUNTING_TIME: Duration = Duration::from_millis(500);

/// One answer in one format, whole.
#[derive(Debug)]
pub struct Page {
    /// Which one it is: later ones have higher numbers.
    pub number: u64,
    /// What is sent.
    pub bytes: Arc<Vec<u8>>,
}

/// What came of a question: a page, or why there is none.
pub type ScrapeResult = Result<Arc<Page>, Arc<str>>;

/// Somebody wants a page.
#[derive(Debug)]
pub struct ScrapeRequest {
    /// In which format.
    pub format: Format,
    /// Where to.
    pub reply: oneshot::Sender<ScrapeResult>,
}

/// What one sample came to.
#[derive(Debug)]
struct Sample {
    reading: Reading,
    places: Vec<usize>,
    took: Duration,
    pages: Vec<(Format, Arc<Page>)>,
}

/// Samples a source when asked, and remembers what it said.
#[derive(Debug)]
pub struct Sampler<'a, S> {
    source: &'a mut S,
    filter: &'a Filter,
    telling: ExportOptions,
    history: History,
    tally: CumulativeLosses,
    latest: Option<(Instant, Result<Sample, Arc<str>>)>,
    pages: u64,
    /// Of each format that was asked for.
    writers: Vec<Writer>,
    /// What was said of watching losses, without its numbers, so that it is said once.
    said: Option<String>,
}

impl<'a, S: Source> Sampler<'a, S> {
    /// Takes the first sample, whole: from then on there is something to compare with.
    ///
    /// # Errors
    ///
    /// When it cannot be taken.
    pub fn start(source: &'a mut S, command: &'a Options, telling: ExportOptions) -> Result<Self> {
        if command.losses {
            source.trace_losses(true);
        }
        let mut sampler = Self {
            source,
            filter: &command.filter,
            telling,
            // Over the last minute, or the last few scrapes: the same for however many scrapers, and
            // however far apart they come.
            history: History::live(),
            tally: CumulativeLosses::default(),
            latest: None,
            pages: 0,
            writers: Vec::new(),
            said: None,
        };
        let start = Instant::now();
        let snapshot = sampler.source.sample_complete()?;
        let sample = sampler.take_in(snapshot.context("there is nothing to read")?, start);
        sampler.latest = Some((Instant::now(), Ok(sample)));
        Ok(sampler)
    }

    /// Answers until nobody can ask any more.
    pub fn answer_all(&mut self, questions: &Receiver<ScrapeRequest>) {
        for question in questions {
            let answer = self.page(question.format);
            // Whoever asked may be gone by now.
            let _ = question.reply.send(answer);
        }
    }

    fn page(&mut self, format: Format) -> ScrapeResult {
        let is_fresh = |latest: &(Instant, _)| latest.0.elapsed() < FRESH;
        if !self.latest.as_ref().is_some_and(is_fresh) {
            let had_failed = matches!(self.latest, Some((_, Err(_))));
            let sample = self.sample();
            match &sample {
                Err(why) if !had_failed => {
                    diag::warn(&format!("{why}; answering 503 until it works"));
                }
                Ok(_) if had_failed => diag::warn("maps can be read again"),
                _ => {}
            }
            self.latest = Some((Instant::now(), sample));
        }
        match &mut self.latest {
            Some((_, Ok(sample))) => {
                let written = sample.pages.iter().find(|(of, _)| *of == format);
                if let Some((_, page)) = written {
                    return Ok(Arc::clone(page));
                }
                self.pages += 1;
                let scrape = Scrape {
                    reading: &sample.reading,
                    places: &sample.places,
                    took: sample.took,
                    totals: self.tally.totals(),
                };
                let page = Arc::new(Page {
                    number: self.pages,
                    bytes: writer(&mut self.writers, self.telling, format).write(&scrape),
                });
                sample.pages.push((format, Arc::clone(&page)));
                Ok(page)
            }
            Some((_, Err(why))) => Err(Arc::clone(why)),
            None => Err("nothing was read yet".into()),
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
            Ok(Some(snapshot)) => Ok(self.take_in(snapshot, start)),
            Ok(None) => Err("there is nothing more to read".into()),
            Err(error) => Err(format!("{error:#}").into()),
        }
    }

    fn take_in(&mut self, snapshot: Snapshot, start: Instant) -> Sample {
        let took = start.elapsed();
        self.say(&snapshot.watching);
        if let Some((_, Ok(old))) = self.latest.take() {
            self.history.recycle(old.reading);
        }
        let reading = self.history.read(snapshot);
        let rows = &reading.rows;
        let places = (0..rows.len())
            .filter(|place| self.filter.matches(&rows[*place]))
            .collect();
        if self.telling.label_by == LabelBy::Name {
            self.tally.add(rows, |row| self.filter.matches(row));
        }
        Sample {
            reading,
            places,
            took,
            pages: Vec::new(),
        }
    }

    /// Says why losses are not counted, or not all of them.
    fn say(&mut self, watching: &LossTracing) {
        let why = match watching {
            LossTracing::Refused(why) => Some(("losses are not watched", why)),
            LossTracing::On {
                note: Some(note), ..
            } => Some(("of losses, not all is seen", note)),
            LossTracing::On { note: None, .. } | LossTracing::Off | LossTracing::Starting => None,
        };
        let Some((what, why)) = why else {
            return;
        };
        let text = format!("{what}: {why}");
        // Numbers in it run on, and would be a line of the log at every scrape.
        let without_numbers: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
        if self.said.as_ref() != Some(&without_numbers) {
            diag::warn(&text);
            self.said = Some(without_numbers);
        }
    }
}

/// The one for this format, which is made when it is first asked for.
fn writer(writers: &mut Vec<Writer>, telling: ExportOptions, format: Format) -> &mut Writer {
    let is_for = |writer: &Writer| writer.format() == format;
    let place = writers.iter().position(is_for).unwrap_or_else(|| {
        writers.push(Writer::new(telling, format));
        writers.len() - 1
    });
    &mut writers[place]
}
