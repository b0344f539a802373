//! How much the kernel is locked down.

use std::fs;

use compact_str::CompactString;

use crate::text::sanitize::sanitize;

/// Whether reading kernel memory is forbidden, even for root.
pub(crate) fn is_confidential() -> bool {
    lockdown().as_deref() == Some("confidentiality")
}

/// `none`, `integrity` or `confidentiality`; `None` if the kernel does not support lockdown, or securityfs is
/// not mounted.
pub fn lockdown() -> Option<CompactString> {
    let text = fs::read("/sys/kernel/security/lockdown").ok()?;
    let chosen = bracketed_word(str::from_utf8(&text).ok()?)?;
    Some(sanitize(chosen.as_bytes()))
}

/// The word in brackets: `none [integrity] confidentiality`.
pub(crate) fn bracketed_word(text: &str) -> Option<&str> {
    text.split_once('[')?
        .1
        .split_once(']')
        .map(|(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_active_lockdown_is_in_brackets() {
        assert_eq!(
            bracketed_word("none [integrity] confidentiality\n"),
            Some("integrity")
        );
        assert_eq!(
            bracketed_word("[none] integrity confidentiality\n"),
            Some("none")
        );
        assert_eq!(bracketed_word(""), None);
    }
}
