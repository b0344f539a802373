//! The lines under the table: status, time line of a recording and keys, or a dialog.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::{dialog, hints, line, put_line, timeline};
use crate::text::plural::count_noun;
use crate::tui::layout;
use crate::tui::state::{App, Screen};
use crate::tui::text::{detail, level, losses};
use crate::types::row::Row;

pub(crate) fn draw(app: &App, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    if area.height == 0 {
        return None;
    }
    if let Screen::Prompt(prompt) = app.screen() {
        return dialog::draw_prompt(app, prompt, area, buffer);
    }
    if let Screen::ExactCount(count) = app.screen() {
        dialog::draw_count(app, count, area, buffer);
        return None;
    }
    let last = area.height - 1;
    let message = app.message();
    if last == 0
        && let Some(message) = message
    {
        put_line(
            app,
            line(area, 0),
            message,
            app.display.theme.strong,
            buffer,
        );
        return None;
    }
    hints::draw(app, "", line(area, last), buffer);
    if last > 0 {
        let (text, style) = status(app);
        put_line(app, line(area, 0), &text, style, buffer);
    }
    // With one line for both, a message replaces the time line.
    if let Some(player) = &app.session.player
        && last > 0
        && (last > 1 || message.is_none())
    {
        let line = line(area, last - 1);
        buffer.set_stringn(
            line.x,
            line.y,
            " ".repeat(line.width.into()),
            line.width.into(),
            Style::new(),
        );
        timeline::draw(app, player, line, buffer);
    }
    None
}

/// The first of these: the message, the filter, an alarm, the selected map, the maps that could not
/// be counted.
fn status(app: &App) -> (String, Style) {
    let plain = Style::new();
    if let Some(message) = app.message() {
        return (message.to_owned(), app.display.theme.strong);
    }
    if !matches!(app.screen(), Screen::Table) {
        return (String::new(), plain);
    }
    if !app.table.filter.is_everything() {
        let text = format!(
            "filter: {}   {}   Esc clears",
            app.table.filter.text(),
            describe_match_count(app)
        );
        return (text, plain);
    }
    let selected = app.selected_row();
    // A preview is about the selected map already.
    let has_preview = layout::lines(app.viewport()).preview > 0;
    if let Some((row, alarm)) = alarm(app, selected.filter(|_| !has_preview)) {
        return (alarm, app.display.theme.mark(row.mark));
    }
    let text = match selected {
        Some(row) => {
            let exact = detail::describe_exact_count(&app.text_context(), row.key())
                .map(|text| format!("{text}  "));
            exact.unwrap_or_default() + &level::summarize_map(row)
        }
        None if app.has_limit_line() => {
            let keys = if app.is_this_machine() {
                "Enter shows why  C counts one  i doctor  Esc hides"
            } else {
                "Enter on a map shows why  Esc hides"
            };
            let all = count_noun(app.total() as u64, "count", "counts");
            format!("? {} of {all} unknown: {keys}", app.data.summary.unread)
        }
        None => String::new(),
    };
    (text, plain)
}

/// What the selected map loses now, or without a selection the map that loses most.
fn alarm<'a>(app: &'a App, selected: Option<&'a Row>) -> Option<(&'a Row, String)> {
    let worst = || {
        // A map that loses updates or records is marked crit. This saves a search in each frame.
        if app.data.summary.crit == 0 {
            return None;
        }
        let losing = app.rows().filter(|row| row.is_losing());
        let per_s = |row: &Row| row.loss_per_s().unwrap_or(0.0);
        losing.reduce(|worst, row| {
            if per_s(row) > per_s(worst) {
                row
            } else {
                worst
            }
        })
    };
    let row = selected.or_else(worst)?;
    Some((row, losses::describe_alarm(row)?))
}

/// How many maps match: `5 of 47 maps match`.
pub(crate) fn describe_match_count(app: &App) -> String {
    let all = count_noun(app.total() as u64, "map matches", "maps match");
    format!("{} of {all}", app.matching())
}
