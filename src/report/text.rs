//! A report as a table for people, grep and awk: a header, a line for each map, no blank cell.

use std::io::{self, Write};

use super::{Report, ReportWriter};
use crate::columns::{Align, default_columns};
use crate::query::fields::{ATTENTION, ColumnId, LOSS, NODE, PRESSURE};
use crate::text::width::width;
use crate::types::loss_tracing::LossTracing;
use crate::types::mark::Mark;

/// Writes a table for each report, and an empty line between two.
pub struct TextWriter<'a, P> {
    /// Replaces the default columns.
    pub columns: Option<&'a [ColumnId]>,
    /// Colours cells that show a mark.
    pub paint: P,
    /// Whether a report was written before.
    pub has_written: bool,
}

impl<P: Fn(Option<Mark>, &str) -> String> ReportWriter for TextWriter<'_, P> {
    fn write(&mut self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        if self.has_written {
            writeln!(out)?;
        }
        self.has_written = true;
        write_table(report, self.columns, &self.paint, out)
    }
}

fn write_table(
    report: &Report,
    columns: Option<&[ColumnId]>,
    paint: impl Fn(Option<Mark>, &str) -> String,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut default = default_columns();
    if report.reading.loss_tracing == LossTracing::Off {
        default.retain(|id| *id != LOSS);
    }
    if report.reading.fleet.is_some() {
        default.insert(0, NODE);
    }
    let ids = columns.unwrap_or(&default);
    let mut lines: Vec<Vec<_>> = vec![ids.iter().map(|id| id.column().text_title.into()).collect()];
    for row in report.rows() {
        lines.push(ids.iter().map(|id| (id.column().text)(row)).collect());
    }
    let widths: Vec<_> = (0..ids.len())
        .map(|n| lines.iter().map(|line| width(&line[n])).max().unwrap_or(0))
        .collect();
    // The header is not painted.
    let marks = std::iter::once(None).chain(report.rows().map(|row| row.mark));
    let is_about_marks: Vec<_> = ids
        .iter()
        .map(|id| [ATTENTION, PRESSURE].contains(id))
        .collect();
    let mut text = String::new();
    for (line, mark) in lines.iter().zip(marks) {
        text.clear();
        for (n, cell) in line.iter().enumerate() {
            if n > 0 {
                text.push(' ');
            }
            let padding = std::iter::repeat_n(' ', widths[n] - width(cell));
            let is_right = ids[n].column().align == Align::Right;
            if is_right {
                text.extend(padding.clone());
            }
            if is_about_marks[n] {
                text.push_str(&paint(mark, cell));
            } else {
                text.push_str(cell);
            }
            if !is_right {
                text.extend(padding);
            }
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}
