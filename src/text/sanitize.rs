//! Removes control characters from untrusted names.

use compact_str::CompactString;

/// Bytes from outside as text: cut at the first NUL, invalid UTF-8, control and bidirectional
/// formatting characters replaced by `?`.
///
/// The kernel lets only `[A-Za-z0-9_.]` into a map's name (`bpf_obj_name_cpy`); this does not
/// rely on it.
#[must_use]
pub fn sanitize(bytes: &[u8]) -> CompactString {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let bytes = &bytes[..end];
    if bytes.iter().all(|b| b.is_ascii_graphic() || *b == b' ')
        && let Ok(text) = str::from_utf8(bytes)
    {
        return CompactString::new(text);
    }
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| if is_harmful(c) { '?' } else { c })
        .collect()
}

/// Controls (C0, DEL, C1), the bidirectional formatting characters of Unicode (which reorder
/// what stands beside them), line separators, and what stands for invalid UTF-8.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || c == char::REPLACEMENT_CHARACTER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_at_nul() {
        assert_eq!(sanitize(b"conns\0garbage"), "conns");
        assert_eq!(sanitize(b""), "");
        assert_eq!(sanitize(b"\0"), "");
    }

    #[test]
    fn control_characters_are_replaced() {
        assert_eq!(sanitize(b"\x1b]52;c;aGk=\x07"), "?]52;c;aGk=?");
        assert_eq!(sanitize(b"a\nb\tc\x7f"), "a?b?c?");
        assert_eq!(
            sanitize("a\u{9b}31mb\u{202e}c\u{2066}".as_bytes()),
            "a?31mb?c?"
        );
        assert_eq!(sanitize(b"\xff\xfeok"), "??ok");
    }

    #[test]
    fn letters_of_every_script_stay() {
        assert_eq!(sanitize("Größe 接続".as_bytes()), "Größe 接続");
    }
}
