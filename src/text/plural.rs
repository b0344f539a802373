//! Numbers with nouns.

use compact_str::{CompactString, format_compact};

use super::units::with_thousands_separators;

/// A number and its noun: `1 reference`, `1,200 references`.
pub(crate) fn count_noun(number: u64, singular: &str, plural: &str) -> CompactString {
    let noun = if number == 1 { singular } else { plural };
    format_compact!("{} {noun}", with_thousands_separators(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        let maps = |number| count_noun(number, "map", "maps");
        assert_eq!(maps(0), "0 maps");
        assert_eq!(maps(1), "1 map");
        assert_eq!(maps(1200), "1,200 maps");
    }
}
