//! The lines under the table: the selected map, the filter or a message; where in a recording one
//! is; and the keys, or a prompt in place of all of them.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::{exact_count, hints, prompt, put_line, timeline};
use crate::tui::layout;
use crate::tui::state::{App, Screen};
use crate::tui::text::detail;

pub fn draw(app: &App, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    if area.height == 0 {
        return None;
    }
    if let Screen::Prompt(typed) = &app.mode {
        return prompt::draw(app, typed, area, buffer);
    }
    if let Screen::Count(counting) = &app.mode {
        exact_count::draw(app, counting, area, buffer);
        return None;
    }
    let line = |n: u16| Rect {
        y: area.y + n,
        height: 1,
        ..area
    };
    let last = area.height - 1;
    let message = app.message();
    if last == 0
        && let Some(message) = message
    {
        put_line(app, line(0), message, app.theme.strong, buffer);
        return None;
    }
    hints::draw(app, "", line(last), buffer);
    if last > 0 {
        let (text, style) = status(app);
        put_line(app, line(0), &text, style, buffer);
    }
    // One line is for both, and what is said goes before where one is.
    if let Some(player) = &app.player
        && last > 0
        && (last > 1 || message.is_none())
    {
        let line = line(last - 1);
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

/// One thing at a time: a message, else the filter, else the selected map if nothing else tells of
/// it, else the one that refuses most, else what is missing.
fn status(app: &App) -> (String, Style) {
    let plain = Style::new();
    if let Some(message) = app.message() {
        return (message.to_owned(), app.theme.strong);
    }
    if !matches!(app.mode, Screen::Table) {
        return (String::new(), plain);
    }
    if !app.filter.is_everything() {
        let text = format!(
            "filter: {}   {}   Esc clears",
            app.filter.text(),
            match_count(app)
        );
        return (text, plain);
    }
    let selected = app.selected_row();
    // The preview is about the selected map already.
    let told = selected.filter(|_| layout::lines(app).preview == 0);
    if let Some((row, alarm)) = detail::status_alarm(app, told) {
        return (alarm, app.theme.mark(row.mark));
    }
    let text = match selected {
        Some(row) => {
            let exact = detail::exact(app, row.key()).map(|text| format!("{text}  "));
            exact.unwrap_or_default() + &detail::in_one_line(row)
        }
        None if app.has_limit_line() => {
            let keys = if app.is_of_this_machine() {
                "Enter says why  C counts one  i system  Esc hides"
            } else {
                "Enter on a map marked ? says why.   Esc hides this"
            };
            let (unread, all) = (app.tally.unread, app.total());
            format!("? {unread} of {all} counts unknown: {keys}")
        }
        None => String::new(),
    };
    (text, plain)
}

/// How many maps match: `5 of 47 maps match`.
pub fn match_count(app: &App) -> String {
    format!("{} of {} maps match", app.matching(), app.total())
}
