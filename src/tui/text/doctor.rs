//! The doctor page: the report about this machine, or about a recording or a fleet.

use compact_str::CompactString;

use super::TextContext;
use crate::doctor::text::{TextLine, TextPage, lines as report_lines};
use crate::text::count_note::count_note;
use crate::text::plural::count_noun;
use crate::types::count::CountMethod;
use crate::types::doctor_report::DoctorReport;
use crate::types::loss_tracing::LossTracing;
use crate::types::reading::Reading;

/// The lines of the page; `report` is `None` while the machine is being examined.
pub(crate) fn doctor_lines(
    context: &TextContext,
    report: Option<&DoctorReport>,
    width: usize,
) -> Vec<TextLine> {
    if !context.is_this_machine() {
        return source_lines(context, width);
    }
    if let Some(report) = report {
        return report_lines(report, width);
    }
    let mut page = TextPage::new(width);
    page.push_title("Examining this machine ...");
    page.push_fact(
        "",
        "mapstop creates and reads one map of each type, and attaches each tracer briefly.",
    );
    page.lines()
}

/// The page of a recording or a fleet: a report would be about this machine instead.
fn source_lines(context: &TextContext, width: usize) -> Vec<TextLine> {
    let mut page = TextPage::new(width);
    if context.is_replay() {
        page.push_title(&format!(
            "A recording of {}, Linux {}",
            context.host.name, context.host.kernel
        ));
    } else {
        page.push_title("Maps of other machines, as reported by their exporters");
    }
    page.push_fact(
        "",
        "This page is about the data on the screen. To examine this machine, run:",
    );
    page.push_command("mapstop doctor");
    let Some(reading) = context.reading else {
        return page.lines();
    };
    page.push_title("How maps are counted");
    push_count_methods(&mut page, reading);
    let losses = match &reading.loss_tracing {
        LossTracing::Off => "not watched".to_owned(),
        LossTracing::Starting => "tracers were being attached".to_owned(),
        LossTracing::Refused(why) => format!("could not be watched: {why}"),
        LossTracing::On {
            note: Some(note), ..
        } => format!("watched: {note}"),
        LossTracing::On { note: None, .. } => "watched".to_owned(),
    };
    if context.is_replay() {
        page.push_title("Losses and owners");
        page.push_fact("losses", &losses);
        let owners = match &reading.owners {
            None => "not recorded".to_owned(),
            Some(owners) => owners.note.as_deref().unwrap_or("complete").to_owned(),
        };
        page.push_fact("owners", &owners);
    }
    let at = context.clock(reading.moment.wall);
    page.push_fact("as of", &at);
    page.lines()
}

/// How many maps are counted by each method, and why others are not counted.
fn push_count_methods(page: &mut TextPage, reading: &Reading) {
    let mut groups: Vec<(CountMethod, Vec<String>, usize)> = Vec::new();
    let mut unknown: Vec<(String, usize)> = Vec::new();
    for row in &reading.rows {
        if row.is_level_unknown() {
            let note = count_note(&row.facts.count).unwrap_or("reason unknown".into());
            let reason = format!("{}: {note}", row.facts.map_type);
            match unknown.iter_mut().find(|(other, _)| *other == reason) {
                Some((_, count)) => *count += 1,
                None => unknown.push((reason, 1)),
            }
            continue;
        }
        if row.facts.used.is_none() || row.facts.is_exported() {
            continue;
        }
        let name = row.facts.map_type.to_string();
        let method = row.facts.count.method;
        match groups.iter_mut().find(|(other, ..)| *other == method) {
            Some((_, types, count)) => {
                *count += 1;
                if !types.contains(&name) {
                    types.push(name);
                }
            }
            None => groups.push((method, vec![name], 1)),
        }
    }
    let is_empty = groups.is_empty() && unknown.is_empty();
    for (method, mut types, count) in groups {
        types.sort();
        page.push_fact(
            method.name(),
            &format!("{}: {}", format_map_count(count), types.join(", ")),
        );
    }
    for (index, (reason, count)) in unknown.into_iter().enumerate() {
        let name = if index == 0 { "unknown" } else { "" };
        page.push_fact(name, &format!("{}: {reason}", format_map_count(count)));
    }
    if is_empty {
        page.push_fact("", "unknown");
    }
}

fn format_map_count(count: usize) -> CompactString {
    count_noun(count as u64, "map", "maps")
}
