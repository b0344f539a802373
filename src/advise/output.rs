//! Prints advice as text or JSON.

use std::io::{self, Write};

use compact_str::CompactString;
use serde::Serialize;

use super::AdviceReport;
use super::rules::{Advice, format_time};
use crate::report::envelope::Envelope;
use crate::text::plural::count_noun;
use crate::types::host::Host;
use crate::types::reading::Reading;

/// The version of the JSON shape.
const VERSION: u32 = 1;
/// Ids that are listed in text; the rest is counted.
const MAX_IDS: usize = 8;

/// Writes text: a line about the measurement, then a paragraph for each piece of advice.
///
/// # Errors
///
/// When it cannot be written.
pub(crate) fn write_text(report: &AdviceReport, out: &mut impl Write) -> io::Result<()> {
    let AdviceReport { samples, maps, .. } = report;
    let time = format_time(report.time);
    writeln!(
        out,
        "measured {} for {time}, {}",
        count_noun(*maps as u64, "map", "maps"),
        count_noun(*samples as u64, "sample", "samples")
    )?;
    if report.maps_with_unknown_holders > 0 {
        let unknown = report.maps_with_unknown_holders;
        writeln!(out, "holders are unknown for {unknown} of them")?;
    }
    for advice in &report.advice {
        writeln!(out)?;
        let owner = advice
            .owner
            .as_deref()
            .map_or(String::new(), |owner| format!("  {owner}"));
        let name = if advice.name.is_empty() {
            "-"
        } else {
            &advice.name
        };
        writeln!(
            out,
            "{}  {} {name}{owner}",
            advice.topic,
            format_ids(advice)
        )?;
        writeln!(out, "  measured  {}", advice.measured)?;
        writeln!(out, "  change    {}", advice.change)?;
    }
    if report.advice.is_empty() {
        writeln!(out, "nothing to change")?;
    }
    Ok(())
}

fn format_ids(advice: &Advice) -> String {
    let ids: Vec<_> = advice
        .maps
        .iter()
        .take(MAX_IDS)
        .map(|id| id.0.to_string())
        .collect();
    let more = advice.maps.len().saturating_sub(MAX_IDS);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    ids.join(",") + &more
}

#[derive(Serialize)]
struct AdviceReportJson<'a> {
    /// Of the last sample.
    #[serde(flatten)]
    envelope: Envelope<'a>,
    measured_s: f64,
    samples: usize,
    maps: usize,
    owners_unknown: usize,
    advice: Vec<AdviceJson<'a>>,
}

#[derive(Serialize)]
struct AdviceJson<'a> {
    topic: &'static str,
    ids: Vec<u32>,
    name: &'a str,
    owner: Option<&'a CompactString>,
    measured: &'a str,
    change: &'a str,
    frees_bytes: Option<u64>,
}

/// Writes JSON: one object on a line.
///
/// # Errors
///
/// When it cannot be written.
pub fn write_json(
    report: &AdviceReport,
    last: &Reading,
    host: &Host,
    source: &'static str,
    out: &mut impl Write,
) -> io::Result<()> {
    let shape = AdviceReportJson {
        envelope: Envelope::new(VERSION, last, host, source),
        measured_s: report.time.as_secs_f64(),
        samples: report.samples,
        maps: report.maps,
        owners_unknown: report.maps_with_unknown_holders,
        advice: report.advice.iter().map(AdviceJson::from).collect(),
    };
    serde_json::to_writer(&mut *out, &shape)?;
    out.write_all(b"\n")
}

impl<'a> From<&'a Advice> for AdviceJson<'a> {
    fn from(advice: &'a Advice) -> Self {
        Self {
            topic: advice.topic,
            ids: advice.maps.iter().map(|id| id.0).collect(),
            name: &advice.name,
            owner: advice.owner.as_ref(),
            measured: &advice.measured,
            change: &advice.change,
            frees_bytes: advice.frees,
        }
    }
}
