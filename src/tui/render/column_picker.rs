//! The list of columns to show, under the first rows of the table that shows what they do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{put, table};
use crate::text::width::truncate_to_width;
use crate::tui::state::{App, ColumnPicker};

/// The part of the rows that stays to be seen.
const SEEN: u16 = 4;

pub fn draw(app: &App, chooser: &ColumnPicker, area: Rect, buffer: &mut Buffer) {
    let seen = Rect {
        height: area.height / SEEN,
        ..area
    };
    table::draw_rows(app, seen, buffer);
    let has_title = area.height - seen.height > 2;
    let first_line = seen.bottom() + u16::from(has_title);
    if has_title {
        let text = " Columns, left to right, as far as there is room";
        put(
            buffer,
            (area.x, seen.bottom()),
            text,
            area.width,
            app.theme.strong,
        );
    }
    let page = usize::from(area.bottom() - first_line).max(1);
    let first = (chooser.at + 1).saturating_sub(page);
    let lines = chooser.list.iter().enumerate().skip(first);
    for (y, (n, (id, is_shown))) in (first_line..area.bottom()).zip(lines) {
        let field = id.field();
        let sign = if *is_shown { "[x]" } else { "[ ]" };
        let text = format!(" {sign} {:<10} {}", field.name, field.help);
        let text = truncate_to_width(&text, area.width.into(), app.glyphs.ellipsis);
        put(buffer, (area.x, y), &text, area.width, app.theme.mark(None));
        if n == chooser.at {
            let line = Rect {
                y,
                height: 1,
                ..area
            };
            buffer.set_style(line, app.theme.selected);
        }
    }
}
