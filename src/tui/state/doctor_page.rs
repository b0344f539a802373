//! What keys do in the page about what can be shown here, and how it comes to say it.

use std::sync::Arc;

use super::{App, Screen};
use crate::tui::action::{Action, Effect};
use crate::tui::layout;
use crate::types::doctor_report::DoctorReport;

/// Where one is in that page.
#[derive(Debug, Clone)]
pub struct System {
    /// Its first line on the screen.
    pub top: usize,
    /// What it was opened over, and goes back to.
    pub under: Box<Screen>,
}

impl App {
    /// Opens the page; of a machine as it is now, an examination says what stands there.
    pub(super) fn open_system(&mut self) -> Effect {
        let under = std::mem::replace(&mut self.mode, Screen::Table);
        self.mode = Screen::System(System {
            top: 0,
            under: Box::new(under),
        });
        self.examine()
    }

    /// Asks for an examination, unless one goes on, or this is about other machines.
    fn examine(&mut self) -> Effect {
        if !self.is_of_this_machine() || self.is_examining {
            return Effect::Draw;
        }
        self.is_examining = true;
        Effect::Examine
    }

    /// Whether the maps are those of the machine that mapstop runs on, as they are now.
    #[must_use]
    pub fn is_of_this_machine(&self) -> bool {
        self.player.is_none() && self.fleet().is_none()
    }

    /// An examination is over.
    pub fn examined(&mut self, checkup: DoctorReport) {
        self.is_examining = false;
        self.checkup = Some(Arc::new(checkup));
    }

    /// It could not even begin.
    pub fn not_examined(&mut self) {
        self.is_examining = false;
        self.alert("nothing was examined: no thread can be started");
    }

    pub(super) fn apply_to_system(&mut self, action: Action) -> Effect {
        let (page, last) = layout::system(self);
        let Screen::System(system) = &mut self.mode else {
            return Effect::Draw;
        };
        match action {
            Action::ExamineAgain => return self.examine(),
            Action::Back => {
                let under = std::mem::replace(&mut *system.under, Screen::Table);
                self.mode = under;
                self.keep_in_view();
            }
            _ => system.top = layout::scroll(system.top, action, page, last),
        }
        Effect::Draw
    }
}
