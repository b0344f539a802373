//! What keys do in the table: moving, finding, sorting, and the way out.

use super::{App, ColumnPicker, Groups, Help, Menu, PromptKind, Screen};
use crate::query::filter::Filter;
use crate::query::group::GroupBy;
use crate::query::sort::Sort;
use crate::tui::action::{Action, Effect};
use crate::tui::layout;

impl App {
    pub(super) fn apply_to_table(&mut self, action: Action) -> Effect {
        let page = self.page();
        match action {
            Action::Up => self.move_selection(-1),
            Action::Down => self.move_selection(1),
            Action::PageUp => self.move_selection(-signed(page)),
            Action::PageDown => self.move_selection(signed(page)),
            Action::HalfUp => self.move_selection(-signed(page.div_ceil(2))),
            Action::HalfDown => self.move_selection(signed(page.div_ceil(2))),
            Action::First => {
                self.selected = None;
                self.is_following = false;
                self.top = 0;
            }
            Action::Last => self.move_selection(isize::MAX),
            Action::Left if self.scrolled > 0 => self.scrolled -= 1,
            Action::Left => self.toast("these are the first columns"),
            Action::Right if layout::columns::can_scroll(self) => self.scrolled += 1,
            Action::Right => self.toast("these are the last columns; c has more"),
            Action::Follow => self.follow(),
            Action::Open => self.open(),
            Action::AskSearch => self.ask(PromptKind::Search, String::new()),
            Action::NextFound => self.jump(true),
            Action::PreviousFound => self.jump(false),
            Action::AskFilter => self.ask(PromptKind::Filter, self.filter.text().to_owned()),
            Action::Keep => self.toggle_pinned_row(),
            Action::KeepNone => {
                if self.pinned_rows.is_empty() {
                    self.toast("no map is kept on top: m keeps the selected one");
                }
                self.pinned_rows.clear();
                self.reorder();
            }
            Action::AskSort => {
                let columns = self.columns_offered();
                let at = columns.iter().position(|id| *id == self.sort.column);
                self.mode = Screen::Menu(Menu {
                    at: at.unwrap_or(0),
                    before: self.sort,
                });
            }
            Action::AskOwner => self.mode = Screen::Groups(Groups::new(GroupBy::Owner, false)),
            Action::Group => self.mode = Screen::Groups(Groups::new(GroupBy::Owner, true)),
            Action::SortLeft => self.sort_beside(false),
            Action::SortRight => self.sort_beside(true),
            Action::SortBy(column) => self.sort_by(Sort::by(column)),
            Action::Reverse => self.reverse(),
            Action::Preview => {
                self.preview = Some(!self.has_preview());
                self.keep_in_view();
            }
            Action::Exact => self.is_exact = !self.is_exact,
            Action::AskColumns => self.mode = Screen::Columns(Box::new(ColumnPicker::new(self))),
            Action::Help => self.mode = Screen::Help(Help::over(Screen::Table)),
            Action::Quit => return Effect::Quit,
            Action::Back => self.back(),
            _ => {}
        }
        Effect::Draw
    }

    /// Selects the map so many rows further. From nowhere, down starts above the first row on the
    /// screen and up goes to the last.
    pub(super) fn move_selection(&mut self, by: isize) {
        let Some(last) = self.visible.len().checked_sub(1) else {
            return;
        };
        let to = match self.selected_at() {
            Some(at) => at.saturating_add_signed(by),
            None if by > 0 => self.top.saturating_add_signed(by - 1),
            None => self.top + self.page() - 1,
        };
        self.select_at(to.min(last));
    }

    /// Selects the map in this row.
    pub(super) fn select_at(&mut self, at: usize) {
        let key = self.rows().nth(at).map(|row| row.key().clone());
        self.selected = key;
        self.hold();
        self.keep_in_view();
    }

    fn follow(&mut self) {
        self.is_following = !self.is_following;
        if self.is_following && self.selected_at().is_none() {
            self.move_selection(1);
        }
        self.toast(if self.is_following {
            "the selected map stays on the screen; F lets it go"
        } else {
            "no longer following"
        });
        self.keep_in_view();
    }

    /// Opens the selected map, or the first if there is none.
    fn open(&mut self) {
        if self.selected_at().is_none() {
            self.move_selection(1);
        }
        self.open_detail();
    }

    fn toggle_pinned_row(&mut self) {
        let Some(row) = self.selected_row() else {
            self.toast("select a map first: Up Down");
            return;
        };
        let (key, name) = (row.key().clone(), row.facts.name.clone());
        let text = if self.pinned_rows.remove(&key) {
            format!("{name} is no longer kept on top")
        } else {
            self.pinned_rows.insert(key);
            format!("{name} is kept on top; m lets it go, U all")
        };
        self.toast(text);
        self.reorder();
    }

    /// Sorts by the next column on the screen, to the left or right, round at the ends.
    fn sort_beside(&mut self, to_right: bool) {
        let shown = layout::columns::sortable(self);
        let at = shown
            .iter()
            .position(|id| *id == self.sort.column)
            .unwrap_or(0);
        let step = if to_right { 1 } else { shown.len() - 1 };
        if let Some(column) = shown.get((at + step) % shown.len()) {
            self.sort_by(Sort::by(*column));
        }
    }

    fn back(&mut self) {
        if self.message().is_some() {
            // What passes goes before what stays.
            if self
                .message
                .take()
                .is_none_or(|m| m.until <= self.now.uptime)
            {
                self.alert = None;
            }
        } else if self.search.is_some() {
            self.search = None;
        } else if self.back_to_groups() {
            // Its filter is gone with it.
        } else if !self.filter.is_everything() {
            self.filter_by(Filter::everything());
        } else if self.has_limit_line() && self.selected.is_none() {
            self.is_limit_hidden = true;
        } else {
            self.toast("q quits");
        }
    }
}

fn signed(count: usize) -> isize {
    isize::try_from(count).unwrap_or(isize::MAX)
}
