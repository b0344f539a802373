//! The help, over the whole screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{margin, put, to_u16};
use crate::text::width::{truncate_to_width, width};
use crate::tui::screen_kind::HelpPage;
use crate::tui::state::{App, Help};

pub(crate) fn draw_title(app: &App, help: &Help, line: Rect, buffer: &mut Buffer) {
    if line.is_empty() {
        return;
    }
    let indent = margin(line.width);
    let x = line.x + indent;
    let behind = put(
        buffer,
        (x, line.y),
        "mapstop help",
        line.width,
        app.display.theme.strong,
    );
    let pages: Vec<_> = HelpPage::ALL
        .into_iter()
        .enumerate()
        .map(|(n, page)| (page, format!("{} {}", n + 1, page.name())))
        .collect();
    let all: usize = pages.iter().map(|(_, text)| width(text) + 2).sum();
    // Without room for all pages only the current one is named.
    let is_room = usize::from(line.right().saturating_sub(behind)) > all;
    let pages = pages
        .into_iter()
        .filter(|(page, _)| is_room || *page == help.page);
    let pages: Vec<_> = pages.collect();
    let all: usize = pages.iter().map(|(_, text)| width(text) + 2).sum();
    let mut x = line
        .right()
        .saturating_sub(to_u16(all) + indent)
        .max(behind + 1)
        + 2;
    for (page, text) in pages {
        let style = if page == help.page {
            app.display.theme.strong
        } else {
            app.display.theme.muted
        };
        x = put(
            buffer,
            (x, line.y),
            &text,
            line.right().saturating_sub(x),
            style,
        ) + 2;
    }
}

/// Draws the visible lines; returns how many there are in all.
pub(crate) fn draw(app: &App, help: &Help, area: Rect, buffer: &mut Buffer) -> usize {
    let indent = margin(area.width);
    let room = area.width.saturating_sub(indent);
    let lines = app.help_lines(help.page);
    let top = help
        .scroll
        .top(lines.len().saturating_sub(area.height.into()));
    for (line, content) in area.rows().zip(lines.iter().skip(top)) {
        let x = line.x + indent;
        let is_match = !help.word.is_empty() && content.text.to_lowercase().contains(&help.word);
        let style = if is_match {
            app.display.theme.found
        } else {
            Style::new()
        };
        let text = truncate_to_width(&content.text, room.into(), app.display.glyphs.ellipsis);
        put(buffer, (x, line.y), &text, room, style);
        for (start, length) in &content.titles {
            let title = Rect {
                x: x + to_u16(*start),
                width: to_u16(*length),
                ..line
            };
            buffer.set_style(title.intersection(area), app.display.theme.strong);
        }
    }
    lines.len()
}
