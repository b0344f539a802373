//! The list of columns to show: on or off, in which order, with the table following at once.

use super::{App, Screen};
use crate::query::fields::{ColumnId, NAME, NODE};
use crate::theme::Theme;
use crate::tui::action::Action;

/// The columns, and the place in the list.
#[derive(Debug, Clone)]
pub struct ColumnPicker {
    /// Every column, and whether it is shown.
    pub list: Vec<(ColumnId, bool)>,
    /// The place in it.
    pub at: usize,
    /// What to go back to.
    before: (Option<Vec<ColumnId>>, &'static Theme),
}

impl ColumnPicker {
    pub(super) fn new(app: &App) -> Self {
        Self {
            list: app.list_of_columns(app.columns.as_deref()),
            at: 0,
            before: (app.columns.clone(), app.theme),
        }
    }
}

impl App {
    /// The columns that there are to choose from: that of machines only where there are several, or
    /// where it was asked for.
    #[must_use]
    pub fn columns_offered(&self) -> Vec<ColumnId> {
        let is_asked = || {
            let columns = self.columns.as_ref();
            self.sort.column == NODE || columns.is_some_and(|columns| columns.contains(&NODE))
        };
        let has_node = self.fleet().is_some() || is_asked();
        ColumnId::all()
            .filter(|id| *id != NODE || has_node)
            .collect()
    }

    /// The columns that are shown by themselves, where there is room.
    fn columns_by_default(&self) -> Vec<ColumnId> {
        let is_fleet = self.fleet().is_some();
        ColumnId::all()
            .filter(|id| id.column().min_terminal_width.is_some() || (*id == NODE && is_fleet))
            .collect()
    }

    /// Those that are shown in their order, then the rest.
    fn list_of_columns(&self, columns: Option<&[ColumnId]>) -> Vec<(ColumnId, bool)> {
        let default = self.columns_by_default();
        let shown = columns.unwrap_or(&default);
        let mut rest = self.columns_offered();
        rest.retain(|id| !shown.contains(id));
        let shown = shown.iter().map(|id| (*id, true));
        shown
            .chain(rest.into_iter().map(|id| (id, false)))
            .collect()
    }

    pub(super) fn apply_to_columns(&mut self, action: Action) {
        let default = self.columns_by_default();
        let default_list = self.list_of_columns(None);
        let Screen::Columns(chooser) = &mut self.mode else {
            return;
        };
        let last = chooser.list.len() - 1;
        let at = chooser.at;
        match action {
            Action::Up => chooser.at = at.saturating_sub(1),
            Action::Down => chooser.at = (at + 1).min(last),
            Action::First => chooser.at = 0,
            Action::Last => chooser.at = last,
            Action::Left if at > 0 => {
                chooser.list.swap(at, at - 1);
                chooser.at = at - 1;
            }
            Action::Right if at < last => {
                chooser.list.swap(at, at + 1);
                chooser.at = at + 1;
            }
            Action::Toggle => {
                let (id, is_shown) = chooser.list[at];
                if id == NAME && is_shown {
                    self.toast("the name stays: without it no row says what it is");
                    return;
                }
                chooser.list[at].1 = !is_shown;
            }
            Action::Default => {
                chooser.list = default_list;
                chooser.at = 0;
            }
            Action::NextTheme => {
                self.theme = self.theme.next();
                let text = format!("--theme {}: {}", self.theme.name, self.theme.help);
                self.toast(text);
                return;
            }
            Action::Accept => {
                self.mode = Screen::Table;
                if let Some(columns) = &self.columns {
                    let names: Vec<_> = columns.iter().map(|id| id.field().name).collect();
                    self.toast(format!("--columns {}", names.join(",")));
                }
                self.keep_in_view();
                return;
            }
            Action::Back => {
                (self.columns, self.theme) = chooser.before.clone();
                self.mode = Screen::Table;
                self.keep_in_view();
                return;
            }
            _ => return,
        }
        let shown = chooser.list.iter().filter(|(_, is_shown)| *is_shown);
        let shown: Vec<_> = shown.map(|(id, _)| *id).collect();
        self.columns = Some(shown).filter(|shown| *shown != default);
        self.scrolled = 0;
    }
}
