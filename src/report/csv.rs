//! A report as comma-separated values: one header line, then a line a map.
//!
//! The names are those of the JSON, after the `time` of the report. Lists are joined by `;`, what
//! is unknown is empty. What a map lost is spread over columns of its own behind the others: `loss`
//! itself says whether it is watched.

use std::io::{self, Write};

use csv::WriterBuilder;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Report;
use super::schema::{MapShape, time};
use crate::types::row::Row;

/// The columns in order.
pub const HEADER: [&str; 42] = [
    "time",
    "node",
    "id",
    "name",
    "type",
    "kind",
    "key_bytes",
    "value_bytes",
    "max_entries",
    "flags",
    "frozen",
    "refs",
    "user_refs",
    "used",
    "capacity",
    "unit",
    "pressure",
    "count_method",
    "count_note",
    "growth_per_s",
    "full_in_s",
    "mark",
    "memory_bytes",
    "memory_exact",
    "loss",
    "holders",
    "programs",
    "pins",
    "cgroup",
    "owner",
    "outer",
    "orphan",
    "service",
    "container",
    "pod",
    "loss_reason",
    "failed_updates",
    "by_errno",
    "evictions",
    "drops",
    "culprit",
    "stalled_s",
];

/// Writes the report, with the header if `has_header`.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(report: &Report, has_header: bool, out: &mut impl Write) -> io::Result<()> {
    let mut csv = WriterBuilder::new().has_headers(false).from_writer(out);
    if has_header {
        csv.write_record(HEADER).map_err(io_error)?;
    }
    let time = time(report);
    for row in report.rows() {
        let record = record(&time, row)?;
        csv.write_record(record).map_err(io_error)?;
    }
    csv.flush()
}

/// What went wrong below. Left to the crate, a pipe that closed would be an error like any other.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// A map's cells: its JSON, field by field, so that the two cannot disagree.
fn record(time: &str, row: &Row) -> io::Result<Vec<String>> {
    let shape = MapShape::from(row);
    let mut cells = vec![time.to_owned()];
    let Value::Object(fields) = shape.serialize(serde_json::value::Serializer)? else {
        unreachable!("a struct with named fields is an object");
    };
    let loss = fields.get("loss").and_then(Value::as_object);
    let of_loss = |name| loss.and_then(|loss| loss.get(name));
    for name in &HEADER[1..] {
        let value = match *name {
            "loss" => of_loss("watched"),
            "loss_reason" => of_loss("reason"),
            name => fields.get(name).or_else(|| of_loss(name)),
        };
        cells.push(match (*name, value) {
            (_, None) => String::new(),
            ("loss", Some(Value::Bool(true))) => "watched".to_owned(),
            ("loss", Some(_)) => "unwatched".to_owned(),
            ("by_errno", Some(Value::Object(counts))) => by_errno(counts),
            (_, Some(value)) => cell(value),
        });
    }
    Ok(cells)
}

/// `E2BIG=29;ENOMEM=2`.
fn by_errno(counts: &Map<String, Value>) -> String {
    let counts = counts.iter().map(|(name, count)| format!("{name}={count}"));
    counts.collect::<Vec<_>>().join(";")
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(cell).collect::<Vec<_>>().join(";"),
        // The only program that it could be.
        Value::Object(fields) if fields.contains_key("program") => cell(&fields["program"]),
        Value::Object(fields) => name_and_id(fields).unwrap_or_else(|| value.to_string()),
        other => other.to_string(),
    }
}

/// A process or a program in one word: `flowd(2214)`.
fn name_and_id(fields: &Map<String, Value>) -> Option<String> {
    let name = fields
        .get("comm")
        .or_else(|| fields.get("name"))?
        .as_str()?;
    let id = fields.get("pid").or_else(|| fields.get("id"))?;
    Some(format!("{name}({id})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{map, reading};
    use crate::types::errno::Errno;
    use crate::types::loss::{Loss, LossCause};

    /// A pipe that nobody reads.
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
    fn a_pipe_that_closed_is_known_as_one_however_much_there_is_to_write() {
        for count in [1, 200] {
            let reading = reading((0..count).map(|id| map("conns").id(id)));
            let places: Vec<_> = (0..reading.rows.len()).collect();
            let report = Report {
                host: &crate::test_util::host(),
                source: "kernel",
                reading: &reading,
                places: &places,
            };
            let error = write(&report, true, &mut Closed).expect_err("nobody reads");
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{count} maps");
        }
    }

    /// The cells about losses, with their names.
    fn losses(row: &Row) -> Vec<String> {
        let record = record("now", row).expect("cells");
        assert_eq!(record.len(), HEADER.len());
        let cells = HEADER.iter().zip(record);
        cells
            .skip_while(|(name, _)| **name != "loss")
            .filter(|(name, cell)| !cell.is_empty() && (**name == "loss" || is_of_loss(name)))
            .map(|(name, cell)| format!("{name}: {cell}"))
            .collect()
    }

    fn is_of_loss(name: &str) -> bool {
        HEADER[35..].contains(&name)
    }

    #[test]
    fn what_a_map_lost_has_columns_of_its_own() {
        let loss = Loss {
            is_watched: true,
            reason: Some("programs are not seen".into()),
            failed: Some([(Errno::E2BIG, 29), (Errno::ENOMEM, 2)].into()),
            evictions: Some(5),
            drops: None,
            culprit: Some(LossCause::Process {
                pid: 2214,
                comm: "flowd".into(),
            }),
            ..Loss::default()
        };
        let by_program = Loss {
            drops: Some(3),
            culprit: Some(LossCause::Program),
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
        assert_eq!(losses(&rows[1]), ["loss: unwatched", "drops: 3"]);
        assert_eq!(losses(&rows[2]), [""; 0]);
    }
}
