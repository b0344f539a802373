//! The doctor page: the report about this machine, or what a recording or a fleet says of itself.

use super::TextContext;
use crate::doctor::text::{TextLine, TextPage, lines as report_lines};
use crate::text::count_note::count_note;
use crate::types::count::CountMethod;
use crate::types::doctor_report::DoctorReport;
use crate::types::loss_tracing::LossTracing;
use crate::types::reading::Reading;

/// The lines of the page; `report` is `None` while the machine is being examined.
pub(crate) fn lines(
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
    page.title("Examining this machine ...");
    page.fact(
        "",
        "One map of each type is made and read, and each tracer attached for a moment.",
    );
    page.lines()
}

/// The page of a recording or a fleet: a report would be about this machine instead.
fn source_lines(context: &TextContext, width: usize) -> Vec<TextLine> {
    let mut page = TextPage::new(width);
    if context.is_replay() {
        page.title(&format!(
            "A recording of {}, Linux {}",
            context.host.name, context.host.kernel
        ));
    } else {
        page.title("Maps of other machines, as their exporters told of them");
    }
    page.fact(
        "",
        "What stands here is what it says itself. What this machine can show is said by:",
    );
    page.command("mapstop doctor");
    let Some(reading) = context.reading else {
        return page.lines();
    };
    page.title("How its maps are counted");
    count_methods(&mut page, reading);
    page.title("What else it tells");
    let losses = match &reading.loss_tracing {
        LossTracing::Off => "nobody watched".to_owned(),
        LossTracing::Starting => "tracers were being attached".to_owned(),
        LossTracing::Refused(why) => format!("could not be watched: {why}"),
        LossTracing::On {
            note: Some(note), ..
        } => format!("watched: {note}"),
        LossTracing::On { note: None, .. } => "watched".to_owned(),
    };
    if context.is_replay() {
        page.fact("losses", &losses);
        let owners = match &reading.owners {
            None => "nobody looked them up".to_owned(),
            Some(owners) => owners
                .note
                .as_deref()
                .unwrap_or("all that can be known")
                .to_owned(),
        };
        page.fact("owners", &owners);
    }
    let at = context.clock(reading.moment.wall);
    page.fact("as of", &at);
    page.lines()
}

/// How many maps are counted by each method, and why others are not counted.
fn count_methods(page: &mut TextPage, reading: &Reading) {
    let mut groups: Vec<(CountMethod, Vec<String>, usize)> = Vec::new();
    let mut unknown: Vec<(String, usize)> = Vec::new();
    for row in &reading.rows {
        if row.is_level_unknown() {
            let note = count_note(&row.facts.count).unwrap_or("no reason is known".into());
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
        page.fact(
            method.name(),
            &format!("{}: {}", maps(count), types.join(", ")),
        );
    }
    for (index, (reason, count)) in unknown.into_iter().enumerate() {
        let name = if index == 0 { "unknown" } else { "" };
        page.fact(name, &format!("{}: {reason}", maps(count)));
    }
    if is_empty {
        page.fact("", "that is not told");
    }
}

fn maps(count: usize) -> String {
    if count == 1 {
        "1 map".to_owned()
    } else {
        format!("{count} maps")
    }
}
