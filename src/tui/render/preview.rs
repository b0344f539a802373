//! The preview under the table: the selected map, or the first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{detail, margin, put, to_u16};
use crate::text::width::{truncate_to_width, width};
use crate::tui::action::Action;
use crate::tui::keymap;
use crate::tui::layout::WIDE;
use crate::tui::state::App;
use crate::tui::text::detail::DetailField;
use crate::tui::text::level::{describe_level_and_growth, map_label};
use crate::tui::text::{chart, detail as detail_text};

pub(crate) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let indent = margin(area.width);
    let rule = app.display.glyphs.rule.to_string();
    let rule = rule.repeat(usize::from(area.width - 2 * indent));
    put(
        buffer,
        (area.x + indent, area.y),
        &rule,
        area.width,
        app.display.theme.muted,
    );
    let Some(row) = app.selected_row().or_else(|| app.rows().next()) else {
        return;
    };
    let context = app.text_context();
    let hide = keymap::bindings_in(keymap::KeyContext::Table)
        .find(|binding| binding.action == Action::TogglePreview)
        .map_or(String::new(), |binding| {
            format!("{} hides this", binding.keys[0].name())
        });
    let heading = format!(
        "{}   {}",
        map_label(row),
        describe_level_and_growth(&context, row)
    );
    let room = area.width - 2 * indent;
    let is_hint_shown = width(&heading) + width(&hide) + 2 <= room.into();
    let heading = truncate_to_width(&heading, room.into(), app.display.glyphs.ellipsis);
    put(
        buffer,
        (area.x + indent, area.y + 1),
        &heading,
        room,
        app.display.theme.strong,
    );
    if is_hint_shown {
        let x = area.right() - indent - to_u16(width(&hide));
        put(
            buffer,
            (x, area.y + 1),
            &hide,
            room,
            app.display.theme.muted,
        );
    }
    let under = Rect {
        y: area.y + 2,
        height: area.height.saturating_sub(2),
        ..area
    };
    let mut rest = under;
    if area.width >= WIDE {
        let half = area.width / 2;
        let room = usize::from(half.saturating_sub(2));
        let chart = chart::lines(&context, row, room, under.height.into());
        for (y, text) in (under.y..).zip(&chart) {
            put(buffer, (area.x, y), text, half, Style::new());
        }
        if !chart.is_empty() {
            rest.x += half;
            rest.width -= half;
        }
    }
    draw_fields(app, &detail_text::fields(&context, row), rest, buffer);
}

/// As many fields as fit, in two columns where there is room for them.
fn draw_fields(app: &App, fields: &[DetailField], area: Rect, buffer: &mut Buffer) {
    let lines = usize::from(area.height).max(1);
    let columns = 1 + u16::from(area.width >= WIDE);
    let visible = lines * usize::from(columns);
    for (n, field) in fields.iter().enumerate().take(visible) {
        let width = area.width / columns;
        let cell = Rect {
            x: area.x + to_u16(n / lines) * width,
            y: area.y + to_u16(n % lines),
            width,
            height: 1,
        };
        detail::draw_field(app, field, cell, buffer);
    }
}
