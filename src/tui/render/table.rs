//! The table: a header and the rows that are on the screen, no others.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{put, put_centred};
use crate::columns::{Align, CellStyle};
use crate::query::fields::{ATTENTION, ID, NAME, PRESSURE};
use crate::text::width::{truncate_to_width, width};
use crate::tui::layout::columns::{self, ColumnRect, Columns};
use crate::tui::state::App;
use crate::tui::text::chart;
use crate::types::row::Row;

pub fn draw_header(app: &App, line: Rect, buffer: &mut Buffer) {
    let columns = columns::columns_of(app);
    let arrow = app.glyphs.sorted[usize::from(!app.sort.is_descending())].to_string();
    let header = app.theme.muted;
    let sorted = app.theme.strong;
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
    if app.visible.is_empty() {
        draw_nothing(app, area, buffer);
        return;
    }
    let columns = columns::columns_of(app);
    let is_stale = app.stale.is_some();
    let rows = app.rows().skip(app.top).take(area.height.into());
    for (y, row) in (area.y..).zip(rows) {
        let line = Rect {
            y,
            height: 1,
            ..area
        };
        draw_row(app, row, &columns, line, buffer);
        if is_stale {
            buffer.set_style(line, app.theme.muted);
        }
        if app.selected.as_ref() == Some(row.key()) {
            buffer.set_style(line, app.theme.selected);
        }
    }
}

/// Stands beside the mark of a map that is kept at the top, where there is a gap.
const KEPT: &str = "*";

fn draw_row(app: &App, row: &Row, columns: &Columns, line: Rect, buffer: &mut Buffer) {
    let is_gone = row.deleted_at.is_some();
    let mark = row.mark.filter(|_| !is_gone);
    let alarm = app.theme.mark(mark);
    if let Some(mark) = mark {
        let mut sign = [0; 4];
        let sign = mark.sign().encode_utf8(&mut sign);
        put(buffer, (line.x, line.y), sign, 1, alarm);
    }
    if columns.has_gap && app.pinned_rows.contains(row.key()) {
        put(buffer, (line.x + 1, line.y), KEPT, 1, app.theme.muted);
    }
    let style = CellStyle {
        bar: columns.bar,
        glyphs: app.glyphs,
        is_exact: app.is_exact,
        last: &|row, cells| {
            let (Some(series), Some(reading)) = (app.history().series(row.key()), &app.reading)
            else {
                return String::new();
            };
            if row.pressure.is_none() || row.deleted_at.is_some() {
                return String::new();
            }
            chart::sparkline(series, row, reading.moment.uptime, cells, app.glyphs)
        },
    };
    let has_id = columns.shown.iter().any(|shown| shown.id == ID);
    let is_new = app.is_new(row);
    let is_found = app.search.as_ref().is_some_and(|s| s.is_found(row));
    for shown in &columns.shown {
        let column = shown.id.column();
        let cell = (column.cell)(row, style);
        let mut look = Style::new();
        if shown.id == PRESSURE {
            look = alarm;
        }
        if cell.is_muted {
            look = look.patch(app.theme.muted);
        }
        // What is new shows at its id, or where that is not at its name.
        if is_new && (shown.id == ID || (shown.id == NAME && !has_id)) {
            look = look.patch(app.theme.strong);
        }
        if is_found && shown.id == NAME {
            look = look.patch(app.theme.found);
        }
        let text = truncate_to_width(&cell.text, shown.width.into(), app.glyphs.ellipsis);
        put_aligned(buffer, line, *shown, &text, column.align, look);
    }
    if is_gone {
        strike(line, app, buffer);
    }
}

/// Strikes what is written in a line, and not the blanks between.
fn strike(line: Rect, app: &App, buffer: &mut Buffer) {
    for x in line.left()..line.right() {
        let cell = &mut buffer[(x, line.y)];
        if cell.symbol() != " " {
            cell.set_style(app.theme.gone);
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

/// Says why there is no row, and what could be done.
fn draw_nothing(app: &App, area: Rect, buffer: &mut Buffer) {
    let (filter, near);
    let lines: &[&str] = if app.reading.is_none() {
        &["reading ..."]
    } else if app.total() == 0 {
        &[
            "No BPF maps are loaded on this machine.",
            "",
            "They appear here as soon as a program creates one.",
            "In a container? Maps are not namespaced: none here means none on the host,",
            "or this kernel does not let this container see them.  i  says which.",
            "To see some now: make demo, in mapstop's source.",
        ]
    } else {
        filter = format!("No map matches  {}", app.filter.text());
        let keys = "Esc clears the filter, f edits it";
        match app.near() {
            [] => &[&filter, "", keys],
            names => {
                near = format!("names that are close:  {}", names.join(", "));
                &[&filter, "", &near, "", keys]
            }
        }
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
