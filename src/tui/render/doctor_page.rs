//! The doctor page, over the whole screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{margin, put, put_line};
use crate::text::width::truncate_to_width;
use crate::tui::state::{App, DoctorPage};
use crate::tui::text::doctor;

pub(crate) fn draw_title(app: &App, line: Rect, buffer: &mut Buffer) {
    if line.is_empty() {
        return;
    }
    let title = match (app.is_this_machine(), &app.session.player) {
        (true, _) => "mapstop doctor: this machine",
        (false, Some(_)) => "mapstop doctor: this recording",
        (false, None) => "mapstop doctor: this fleet",
    };
    put_line(app, line, title, app.display.theme.strong, buffer);
}

/// Draws the visible lines; returns how many there are in all.
pub(crate) fn draw(app: &App, page: &DoctorPage, area: Rect, buffer: &mut Buffer) -> usize {
    let indent = margin(area.width);
    let room = area.width.saturating_sub(indent);
    let width = area.width.saturating_sub(2 * indent);
    let report = app.session.doctor_report.as_deref();
    let lines = doctor::doctor_lines(&app.text_context(), report, width.into());
    let top = page
        .scroll
        .top(lines.len().saturating_sub(area.height.into()));
    for (line, content) in area.rows().zip(lines.iter().skip(top)) {
        let style = if content.is_title {
            app.display.theme.strong
        } else {
            Style::new()
        };
        let text = truncate_to_width(&content.text, room.into(), app.display.glyphs.ellipsis);
        put(buffer, (line.x + indent, line.y), &text, room, style);
    }
    lines.len()
}
