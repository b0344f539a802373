//! One map over the whole screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::title::Heading;
use super::{margin, put, to_u16};
use crate::analysis::thresholds::STREAM_WARN_PRESSURE;
use crate::columns::bar::PressureBar;
use crate::text::units;
use crate::text::width::{truncate_to_width, width as cells_of};
use crate::tui::state::{App, Detail, DetailPage};
use crate::tui::text::detail::{self, Line, NAME_WIDTH};
use crate::types::map_type::Kind;
use crate::types::row::Row;

/// What the title line says: which map.
pub fn heading(detail: &Detail) -> Heading {
    let row = &detail.row;
    let pages = DetailPage::ALL.into_iter().enumerate().map(|(n, page)| {
        let is_shown = page == detail.page;
        (format!("{} {}", n + 1, page.name()), is_shown)
    });
    Heading {
        text: format!("< {} {}", row.key().id.0, row.facts.name),
        pages: pages.collect(),
    }
}

pub fn draw(app: &App, detail: &Detail, area: Rect, buffer: &mut Buffer) {
    let lines = detail::lines_of_detail(app, detail);
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(detail.top)) {
        let line_area = Rect {
            y,
            height: 1,
            ..area
        };
        match line {
            Line::Blank => {}
            Line::Level(text) => {
                super::put_line(app, line_area, text, app.theme.strong, buffer);
            }
            Line::Text(text) => super::put_line(app, line_area, text, Style::new(), buffer),
            Line::Bar => draw_bar(app, &detail.row, line_area, buffer),
            Line::Ticks => draw_ticks(app, &detail.row, line_area, buffer),
            Line::Fact(fact) => draw_fact(app, fact, line_area, buffer),
        }
    }
}

/// A fact: its name, and what it says.
pub fn draw_fact(app: &App, fact: &detail::DetailField, line: Rect, buffer: &mut Buffer) {
    let x = line.x + margin(line.width);
    put(buffer, (x, line.y), fact.name, line.width, app.theme.muted);
    let x = x.saturating_add(NAME_WIDTH);
    let room = line.right().saturating_sub(x);
    let text = truncate_to_width(&fact.text, room.into(), app.glyphs.ellipsis);
    let style = match fact.name {
        "mark" => app.theme.mark(None).patch(app.theme.strong),
        _ => Style::new(),
    };
    put(buffer, (x, line.y), &text, room, style);
}

/// The bar's first cell and its width.
fn bar_place(line: Rect) -> (u16, u16) {
    let margin = margin(line.width);
    (
        line.x + margin,
        line.width.saturating_sub(2 * margin).max(1),
    )
}

fn draw_bar(app: &App, row: &Row, line: Rect, buffer: &mut Buffer) {
    let (x, width) = bar_place(line);
    let bar = PressureBar::new(row, width.into()).draw(width.into(), app.glyphs);
    put(buffer, (x, line.y), &bar, width, app.theme.mark(row.mark));
}

/// Where the map is marked from on.
fn draw_ticks(app: &App, row: &Row, line: Rect, buffer: &mut Buffer) {
    let (x, width) = bar_place(line);
    let thresholds = app.thresholds();
    let marks = match row.kind() {
        Kind::Stream => [Some(STREAM_WARN_PRESSURE), None],
        _ => [Some(thresholds.warn), Some(thresholds.crit)],
    };
    let mut free = 0;
    for mark in marks.into_iter().flatten() {
        let percent = units::percent(mark);
        let at = usize::from(width) * usize::try_from(percent).unwrap_or(0) / 100;
        let text = format!("{}{percent}", app.glyphs.tick);
        let room = line.right().saturating_sub(x + to_u16(at));
        if at < free || usize::from(room) < cells_of(&text) {
            continue;
        }
        free = at + cells_of(&text) + 1;
        put(
            buffer,
            (x + to_u16(at), line.y),
            &text,
            room,
            app.theme.muted,
        );
    }
}
