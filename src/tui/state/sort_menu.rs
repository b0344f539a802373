//! What keys do in the list of columns to sort by.

use super::{App, Screen};
use crate::query::sort::Sort;
use crate::tui::action::Action;

/// The list of columns to sort by.
#[derive(Debug, Clone, Copy)]
pub struct Menu {
    /// The place in it.
    pub at: usize,
    /// The order to go back to.
    pub(super) before: Sort,
}

impl App {
    pub(super) fn apply_to_menu(&mut self, action: Action) {
        let columns = self.columns_offered();
        let Screen::Menu(menu) = &mut self.mode else {
            return;
        };
        let last = columns.len() - 1;
        match action {
            Action::Up => menu.at = menu.at.saturating_sub(1),
            Action::Down => menu.at = (menu.at + 1).min(last),
            Action::First => menu.at = 0,
            Action::Last => menu.at = last,
            Action::Reverse => self.reverse(),
            Action::Back => {
                let before = menu.before;
                self.mode = Screen::Table;
                self.sort_by(before);
            }
            Action::Accept => {
                let column = columns.get(menu.at).copied();
                self.mode = Screen::Table;
                if let Some(column) = column.filter(|id| *id != self.sort.column) {
                    self.sort_by(Sort::by(column));
                }
            }
            _ => {}
        }
    }
}
