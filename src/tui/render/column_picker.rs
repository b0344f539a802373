//! The list of columns to show, under the first rows of the table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::put;
use crate::text::width::truncate_to_width;
use crate::tui::state::{App, ColumnPicker};

/// The table keeps the height divided by this.
const TABLE_DIVISOR: u16 = 4;

pub(crate) fn draw(app: &App, picker: &ColumnPicker, area: Rect, buffer: &mut Buffer) {
    let table = Rect {
        height: area.height / TABLE_DIVISOR,
        ..area
    };
    super::table::draw_rows(app, table, buffer);
    let has_title = area.height - table.height > 2;
    let first_line = table.bottom() + u16::from(has_title);
    if has_title {
        let text = " Columns from left to right; those that do not fit are hidden";
        put(
            buffer,
            (area.x, table.bottom()),
            text,
            area.width,
            app.display.theme.strong,
        );
    }
    let page = usize::from(area.bottom() - first_line).max(1);
    let first = (picker.selected + 1).saturating_sub(page);
    let lines = picker.columns.iter().enumerate().skip(first);
    let list = Rect {
        y: first_line,
        height: area.bottom() - first_line,
        ..area
    };
    for (line, (n, (id, is_shown))) in list.rows().zip(lines) {
        let field = id.field();
        let sign = if *is_shown { "[x]" } else { "[ ]" };
        let text = format!(" {sign} {:<10} {}", field.name, field.help);
        let text = truncate_to_width(&text, area.width.into(), app.display.glyphs.ellipsis);
        put(
            buffer,
            (line.x, line.y),
            &text,
            area.width,
            app.display.theme.mark(None),
        );
        if n == picker.selected {
            buffer.set_style(line, app.display.theme.selected);
        }
    }
}
