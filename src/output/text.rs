//! A report as a table for people, grep and awk: fixed header, a line a map, never a blank cell.

use std::io::{self, Write};

use super::Report;
use crate::model::mark::Mark;
use crate::model::text::width;
use crate::query::columns::{ATTENTION, Align, ColumnId, PRESSURE};

/// What is shown when nothing else is asked for.
pub fn default_columns() -> Vec<ColumnId> {
    [
        "id", "name", "type", "kind", "used", "capacity", "pressure", "growth", "eta", "mem",
        "owner",
    ]
    .into_iter()
    .filter_map(ColumnId::find)
    .collect()
}

/// Writes the report with these columns, or with the default ones; `paint` gives what a mark is
/// about its colour.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(
    report: &Report,
    columns: Option<&[ColumnId]>,
    paint: impl Fn(Option<Mark>, &str) -> String,
    out: &mut impl Write,
) -> io::Result<()> {
    let default = default_columns();
    let ids = columns.unwrap_or(&default);
    let mut lines: Vec<Vec<_>> = vec![ids.iter().map(|id| id.column().text_title.into()).collect()];
    for row in report.rows() {
        lines.push(ids.iter().map(|id| (id.column().text)(row)).collect());
    }
    let widths: Vec<_> = (0..ids.len())
        .map(|n| lines.iter().map(|line| width(&line[n])).max().unwrap_or(0))
        .collect();
    // No mark is about the header.
    let marks = std::iter::once(None).chain(report.rows().map(|row| row.mark));
    for (line, mark) in lines.iter().zip(marks) {
        let mut text = String::new();
        for (n, cell) in line.iter().enumerate() {
            if n > 0 {
                text.push(' ');
            }
            let align = ids.get(n).map_or(Align::Right, |id| id.column().align);
            let padding = " ".repeat(widths[n] - width(cell));
            let is_about = ids
                .get(n)
                .is_some_and(|id| [ATTENTION, PRESSURE].contains(id));
            let cell = paint(mark.filter(|_| is_about), cell);
            match align {
                Align::Left => text.extend([cell.as_str(), &padding]),
                Align::Right => text.extend([padding.as_str(), &cell]),
            }
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}
