//! The lines under the table: the selected map, the filter or a message, a prompt; then the keys
//! that work here, dropped whole from the right.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};

use super::{muted, put};
use crate::model::row::Row;
use crate::model::text::{fit, width};
use crate::model::units;
use crate::tui::app::{Action, App, Asked, Mode, Prompt};
use crate::tui::keys::{self, Binding, Place};

pub fn draw(app: &App, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    if area.height == 0 {
        return None;
    }
    let line = |n: u16| Rect {
        y: area.y + n,
        height: 1,
        ..area
    };
    match &app.mode {
        Mode::Prompt(prompt) => return draw_prompt(app, prompt, area, buffer),
        Mode::Menu(_) => draw_hints(keys::at(Place::Menu), "", line(area.height - 1), buffer),
        Mode::Table | Mode::Help(_) => {
            if area.height > 1 {
                let (text, style) = status(app);
                put_line(app, line(0), &text, style, buffer);
            } else if let Some(message) = app.message() {
                put_line(app, line(0), message, Style::new(), buffer);
                return None;
            }
            draw_hints(keys::at(Place::Table), "", line(area.height - 1), buffer);
        }
    }
    None
}

fn put_line(app: &App, line: Rect, text: &str, style: Style, buffer: &mut Buffer) {
    let indent = u16::from(line.width >= 50);
    let cells = line.width.saturating_sub(indent);
    let text = fit(text, cells.into(), app.glyphs.ellipsis);
    put(buffer, (line.x + indent, line.y), &text, cells, style);
}

/// One thing at a time: a message, else the filter, else the selected map, else what is missing.
fn status(app: &App) -> (String, Style) {
    if let Some(message) = app.message() {
        return (
            message.to_owned(),
            Style::new().add_modifier(Modifier::BOLD),
        );
    }
    if !app.filter.is_everything() {
        let text = format!(
            "filter: {}   {}   Esc clears",
            app.filter.text(),
            match_count(app)
        );
        return (text, Style::new());
    }
    let selected = app.selected_at().and_then(|at| app.rows().nth(at));
    let text = match selected {
        Some(row) => describe(row),
        None if app.tally.unread > 0 => format!(
            "? {} of {} counts unknown; select a map marked ? to see why",
            app.tally.unread,
            app.total()
        ),
        None => String::new(),
    };
    (text, Style::new())
}

fn match_count(app: &App) -> String {
    format!("{} of {} maps match", app.places.len(), app.total())
}

/// A map in one line, exact where the table is short.
fn describe(row: &Row) -> String {
    let facts = &row.facts;
    let mut parts = vec![format!("{} {}", row.key().id.0, facts.name)];
    match (facts.used, facts.capacity) {
        (Some(used), Some(capacity)) => parts.push(format!(
            "{} of {} {}",
            units::exact(used),
            units::exact(capacity),
            row.unit().name()
        )),
        (Some(used), None) => parts.push(format!("{} {}", units::exact(used), row.unit().name())),
        (None, _) => {}
    }
    if let Some(note) = &facts.count.note {
        parts.push(note.to_string());
    }
    parts.push(format!("{}, {}", facts.map_type, facts.map_type.at_max()));
    parts.push(format!(
        "key {} B, value {} B",
        facts.key_size, facts.value_size
    ));
    if facts.flags.0 != 0 {
        parts.push(facts.flags.to_string());
    }
    if facts.frozen {
        parts.push("frozen".to_owned());
    }
    parts.join("  ")
}

/// The prompt, what is wrong with what was typed, and the keys; as much as fits.
fn draw_prompt(app: &App, prompt: &Prompt, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    let label = match prompt.asked {
        Asked::Filter => " filter: ",
        Asked::Interval => " interval: ",
    };
    let start = put(buffer, (area.x, area.y), label, area.width, Style::new());
    let cells = area.right().saturating_sub(start);
    // One cell stays free for the cursor behind the text.
    let scroll = prompt
        .input
        .visual_scroll(usize::from(cells.saturating_sub(1)));
    let visible = skip_cells(prompt.input.value(), scroll);
    put(buffer, (start, area.y), visible, cells, Style::new());
    let cursor = prompt.input.visual_cursor().saturating_sub(scroll);
    let x = start.saturating_add(u16::try_from(cursor).unwrap_or(u16::MAX));

    let line = |n: u16| Rect {
        y: area.y + n,
        height: 1,
        ..area
    };
    if let Some(error) = &prompt.error
        && area.height > 1
    {
        let before = prompt.input.value().get(..error.at).unwrap_or_default();
        let cells = u16::try_from(width(before).saturating_sub(scroll)).unwrap_or(u16::MAX);
        let at = start.saturating_add(cells);
        draw_error(app, &error.message, at, line(1), buffer);
    }
    if area.height > 2 || (area.height == 2 && prompt.error.is_none()) {
        let count = match prompt.asked {
            Asked::Filter => match_count(app),
            Asked::Interval => format!("now {}", units::interval(app.delay)),
        };
        // There are no earlier intervals to go back to.
        let has_earlier = prompt.asked == Asked::Filter;
        let bindings =
            keys::at(Place::Prompt).filter(|binding| has_earlier || binding.action != Action::Up);
        draw_hints(bindings, &count, line(area.height - 1), buffer);
    }
    (x < area.right()).then_some(Position { x, y: area.y })
}

/// A caret under the place, and the message beside it where there is room.
fn draw_error(app: &App, message: &str, at: u16, line: Rect, buffer: &mut Buffer) {
    let style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
    let at = at.min(line.right().saturating_sub(1));
    let cells = u16::try_from(width(message)).unwrap_or(u16::MAX);
    put(buffer, (at, line.y), "^", 1, style);
    let behind = at.saturating_add(2);
    if behind.saturating_add(cells) <= line.right() || at <= cells {
        let room = line.right().saturating_sub(behind);
        let text = fit(message, room.into(), app.glyphs.ellipsis);
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

/// Draws keys and a remark; help and the way out stand at the right and go last.
fn draw_hints(
    bindings: impl Iterator<Item = &'static Binding>,
    remark: &str,
    line: Rect,
    buffer: &mut Buffer,
) {
    let is_last = |binding: &&Binding| matches!(binding.action, Action::Help | Action::Quit);
    let hint = |binding: &Binding| format!("{} {}", binding.keys[0].name(), binding.hint);
    let (last, first): (Vec<_>, Vec<_>) = bindings
        .filter(|binding| !binding.hint.is_empty())
        .partition(is_last);
    let mut right: Vec<_> = last.into_iter().map(hint).collect();
    if !remark.is_empty() {
        right.push(remark.to_owned());
    }
    let right = right.join("  ");
    let cells = u16::try_from(width(&right)).unwrap_or(u16::MAX);
    let edge = u16::from(line.width >= 50);
    let mut x = line.x + edge;
    let end = line.right().saturating_sub(cells).saturating_sub(edge);
    put(
        buffer,
        (end.max(line.x), line.y),
        &right,
        line.width,
        muted(),
    );
    for binding in first {
        let text = hint(binding);
        let behind = x.saturating_add(u16::try_from(width(&text)).unwrap_or(u16::MAX));
        if behind.saturating_add(2) > end {
            break;
        }
        put(buffer, (x, line.y), &text, line.width, muted());
        x = behind + 2;
    }
}
