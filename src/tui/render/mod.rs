//! Draws the state of the live view. Reads only: no sorting, no clock, no lock, no I/O.

pub(crate) mod column_picker;
pub(crate) mod detail;
pub(crate) mod doctor_page;
pub(crate) mod exact_count;
pub(crate) mod help;
pub(crate) mod hints;
pub(crate) mod list;
pub(crate) mod owner_list;
pub(crate) mod preview;
pub(crate) mod prompt;
pub(crate) mod sort_menu;
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

/// A single line shorter than this has room for one thing: the worst mark.
const MIN_WIDTH: u16 = 8;

/// Draws everything; gives where the cursor stands, if it is to be seen.
pub fn draw(app: &App, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    if area.is_empty() {
        return None;
    }
    let shown = match &app.mode {
        Screen::Prompt(prompt) => &prompt.under,
        Screen::Count(counting) => &counting.under,
        mode => mode,
    };
    match shown {
        Screen::System(system) => framed(app, area, buffer, Frame::System(system)),
        Screen::Help(help) => framed(app, area, buffer, Frame::Help(help)),
        Screen::Detail(detail) => framed(app, area, buffer, Frame::Detail(detail)),
        Screen::Table
        | Screen::Prompt(_)
        | Screen::Menu(_)
        | Screen::Groups(_)
        | Screen::Columns(_)
        | Screen::Count(_) => draw_table(app, area, buffer),
    }
}

/// The screen as text, without what is under the table: what `Q` leaves behind.
#[must_use]
pub fn text(app: &App) -> String {
    let (width, height) = app.size();
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    draw(app, area, &mut buffer);
    let kept = match &app.mode {
        Screen::Table => usize::from(height - layout::lines(app).bottom),
        _ => usize::from(height.saturating_sub(layout::bottom(app))),
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
        let worst = app.tally.worst();
        let sign = worst.sign().to_string();
        let style = app.theme.mark(Some(worst));
        put(buffer, (area.x, area.y), &sign, 1, style);
        return None;
    }
    let lines = layout::lines(app);
    let mut y = area.y;
    let mut line = |height: u16| {
        let line = Rect { y, height, ..area };
        y += height;
        line
    };
    if lines.has_title {
        title::draw(app, None, line(1), buffer);
    }
    if let Screen::Menu(list) = app.mode {
        let rest = area.height - u16::from(lines.has_title) - lines.bottom;
        sort_menu::draw(app, list.at, line(rest), buffer);
        return status::draw(app, line(lines.bottom), buffer);
    }
    if let Screen::Groups(list) = &app.mode {
        let rest = area.height - u16::from(lines.has_title) - lines.bottom;
        owner_list::draw(app, list, line(rest), buffer);
        return status::draw(app, line(lines.bottom), buffer);
    }
    if lines.has_header {
        table::draw_header(app, line(1), buffer);
    }
    let rows = line(u16::try_from(lines.rows).unwrap_or(u16::MAX));
    if let Screen::Columns(chooser) = &app.mode {
        column_picker::draw(app, chooser, rows, buffer);
    } else {
        table::draw_rows(app, rows, buffer);
    }
    if lines.preview > 0 {
        preview::draw(app, line(lines.preview), buffer);
    }
    status::draw(app, line(lines.bottom), buffer)
}

/// What fills the screen between a title and the keys.
#[derive(Clone, Copy)]
enum Frame<'a> {
    Help(&'a super::state::Help),
    Detail(&'a super::state::Detail),
    System(&'a super::state::System),
}

fn framed(app: &App, area: Rect, buffer: &mut Buffer, frame: Frame) -> Option<Position> {
    let (page, has_frame) = layout::page(app);
    let page = u16::try_from(page).unwrap_or(u16::MAX).min(area.height);
    let top = u16::from(has_frame);
    let inside = Rect {
        y: area.y + top,
        height: page,
        ..area
    };
    if has_frame {
        let line = Rect { height: 1, ..area };
        match frame {
            Frame::Help(help) => help::draw_title(app, help, line, buffer),
            Frame::System(_) => doctor_page::draw_title(app, line, buffer),
            Frame::Detail(detail) => {
                title::draw(app, Some(detail::heading(detail)), line, buffer);
            }
        }
    }
    match frame {
        Frame::Help(help) => help::draw(app, help, inside, buffer),
        Frame::System(view) => doctor_page::draw(app, view, inside, buffer),
        Frame::Detail(detail) => detail::draw(app, detail, inside, buffer),
    }
    let bottom = Rect {
        y: inside.bottom(),
        height: area.height - top - page,
        ..area
    };
    status::draw(app, bottom, buffer)
}

/// The margin at the left and right of a line.
fn margin(width: u16) -> u16 {
    u16::from(width >= layout::WIDE_ENOUGH)
}

/// Writes a text into at most `cells` cells from `x` on, and gives the cell behind it.
fn put(buffer: &mut Buffer, (x, y): (u16, u16), text: &str, cells: u16, style: Style) -> u16 {
    if x >= buffer.area.right() {
        return x;
    }
    buffer.set_stringn(x, y, text, cells.into(), style).0
}

/// Writes a text behind the margin of a line, cut where the line ends.
fn put_line(app: &App, line: Rect, text: &str, style: Style, buffer: &mut Buffer) {
    let indent = margin(line.width);
    let cells = line.width.saturating_sub(indent);
    let text = truncate_to_width(text, cells.into(), app.glyphs.ellipsis);
    put(buffer, (line.x + indent, line.y), &text, cells, style);
}

/// Writes a text in the middle of a line.
fn put_centred(buffer: &mut Buffer, line: Rect, text: &str, style: Style) {
    let text = truncate_to_width(text, line.width.into(), "");
    let indent = (usize::from(line.width) - width(&text)) / 2;
    let x = line.x + to_u16(indent);
    put(buffer, (x, line.y), &text, line.width, style);
}

/// A number of cells as coordinates have it.
fn to_u16(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
