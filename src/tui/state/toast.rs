//! What there is to say: what passes by itself, and what stays until the user has seen it.

use std::time::Duration;

use super::App;

/// How long a message stays.
const MESSAGE_TIME: Duration = Duration::from_secs(4);

/// A line for the user that goes by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) text: String,
    /// When it goes, by the clock of `App::now`.
    pub(super) until: Duration,
}

impl App {
    /// What there is to say, if it is not over.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        let passing = self
            .message
            .as_ref()
            .filter(|message| self.now.uptime < message.until);
        match (passing, &self.alert) {
            (Some(message), _) => Some(&message.text),
            (None, alert) => alert.as_deref(),
        }
    }

    pub(super) fn toast(&mut self, text: impl Into<String>) {
        self.message = Some(Message {
            text: text.into(),
            until: self.now.uptime + MESSAGE_TIME,
        });
    }

    /// Says something that passes.
    pub fn tell(&mut self, text: &str) {
        self.toast(text);
    }

    /// Says what went wrong, until the user has seen it.
    pub fn alert(&mut self, text: impl Into<String>) {
        self.alert = Some(text.into());
    }
}
