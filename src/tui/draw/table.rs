//! The table: a header and the rows that are on the screen, no others.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::{mark_style, muted, put, put_centred};
use crate::model::row::Row;
use crate::model::text::{fit, width};
use crate::query::columns::{ATTENTION, Align, CellStyle, PRESSURE};
use crate::tui::app::App;
use crate::tui::layout::{self, Columns, Shown};

pub fn draw_header(app: &App, line: Rect, buffer: &mut Buffer) {
    let columns = layout::columns_of(app);
    let arrow = app.glyphs.sorted[usize::from(!app.sort.is_descending())].to_string();
    let header = Style::new().add_modifier(Modifier::DIM);
    let sorted = Style::new().add_modifier(Modifier::BOLD);
    if app.sort.column == ATTENTION {
        put(buffer, (line.x, line.y), &arrow, 1, sorted);
    }
    for shown in &columns.shown {
        let column = shown.id.column();
        let is_sorted = shown.id == app.sort.column;
        let style = if is_sorted { sorted } else { header };
        // A bar begins at the left, its percentage ends at the right.
        let (title, align) = match (shown.id == PRESSURE, columns.bar) {
            (false, _) => (column.title, column.align),
            (true, 0) => ("", Align::Left),
            (true, _) => (column.title, Align::Left),
        };
        let mut text = title.to_owned();
        if is_sorted {
            match align {
                Align::Left => text.push_str(&arrow),
                Align::Right => text.insert_str(0, &arrow),
            }
        }
        put_aligned(buffer, line, *shown, &text, align, style);
        if shown.id == PRESSURE {
            put_aligned(buffer, line, *shown, "%", Align::Right, style);
        }
    }
}

pub fn draw_rows(app: &App, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    if app.places.is_empty() {
        draw_nothing(app, area, buffer);
        return;
    }
    let columns = layout::columns_of(app);
    let is_stale = app.stale.is_some();
    let rows = app.rows().skip(app.top).take(area.height.into());
    for (y, row) in (area.y..).zip(rows) {
        let line = Rect {
            y,
            height: 1,
            ..area
        };
        draw_row(app, row, &columns, line, buffer);
        let mut style = Style::new();
        if is_stale {
            style = style.patch(muted());
        }
        if app.selected.as_ref() == Some(row.key()) {
            style = style.add_modifier(Modifier::REVERSED);
        }
        buffer.set_style(line, style);
    }
}

fn draw_row(app: &App, row: &Row, columns: &Columns, line: Rect, buffer: &mut Buffer) {
    let alarm = mark_style(row.mark);
    if let Some(mark) = row.mark {
        let mut sign = [0; 4];
        put(
            buffer,
            (line.x, line.y),
            mark.sign().encode_utf8(&mut sign),
            1,
            alarm,
        );
    }
    let style = CellStyle {
        bar: columns.bar,
        glyphs: app.glyphs,
    };
    for shown in &columns.shown {
        let column = shown.id.column();
        let cell = (column.cell)(row, style);
        let style = if shown.id == PRESSURE {
            alarm
        } else {
            Style::new()
        };
        let style = if cell.is_muted {
            style.patch(muted())
        } else {
            style
        };
        let text = fit(&cell.text, shown.width.into(), app.glyphs.ellipsis);
        put_aligned(buffer, line, *shown, &text, column.align, style);
    }
}

fn put_aligned(
    buffer: &mut Buffer,
    line: Rect,
    shown: Shown,
    text: &str,
    align: Align,
    style: Style,
) {
    let x = line.x + shown.x;
    if x >= line.right() {
        return;
    }
    let cells = shown.width.min(line.right() - x);
    let indent = match align {
        Align::Left => 0,
        Align::Right => cells.saturating_sub(u16::try_from(width(text)).unwrap_or(cells)),
    };
    put(buffer, (x + indent, line.y), text, cells - indent, style);
}

/// Says why there is no row, and what could be done.
fn draw_nothing(app: &App, area: Rect, buffer: &mut Buffer) {
    let filter;
    let lines: &[&str] = if app.reading.is_none() {
        &["reading ..."]
    } else if app.total() == 0 {
        &[
            "No BPF maps are loaded on this machine.",
            "",
            "They appear here as soon as a program creates one.",
            "To see some now: make demo, in mapstop's source.",
        ]
    } else {
        filter = format!("No map matches  {}", app.filter.text());
        &[&filter, "", "Esc clears the filter, f edits it"]
    };
    let height = u16::try_from(lines.len()).unwrap_or(area.height);
    let first = area.y + area.height.saturating_sub(height) / 3;
    for (y, text) in (first..area.bottom()).zip(lines) {
        let line = Rect {
            y,
            height: 1,
            ..area
        };
        put_centred(buffer, line, text, Style::new());
    }
}
