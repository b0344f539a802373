//! Compares the README's tables of kernels with `mapstop doctor` on this one.
//!
//! The findings are also printed, one line for each type, from which `tests/guests/table` makes the
//! tables.

use std::collections::BTreeMap;

use rustix::system::uname;
use serde_json::Value;

use crate::is_guest;
use crate::mapstop::Mapstop;

const README: &str = include_str!("../../README.md");

/// How each type is counted here, and whether its losses can be observed.
fn found(report: &Value) -> BTreeMap<String, (String, &'static str)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let losses = report["losses"]["types"].as_array().expect("types");
    let seen = |name: &str| {
        let check = losses.iter().find(|check| check["type"] == name);
        match check {
            None => "-",
            Some(check) => {
                let kinds = ["failed_updates", "evictions", "drops"];
                let is_seen = kinds.iter().any(|kind| check[kind] == true);
                match (is_seen, check["note"].is_null()) {
                    (true, true) => "yes",
                    (true, false) => "part",
                    (false, _) => "no",
                }
            }
        }
    };
    let types = report["types"].as_array().expect("types");
    types
        .iter()
        .map(|check| {
            let name = text(&check["type"]);
            let note = text(&check["note"]);
            let counted = match check["counted"].as_bool() {
                Some(true) => text(&check["count_method"]),
                Some(false) if note.starts_with("always full") => "fixed".to_owned(),
                Some(false) => "no".to_owned(),
                None => "-".to_owned(),
            };
            let losses = match &*counted {
                "-" => "-",
                _ => seen(&name),
            };
            (name, (counted, losses))
        })
        .collect()
}

/// The cells of one of the README's tables in the column of this series: each type with its text.
fn readme_column(table: &str, series: &str) -> Option<BTreeMap<String, String>> {
    let begin = format!("<!-- {table} -->\n");
    let (_, rest) = README.split_once(&begin)?;
    let (table, _) = rest.split_once("<!-- end -->").expect("its end");
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim_matches('|');
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = table.lines();
    let head = cells(lines.next()?);
    let column = head.iter().position(|cell| cell == series)?;
    let rows = lines.skip(1).map(cells);
    let of_row = |row: Vec<String>| {
        let cell = row[column].clone();
        let names: Vec<_> = row[0].split(", ").map(str::to_owned).collect();
        names.into_iter().map(move |name| (name, cell.clone()))
    };
    Some(rows.flat_map(of_row).collect())
}

#[test]
fn the_readme_matches_this_kernel() {
    if !is_guest() {
        return;
    }
    let output = Mapstop::run(&["doctor", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    let release = uname().release().to_string_lossy().into_owned();
    let series = release.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    let found = found(&report);
    for (name, (counted, losses)) in &found {
        println!("cell: {series} {name} {counted} {losses}");
    }
    let (Some(counts), Some(losses)) = (
        readme_column("counts", &series),
        readme_column("losses", &series),
    ) else {
        println!("the README has no column for {series}");
        return;
    };
    for (name, (counted, seen)) in &found {
        assert_eq!(counts.get(name), Some(counted), "{name} on {series}");
        let documented = losses.get(name).map_or("-", String::as_str);
        assert_eq!(documented, *seen, "losses of {name} on {series}");
    }
}
