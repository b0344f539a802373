//! The table: the header and the visible rows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{put, put_centred};
use crate::columns::{Align, CellStyle};
use crate::query::fields::{ATTENTION, ID, NAME, PRESSURE};
use crate::text::width::{truncate_to_width, width};
use crate::tui::layout::columns::{ColumnRect, Columns};
use crate::tui::state::App;
use crate::tui::text::chart;
use crate::types::row::Row;

pub(crate) fn draw_header(app: &App, line: Rect, buffer: &mut Buffer) {
    let columns = app.visible_columns();
    let arrow = app.display.glyphs.sorted[usize::from(!app.table.sort.is_descending())].to_string();
    let header = app.display.theme.muted;
    let sorted = app.display.theme.strong;
    if app.table.sort.column == ATTENTION {
        put(buffer, (line.x, line.y), &arrow, 1, sorted);
    }
    for shown in &columns.shown {
        let column = shown.id.column();
        let is_sorted = shown.id == app.table.sort.column;
        let style = if is_sorted { sorted } else { header };
        // The bar is at the left of its column, the percentage at the right.
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

pub(crate) fn draw_rows(app: &App, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    if app.table.visible.is_empty() {
        draw_no_rows(app, area, buffer);
        return;
    }
    let columns = app.visible_columns();
    let is_stale = app.data.stale.is_some();
    let rows = app.rows().skip(app.table.top).take(area.height.into());
    for (line, row) in area.rows().zip(rows) {
        draw_row(app, row, &columns, line, buffer);
        if is_stale {
            buffer.set_style(line, app.display.theme.muted);
        }
        if app.table.selected.as_ref() == Some(row.key()) {
            buffer.set_style(line, app.display.theme.selected);
        }
    }
}

/// Beside the mark of a pinned row, where there is a gap.
const PINNED_SIGN: &str = "*";

fn draw_row(app: &App, row: &Row, columns: &Columns, line: Rect, buffer: &mut Buffer) {
    let is_deleted = row.deleted_at.is_some();
    let mark = row.mark.filter(|_| !is_deleted);
    let alarm = app.display.theme.mark(mark);
    if let Some(mark) = mark {
        let mut sign = [0; 4];
        let sign = mark.sign().encode_utf8(&mut sign);
        put(buffer, (line.x, line.y), sign, 1, alarm);
    }
    if columns.has_gap && app.table.pinned_rows.contains(row.key()) {
        put(
            buffer,
            (line.x + 1, line.y),
            PINNED_SIGN,
            1,
            app.display.theme.muted,
        );
    }
    let cell_style = CellStyle {
        bar: columns.bar,
        glyphs: app.display.glyphs,
        is_exact: app.display.is_exact,
        last: &|row, cells| {
            let (Some(series), Some(reading)) =
                (app.history().series(row.key()), &app.data.reading)
            else {
                return String::new();
            };
            if row.pressure.is_none() || row.deleted_at.is_some() {
                return String::new();
            }
            chart::draw_sparkline(
                series,
                row,
                reading.moment.uptime,
                cells,
                app.display.glyphs,
            )
        },
    };
    let has_id = columns.shown.iter().any(|shown| shown.id == ID);
    let is_new = app.is_new(row);
    let is_match = app
        .table
        .search
        .as_ref()
        .is_some_and(|search| search.is_match(row));
    for shown in &columns.shown {
        let column = shown.id.column();
        let cell = (column.cell)(row, cell_style);
        let mut style = Style::new();
        if shown.id == PRESSURE {
            style = alarm;
        }
        if cell.is_muted {
            style = style.patch(app.display.theme.muted);
        }
        // A new map has a bold id, or without that column a bold name.
        if is_new && (shown.id == ID || (shown.id == NAME && !has_id)) {
            style = style.patch(app.display.theme.strong);
        }
        if is_match && shown.id == NAME {
            style = style.patch(app.display.theme.found);
        }
        let text = truncate_to_width(&cell.text, shown.width.into(), app.display.glyphs.ellipsis);
        put_aligned(buffer, line, *shown, &text, column.align, style);
    }
    if is_deleted {
        strike_out(line, app, buffer);
    }
}

/// Strikes the text of a line, and not the blanks between.
fn strike_out(line: Rect, app: &App, buffer: &mut Buffer) {
    for x in line.left()..line.right() {
        let cell = &mut buffer[(x, line.y)];
        if cell.symbol() != " " {
            cell.set_style(app.display.theme.gone);
        }
    }
}

fn put_aligned(
    buffer: &mut Buffer,
    line: Rect,
    shown: ColumnRect,
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

/// Why there is no row, and what could be done.
fn draw_no_rows(app: &App, area: Rect, buffer: &mut Buffer) {
    let (filter, similar);
    let lines: &[&str] = if app.data.reading.is_none() {
        &["reading maps ..."]
    } else if app.total() == 0 {
        &[
            "No BPF maps are loaded on this machine.",
            "",
            "They appear here as soon as a program creates one.",
            "In a container? Maps have no namespaces: either the host has none,",
            "or this container may not see them. Press i to find out.",
            "To see some now, run make demo in the source tree of mapstop.",
        ]
    } else {
        filter = format!("No map matches  {}", app.table.filter.text());
        let keys = "Esc clears the filter, f edits it";
        match app.suggestions() {
            [] => &[&filter, "", keys],
            names => {
                similar = format!("similar names:  {}", names.join(", "));
                &[&filter, "", &similar, "", keys]
            }
        }
    };
    let height = u16::try_from(lines.len()).unwrap_or(area.height);
    let first = area.y + area.height.saturating_sub(height) / 3;
    let below = Rect {
        y: first,
        height: area.bottom() - first,
        ..area
    };
    for (line, text) in below.rows().zip(lines) {
        put_centred(buffer, line, text, Style::new());
    }
}
