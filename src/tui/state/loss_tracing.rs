//! Starting and stopping to trace losses.

use super::App;
use crate::tui::action::Effect;
use crate::tui::text::losses::describe_tracing_failure;
use crate::types::loss_tracing::LossTracing;

impl App {
    /// Starts or stops tracing, and tells the user what it costs.
    pub(super) fn toggle_losses(&mut self) -> Effect {
        if self.session.player.is_some() {
            self.toast("a recording has losses only if it was recorded with --losses");
            return Effect::Draw;
        }
        if self.fleet().is_some() {
            self.toast("losses are counted by the exporter; start it with --losses");
            return Effect::Draw;
        }
        self.session.is_tracing_requested = !self.session.is_tracing_requested;
        self.toast(if self.session.is_tracing_requested {
            "watching losses; each map update takes some tens of ns longer; l stops"
        } else {
            "stopped watching losses; map updates run at full speed again"
        });
        Effect::TraceLosses(self.session.is_tracing_requested)
    }

    /// The warning that tracers keep counting while the process is stopped by `^Z`.
    #[must_use]
    pub fn suspend_warning(&self) -> Option<&'static str> {
        (self.is_tracing_losses() && self.session.player.is_none()).then_some(
            "mapstop still watches losses while suspended, which slows map updates a little",
        )
    }

    pub(super) fn is_tracing_losses(&self) -> bool {
        matches!(
            self.data.loss_tracing,
            LossTracing::Starting | LossTracing::On { .. }
        )
    }

    /// Tells the user of a new state of the tracing, once.
    pub(super) fn on_tracing_changed(&mut self, tracing: &LossTracing) {
        if self.data.loss_tracing == *tracing {
            return;
        }
        let had_note = self.data.loss_tracing.note().is_some();
        self.data.loss_tracing.clone_from(tracing);
        if self.session.player.is_some() {
            return;
        }
        match tracing {
            LossTracing::Refused(why) => self.alert(describe_tracing_failure(why)),
            LossTracing::On {
                note: Some(note), ..
            } if !had_note => self.alert(format!("losses: {note}")),
            LossTracing::Off | LossTracing::Starting | LossTracing::On { .. } => {}
        }
    }
}
