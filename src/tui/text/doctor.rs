//! The page about what can be shown: of this machine what an examination found, of a recording or a
//! fleet what the numbers themselves say.

use super::detail::clock;
use crate::doctor::text::{TextLine, TextPage, lines as lines_of_checkup};
use crate::text::count_note::count_note;
use crate::tui::state::App;
use crate::types::count::CountMethod;
use crate::types::loss_tracing::LossTracing;
use crate::types::reading::Reading;

/// The lines of the page on a screen of some width.
#[must_use]
pub fn lines(app: &App, width: usize) -> Vec<TextLine> {
    if !app.is_of_this_machine() {
        return of_others(app, width);
    }
    if let Some(checkup) = &app.checkup {
        return lines_of_checkup(checkup, width);
    }
    let mut page = TextPage::new(width);
    page.title("Examining this machine ...");
    page.fact(
        "",
        "One map of each type is made and read, and each tracer attached for a moment.",
    );
    page.lines()
}

/// What a recording or a server tells, which is not about this machine.
fn of_others(app: &App, width: usize) -> Vec<TextLine> {
    let mut page = TextPage::new(width);
    if app.player.is_some() {
        page.title(&format!(
            "A recording of {}, Linux {}",
            app.host.name, app.host.kernel
        ));
    } else {
        page.title("Maps of other machines, as their exporters told of them");
    }
    page.fact(
        "",
        "What stands here is what it says itself. What this machine can show is said by:",
    );
    page.command("mapstop doctor");
    let Some(reading) = &app.reading else {
        return page.lines();
    };
    page.title("How its maps are counted");
    counts(&mut page, reading);
    page.title("What else it tells");
    let losses = match &reading.watching {
        LossTracing::Off => "nobody watched".to_owned(),
        LossTracing::Starting => "tracers were being attached".to_owned(),
        LossTracing::Refused(why) => format!("could not be watched: {why}"),
        LossTracing::On {
            note: Some(note), ..
        } => format!("watched: {note}"),
        LossTracing::On { note: None, .. } => "watched".to_owned(),
    };
    if app.player.is_some() {
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
    let at = clock(app, reading.moment.wall);
    page.fact("as of", &at);
    page.lines()
}

/// By which methods the maps are counted, and what is said of those that are not.
fn counts(page: &mut TextPage, reading: &Reading) {
    let mut groups: Vec<(CountMethod, Vec<String>, usize)> = Vec::new();
    let mut unknown: Vec<(String, usize)> = Vec::new();
    for row in &reading.rows {
        if row.is_level_unknown() {
            let note = count_note(&row.facts.count).unwrap_or("no reason is known".into());
            let why = format!("{}: {note}", row.facts.map_type);
            match unknown.iter_mut().find(|(of, _)| *of == why) {
                Some((_, count)) => *count += 1,
                None => unknown.push((why, 1)),
            }
            continue;
        }
        if row.facts.used.is_none() || row.facts.exported.is_some() {
            continue;
        }
        let name = row.facts.map_type.to_string();
        let method = row.facts.count.method;
        match groups.iter_mut().find(|(of, ..)| *of == method) {
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
    for (at, (why, count)) in unknown.into_iter().enumerate() {
        let name = if at == 0 { "unknown" } else { "" };
        page.fact(name, &format!("{}: {why}", maps(count)));
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
