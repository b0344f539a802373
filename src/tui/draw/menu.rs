//! The list of columns to sort by, in place of the table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::put;
use crate::model::text::fit;
use crate::query::columns::ColumnId;
use crate::tui::app::App;

pub fn draw(app: &App, at: usize, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let page = usize::from(area.height.saturating_sub(1)).max(1);
    let has_title = area.height > 1;
    if has_title {
        let style = app.theme.strong;
        put(buffer, (area.x, area.y), " Sort by", area.width, style);
    }
    let first = (at + 1).saturating_sub(page);
    let arrow = app.glyphs.sorted[usize::from(!app.sort.is_descending())];
    let lines = ColumnId::all().enumerate().skip(first).take(page);
    for (y, (n, id)) in (area.y + u16::from(has_title)..).zip(lines) {
        let column = id.column();
        let sign = if id == app.sort.column { arrow } else { ' ' };
        let text = format!(" {sign} {:<10} {}", column.name, column.help);
        let text = fit(&text, area.width.into(), app.glyphs.ellipsis);
        put(buffer, (area.x, y), &text, area.width, app.theme.mark(None));
        if n == at {
            let line = Rect {
                y,
                height: 1,
                ..area
            };
            buffer.set_style(line, app.theme.selected);
        }
    }
}
