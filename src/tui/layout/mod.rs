//! Which lines and columns fit on a screen, and how wide they are. No I/O.

pub(crate) mod columns;

use super::screen_kind::ScreenKind;

/// From this width on there is a margin, and a gap between the mark and the first column.
pub(crate) const WIDE_ENOUGH: u16 = 50;

/// From this width on there is room for details such as the kernel version.
pub(crate) const WIDE: u16 = 110;

/// Lines of a preview, its rule included.
const PREVIEW_LINES: u16 = 8;
/// Rows of the table that a preview leaves, at least.
const MIN_ROWS: u16 = 5;

/// What the layout depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewport {
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) screen: ScreenKind,
    /// Whether the time line of a recording is shown.
    pub(crate) has_timeline: bool,
    /// Whether a preview is shown if there is room for it.
    pub(crate) has_preview: bool,
}

/// The lines of the main view, top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lines {
    pub(crate) has_title: bool,
    pub(crate) has_header: bool,
    /// Rows of the table.
    pub(crate) rows: usize,
    pub(crate) preview: u16,
    /// Lines under the table.
    pub(crate) bottom: u16,
}

pub(crate) fn lines(viewport: Viewport) -> Lines {
    let lines = lines_without_preview(viewport.height, bottom(viewport));
    let is_table = matches!(
        viewport.screen,
        ScreenKind::Table | ScreenKind::Prompt | ScreenKind::ExactCount
    );
    let rows = u16::try_from(lines.rows).unwrap_or(u16::MAX);
    if is_table && viewport.has_preview && rows >= PREVIEW_LINES + MIN_ROWS {
        return Lines {
            rows: usize::from(rows - PREVIEW_LINES),
            preview: PREVIEW_LINES,
            ..lines
        };
    }
    lines
}

/// Lines wanted under the table: status, time line of a recording and keys, or a dialog.
pub(crate) fn bottom(viewport: Viewport) -> u16 {
    use ScreenKind::{Doctor, ExactCount, Help, Prompt};
    match (viewport.screen, viewport.height) {
        (Prompt | ExactCount, 12..) => 3,
        (Prompt | ExactCount, 4..) => 2,
        // A message replaces the keys.
        (Prompt | ExactCount | Help | Doctor, _) => 1,
        (_, 12..) => 2 + u16::from(viewport.has_timeline),
        (_, 8..) => 1,
        (_, _) => 0,
    }
}

fn lines_without_preview(height: u16, bottom: u16) -> Lines {
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

/// A screen that shows a page instead of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageLines {
    /// Lines of the page that are visible at once.
    pub(crate) height: usize,
    /// Whether there is a title above the page, and a line for the keys under it.
    pub(crate) has_frame: bool,
}

pub(crate) fn page(viewport: Viewport) -> PageLines {
    let has_frame = viewport.height > 2;
    let frame = if has_frame {
        bottom(viewport).max(1) + 1
    } else {
        0
    };
    PageLines {
        height: viewport.height.saturating_sub(frame).max(1).into(),
        has_frame,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_screens_drop_lines_by_priority() {
        let all = |height, bottom| {
            let lines = lines_without_preview(height, bottom);
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
}
