//! Messages to the user: toasts disappear by themselves, an alert stays until it is dismissed.

use std::time::Duration;

use super::App;

const TOAST_TIME: Duration = Duration::from_secs(4);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Toast {
    pub(super) text: String,
    /// Uptime at which it disappears.
    pub(super) until: Duration,
}

impl App {
    /// The message to show: the toast before the alert.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        let toast = self
            .nav
            .toast
            .as_ref()
            .filter(|toast| self.session.now.uptime < toast.until);
        match (toast, &self.nav.alert) {
            (Some(toast), _) => Some(&toast.text),
            (None, alert) => alert.as_deref(),
        }
    }

    /// Shows a message for some seconds.
    pub(crate) fn toast(&mut self, text: impl Into<String>) {
        self.nav.toast = Some(Toast {
            text: text.into(),
            until: self.session.now.uptime + TOAST_TIME,
        });
    }

    /// Shows a message until the user dismisses it.
    pub fn alert(&mut self, text: impl Into<String>) {
        self.nav.alert = Some(text.into());
    }
}
