//! The list of columns to show: which, and in which order. The table follows at once.

use super::{App, Screen};
use crate::query::fields::{ColumnId, NAME, NODE};
use crate::theme::Theme;
use crate::tui::action::{Action, Effect};

/// The state of the column picker.
#[derive(Debug, Clone)]
pub struct ColumnPicker {
    /// Every column, and whether it is shown.
    pub(crate) columns: Vec<(ColumnId, bool)>,
    /// The index of the selected one.
    pub(crate) selected: usize,
    /// Restored on cancel.
    before: (Option<Vec<ColumnId>>, &'static Theme),
}

impl ColumnPicker {
    pub(super) fn new(app: &App) -> Self {
        Self {
            columns: app.picker_columns(app.display.columns.as_deref()),
            selected: 0,
            before: (app.display.columns.clone(), app.display.theme),
        }
    }
}

impl App {
    /// The columns to choose from. That of nodes only where there are several, or where it is used.
    pub(crate) fn columns_offered(&self) -> Vec<ColumnId> {
        let is_used = || {
            let columns = self.display.columns.as_ref();
            self.table.sort.column == NODE || columns.is_some_and(|columns| columns.contains(&NODE))
        };
        let has_node = self.fleet().is_some() || is_used();
        ColumnId::all()
            .filter(|id| *id != NODE || has_node)
            .collect()
    }

    /// The columns that are shown by default on a screen that is wide enough.
    fn default_columns(&self) -> Vec<ColumnId> {
        let is_fleet = self.fleet().is_some();
        ColumnId::all()
            .filter(|id| id.column().min_terminal_width.is_some() || (*id == NODE && is_fleet))
            .collect()
    }

    /// The shown columns in their order, then the others.
    fn picker_columns(&self, shown: Option<&[ColumnId]>) -> Vec<(ColumnId, bool)> {
        let default = self.default_columns();
        let shown = shown.unwrap_or(&default);
        let mut others = self.columns_offered();
        others.retain(|id| !shown.contains(id));
        let shown = shown.iter().map(|id| (*id, true));
        shown
            .chain(others.into_iter().map(|id| (id, false)))
            .collect()
    }

    pub(super) fn apply_to_column_picker(&mut self, action: Action) -> Option<Effect> {
        let default = self.default_columns();
        let default_list = self.picker_columns(None);
        let Some(Screen::ColumnPicker(picker)) = self.nav.screens.top_mut() else {
            return None;
        };
        let last = picker.columns.len() - 1;
        let index = picker.selected;
        match action {
            Action::Up => picker.selected = index.saturating_sub(1),
            Action::Down => picker.selected = (index + 1).min(last),
            Action::First => picker.selected = 0,
            Action::Last => picker.selected = last,
            Action::Left | Action::Right => {
                let to = if action == Action::Left {
                    index.saturating_sub(1)
                } else {
                    (index + 1).min(last)
                };
                picker.columns.swap(index, to);
                picker.selected = to;
            }
            Action::ToggleColumn => {
                let (id, is_shown) = picker.columns[index];
                if id == NAME && is_shown {
                    self.toast("the name column cannot be hidden");
                    return Some(Effect::Draw);
                }
                picker.columns[index].1 = !is_shown;
            }
            Action::DefaultColumns => {
                picker.columns = default_list;
                picker.selected = 0;
            }
            Action::NextTheme => {
                let theme = self.display.theme.next();
                self.display.theme = theme;
                self.toast(format!("--theme {}: {}", theme.name, theme.help));
                return Some(Effect::Draw);
            }
            Action::Accept => {
                self.nav.screens.pop();
                if let Some(columns) = &self.display.columns {
                    let names: Vec<_> = columns.iter().map(|id| id.field().name).collect();
                    self.toast(format!("--columns {}", names.join(",")));
                }
                self.keep_in_view();
                return Some(Effect::Draw);
            }
            Action::Back => {
                (self.display.columns, self.display.theme) = picker.before.clone();
                self.nav.screens.pop();
                self.keep_in_view();
                return Some(Effect::Draw);
            }
            _ => return None,
        }
        let shown = picker.columns.iter().filter(|(_, is_shown)| *is_shown);
        let shown: Vec<_> = shown.map(|(id, _)| *id).collect();
        self.display.columns = Some(shown).filter(|shown| *shown != default);
        self.table.scrolled = 0;
        Some(Effect::Draw)
    }
}
