//! A report as a table for people, grep and awk: a header, a line for each map, no blank cell.

use std::io::{self, Write};

use super::{Report, ReportWriter};
use crate::columns::cells::has_known_loss;
use crate::columns::{Align, default_columns};
use crate::query::fields::{ATTENTION, ColumnId, LIFETIME, LOSS, NODE, PRESSURE};
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
    // The kernel itself counts some losses.
    if report.reading.loss_tracing == LossTracing::Off && !report.rows().any(has_known_loss) {
        default.retain(|id| *id != LOSS);
    }
    if report.rows().all(|row| row.entry_lifetime().is_none()) {
        default.retain(|id| *id != LIFETIME);
    }
    if report.reading.fleet.is_some() {
        default.insert(1, NODE);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::history::History;
    use crate::test_util::{MapBuilder, host, map, snapshot, watched};
    use crate::types::loss::{Backlog, Loss};
    use crate::types::snapshot::Snapshot;

    /// The lines of a report after these samples, without the columns of memory and owner.
    fn table(samples: impl IntoIterator<Item = Snapshot>) -> Vec<String> {
        let mut history = History::default();
        let readings = samples.into_iter().map(|sample| history.read(sample));
        let reading = readings.last().expect("a sample");
        let indices: Vec<_> = (0..reading.rows.len()).collect();
        let report = Report {
            host: &host(),
            source: "kernel",
            reading: &reading,
            indices: &indices,
        };
        let mut out = Vec::new();
        write_table(&report, None, |_, text| text.to_owned(), &mut out).expect("room");
        let text = String::from_utf8(out).expect("UTF-8");
        let shown = |line: &str| {
            let words: Vec<_> = line.split_whitespace().collect();
            words[..words.len() - 2].join(" ")
        };
        text.lines().map(shown).collect()
    }

    /// A `perf_event_array` with a full buffer that had dropped records before it was first seen.
    fn events() -> MapBuilder {
        map("events")
            .named_type("perf_event_array")
            .used(2, 2)
            .read_up_to(64)
            .loss(Loss {
                drops: Some(0),
                drops_before: Some(12_290),
                backlog: Some(Backlog {
                    bytes: 4000,
                    room: 8192,
                    fullest: 0.999,
                }),
                ..Loss::default()
            })
    }

    const COLUMNS: &str = "MARK ID NAME TYPE KIND USED CAPACITY PRES% GRWTH/S FULL_IN";

    #[test]
    fn losses_that_the_kernel_counts_have_a_column_without_tracers() {
        let lines = table([snapshot(1, [events()])]);
        assert_eq!(lines[0], format!("{COLUMNS} LOSS/S"));
        assert!(lines[1].ends_with(" - - - before:12290"), "{}", lines[1]);
        let lines = table((1..=9).map(|second| snapshot(second, [events()])));
        assert!(
            lines[1].ends_with(" - - - 0.0,before:12290,stalled:8s"),
            "{}",
            lines[1]
        );
    }

    #[test]
    fn a_stalled_reader_leaves_a_sign_without_tracers() {
        let buffer = || {
            map("rb")
                .named_type("ringbuf")
                .used(4092, 4096)
                .read_up_to(8)
        };
        let lines = table((1..=9).map(|second| snapshot(second, [buffer()])));
        assert_eq!(lines[0], format!("{COLUMNS} LOSS/S"));
        assert!(lines[1].starts_with("warn "), "{}", lines[1]);
        assert!(lines[1].ends_with(" stalled:8s"), "{}", lines[1]);
    }

    #[test]
    fn marks_are_words_and_nothing_else_has_a_column_of_its_own() {
        let maps = [
            map("full").id(1).used(10, 10),
            map("unknown").id(2).uncounted(),
            map("calm").id(3).used(1, 10),
        ];
        let lines = table([snapshot(1, maps)]);
        assert_eq!(lines[0], COLUMNS);
        let marks: Vec<_> = lines[1..]
            .iter()
            .map(|line| line.split(' ').next())
            .collect();
        assert_eq!(marks, [Some("warn"), Some("?"), Some("-")]);
    }

    #[test]
    fn lifetimes_have_a_column_if_any_is_known() {
        let lru = |second: u32| {
            let lru = map("lru").named_type("lru_hash").used(7680, 8192);
            lru.evicted(768 * u64::from(second))
        };
        let lines = table((0..90).map(|second| watched(second, 0, [lru(second)])));
        assert_eq!(lines[0], format!("{COLUMNS} LOSS/S LIFETIME"));
        assert!(lines[1].ends_with(" evict:768.0 10s"), "{}", lines[1]);
    }
}
