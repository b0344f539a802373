//! The detail of a map, over the whole screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::title::Heading;
use super::{margin, put, to_u16};
use crate::analysis::thresholds::STREAM_WARN_PRESSURE;
use crate::columns::bar::PressureBar;
use crate::text::units;
use crate::text::width::{truncate_to_width, width as cells_of};
use crate::tui::layout;
use crate::tui::screen_kind::DetailPage;
use crate::tui::state::{App, Detail};
use crate::tui::text::detail::{self, DetailField, DetailLine, NAME_WIDTH};
use crate::types::map_type::Kind;
use crate::types::row::Row;

/// The heading in the title line.
pub(crate) fn heading(detail: &Detail) -> Heading {
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

/// Draws the visible lines; returns how many there are in all.
pub(crate) fn draw(app: &App, detail: &Detail, area: Rect, buffer: &mut Buffer) -> usize {
    let height = layout::page(app.viewport()).height;
    let context = app.text_context();
    let lines = detail::lines(&context, detail.page, &detail.row, app.size().0, height);
    let top = detail.scroll.top(lines.len().saturating_sub(height));
    for (line, content) in area.rows().zip(lines.iter().skip(top)) {
        match content {
            DetailLine::Blank => {}
            DetailLine::Level(text) => {
                super::put_line(app, line, text, app.display.theme.strong, buffer);
            }
            DetailLine::Text(text) => super::put_line(app, line, text, Style::new(), buffer),
            DetailLine::Bar => draw_bar(app, &detail.row, line, buffer),
            DetailLine::Ticks => draw_ticks(app, &detail.row, line, buffer),
            DetailLine::Field(field) => draw_field(app, field, line, buffer),
        }
    }
    lines.len()
}

pub(crate) fn draw_field(app: &App, field: &DetailField, line: Rect, buffer: &mut Buffer) {
    let theme = app.display.theme;
    let x = line.x + margin(line.width);
    put(buffer, (x, line.y), field.name, line.width, theme.muted);
    let x = x.saturating_add(NAME_WIDTH);
    let room = line.right().saturating_sub(x);
    let text = truncate_to_width(&field.text, room.into(), app.display.glyphs.ellipsis);
    let style = if field.is_strong {
        theme.mark(None).patch(theme.strong)
    } else {
        Style::new()
    };
    put(buffer, (x, line.y), &text, room, style);
}

/// The first cell and the width of the bar.
fn bar_cells(line: Rect) -> (u16, u16) {
    let margin = margin(line.width);
    (
        line.x + margin,
        line.width.saturating_sub(2 * margin).max(1),
    )
}

fn draw_bar(app: &App, row: &Row, line: Rect, buffer: &mut Buffer) {
    let (x, width) = bar_cells(line);
    let bar = PressureBar::new(row, width.into()).draw(width.into(), app.display.glyphs);
    put(
        buffer,
        (x, line.y),
        &bar,
        width,
        app.display.theme.mark(row.mark),
    );
}

/// The pressures from which on the map is marked, under the bar.
fn draw_ticks(app: &App, row: &Row, line: Rect, buffer: &mut Buffer) {
    let (x, width) = bar_cells(line);
    let thresholds = app.thresholds();
    let marks = match row.kind() {
        Kind::Stream => [Some(STREAM_WARN_PRESSURE), None],
        _ => [Some(thresholds.warn), Some(thresholds.crit)],
    };
    let mut free = 0;
    for mark in marks.into_iter().flatten() {
        let percent = units::percent(mark);
        let at = usize::from(width) * usize::try_from(percent).unwrap_or(0) / 100;
        let text = format!("{}{percent}", app.display.glyphs.tick);
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
            app.display.theme.muted,
        );
    }
}
