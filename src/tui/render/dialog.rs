//! The dialogs in place of the status and the keys: a prompt, and an exact count. As much as fits.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::{hints, line, put, put_line, status, to_u16};
use crate::analysis::exact_count::estimated_duration;
use crate::columns::bar;
use crate::text::plural::count_noun;
use crate::text::units;
use crate::text::width::{truncate_to_width, width};
use crate::tui::layout;
use crate::tui::state::{App, CountDialog, Prompt, PromptKind};

pub(crate) fn draw_count(app: &App, dialog: &CountDialog, area: Rect, buffer: &mut Buffer) {
    let name = format!("{} {}", dialog.key.id.0, dialog.name);
    let max_entries = count_noun(dialog.max_entries, "key", "keys");
    let (first, second) = match dialog.progress {
        None => {
            let takes = units::short_time(estimated_duration(dialog.map_type, dialog.max_entries));
            let what = if dialog.map_type.supports_batch_lookup() {
                "This reads every key and value, and locks each bucket of the live map briefly."
            } else {
                "This reads every key of the live map, one by one."
            };
            let question = format!("Count {name} exactly?");
            let cost = format!("Up to {max_entries}, about {takes}.");
            if area.width < layout::WIDE_ENOUGH {
                (question, cost)
            } else {
                (format!("{question} {cost}"), what.to_owned())
            }
        }
        Some(progress) => {
            let so_far = units::with_thousands_separators(progress.entries);
            let first = format!("counting {name}: {so_far} of up to {max_entries}");
            let width = usize::from(area.width.saturating_sub(2)).min(60);
            let bar = bar::draw_progress(
                progress.entries,
                dialog.max_entries,
                width,
                app.display.glyphs,
            );
            (first, bar)
        }
    };
    put_line(app, line(area, 0), &first, app.display.theme.strong, buffer);
    if area.height > 2 {
        put_line(app, line(area, 1), &second, Style::new(), buffer);
    }
    if area.height > 1 {
        hints::draw(app, "", line(area, area.height - 1), buffer);
    }
}

pub(crate) fn draw_prompt(
    app: &App,
    prompt: &Prompt,
    area: Rect,
    buffer: &mut Buffer,
) -> Option<Position> {
    let label = match prompt.kind {
        PromptKind::Filter => " filter: ",
        PromptKind::Search | PromptKind::HelpSearch => " search: ",
        PromptKind::Interval => " interval: ",
        PromptKind::Time => " go to: ",
    };
    let start = put(buffer, (area.x, area.y), label, area.width, Style::new());
    let room = area.right().saturating_sub(start);
    // One cell stays free for a cursor behind the text.
    let scroll = prompt
        .input
        .visual_scroll(usize::from(room.saturating_sub(1)));
    let visible = skip_cells(prompt.input.value(), scroll);
    put(buffer, (start, area.y), visible, room, Style::new());
    let cursor = prompt.input.visual_cursor().saturating_sub(scroll);
    let x = start.saturating_add(to_u16(cursor));

    if let Some(error) = &prompt.error
        && area.height > 1
    {
        let before = prompt.input.value().get(..error.at).unwrap_or_default();
        let at = start.saturating_add(to_u16(width(before).saturating_sub(scroll)));
        draw_error(app, &error.message, at, line(area, 1), buffer);
    }
    if area.height > 1 && prompt.error.is_none() && !prompt.choices.is_empty() {
        let choices = prompt.choices.join("  ");
        put_line(
            app,
            line(area, 1),
            &choices,
            app.display.theme.muted,
            buffer,
        );
    }
    let has_message = prompt.error.is_some() || !prompt.choices.is_empty();
    if area.height > 2 || (area.height == 2 && !has_message) {
        let remark = match prompt.kind {
            PromptKind::Filter if prompt.is_unfinished => String::new(),
            PromptKind::Filter => status::describe_match_count(app),
            PromptKind::Search => describe_match_position(app),
            PromptKind::HelpSearch => String::new(),
            PromptKind::Interval => format!("now {}", units::interval(app.session.delay)),
            PromptKind::Time => "such as 14:20 or -5m".to_owned(),
        };
        hints::draw(app, &remark, line(area, area.height - 1), buffer);
    }
    (x < area.right()).then_some(Position { x, y: area.y })
}

/// The number of the selected match: `3/7`.
fn describe_match_position(app: &App) -> String {
    match &app.table.search {
        Some(search) => match search.position(app.selected_at()) {
            (_, 0) => "not found".to_owned(),
            (nth, count) => format!("{nth}/{count}"),
        },
        None => String::new(),
    }
}

/// A caret under the error, and the message beside it where there is room.
fn draw_error(app: &App, message: &str, at: u16, line: Rect, buffer: &mut Buffer) {
    let style = app.display.theme.error;
    let at = at.min(line.right().saturating_sub(1));
    let cells = to_u16(width(message));
    if cells.saturating_add(2) > line.width {
        let text = truncate_to_width(message, line.width.into(), app.display.glyphs.ellipsis);
        put(buffer, (line.x, line.y), &text, line.width, style);
        return;
    }
    put(buffer, (at, line.y), "^", 1, style);
    let behind = at.saturating_add(2);
    if behind.saturating_add(cells) <= line.right() || at <= cells {
        let room = line.right().saturating_sub(behind);
        let text = truncate_to_width(message, room.into(), app.display.glyphs.ellipsis);
        put(buffer, (behind, line.y), &text, room, style);
    } else {
        put(buffer, (at - cells - 1, line.y), message, cells, style);
    }
}

/// The text without its first cells.
fn skip_cells(text: &str, cells: usize) -> &str {
    let mut skipped = 0;
    for (at, c) in text.char_indices() {
        if skipped >= cells {
            return &text[at..];
        }
        skipped += width(c.encode_utf8(&mut [0; 4]));
    }
    if skipped >= cells && cells > 0 {
        ""
    } else {
        text
    }
}
