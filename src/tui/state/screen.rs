//! The screens that are open.

use super::{
    ColumnPicker, CountDialog, Detail, DoctorPage, Help, OwnerList, Prompt, Scroll, SortMenu,
};
use crate::tui::screen_kind::ScreenKind;

#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "most variants need no more than their name")]
pub enum Screen {
    Table,
    Detail(Box<Detail>),
    /// A line of input, over the screen that it is about.
    Prompt(Box<Prompt>),
    SortMenu(SortMenu),
    OwnerList(OwnerList),
    ColumnPicker(Box<ColumnPicker>),
    Help(Help),
    Doctor(DoctorPage),
    /// The dialog of an exact count, over the screen that it was opened from.
    ExactCount(Box<CountDialog>),
}

impl Screen {
    pub(crate) fn kind(&self) -> ScreenKind {
        match self {
            Self::Table => ScreenKind::Table,
            Self::Detail(_) => ScreenKind::Detail,
            Self::Prompt(_) => ScreenKind::Prompt,
            Self::SortMenu(_) => ScreenKind::SortMenu,
            Self::OwnerList(_) => ScreenKind::OwnerList,
            Self::ColumnPicker(_) => ScreenKind::ColumnPicker,
            Self::Help(_) => ScreenKind::Help,
            Self::Doctor(_) => ScreenKind::Doctor,
            Self::ExactCount(_) => ScreenKind::ExactCount,
        }
    }

    /// Whether the screen takes some lines only and leaves the screen under it visible.
    fn is_dialog(&self) -> bool {
        matches!(self, Self::Prompt(_) | Self::ExactCount(_))
    }

    fn scroll_mut(&mut self) -> Option<&mut Scroll> {
        match self {
            Self::Detail(detail) => Some(&mut detail.scroll),
            Self::Help(help) => Some(&mut help.scroll),
            Self::Doctor(page) => Some(&mut page.scroll),
            Self::Table
            | Self::Prompt(_)
            | Self::SortMenu(_)
            | Self::OwnerList(_)
            | Self::ColumnPicker(_)
            | Self::ExactCount(_) => None,
        }
    }
}

/// The open screens. The table is always open, under all others.
#[derive(Debug, Clone, Default)]
pub(super) struct ScreenStack {
    above_table: Vec<Screen>,
}

impl ScreenStack {
    /// The screen that keys go to.
    pub(super) fn top(&self) -> &Screen {
        self.above_table.last().unwrap_or(&Screen::Table)
    }

    /// `None` if it is the table.
    pub(super) fn top_mut(&mut self) -> Option<&mut Screen> {
        self.above_table.last_mut()
    }

    /// The screen that fills the terminal, under a dialog if there is one.
    pub(super) fn body(&self) -> &Screen {
        let mut open = self.above_table.iter().rev();
        open.find(|screen| !screen.is_dialog())
            .unwrap_or(&Screen::Table)
    }

    pub(super) fn push(&mut self, screen: Screen) {
        self.above_table.push(screen);
    }

    /// Closes the screen on top; `None` if that is the table.
    pub(super) fn pop(&mut self) -> Option<Screen> {
        self.above_table.pop()
    }

    /// Closes all screens above the table, and opens this one.
    pub(super) fn reset_to(&mut self, screen: Screen) {
        self.above_table = vec![screen];
    }

    pub(super) fn detail_mut(&mut self) -> Option<&mut Detail> {
        self.above_table.iter_mut().find_map(|screen| match screen {
            Screen::Detail(detail) => Some(&mut **detail),
            _ => None,
        })
    }

    pub(super) fn help_mut(&mut self) -> Option<&mut Help> {
        self.above_table.iter_mut().find_map(|screen| match screen {
            Screen::Help(help) => Some(help),
            _ => None,
        })
    }

    pub(super) fn set_max_top(&mut self, max_top: usize) {
        let mut open = self.above_table.iter_mut().rev();
        let body = open.find(|screen| !screen.is_dialog());
        if let Some(scroll) = body.and_then(Screen::scroll_mut) {
            scroll.set_max_top(max_top);
        }
    }
}
