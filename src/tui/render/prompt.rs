//! A line that is being typed, what is wrong with it, and the keys; as much as fits.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::{hints, put, status, to_u16};
use crate::text::units;
use crate::text::width::{truncate_to_width, width};
use crate::tui::state::{App, Prompt, PromptKind};

pub fn draw(app: &App, prompt: &Prompt, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    let label = match prompt.asked {
        PromptKind::Filter => " filter: ",
        PromptKind::Search | PromptKind::HelpSearch => " search: ",
        PromptKind::Interval => " interval: ",
        PromptKind::Time => " go to: ",
    };
    let start = put(buffer, (area.x, area.y), label, area.width, Style::new());
    let room = area.right().saturating_sub(start);
    // One cell stays free for the cursor behind the text.
    let scroll = prompt
        .input
        .visual_scroll(usize::from(room.saturating_sub(1)));
    let visible = skip_cells(prompt.input.value(), scroll);
    put(buffer, (start, area.y), visible, room, Style::new());
    let cursor = prompt.input.visual_cursor().saturating_sub(scroll);
    let x = start.saturating_add(self::to_u16(cursor));

    let line = |n: u16| Rect {
        y: area.y + n,
        height: 1,
        ..area
    };
    if let Some(error) = &prompt.error
        && area.height > 1
    {
        let before = prompt.input.value().get(..error.at).unwrap_or_default();
        let at = start.saturating_add(to_u16(width(before).saturating_sub(scroll)));
        draw_error(app, &error.message, at, line(1), buffer);
    }
    if area.height > 1 && prompt.error.is_none() && !prompt.choices.is_empty() {
        let choices = prompt.choices.join("  ");
        super::put_line(app, line(1), &choices, app.theme.muted, buffer);
    }
    let is_said = prompt.error.is_some() || !prompt.choices.is_empty();
    if area.height > 2 || (area.height == 2 && !is_said) {
        let remark = match prompt.asked {
            PromptKind::Filter if prompt.is_unfinished => String::new(),
            PromptKind::Filter => status::match_count(app),
            PromptKind::Search => found(app),
            PromptKind::HelpSearch => String::new(),
            PromptKind::Interval => format!("now {}", units::interval(app.delay)),
            PromptKind::Time => "as in 14:20, -5m".to_owned(),
        };
        hints::draw(app, &remark, line(area.height - 1), buffer);
    }
    (x < area.right()).then_some(Position { x, y: area.y })
}

/// Which of the maps found is selected: `3/7`.
fn found(app: &App) -> String {
    match &app.search {
        Some(search) => match search.position(app.selected_at()) {
            (_, 0) => "not found".to_owned(),
            (nth, count) => format!("{nth}/{count}"),
        },
        None => String::new(),
    }
}

/// A caret under the place, and the message beside it where there is room.
fn draw_error(app: &App, message: &str, at: u16, line: Rect, buffer: &mut Buffer) {
    let style = app.theme.error;
    let at = at.min(line.right().saturating_sub(1));
    let cells = to_u16(width(message));
    if cells.saturating_add(2) > line.width {
        let text = truncate_to_width(message, line.width.into(), app.glyphs.ellipsis);
        put(buffer, (line.x, line.y), &text, line.width, style);
        return;
    }
    put(buffer, (at, line.y), "^", 1, style);
    let behind = at.saturating_add(2);
    if behind.saturating_add(cells) <= line.right() || at <= cells {
        let room = line.right().saturating_sub(behind);
        let text = truncate_to_width(message, room.into(), app.glyphs.ellipsis);
        put(buffer, (behind, line.y), &text, room, style);
    } else {
        put(buffer, (at - cells - 1, line.y), message, cells, style);
    }
}

/// The text from a cell on.
fn skip_cells(text: &str, cells: usize) -> &str {
    let mut passed = 0;
    for (at, c) in text.char_indices() {
        if passed >= cells {
            return &text[at..];
        }
        passed += width(c.encode_utf8(&mut [0; 4]));
    }
    if passed >= cells && cells > 0 {
        ""
    } else {
        text
    }
}
