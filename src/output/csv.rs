//! A report as comma-separated values: one header line, then a line a map.
//!
//! The names are those of the JSON, after the `time` of the report. Lists are joined by `;`, what
//! is unknown is empty.

use std::io::{self, Write};

use csv::WriterBuilder;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Report;
use super::report::{MapShape, time};
use crate::model::row::Row;

/// The columns in order.
pub const HEADER: [&str; 35] = [
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
];

/// Writes the report, with the header if `has_header`.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(report: &Report, has_header: bool, out: &mut impl Write) -> io::Result<()> {
    let mut csv = WriterBuilder::new().has_headers(false).from_writer(out);
    if has_header {
        csv.write_record(HEADER)?;
    }
    let time = time(report);
    for row in report.rows() {
        csv.write_record(record(&time, row)?)?;
    }
    csv.flush()
}

/// A map's cells: its JSON, field by field, so that the two cannot disagree.
fn record(time: &str, row: &Row) -> io::Result<Vec<String>> {
    let shape = MapShape::from(row);
    let mut cells = vec![time.to_owned()];
    let Value::Object(fields) = shape.serialize(serde_json::value::Serializer)? else {
        unreachable!("a struct with named fields is an object");
    };
    for name in &HEADER[1..] {
        cells.push(fields.get(*name).map(cell).unwrap_or_default());
    }
    Ok(cells)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(cell).collect::<Vec<_>>().join(";"),
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
