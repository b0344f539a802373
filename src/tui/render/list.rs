//! A list in place of the table: a title, then lines of which one is selected and always in view.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::put;
use crate::text::width::truncate_to_width;
use crate::tui::state::App;

/// Draws as many of `count` lines as fit, the one at `at` among them; `line` says what one is.
pub fn draw(
    app: &App,
    title: &str,
    (at, count): (usize, usize),
    area: Rect,
    buffer: &mut Buffer,
    line: impl Fn(usize) -> (String, Style),
) {
    if area.height == 0 {
        return;
    }
    let page = usize::from(area.height.saturating_sub(1)).max(1);
    let has_title = area.height > 1;
    if has_title {
        put(
            buffer,
            (area.x, area.y),
            title,
            area.width,
            app.theme.strong,
        );
    }
    let first = (at + 1).saturating_sub(page);
    let shown = (first..count).take(page);
    for (y, n) in (area.y + u16::from(has_title)..).zip(shown) {
        let (text, style) = line(n);
        let text = truncate_to_width(&text, area.width.into(), app.glyphs.ellipsis);
        put(buffer, (area.x, y), &text, area.width, style);
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
