//! Rows become text for people, JSON, CSV and the formats of Prometheus for programs. Pure: rows in, bytes out.

pub mod csv;
pub(crate) mod fail_on;
pub mod json;
pub(crate) mod loss;
pub mod run;
pub mod schema;
pub mod text;

use crate::types::host::Host;
use crate::types::reading::Reading;
use crate::types::row::Row;

/// A text that is empty where it is not known.
pub(crate) fn known(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// What a report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The machine.
    pub host: &'a Host,
    /// Where it was read: `kernel` or `recording`.
    pub source: &'static str,
    /// What was read.
    pub reading: &'a Reading,
    /// The places in `reading.rows` to show, in order.
    pub places: &'a [usize],
}

impl<'a> Report<'a> {
    /// The rows to show, in order.
    pub fn rows(&self) -> impl Iterator<Item = &'a Row> + Clone + use<'a> {
        let rows = &self.reading.rows;
        self.places.iter().map(move |place| &rows[*place])
    }
}
