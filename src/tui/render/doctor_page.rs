//! The page about what can be shown here, over the whole screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{margin, put, put_line};
use crate::text::width::truncate_to_width;
use crate::tui::layout;
use crate::tui::state::{App, System};

pub fn draw_title(app: &App, line: Rect, buffer: &mut Buffer) {
    let title = match (app.is_of_this_machine(), &app.player) {
        (true, _) => "mapstop: what this system can show",
        (false, Some(_)) => "mapstop: what this recording says of its system",
        (false, None) => "mapstop: what is known of these systems",
    };
    put_line(app, line, title, app.theme.strong, buffer);
}

pub fn draw(app: &App, view: &System, area: Rect, buffer: &mut Buffer) {
    let indent = margin(area.width);
    let room = area.width.saturating_sub(indent);
    let lines = layout::system_lines(app);
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(view.top)) {
        let style = if line.is_title {
            app.theme.strong
        } else {
            Style::new()
        };
        let text = truncate_to_width(&line.text, room.into(), app.glyphs.ellipsis);
        put(buffer, (area.x + indent, y), &text, room, style);
    }
}
