//! What actions do in the table: moving, finding, sorting, and leaving.

use super::{App, ColumnPicker, PromptKind, Screen};
use crate::query::filter::Filter;
use crate::query::sort::Sort;
use crate::tui::action::{Action, Effect};
use crate::tui::layout::columns;

impl App {
    pub(super) fn apply_to_table(&mut self, action: Action) -> Option<Effect> {
        let page = self.page();
        match action {
            Action::Up => self.move_selection(-1),
            Action::Down => self.move_selection(1),
            Action::PageUp => self.move_selection(-signed(page)),
            Action::PageDown => self.move_selection(signed(page)),
            Action::HalfPageUp => self.move_selection(-signed(page.div_ceil(2))),
            Action::HalfPageDown => self.move_selection(signed(page.div_ceil(2))),
            Action::First => {
                self.table.selected = None;
                self.table.is_following = false;
                self.table.top = 0;
            }
            Action::Last => self.move_selection(isize::MAX),
            Action::Left if self.table.scrolled > 0 => self.table.scrolled -= 1,
            Action::Left => self.toast("already at the first column"),
            Action::Right if columns::can_scroll(self.nav.size.0, &self.column_request()) => {
                self.table.scrolled += 1;
            }
            Action::Right => self.toast("already at the last column; c adds more"),
            Action::ToggleFollow => self.toggle_follow(),
            Action::OpenDetail => self.open_selected_or_first(),
            Action::OpenSearch => self.open_prompt(PromptKind::Search, String::new()),
            Action::NextMatch => self.jump(true),
            Action::PreviousMatch => self.jump(false),
            Action::OpenFilter => {
                let text = self.table.filter.text().to_owned();
                self.open_prompt(PromptKind::Filter, text);
            }
            Action::TogglePinned => self.toggle_pinned_row(),
            Action::UnpinAll => {
                if self.table.pinned_rows.is_empty() {
                    self.toast("no map is kept on top; m keeps the selected map there");
                }
                self.table.pinned_rows.clear();
                self.reorder();
            }
            Action::OpenSortMenu => self.open_sort_menu(),
            Action::ChooseOwner => self.open_owner_list(false),
            Action::OpenOwnerList => self.open_owner_list(true),
            Action::SortLeft => self.sort_beside(false),
            Action::SortRight => self.sort_beside(true),
            Action::SortBy(column) => self.sort_by(Sort::by(column)),
            Action::ReverseSort => self.reverse(),
            Action::TogglePreview => {
                self.display.preview = Some(!self.has_preview());
                self.keep_in_view();
            }
            Action::ToggleExact => self.display.is_exact = !self.display.is_exact,
            Action::OpenColumnPicker => {
                let picker = ColumnPicker::new(self);
                self.nav
                    .screens
                    .push(Screen::ColumnPicker(Box::new(picker)));
            }
            Action::Help => self.open_help(),
            Action::Quit => return Some(Effect::Quit),
            Action::Back => self.back(),
            _ => return None,
        }
        Some(Effect::Draw)
    }

    /// Moves the selection by this many rows. Without a selection, down starts at the first visible
    /// row and up selects the last one.
    pub(super) fn move_selection(&mut self, by: isize) {
        let Some(last) = self.table.visible.len().checked_sub(1) else {
            return;
        };
        let to = match self.selected_at() {
            Some(at) => at.saturating_add_signed(by),
            None if by > 0 => self.table.top.saturating_add_signed(by - 1),
            None => self.table.top + self.page() - 1,
        };
        self.select_at(to.min(last));
    }

    /// Selects the map in the row of this index.
    pub(super) fn select_at(&mut self, index: usize) {
        let key = self.rows().nth(index).map(|row| row.key().clone());
        self.table.selected = key;
        self.hold_order();
        self.keep_in_view();
    }

    fn toggle_follow(&mut self) {
        self.table.is_following = !self.table.is_following;
        if self.table.is_following && self.selected_at().is_none() {
            self.move_selection(1);
        }
        self.toast(if self.table.is_following {
            "following the selected map; F stops"
        } else {
            "stopped following"
        });
        self.keep_in_view();
    }

    fn open_selected_or_first(&mut self) {
        if self.selected_at().is_none() {
            self.move_selection(1);
        }
        self.open_detail();
    }

    fn toggle_pinned_row(&mut self) {
        let Some(row) = self.selected_row() else {
            self.toast("select a map first (Up, Down)");
            return;
        };
        let (key, name) = (row.key().clone(), row.facts.name.clone());
        let text = if self.table.pinned_rows.remove(&key) {
            format!("{name} is no longer kept on top")
        } else {
            self.table.pinned_rows.insert(key);
            format!("{name} is kept on top; m releases it, U all")
        };
        self.toast(text);
        self.reorder();
    }

    /// Sorts by the next visible column to the left or right, wrapping around.
    fn sort_beside(&mut self, to_right: bool) {
        let shown = columns::sortable(self.nav.size.0, &self.column_request());
        let index = shown
            .iter()
            .position(|id| *id == self.table.sort.column)
            .unwrap_or(0);
        let step = if to_right { 1 } else { shown.len() - 1 };
        if let Some(column) = shown.get((index + step) % shown.len()) {
            self.sort_by(Sort::by(*column));
        }
    }

    fn back(&mut self) {
        if self.message().is_some() {
            // A toast goes first, an alert with the next key.
            if self
                .nav
                .toast
                .take()
                .is_none_or(|m| m.until <= self.session.now.uptime)
            {
                self.nav.alert = None;
            }
        } else if self.table.search.is_some() {
            self.table.search = None;
        } else if self.back_to_owner_list() {
            // The filter of the group is cleared with it.
        } else if !self.table.filter.is_everything() {
            self.filter_by(Filter::everything());
        } else if self.has_limit_line() && self.table.selected.is_none() {
            self.nav.is_limit_hidden = true;
        } else {
            self.toast("q quits");
        }
    }
}

fn signed(count: usize) -> isize {
    isize::try_from(count).unwrap_or(isize::MAX)
}
