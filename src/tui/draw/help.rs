//! The help, over the whole screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::{muted, put};
use crate::model::text::width;
use crate::tui::keys::{self, Place};
use crate::tui::layout;

pub fn draw(top: usize, area: Rect, buffer: &mut Buffer) {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let has_frame = area.height > 2;
    if has_frame {
        put(buffer, (area.x, area.y), " mapstop help", area.width, bold);
        let hints: Vec<_> = keys::at(Place::Help)
            .filter(|binding| !binding.hint.is_empty())
            .map(|binding| format!("{} {}", binding.keys[0].name(), binding.hint))
            .collect();
        let mut hints = format!(" {}", hints.join("  "));
        if width(&hints) > area.width.into() {
            " Esc back".clone_into(&mut hints);
        }
        put(
            buffer,
            (area.x, area.bottom() - 1),
            &hints,
            area.width,
            muted(),
        );
    }
    let page = area.height - if has_frame { 2 } else { 0 };
    let lines = layout::help_lines(area.width);
    let first = area.y + u16::from(has_frame);
    for (y, line) in (first..first + page).zip(lines.iter().skip(top)) {
        let style = if line.is_title { bold } else { Style::new() };
        put(
            buffer,
            (area.x + 1, y),
            &line.text,
            area.width.saturating_sub(1),
            style,
        );
    }
}
