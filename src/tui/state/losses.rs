//! Watching what maps lose: asking for it, and what is said of it.

use super::App;
use crate::tui::action::Effect;
use crate::types::loss_tracing::LossTracing;

/// What is said when losses cannot be watched.
#[must_use]
pub fn cannot(why: &str) -> String {
    format!("losses cannot be watched: {why}")
}

impl App {
    /// Asks for losses to be watched, or no longer, and says what that costs.
    pub(super) fn watch_losses(&mut self) -> Effect {
        if self.player.is_some() {
            self.toast("a recording shows what was watched when it was made");
            return Effect::Draw;
        }
        if self.fleet().is_some() {
            self.toast("what is lost is counted where the exporter runs: mapstop export --losses");
            return Effect::Draw;
        }
        self.asks_for_losses = !self.asks_for_losses;
        self.toast(if self.asks_for_losses {
            "watching losses: some tens of ns per map update, off by default; l ends it"
        } else {
            "losses are no longer watched; updates cost what they always do"
        });
        Effect::WatchLosses(self.asks_for_losses)
    }

    /// What the user should know before mapstop stops; `None` if nothing costs anything then.
    #[must_use]
    pub fn suspend_warning(&self) -> Option<&'static str> {
        let is_watching = matches!(
            self.watching,
            LossTracing::Starting | LossTracing::On { .. }
        );
        (is_watching && self.player.is_none())
            .then_some("losses are watched on while mapstop is stopped, and updates cost more")
    }

    /// Says what came of it, each thing once.
    pub(super) fn on_tracing_changed(&mut self, watching: &LossTracing) {
        if self.watching == *watching {
            return;
        }
        let had_note = self.watching.note().is_some();
        self.watching.clone_from(watching);
        if self.player.is_some() {
            return;
        }
        match watching {
            LossTracing::Refused(why) => self.alert(cannot(why)),
            LossTracing::On {
                note: Some(note), ..
            } if !had_note => self.alert(format!("losses: {note}")),
            _ => {}
        }
    }
}
