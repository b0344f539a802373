//! The detail of a map.

use super::{App, Screen, Scroll};
use crate::tui::action::{Action, Effect};
use crate::tui::layout;
use crate::tui::screen_kind::DetailPage;
use crate::types::row::Row;

/// An open map.
#[derive(Debug, Clone)]
pub struct Detail {
    pub(crate) page: DetailPage,
    /// The map as of the last sample that had it.
    pub row: Row,
    pub(crate) scroll: Scroll,
}

impl Detail {
    /// The first visible line, as of the last frame.
    #[must_use]
    pub fn top(&self) -> usize {
        self.scroll.current_top()
    }
}

impl App {
    /// Opens the selected map, if there is one, in place of all other screens.
    pub(super) fn open_detail(&mut self) {
        let page = match self.screen() {
            Screen::Detail(detail) => detail.page,
            _ => DetailPage::Overview,
        };
        let row = self.table.selected.as_ref().and_then(|key| self.row(key));
        if let Some(row) = row {
            let detail = Detail {
                page,
                row: row.clone(),
                scroll: Scroll::default(),
            };
            self.nav.screens.reset_to(Screen::Detail(Box::new(detail)));
        }
    }

    /// Updates the map of an open detail.
    pub(super) fn refresh_detail(&mut self) {
        let Some(detail) = self.nav.screens.detail_mut() else {
            return;
        };
        let key = detail.row.key().clone();
        let row = self.row(&key).cloned();
        let now = self
            .data
            .reading
            .as_ref()
            .map(|reading| reading.moment.uptime);
        let is_live = !self.session.is_paused && self.session.player.is_none();
        let Some(detail) = self.nav.screens.detail_mut() else {
            return;
        };
        match row {
            Some(row) => detail.row = row,
            // The table dropped the deleted map; the detail keeps it.
            None if is_live && detail.row.deleted_at.is_none() => detail.row.deleted_at = now,
            None => {}
        }
    }

    pub(super) fn apply_to_detail(&mut self, action: Action) -> Option<Effect> {
        let page_height = layout::page(self.viewport()).height;
        let Some(Screen::Detail(detail)) = self.nav.screens.top_mut() else {
            return None;
        };
        match action {
            Action::PreviousMap | Action::NextMap => {
                self.move_selection(if action == Action::NextMap { 1 } else { -1 });
                self.open_detail();
            }
            Action::Back => {
                self.nav.screens.pop();
                self.keep_in_view();
            }
            Action::Help => self.open_help(),
            Action::NextPage | Action::GoToPage(_) => {
                let index = match action {
                    Action::GoToPage(index) => index,
                    _ => detail.page as usize + 1,
                };
                detail.page = DetailPage::ALL[index % DetailPage::ALL.len()];
                detail.scroll = Scroll::default();
            }
            _ => detail.scroll.apply(action, page_height)?,
        }
        Some(Effect::Draw)
    }
}
