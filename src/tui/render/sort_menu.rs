//! The list of columns to sort by.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list;
use crate::tui::state::App;

pub fn draw(app: &App, at: usize, area: Rect, buffer: &mut Buffer) {
    let columns = app.columns_offered();
    let arrow = app.glyphs.sorted[usize::from(!app.sort.is_descending())];
    list::draw(app, " Sort by", (at, columns.len()), area, buffer, |n| {
        let (id, field) = (columns[n], columns[n].field());
        let sign = if id == app.sort.column { arrow } else { ' ' };
        let text = format!(" {sign} {:<10} {}", field.name, field.help);
        (text, app.theme.mark(None))
    });
}
