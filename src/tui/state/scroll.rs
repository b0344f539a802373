//! Where a page of lines is scrolled to.

use crate::tui::action::Action;

/// The first visible line of a page. Only drawing finds out how many lines there are, so the limit is
/// that of the last frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scroll {
    top: usize,
    /// The last line is on the screen from here on.
    max_top: usize,
    /// Whether a search scrolled here: the line it found is at the top, even beyond `max_top`.
    is_at_match: bool,
}

impl Default for Scroll {
    fn default() -> Self {
        Self {
            top: 0,
            max_top: usize::MAX,
            is_at_match: false,
        }
    }
}

impl Scroll {
    /// The first visible line of a page that can be scrolled down to `max_top`.
    pub(crate) fn top(self, max_top: usize) -> usize {
        if self.is_at_match {
            self.top
        } else {
            self.top.min(max_top)
        }
    }

    /// The first visible line as of the last frame.
    pub(super) fn current_top(self) -> usize {
        self.top(self.max_top)
    }

    pub(super) fn set_max_top(&mut self, max_top: usize) {
        self.top = self.top(max_top);
        self.max_top = max_top;
    }

    pub(super) fn jump_to_match(&mut self, line: usize) {
        (self.top, self.is_at_match) = (line, true);
    }

    /// Scrolls; `None` if the action does not scroll. `page` is the number of visible lines.
    pub(super) fn apply(&mut self, action: Action, page: usize) -> Option<()> {
        let top = self.top;
        // A match may be further down than scrolling goes.
        let max_top = if self.is_at_match {
            self.max_top.max(top)
        } else {
            self.max_top
        };
        let to = match action {
            Action::Up => top.saturating_sub(1),
            Action::Down => top.saturating_add(1),
            Action::PageUp => top.saturating_sub(page),
            Action::PageDown => top.saturating_add(page),
            Action::First => 0,
            Action::Last => max_top,
            _ => return None,
        };
        self.top = to.min(max_top);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrolling_stops_at_the_last_line() {
        let mut scroll = Scroll::default();
        scroll.set_max_top(5);
        for (action, top) in [
            (Action::Up, 0),
            (Action::Down, 1),
            (Action::PageDown, 5),
            (Action::Down, 5),
            (Action::First, 0),
            (Action::Last, 5),
        ] {
            assert_eq!(scroll.apply(action, 10), Some(()));
            assert_eq!(scroll.current_top(), top, "{action:?}");
        }
        assert_eq!(scroll.apply(Action::Help, 10), None);
    }

    #[test]
    fn a_page_that_shrinks_is_scrolled_back() {
        let mut scroll = Scroll::default();
        let _ = scroll.apply(Action::Last, 10);
        assert_eq!(scroll.top(7), 7, "before the first frame there is no limit");
        scroll.set_max_top(7);
        scroll.set_max_top(3);
        assert_eq!(scroll.current_top(), 3);
    }

    #[test]
    fn a_match_stays_at_the_top_of_the_screen() {
        let mut scroll = Scroll::default();
        scroll.set_max_top(5);
        scroll.jump_to_match(8);
        scroll.set_max_top(5);
        assert_eq!(scroll.current_top(), 8);
        let _ = scroll.apply(Action::Up, 10);
        assert_eq!(scroll.current_top(), 7);
    }
}
