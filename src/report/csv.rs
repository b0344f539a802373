//! A report as comma-separated values: a header line, then a line for each map.
//!
//! The columns are the fields of the JSON, after the `time` of the report. Lists are joined by `;`,
//! and unknown values are empty. The fields of `loss` are columns after the others; `loss` itself
//! is the state of loss tracing.

use std::borrow::Cow;
use std::io::{self, Write};

use compact_str::CompactString;
use csv::WriterBuilder;
use serde::Serialize;
use serde_json::Value;

use super::envelope::format_time;
use super::loss::{ByErrno, CulpritJson, LossJson, ProgramIdJson};
use super::schema::{HolderJson, MapJson, ProgramJson};
use super::{Report, ReportWriter};
use crate::types::count::CountMethod;
use crate::types::map_type::{Kind, Unit};
use crate::types::mark::{Mark, MarkReason};
use crate::types::row::Row;

/// Writes the header with the first report.
#[derive(Debug, Default)]
pub struct CsvWriter {
    has_header: bool,
}

impl ReportWriter for CsvWriter {
    fn write(&mut self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let mut csv = WriterBuilder::new().has_headers(false).from_writer(out);
        if !self.has_header {
            csv.write_record(header()).map_err(io_error)?;
            self.has_header = true;
        }
        let time = format_time(report.reading);
        for row in report.rows() {
            csv.write_record(record(&time, row)).map_err(io_error)?;
        }
        csv.flush()
    }
}

/// The I/O error inside an error of the csv crate, so that a closed pipe is recognized.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// Columns for the fields of a struct. A field that is neither a column nor left out explicitly is a
/// compile error.
macro_rules! columns {
    (
        $shape:ident: $names:ident, $cells:ident;
        $($field:ident = $name:literal),* $(,)?;
        without $($other:ident),*
    ) => {
        const $names: &[&str] = &[$($name),*];

        fn $cells(shape: &$shape) -> Vec<String> {
            let $shape { $($field,)* $($other: _),* } = shape;
            vec![$($field.cell()),*]
        }
    };
}

columns! {
    MapJson: MAP_COLUMNS, map_cells;
    node = "node",
    id = "id",
    name = "name",
    map_type = "type",
    kind = "kind",
    key_bytes = "key_bytes",
    value_bytes = "value_bytes",
    max_entries = "max_entries",
    flags = "flags",
    frozen = "frozen",
    refs = "refs",
    user_refs = "user_refs",
    used = "used",
    capacity = "capacity",
    unit = "unit",
    pressure = "pressure",
    count_method = "count_method",
    count_note = "count_note",
    growth_per_s = "growth_per_s",
    full_in_s = "full_in_s",
    mark = "mark",
    memory_bytes = "memory_bytes",
    memory_exact = "memory_exact",
    loss = "loss",
    holders = "holders",
    programs = "programs",
    pins = "pins",
    cgroup = "cgroup",
    owner = "owner",
    outer = "outer",
    orphan = "orphan",
    service = "service",
    container = "container",
    pod = "pod";
    without stalled_s, entry_lifetime_s, mark_reason
}

columns! {
    LossJson: LOSS_COLUMNS, loss_cells;
    reason = "loss_reason",
    failed_updates = "failed_updates",
    by_errno = "by_errno",
    evictions = "evictions",
    drops = "drops",
    culprit = "culprit";
    without watched, drops_before, attempts, backlog_bytes, fullest_buffer
}

/// Fields of a map that came after the first version: new columns come last.
const ADDED_COLUMNS: &[&str] = &[
    "stalled_s",
    "entry_lifetime_s",
    "mark_reason",
    "drops_before",
];

/// The names of the columns.
#[must_use]
pub fn header() -> Vec<&'static str> {
    [&["time"], MAP_COLUMNS, LOSS_COLUMNS, ADDED_COLUMNS].concat()
}

fn record(time: &str, row: &Row) -> Vec<String> {
    let shape = MapJson::from(row);
    let drops_before = shape.loss.as_ref().and_then(|loss| loss.drops_before);
    let loss = match &shape.loss {
        Some(loss) => loss_cells(loss),
        None => vec![String::new(); LOSS_COLUMNS.len()],
    };
    let mut cells = vec![time.to_owned()];
    cells.extend(map_cells(&shape));
    cells.extend(loss);
    cells.extend([
        shape.stalled_s.cell(),
        shape.entry_lifetime_s.cell(),
        shape.mark_reason.cell(),
        drops_before.cell(),
    ]);
    cells
}

/// A value that can be written as a CSV cell.
trait Cell {
    fn cell(&self) -> String;
}

