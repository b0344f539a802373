//! The help, over the whole screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{margin, put, to_u16};
use crate::text::width::{truncate_to_width, width};
use crate::tui::state::{App, Help, Page};
use crate::tui::text::help;

pub fn draw_title(app: &App, view: &Help, line: Rect, buffer: &mut Buffer) {
    let indent = margin(line.width);
    let x = line.x + indent;
    let behind = put(
        buffer,
        (x, line.y),
        "mapstop help",
        line.width,
        app.theme.strong,
    );
    let pages: Vec<_> = Page::ALL
        .into_iter()
        .enumerate()
        .map(|(n, page)| (page, format!("{} {}", n + 1, page.name())))
        .collect();
    let all: usize = pages.iter().map(|(_, text)| width(text) + 2).sum();
    // Where there is no room for all, the present one has to do.
    let is_room = usize::from(line.right().saturating_sub(behind)) > all;
    let pages = pages
        .into_iter()
        .filter(|(page, _)| is_room || *page == view.page);
    let pages: Vec<_> = pages.collect();
    let all: usize = pages.iter().map(|(_, text)| width(text) + 2).sum();
    let mut x = line
        .right()
        .saturating_sub(to_u16(all) + indent)
        .max(behind + 1)
        + 2;
    for (page, text) in pages {
        let style = if page == view.page {
            app.theme.strong
        } else {
            app.theme.muted
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

pub fn draw(app: &App, view: &Help, area: Rect, buffer: &mut Buffer) {
    let indent = margin(area.width);
    let room = area.width.saturating_sub(indent);
    let lines = help::lines(view.page, area.width, &app.columns_offered());
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(view.top)) {
        let x = area.x + indent;
        let is_found = !view.word.is_empty() && line.text.to_lowercase().contains(&view.word);
        let style = if is_found {
            app.theme.found
        } else {
            Style::new()
        };
        let text = truncate_to_width(&line.text, room.into(), app.glyphs.ellipsis);
        put(buffer, (x, y), &text, room, style);
        for (start, length) in &line.titles {
            let title = Rect {
                x: x + to_u16(*start),
                y,
                width: to_u16(*length),
                height: 1,
            };
            buffer.set_style(title.intersection(area), app.theme.strong);
        }
    }
}
