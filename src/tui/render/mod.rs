//! Draws the state of the live view. No I/O, no clock, no sorting.

pub(crate) mod column_picker;
pub(crate) mod detail;
pub(crate) mod dialog;
pub(crate) mod doctor_page;
pub(crate) mod help;
pub(crate) mod hints;
pub(crate) mod list;
pub(crate) mod preview;
pub(crate) mod status;
pub(crate) mod table;
pub(crate) mod timeline;
pub(crate) mod title;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::layout;
use super::state::{App, Screen};
use crate::text::width::{truncate_to_width, width};

/// A single line that is shorter than this shows the most urgent mark only.
const MIN_WIDTH: u16 = 8;

/// What only drawing can find out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RenderInfo {
    /// Where the cursor is, if it is visible.
    pub cursor: Option<Position>,
    /// How far the page can be scrolled down, if a page is shown.
    pub max_top: Option<usize>,
}

/// Draws the whole screen.
pub fn draw(app: &App, area: Rect, buffer: &mut Buffer) -> RenderInfo {
    if area.is_empty() {
        return RenderInfo::default();
    }
    match app.body() {
        Screen::Doctor(_) | Screen::Help(_) | Screen::Detail(_) => draw_page(app, area, buffer),
        Screen::Table
        | Screen::Prompt(_)
        | Screen::SortMenu(_)
        | Screen::OwnerList(_)
        | Screen::ColumnPicker(_)
        | Screen::ExactCount(_) => RenderInfo {
            cursor: draw_table(app, area, buffer),
            max_top: None,
        },
    }
}

/// The screen as text, without the lines under the table: what `Q` prints.
#[must_use]
pub fn text(app: &App) -> String {
    let (width, height) = app.size();
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    draw(app, area, &mut buffer);
    let viewport = app.viewport();
    let kept = match app.screen() {
        Screen::Table => usize::from(height - layout::lines(viewport).bottom),
        _ => usize::from(height.saturating_sub(layout::bottom(viewport))),
    };
    let mut lines: Vec<String> = buffer
        .content
        .chunks(usize::from(width).max(1))
        .take(kept)
        .map(|line| {
            let cells = line.iter().map(ratatui::buffer::Cell::symbol);
            cells.collect::<String>().trim_end().to_owned()
        })
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n") + "\n"
}

fn draw_table(app: &App, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    if area.height == 1 && area.width < MIN_WIDTH {
        let worst = app.data.summary.worst();
        let sign = worst.sign().to_string();
        let style = app.display.theme.mark(Some(worst));
        put(buffer, (area.x, area.y), &sign, 1, style);
        return None;
    }
    let lines = layout::lines(app.viewport());
    let mut y = area.y;
    let mut next = |height: u16| {
        let part = Rect { y, height, ..area };
        y += height;
        part
    };
    if lines.has_title {
        title::draw(app, None, next(1), buffer);
    }
    let list_height = area.height - u16::from(lines.has_title) - lines.bottom;
    match app.screen() {
        Screen::SortMenu(menu) => list::draw_sort_menu(app, *menu, next(list_height), buffer),
        Screen::OwnerList(owners) => list::draw_owners(app, owners, next(list_height), buffer),
        screen => {
            if lines.has_header {
                table::draw_header(app, next(1), buffer);
            }
            let rows = next(u16::try_from(lines.rows).unwrap_or(u16::MAX));
            if let Screen::ColumnPicker(picker) = screen {
                column_picker::draw(app, picker, rows, buffer);
            } else {
                table::draw_rows(app, rows, buffer);
            }
            if lines.preview > 0 {
                preview::draw(app, next(lines.preview), buffer);
            }
        }
    }
    status::draw(app, next(lines.bottom), buffer)
}

/// A screen with a page between a title and the keys.
fn draw_page(app: &App, area: Rect, buffer: &mut Buffer) -> RenderInfo {
    let page = layout::page(app.viewport());
    let height = u16::try_from(page.height).unwrap_or(u16::MAX);
    let height = height.min(area.height);
    let top = u16::from(page.has_frame);
    let title = Rect {
        height: top,
        ..area
    };
    let inside = Rect {
        y: area.y + top,
        height,
        ..area
    };
    let line_count = match app.body() {
        Screen::Help(help) => {
            help::draw_title(app, help, title, buffer);
            help::draw(app, help, inside, buffer)
        }
        Screen::Doctor(page) => {
            doctor_page::draw_title(app, title, buffer);
            doctor_page::draw(app, page, inside, buffer)
        }
        Screen::Detail(detail) => {
            if page.has_frame {
                title::draw(app, Some(detail::heading(detail)), title, buffer);
            }
            detail::draw(app, detail, inside, buffer)
        }
        Screen::Table
        | Screen::Prompt(_)
        | Screen::SortMenu(_)
        | Screen::OwnerList(_)
        | Screen::ColumnPicker(_)
        | Screen::ExactCount(_) => 0,
    };
    let bottom = Rect {
        y: inside.bottom(),
        height: area.height - top - height,
        ..area
    };
    RenderInfo {
        cursor: status::draw(app, bottom, buffer),
        max_top: Some(line_count.saturating_sub(page.height)),
    }
}

/// The line `n` of an area.
fn line(area: Rect, n: u16) -> Rect {
    Rect {
        y: area.y + n,
        height: 1,
        ..area
    }
}

/// The margin at the left and right of a line.
fn margin(width: u16) -> u16 {
    u16::from(width >= layout::WIDE_ENOUGH)
}

/// Writes a text into at most `cells` cells, and returns the x of the cell behind it.
fn put(buffer: &mut Buffer, (x, y): (u16, u16), text: &str, cells: u16, style: Style) -> u16 {
    if x >= buffer.area.right() {
        return x;
    }
    buffer.set_stringn(x, y, text, cells.into(), style).0
}

/// Writes a text behind the margin of a line.
fn put_line(app: &App, line: Rect, text: &str, style: Style, buffer: &mut Buffer) {
    let indent = margin(line.width);
    let cells = line.width.saturating_sub(indent);
    let text = truncate_to_width(text, cells.into(), app.display.glyphs.ellipsis);
    put(buffer, (line.x + indent, line.y), &text, cells, style);
}

/// Writes a text in the middle of a line.
fn put_centred(buffer: &mut Buffer, line: Rect, text: &str, style: Style) {
    let text = truncate_to_width(text, line.width.into(), "");
    let indent = (usize::from(line.width) - width(&text)) / 2;
    let x = line.x + to_u16(indent);
    put(buffer, (x, line.y), &text, line.width, style);
}

fn to_u16(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
