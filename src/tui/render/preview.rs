//! What is known of the selected map, or of the first, under the table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{detail, margin, put, to_u16};
use crate::text::width::{truncate_to_width, width};
use crate::tui::keymap;
use crate::tui::state::App;
use crate::tui::text::chart;
use crate::tui::text::detail::{facts, level_and_growth, map_label};
use crate::types::row::Row;

/// From this width on facts stand in two columns.
const TWO_COLUMNS: u16 = 110;

pub fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let indent = margin(area.width);
    let line = |n: u16| Rect {
        y: area.y + n,
        height: 1,
        ..area
    };
    let rule = app.glyphs.rule.to_string();
    let rule = rule.repeat(usize::from(area.width - 2 * indent));
    put(
        buffer,
        (area.x + indent, area.y),
        &rule,
        area.width,
        app.theme.muted,
    );
    let Some(row) = app.selected_row().or_else(|| app.rows().next()) else {
        return;
    };
    let hide = keymap::at(keymap::KeyContext::Table)
        .find(|binding| binding.action == crate::tui::action::Action::Preview)
        .map_or(String::new(), |binding| {
            format!("{} hides this", binding.keys[0].name())
        });
    let heading = format!("{}   {}", map_label(row), level_and_growth(app, row));
    let room = area.width - 2 * indent;
    let is_hint_shown = width(&heading) + width(&hide) + 2 <= room.into();
    let heading = truncate_to_width(&heading, room.into(), app.glyphs.ellipsis);
    put(
        buffer,
        (area.x + indent, line(1).y),
        &heading,
        room,
        app.theme.strong,
    );
    if is_hint_shown {
        let x = area.right() - indent - to_u16(width(&hide));
        put(buffer, (x, line(1).y), &hide, room, app.theme.muted);
    }
    let under = Rect {
        y: line(2).y,
        height: area.height.saturating_sub(2),
        ..area
    };
    let mut rest = under;
    if area.width >= TWO_COLUMNS {
        let half = area.width / 2;
        let room = usize::from(half.saturating_sub(2));
        let chart = chart::lines(app, row, room, under.height.into());
        for (y, text) in (under.y..).zip(&chart) {
            put(
                buffer,
                (area.x, y),
                text,
                half,
                ratatui::style::Style::new(),
            );
        }
        if !chart.is_empty() {
            rest.x += half;
            rest.width -= half;
        }
    }
    draw_facts(app, row, rest, buffer);
}

/// As many facts as fit, in two columns where there is room for them.
fn draw_facts(app: &App, row: &Row, area: Rect, buffer: &mut Buffer) {
    let lines = usize::from(area.height).max(1);
    let columns = 1 + u16::from(area.width >= TWO_COLUMNS);
    let facts = facts(app, row);
    for (n, fact) in facts.iter().enumerate().take(lines * usize::from(columns)) {
        let width = area.width / columns;
        let cell = Rect {
            x: area.x + to_u16(n / lines) * width,
            y: area.y + to_u16(n % lines),
            width,
            height: 1,
        };
        detail::draw_fact(app, fact, cell, buffer);
    }
}
