//! The environment: whether stdout is a terminal, and what it can display.

use std::env;
use std::io::{IsTerminal, stdout};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Environment {
    /// Whether stdout is a terminal that can be drawn on.
    pub has_terminal: bool,
    /// Whether the locale is UTF-8.
    pub is_utf8: bool,
    /// Whether colours are not wanted (<https://no-color.org>).
    pub is_without_color: bool,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub(crate) fn of_process() -> Self {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            has_terminal: stdout().is_terminal()
                && is_set("TERM")
                && env::var_os("TERM").is_some_and(|term| term != "dumb"),
            is_utf8: is_utf8(|name| env::var(name).ok()),
            is_without_color: is_set("NO_COLOR"),
        }
    }

    /// A terminal that can show everything.
    #[must_use]
    pub fn terminal() -> Self {
        Self {
            has_terminal: true,
            is_utf8: true,
            is_without_color: false,
        }
    }
}

/// Whether the first of these variables that is set names UTF-8, in the order of the C library.
fn is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(variable)
        .find(|value| !value.is_empty())
        .unwrap_or_default()
        .to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides_the_locale() {
        let locale = |set: &[(&str, &str)]| {
            is_utf8(|name| {
                let found = set.iter().find(|(set, _)| *set == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(locale(&[("LANG", "en_US.UTF-8")]));
        assert!(locale(&[("LC_ALL", ""), ("LANG", "C.utf8")]));
        assert!(!locale(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]));
        assert!(!locale(&[("LC_CTYPE", "POSIX"), ("LANG", "en_US.UTF-8")]));
        assert!(!locale(&[]));
    }
}