/// Values that are written as in JSON, but without quotes.
macro_rules! cells_as_in_json {
    ($($value:ty),*) => {
        $(impl Cell for $value {
            fn cell(&self) -> String {
                as_in_json(self)
            }
        })*
    };
}

cells_as_in_json!(
    bool,
    u32,
    u64,
    f64,
    &str,
    String,
    CompactString,
    Kind,
    Unit,
    Mark,
    MarkReason,
    CountMethod
);

fn as_in_json(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        Ok(Value::Null) | Err(_) => String::new(),
        Ok(value) => value.to_string(),
    }
}

impl<T: Cell> Cell for Option<T> {
    fn cell(&self) -> String {
        self.as_ref().map(T::cell).unwrap_or_default()
    }
}

impl<T: Cell> Cell for Vec<T> {
    fn cell(&self) -> String {
        let cells: Vec<_> = self.iter().map(T::cell).collect();
        cells.join(";")
    }
}

impl Cell for Cow<'_, str> {
    fn cell(&self) -> String {
        as_in_json(self)
    }
}

impl Cell for HolderJson<'_> {
    fn cell(&self) -> String {
        format!("{}({})", self.comm, self.pid)
    }
}

impl Cell for ProgramJson<'_> {
    fn cell(&self) -> String {
        format!("{}({})", self.name, self.id)
    }
}

impl Cell for ProgramIdJson<'_> {
    fn cell(&self) -> String {
        format!("{}({})", self.name, self.id)
    }
}

impl Cell for LossJson<'_> {
    fn cell(&self) -> String {
        let state = if self.watched { "watched" } else { "unwatched" };
        state.to_owned()
    }
}

impl Cell for CulpritJson<'_> {
    fn cell(&self) -> String {
        match self {
            Self::Process { pid, comm } => format!("{comm}({pid})"),
            Self::Program { program } => program.cell(),
        }
    }
}

impl Cell for ByErrno<'_> {
    /// `E2BIG=29;ENOMEM=2`.
    fn cell(&self) -> String {
        let counts = self.counts().map(|(name, count)| format!("{name}={count}"));
        counts.collect::<Vec<_>>().join(";")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{map, reading};
    use crate::types::errno::Errno;
    use crate::types::loss::{Loss, LossCause};

    /// A pipe that was closed at its other end.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn closed_pipe_is_recognized_for_any_length() {
        for count in [1, 200] {
            let reading = reading((0..count).map(|id| map("conns").id(id)));
            let indices: Vec<_> = (0..reading.rows.len()).collect();
            let report = Report {
                host: &crate::test_util::host(),
                source: "kernel",
                reading: &reading,
                indices: &indices,
            };
            let error = CsvWriter::default()
                .write(&report, &mut Closed)
                .expect_err("nobody reads");
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{count} maps");
        }
    }

    /// The cells of the loss columns, with their names.
    fn losses(row: &Row) -> Vec<String> {
        let record = record("now", row);
        assert_eq!(record.len(), header().len());
        let cells = header().into_iter().zip(record);
        cells
            .skip_while(|(name, _)| *name != "loss")
            .filter(|(name, cell)| !cell.is_empty() && (*name == "loss" || is_about_losses(name)))
            .map(|(name, cell)| format!("{name}: {cell}"))
            .collect()
    }

    fn is_about_losses(name: &str) -> bool {
        LOSS_COLUMNS.contains(&name) || name == "stalled_s"
    }

    #[test]
    fn losses_have_columns() {
        let loss = Loss {
            is_traced: true,
            reason: Some("programs are not seen".into()),
            failed: Some([(Errno::E2BIG, 29), (Errno::ENOMEM, 2)].into()),
            evictions: Some(5),
            drops: None,
            cause: Some(LossCause::Process {
                pid: 2214,
                comm: "flowd".into(),
            }),
            ..Loss::default()
        };
        let by_program = Loss {
            drops: Some(3),
            cause: Some(LossCause::Program),
            ..Loss::default()
        };
        let rows = reading([
            map("a").id(1).loss(loss),
            map("b").id(2).loss(by_program),
            map("c").id(3),
        ])
        .rows;
        assert_eq!(
            losses(&rows[0]),
            [
                "loss: watched",
                "loss_reason: programs are not seen",
                "failed_updates: 31",
                "by_errno: E2BIG=29;ENOMEM=2",
                "evictions: 5",
                "culprit: flowd(2214)",
            ]
        );
        assert_eq!(losses(&rows[1]), ["loss: watched", "drops: 3"]);
        assert_eq!(losses(&rows[2]), [""; 0]);
    }
}
