//! The doctor page, and the examination that it needs.

use std::sync::Arc;

use super::{App, Screen, Scroll};
use crate::tui::action::{Action, Effect};
use crate::tui::layout;
use crate::types::doctor_report::DoctorReport;

/// The open doctor page.
#[derive(Debug, Clone, Default)]
pub struct DoctorPage {
    pub(crate) scroll: Scroll,
}

impl DoctorPage {
    /// The first visible line, as of the last frame.
    #[must_use]
    pub fn top(&self) -> usize {
        self.scroll.current_top()
    }
}

impl App {
    pub(super) fn open_doctor(&mut self) -> Effect {
        let page = DoctorPage::default();
        self.nav.screens.push(Screen::Doctor(page));
        self.examine()
    }

    /// Requests an examination, unless one is running, or the maps are those of a recording or a fleet.
    fn examine(&mut self) -> Effect {
        if !self.is_this_machine() || self.session.is_examining {
            return Effect::Draw;
        }
        self.session.is_examining = true;
        Effect::Examine
    }

    /// Whether the maps are the current ones of this machine, not those of a recording or a fleet.
    pub(crate) fn is_this_machine(&self) -> bool {
        self.session.player.is_none() && self.fleet().is_none()
    }

    /// An examination has ended.
    pub fn on_examined(&mut self, report: DoctorReport) {
        self.session.is_examining = false;
        self.session.doctor_report = Some(Arc::new(report));
    }

    /// An examination could not be started.
    pub(crate) fn on_examination_failed(&mut self) {
        self.session.is_examining = false;
        self.alert("cannot examine this machine: no thread could be started");
    }

    pub(super) fn apply_to_doctor(&mut self, action: Action) -> Option<Effect> {
        let page_height = layout::page(self.viewport()).height;
        let Some(Screen::Doctor(page)) = self.nav.screens.top_mut() else {
            return None;
        };
        match action {
            Action::ExamineAgain => return Some(self.examine()),
            Action::Back => {
                self.nav.screens.pop();
                self.keep_in_view();
            }
            _ => page.scroll.apply(action, page_height)?,
        }
        Some(Effect::Draw)
    }
}
