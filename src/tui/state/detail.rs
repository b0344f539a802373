//! What keys do in the detail of a map.

use super::{App, Help, Screen};
use crate::tui::action::Action;
use crate::tui::layout;
use crate::types::row::Row;

/// A page of the detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DetailPage {
    /// Level, chart and facts.
    Overview,
    /// What happened to it.
    Events,
}

impl DetailPage {
    /// All, in order.
    pub const ALL: [Self; 2] = [Self::Overview, Self::Events];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Events => "events",
        }
    }
}

/// One map over the whole screen.
#[derive(Debug, Clone)]
pub struct Detail {
    /// The page.
    pub page: DetailPage,
    /// The map as it was last seen; it may be gone by now.
    pub row: Row,
    /// The first line on the screen.
    pub top: usize,
}

impl App {
    /// Opens the selected map, if there is one.
    pub(super) fn open_detail(&mut self) {
        let page = match &self.mode {
            Screen::Detail(detail) => detail.page,
            _ => DetailPage::Overview,
        };
        let row = self.selected.as_ref().and_then(|key| self.row(key));
        if let Some(row) = row {
            self.mode = Screen::Detail(Box::new(Detail {
                page,
                row: row.clone(),
                top: 0,
            }));
        }
    }

    /// The detail shows what the table knows.
    pub(super) fn refresh_detail(&mut self) {
        let row = match detail(&mut self.mode) {
            Some(detail) => detail.row.key().clone(),
            None => return,
        };
        let now = self.reading.as_ref().map(|reading| reading.moment.uptime);
        let row = self.row(&row).cloned();
        let is_paused_or_played = self.is_paused || self.player.is_some();
        let Some(detail) = detail(&mut self.mode) else {
            return;
        };
        match row {
            Some(row) => detail.row = row,
            // It is no longer in the table either, and stays as it was.
            None if !is_paused_or_played && detail.row.deleted_at.is_none() => {
                detail.row.deleted_at = now;
            }
            None => {}
        }
    }

    pub(super) fn apply_to_detail(&mut self, action: Action) {
        match action {
            Action::PreviousMap | Action::NextMap => {
                self.move_selection(if action == Action::NextMap { 1 } else { -1 });
                self.open_detail();
            }
            Action::Back => {
                self.mode = Screen::Table;
                self.keep_in_view();
            }
            Action::Help => {
                let under = std::mem::replace(&mut self.mode, Screen::Table);
                self.mode = Screen::Help(Help::over(under));
            }
            Action::NextPage | Action::Page(_) => {
                if let Screen::Detail(detail) = &mut self.mode {
                    let at = match action {
                        Action::Page(at) => at,
                        _ => detail.page as usize + 1,
                    };
                    detail.page = DetailPage::ALL[at % DetailPage::ALL.len()];
                    detail.top = 0;
                }
            }
            _ => self.scroll_detail(action),
        }
    }

    fn scroll_detail(&mut self, action: Action) {
        let (page, last) = layout::detail(self);
        if let Screen::Detail(detail) = &mut self.mode {
            detail.top = layout::scroll(detail.top, action, page, last);
        }
    }
}

/// The detail that is open, under a prompt or the help or by itself.
fn detail(mode: &mut Screen) -> Option<&mut Detail> {
    match mode {
        Screen::Detail(detail) => Some(detail),
        Screen::Prompt(prompt) => detail(&mut prompt.under),
        Screen::Help(help) => detail(&mut help.under),
        Screen::System(system) => detail(&mut system.under),
        Screen::Count(counting) => detail(&mut counting.under),
        Screen::Table | Screen::Menu(_) | Screen::Groups(_) | Screen::Columns(_) => None,
    }
}
