//! How wide a text is on a terminal.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// How many cells of a terminal the text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.width()
    }
}

/// The text in at most `cells` cells, with `ellipsis` at its end if it had to be cut. Never
/// cuts inside a grapheme.
#[must_use]
pub(crate) fn truncate_to_width<'a>(
    text: &'a str,
    cells: usize,
    ellipsis: &str,
) -> std::borrow::Cow<'a, str> {
    if width(text) <= cells {
        return text.into();
    }
    let Some(room) = cells.checked_sub(width(ellipsis)) else {
        return "".into();
    };
    let mut out = String::new();
    let mut taken = 0;
    for grapheme in text.graphemes(true) {
        taken += width(grapheme);
        if taken > room {
            break;
        }
        out.push_str(grapheme);
    }
    out.push_str(ellipsis);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_marked_and_measured_in_cells() {
        assert_eq!(truncate_to_width("conn_track", 10, "…"), "conn_track");
        assert_eq!(truncate_to_width("conn_track", 6, "…"), "conn_…");
        assert_eq!(truncate_to_width("接続表", 5, "…"), "接続…");
        assert_eq!(truncate_to_width("接続表", 4, "…"), "接…");
        assert_eq!(
            truncate_to_width("e\u{301}e\u{301}e\u{301}", 2, "…"),
            "e\u{301}…"
        );
        assert_eq!(truncate_to_width("abc", 0, "…"), "");
    }
}
