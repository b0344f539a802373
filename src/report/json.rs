//! A report as one JSON object on a line of its own.

use std::io::{self, Write};

use super::Report;
use super::schema::ReportJson;

/// Writes the report, indented if it is to be `pretty`, and a line end.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(report: &Report, pretty: bool, out: &mut impl Write) -> io::Result<()> {
    let shape = ReportJson::from(report);
    if pretty {
        serde_json::to_writer_pretty(&mut *out, &shape)?;
    } else {
        serde_json::to_writer(&mut *out, &shape)?;
    }
    out.write_all(b"\n")
}
