//! Reports on stdout: a table for people, JSON and CSV for programs.

pub mod csv;
pub(crate) mod envelope;
pub(crate) mod fail_on;
pub mod json;
pub(crate) mod loss;
pub mod run;
pub mod schema;
pub mod text;

use std::io::{self, Write};

use crate::options::Format;
use crate::types::host::Host;
use crate::types::reading::Reading;
use crate::types::row::Row;

/// Writes reports in one format.
pub trait ReportWriter {
    /// Writes one report after the previous ones.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    fn write(&mut self, report: &Report, out: &mut dyn Write) -> io::Result<()>;
}

fn writer(format: &Format) -> Box<dyn ReportWriter + '_> {
    match format {
        Format::Text {
            columns,
            only_if_known,
            theme,
        } => Box::new(text::TextWriter {
            columns: columns.as_deref(),
            only_if_known,
            paint: |mark, text: &str| match theme {
                Some(theme) => theme.paint(mark, text),
                None => text.to_owned(),
            },
            has_written: false,
        }),
        Format::Json { pretty } => Box::new(json::JsonWriter { is_pretty: *pretty }),
        Format::Csv => Box::new(csv::CsvWriter::default()),
    }
}

/// The rows of a report, and where they come from.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The machine that was sampled.
    pub host: &'a Host,
    /// [`crate::source::Source::name`].
    pub source: &'static str,
    /// The evaluated sample.
    pub reading: &'a Reading,
    /// Indices into `reading.rows` of the rows to show, in order.
    pub indices: &'a [usize],
}

impl<'a> Report<'a> {
    /// The rows to show, in order.
    pub fn rows(&self) -> impl Iterator<Item = &'a Row> + Clone + use<'a> {
        let rows = &self.reading.rows;
        self.indices.iter().map(move |index| &rows[*index])
    }
}
