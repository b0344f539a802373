//! What fits on a screen of some size: which lines, which columns, how wide. Pure.

pub mod columns;

use super::action::Action;
use super::state::{App, Screen};
use super::text::{detail, doctor, help};
use crate::doctor::text::TextLine;

/// The lines of the main view, top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lines {
    /// Whether there is a title line.
    pub has_title: bool,
    /// Whether there is a header line.
    pub has_header: bool,
    /// How many rows of the table fit.
    pub rows: usize,
    /// How many lines the preview has.
    pub preview: u16,
    /// How many lines are under the table.
    pub bottom: u16,
}

/// From this width on there is a margin, and a gap between the mark and the first column.
pub const WIDE_ENOUGH: u16 = 50;

/// How many lines a preview takes, its rule included.
const PREVIEW_LINES: u16 = 8;
/// Rows that a preview leaves to the table at the least.
const MIN_ROWS: u16 = 5;

/// The lines of the app's screen.
#[must_use]
pub fn lines(app: &App) -> Lines {
    let height = app.size().1;
    let lines = lines_of(height, bottom(app));
    let is_table = matches!(
        app.mode,
        Screen::Table | Screen::Prompt(_) | Screen::Count(_)
    );
    let rows = u16::try_from(lines.rows).unwrap_or(u16::MAX);
    if is_table && app.has_preview() && rows >= PREVIEW_LINES + MIN_ROWS {
        return Lines {
            rows: usize::from(rows - PREVIEW_LINES),
            preview: PREVIEW_LINES,
            ..lines
        };
    }
    lines
}

/// How many lines are wanted under the table: the selected map, the time line of a recording and
/// the keys, or a prompt.
#[must_use]
pub fn bottom(app: &App) -> u16 {
    let has_time_line = u16::from(app.player.is_some());
    match (&app.mode, app.size().1) {
        (Screen::Prompt(_) | Screen::Count(_), 12..) => 3,
        (Screen::Prompt(_) | Screen::Count(_), 4..) => 2,
        // In the help, what is said stands in place of the keys.
        (Screen::Prompt(_) | Screen::Count(_) | Screen::Help(_) | Screen::System(_), _) => 1,
        (_, 12..) => 2 + has_time_line,
        (_, 8..) => 1,
        (_, _) => 0,
    }
}

/// The lines that fit into so many, `bottom` of them under the table.
fn lines_of(height: u16, bottom: u16) -> Lines {
    let bottom = bottom.min(height);
    let has_title = height >= 3 && height > bottom;
    let has_header = height >= 7;
    let rows = height - bottom - u16::from(has_title).min(height - bottom);
    let rows = rows - u16::from(has_header).min(rows);
    Lines {
        has_title,
        has_header,
        rows: rows.into(),
        preview: 0,
        bottom,
    }
}

/// Lines between the title and the keys of a screen that is not a table, and whether there are
/// title and keys at all.
#[must_use]
pub fn page(app: &App) -> (usize, bool) {
    let height = app.size().1;
    let has_frame = height > 2;
    let bottom = if has_frame { bottom(app).max(1) + 1 } else { 0 };
    (height.saturating_sub(bottom).max(1).into(), has_frame)
}

/// How many lines of the help fit, and the last first line.
#[must_use]
pub fn help(app: &App) -> (usize, usize) {
    let (page, _) = page(app);
    let lines = match &app.mode {
        Screen::Help(view) => help::lines(view.page, app.size().0, &app.columns_offered()).len(),
        _ => 0,
    };
    (page, lines.saturating_sub(page))
}

/// The lines of the page about what can be shown here.
#[must_use]
pub fn system_lines(app: &App) -> Vec<TextLine> {
    let width = app.size().0;
    let margins = if width >= WIDE_ENOUGH { 2 } else { 0 };
    doctor::lines(app, width.saturating_sub(margins).into())
}

/// How many of them fit, and the last first line.
#[must_use]
pub fn system(app: &App) -> (usize, usize) {
    let (page, _) = page(app);
    (page, system_lines(app).len().saturating_sub(page))
}

/// How many lines of the detail fit, and the last first line.
#[must_use]
pub fn detail(app: &App) -> (usize, usize) {
    let (page, _) = page(app);
    let lines = match &app.mode {
        Screen::Detail(detail) => detail::lines_of_detail(app, detail).len(),
        _ => 0,
    };
    (page, lines.saturating_sub(page))
}

/// Where a page of lines is scrolled to by a key.
#[must_use]
pub fn scroll(top: usize, action: Action, page: usize, last: usize) -> usize {
    match action {
        Action::Up => top.saturating_sub(1),
        Action::Down => top + 1,
        Action::PageUp => top.saturating_sub(page),
        Action::PageDown => top + page,
        Action::First => 0,
        Action::Last => last,
        _ => top,
    }
    .min(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_give_way_by_height() {
        let all = |height, bottom| {
            let lines = lines_of(height, bottom);
            (lines.has_title, lines.has_header, lines.rows, lines.bottom)
        };
        assert_eq!(all(24, 2), (true, true, 20, 2));
        assert_eq!(all(7, 0), (true, true, 5, 0));
        assert_eq!(all(6, 0), (true, false, 5, 0));
        assert_eq!(all(2, 0), (false, false, 2, 0));
        assert_eq!(all(1, 0), (false, false, 1, 0));
        assert_eq!(all(1, 1), (false, false, 0, 1));
        assert_eq!(all(0, 0), (false, false, 0, 0));
    }

    #[test]
    fn scrolling_ends_where_the_last_line_is_on_the_screen() {
        assert_eq!(scroll(0, Action::Up, 10, 5), 0);
        assert_eq!(scroll(4, Action::PageDown, 10, 5), 5);
        assert_eq!(scroll(0, Action::Last, 10, 5), 5);
        assert_eq!(scroll(3, Action::First, 10, 5), 0);
    }
}
