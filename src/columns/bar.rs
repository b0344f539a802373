//! The fill cell: a map's kind determines the shape, its pressure only the length.
//!
//! A map that is full by design cannot look like one that is about to refuse, because it does
//! not have a bar.

use super::glyphs::Glyphs;
use crate::types::map_type::Kind;
use crate::types::row::Row;

/// The content of a row's fill cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PressureBar {
    /// A solid bar of this many of `8 * width` steps.
    Bar(u64),
    /// A hatched bar: full is normal.
    Hatch(u64),
    /// A word, for maps whose level has no meaning.
    Word(&'static str),
    /// The level could not be read.
    Unknown,
}

impl PressureBar {
    /// What a row's cell of `width` cells shows.
    #[must_use]
    pub fn new(row: &Row, width: usize) -> Self {
        match row.kind() {
            _ if row.deleted_at.is_some() => Self::Word("deleted"),
            _ if row.is_level_unknown() => Self::Unknown,
            Kind::Slots => Self::Word("slots"),
            Kind::Fixed => Self::Word("fixed"),
            Kind::Uncounted => Self::Word("n/a"),
            kind => match (row.facts.used, row.facts.capacity) {
                (Some(used), Some(capacity)) if capacity > 0 => {
                    let steps = count_steps(used, capacity, width);
                    if kind == Kind::Evicting {
                        Self::Hatch(steps)
                    } else {
                        Self::Bar(steps)
                    }
                }
                _ => Self::Unknown,
            },
        }
    }

    /// Whether the cell is about a map that cannot fail, and should be drawn muted.
    #[must_use]
    pub(crate) fn is_muted(self) -> bool {
        matches!(self, Self::Hatch(_) | Self::Word(_))
    }

    /// The cell's text, `width` cells wide or less.
    #[must_use]
    pub fn draw(self, width: usize, glyphs: &Glyphs) -> String {
        match self {
            Self::Bar(steps) => draw_bar(steps, width, glyphs),
            // A hatch has no eighths: single evictions are not worth showing.
            Self::Hatch(steps) => glyphs
                .hatch
                .to_string()
                .repeat(clamp_cells(steps.div_ceil(8), width)),
            Self::Word(word) => word.to_owned(),
            Self::Unknown => "?".to_owned(),
        }
    }
}

/// A progress bar of at most `width` cells.
#[must_use]
pub(crate) fn draw_progress(done: u64, all: u64, width: usize, glyphs: &Glyphs) -> String {
    draw_bar(count_steps(done, all, width), width, glyphs)
}

pub(crate) fn clamp_cells(cells: u64, width: usize) -> usize {
    usize::try_from(cells).unwrap_or(width).min(width)
}

/// How many eighths of `width` cells are filled: at least one if there is any entry, and all only if
/// the map is full.
fn count_steps(used: u64, capacity: u64, width: usize) -> u64 {
    let all = 8 * width as u64;
    if used >= capacity {
        return all;
    }
    if used == 0 {
        return 0;
    }
    let steps = u128::from(used) * u128::from(all) / u128::from(capacity);
    u64::try_from(steps).unwrap_or(all).clamp(1, all - 1)
}

pub(crate) fn draw_bar(steps: u64, width: usize, glyphs: &Glyphs) -> String {
    let full = glyphs.eighths[7];
    let (cells, eighth) = (clamp_cells(steps / 8, width), (steps % 8) as usize);
    let has_eighths = glyphs.eighths[0] != full;
    let mut bar = full.to_string().repeat(cells);
    if has_eighths && eighth > 0 {
        bar.push(glyphs.eighths[eighth - 1]);
    } else if cells == 0 && eighth > 0 {
        bar.push(full);
    }
    if !has_eighths {
        bar.extend(std::iter::repeat_n(glyphs.track, width - bar.len()));
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::history::History;
    use crate::columns::glyphs::{ASCII, UTF8};
    use crate::test_util::{MapBuilder, map, snapshot};
    use proptest::prelude::*;

    fn row(map: MapBuilder) -> Row {
        History::default().read(snapshot(0, [map])).rows.remove(0)
    }

    fn fill(map: MapBuilder, glyphs: &Glyphs) -> String {
        PressureBar::new(&row(map), 8).draw(8, glyphs)
    }

    #[test]
    fn only_full_maps_have_full_bars_and_only_empty_ones_empty() {
        for (used, capacity, utf8, ascii) in [
            (0, 1000, "", "........"),
            (1, 65_536, "▏", "#......."),
            (12, 1000, "▏", "#......."),
            (125, 1000, "█", "#......."),
            (500, 1000, "████", "####...."),
            (800, 1000, "██████▍", "######.."),
            (950, 1000, "███████▌", "#######."),
            (999, 1000, "███████▉", "#######."),
            (1000, 1000, "████████", "########"),
            (1200, 1000, "████████", "########"),
        ] {
            assert_eq!(fill(map("m").used(used, capacity), &UTF8), utf8, "{used}");
            assert_eq!(fill(map("m").used(used, capacity), &ASCII), ascii, "{used}");
        }
    }

    #[test]
    fn each_kind_has_its_own_shape() {
        let shape = |t: &str| fill(map("m").named_type(t).used(100, 100), &UTF8);
        assert_eq!(shape("hash"), "████████");
        assert_eq!(shape("ringbuf"), "████████");
        assert_eq!(shape("lru_hash"), "▒▒▒▒▒▒▒▒");
        assert_eq!(shape("prog_array"), "slots");
        assert_eq!(shape("array"), "fixed");
        assert_eq!(shape("sk_storage"), "n/a");
        assert_eq!(fill(map("m").uncounted(), &UTF8), "?");
        assert_eq!(fill(map("m").of_type(99).uncounted(), &UTF8), "?");
    }

    #[test]
    fn a_hatch_is_as_long_as_its_level() {
        let hatch = |used| fill(map("m").named_type("lru_hash").used(used, 100), &UTF8);
        assert_eq!(hatch(0), "");
        assert_eq!(hatch(1), "▒");
        assert_eq!(hatch(25), "▒▒");
        assert_eq!(
            fill(map("m").named_type("lru_hash").used(25, 100), &ASCII),
            "=="
        );
    }

    proptest! {
        #[test]
        fn a_bar_is_solid_if_and_only_if_the_map_is_full(
            used in 0u64..=u64::from(u32::MAX) + 1000,
            capacity in 1u32..,
            width in 1usize..40,
        ) {
            let bar = PressureBar::new(&row(map("m").used(used, capacity)), width).draw(width, &UTF8);
            let solid = "█".repeat(width);
            prop_assert_eq!(bar == solid, used >= u64::from(capacity));
            prop_assert_eq!(bar.is_empty(), used == 0);
            prop_assert!(bar.chars().count() <= width);
        }
    }
}
