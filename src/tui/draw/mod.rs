//! Draws the state of the live view. Reads only: no sorting, no clock, no lock, no I/O.

mod help;
mod menu;
mod status;
mod table;
mod title;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};

use super::app::{App, Mode};
use super::layout;
use crate::model::mark::Mark;
use crate::model::text::{fit, width};

/// A single line shorter than this has room for one thing: the worst mark.
const LEAST_WIDTH: u16 = 8;

/// Draws everything; gives where the cursor stands, if it is to be seen.
pub fn draw(app: &App, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    if let Mode::Help(top) = app.mode {
        help::draw(top, area, buffer);
        return None;
    }
    if area.height == 1 && area.width < LEAST_WIDTH {
        let worst = app.tally.worst();
        let sign = worst.sign().to_string();
        put(buffer, (area.x, area.y), &sign, 1, mark_style(Some(worst)));
        return None;
    }
    let lines = layout::lines(area.height, layout::bottom(app));
    let mut y = area.y;
    let mut line = |height: u16| {
        let line = Rect { y, height, ..area };
        y += height;
        line
    };
    if lines.has_title {
        title::draw(app, line(1), buffer);
    }
    if let Mode::Menu(at) = app.mode {
        let rest = area.height - u16::from(lines.has_title) - lines.bottom;
        menu::draw(app, at, line(rest), buffer);
    } else {
        if lines.has_header {
            table::draw_header(app, line(1), buffer);
        }
        let rows = u16::try_from(lines.rows).unwrap_or(u16::MAX);
        table::draw_rows(app, line(rows), buffer);
    }
    status::draw(app, line(lines.bottom), buffer)
}

/// The style of what a mark is about.
fn mark_style(mark: Option<Mark>) -> Style {
    match mark {
        Some(Mark::Crit) => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
        Some(Mark::Warn) => Style::new().fg(Color::Yellow),
        Some(Mark::None) | None => Style::new(),
    }
}

/// The style of what cannot fail.
fn muted() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

/// Writes a text into at most `cells` cells from `x` on, and gives the cell behind it.
fn put(buffer: &mut Buffer, (x, y): (u16, u16), text: &str, cells: u16, style: Style) -> u16 {
    buffer.set_stringn(x, y, text, cells.into(), style).0
}

/// Writes a text in the middle of a line.
fn put_centred(buffer: &mut Buffer, line: Rect, text: &str, style: Style) {
    let text = fit(text, line.width.into(), "");
    let indent = (usize::from(line.width) - width(&text)) / 2;
    let x = line.x + u16::try_from(indent).unwrap_or(0);
    put(buffer, (x, line.y), &text, line.width, style);
}
