//! A report as one JSON object on a line.

use std::io::{self, Write};

use super::schema::ReportJson;
use super::{Report, ReportWriter};

/// Writes an object for each report, indented if `is_pretty`.
#[derive(Debug, Default)]
pub struct JsonWriter {
    /// Whether the object is indented, over several lines.
    pub is_pretty: bool,
}

impl ReportWriter for JsonWriter {
    fn write(&mut self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let shape = ReportJson::from(report);
        if self.is_pretty {
            serde_json::to_writer_pretty(&mut *out, &shape)?;
        } else {
            serde_json::to_writer(&mut *out, &shape)?;
        }
        out.write_all(b"\n")
    }
}
