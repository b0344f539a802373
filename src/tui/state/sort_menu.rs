//! The list of columns to sort by.

use super::{App, Screen};
use crate::query::sort::Sort;
use crate::tui::action::{Action, Effect};

/// The state of the sort menu.
#[derive(Debug, Clone, Copy)]
pub struct SortMenu {
    /// The index of the selected column.
    pub(crate) selected: usize,
    /// Restored on cancel.
    before: Sort,
}

impl App {
    pub(super) fn open_sort_menu(&mut self) {
        let columns = self.columns_offered();
        let index = columns.iter().position(|id| *id == self.table.sort.column);
        self.nav.screens.push(Screen::SortMenu(SortMenu {
            selected: index.unwrap_or(0),
            before: self.table.sort,
        }));
    }

    pub(super) fn apply_to_sort_menu(&mut self, action: Action) -> Option<Effect> {
        let columns = self.columns_offered();
        let Some(Screen::SortMenu(menu)) = self.nav.screens.top_mut() else {
            return None;
        };
        let last = columns.len() - 1;
        match action {
            Action::Up => menu.selected = menu.selected.saturating_sub(1),
            Action::Down => menu.selected = (menu.selected + 1).min(last),
            Action::First => menu.selected = 0,
            Action::Last => menu.selected = last,
            Action::ReverseSort => self.reverse(),
            Action::Back => {
                let before = menu.before;
                self.nav.screens.pop();
                self.sort_by(before);
            }
            Action::Accept => {
                let column = columns.get(menu.selected).copied();
                self.nav.screens.pop();
                if let Some(column) = column.filter(|id| *id != self.table.sort.column) {
                    self.sort_by(Sort::by(column));
                }
            }
            _ => return None,
        }
        Some(Effect::Draw)
    }
}
