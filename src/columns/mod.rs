//! The columns of the live table and of reports: how each field of a row is shown.

pub mod bar;
pub(crate) mod cells;
pub mod glyphs;
pub(crate) mod table;

use compact_str::CompactString;

use crate::query::fields::{ColumnId, unknown_column_message};
use crate::types::row::Row;
use glyphs::Glyphs;

pub use table::COLUMNS;

/// The alignment of a cell's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// A cell of the live table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The content of the cell.
    pub text: CompactString,
    /// Whether it is about a map that cannot fail.
    pub is_muted: bool,
}

/// How cells are drawn.
#[derive(Clone, Copy)]
pub struct CellStyle<'a> {
    /// Cells of a bar; 0 leaves only the percentage.
    pub bar: usize,
    /// Characters to draw with.
    pub glyphs: &'static Glyphs,
    /// Whether numbers are exact and names complete, regardless of width.
    pub is_exact: bool,
    /// Draws a map's last ten minutes in this number of cells; empty without history.
    pub last: &'a dyn Fn(&Row, usize) -> String,
}

/// One column.
#[derive(Debug)]
pub struct Column {
    /// The field that it shows.
    pub id: ColumnId,
    /// Its title in the live table.
    pub title: &'static str,
    /// Its title in text reports, one word.
    pub text_title: &'static str,
    /// The alignment of title and cells.
    pub align: Align,
    /// Width in the live table, without that of a bar.
    pub width: u16,
    /// Width if numbers are exact.
    pub exact_width: u16,
    /// The terminal width from which it is shown by default; `None` if only on request.
    pub min_terminal_width: Option<u16>,
    /// Its text in a report: exact, never blank.
    pub text: fn(&Row) -> CompactString,
    /// Its cell in the live table.
    pub cell: fn(&Row, CellStyle) -> Cell,
}

impl ColumnId {
    /// How the field is shown.
    #[must_use]
    pub fn column(self) -> &'static Column {
        &COLUMNS[self.index()]
    }
}

/// Parses the value of `-c`: a list of columns, or changes to the default ones.
///
/// # Errors
///
/// When the text is not valid, with the reason in one line.
pub fn parse_columns(text: &str, default: &[ColumnId]) -> Result<Vec<ColumnId>, String> {
    let mut columns = if text.starts_with(['+', '-']) {
        default.to_vec()
    } else {
        Vec::new()
    };
    for name in text.split(',').map(str::trim) {
        let (is_removed, name) = match name.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, name.strip_prefix('+').unwrap_or(name)),
        };
        let id = ColumnId::find(name).ok_or_else(|| unknown_column_message(name))?;
        columns.retain(|column| *column != id);
        if !is_removed {
            columns.push(id);
        }
    }
    if columns.is_empty() {
        return Err("no columns are left".to_owned());
    }
    Ok(columns)
}

/// The default columns of reports. Losses and lifetimes are left out if none are known.
pub(crate) fn default_columns() -> Vec<ColumnId> {
    [
        "attention",
        "id",
        "name",
        "type",
        "kind",
        "used",
        "capacity",
        "pressure",
        "growth",
        "eta",
        "loss",
        "lifetime",
        "mem",
        "owner",
    ]
    .into_iter()
    .filter_map(ColumnId::find)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::cells::{pressure_cell, used_of_capacity};
    use super::glyphs;
    use super::*;
    use crate::analysis::history::History;
    use crate::query::fields::table::FIELDS;
    use crate::query::fields::{GROWTH, ID, LIFETIME, LOSS, NAME, PRESSURE, Value};
    use crate::test_util::{MapBuilder, map, reading, watched};
    use crate::types::count::CountMethod;

    #[test]
    fn every_field_has_a_unique_name_a_help_and_a_column() {
        for (n, field) in FIELDS.iter().enumerate() {
            assert!(!field.help.is_empty(), "{}", field.name);
            assert!(FIELDS[n + 1..].iter().all(|other| other.name != field.name));
        }
        assert_eq!(COLUMNS.len(), FIELDS.len());
        for (n, column) in COLUMNS.iter().enumerate() {
            assert_eq!(column.id.index(), n, "{}", column.title);
            assert!(!column.text_title.contains(' '), "{}", column.text_title);
        }
    }

    #[test]
    fn every_title_fits_its_column() {
        for column in COLUMNS
            .iter()
            .filter(|column| column.id.field().name != "pressure")
        {
            assert!(
                column.title.len() <= column.width.into(),
                "{}",
                column.id.field().name
            );
        }
    }

    #[test]
    fn a_report_never_has_a_blank_cell() {
        let reading = reading([
            map("").id(1).uncounted(),
            map("a b").id(2).named_type("sk_storage").unlimited(),
            map("m").id(3).named_type("array").uncounted(),
            map("m").id(4).of_type(99).uncounted().unlimited(),
        ]);
        for row in &reading.rows {
            for column in COLUMNS {
                let text = (column.text)(row);
                assert!(
                    !text.is_empty() && !text.contains(' '),
                    "{}: '{text}'",
                    column.id.field().name
                );
            }
        }
    }

    #[test]
    fn units_show_in_used_and_capacity() {
        let short = CellStyle {
            bar: 8,
            glyphs: &glyphs::UTF8,
            is_exact: false,
            last: &|_, _| String::new(),
        };
        let cell = |map| used_of_capacity(&reading([map]).rows[0], short);
        assert_eq!(cell(map("m").used(62_300, 65_536)), "62.3K/65.5K");
        assert_eq!(
            cell(map("m").named_type("ringbuf").used(12 << 20, 16 << 20)),
            "12.0M/16.0M"
        );
        assert_eq!(
            cell(map("m").named_type("sk_storage").used(218, 0).unlimited()),
            "218/-"
        );
        assert_eq!(cell(map("m").uncounted()), "?/1.0K");
        assert_eq!(
            cell(map("m").used(62_300, 65_536).estimated(400)),
            "~62.3K/65.5K"
        );
        let array = map("m").named_type("array").used(0, 256).uncounted();
        assert_eq!(cell(array), "256/256");
    }

    #[test]
    fn percentage_stands_alone_without_room_for_a_bar() {
        let cell = |map, bar| {
            let style = CellStyle {
                bar,
                glyphs: &glyphs::UTF8,
                is_exact: false,
                last: &|_, _| String::new(),
            };
            pressure_cell(&reading([map]).rows[0], style).text
        };
        assert_eq!(cell(map("m").used(95, 100), 0), "  95%");
        assert_eq!(cell(map("m").used(95, 100), 8), "███████▌  95%");
        assert_eq!(cell(map("m").used(95, 100).estimated(2), 0), " ~95%");
        assert_eq!(cell(map("m").named_type("array").uncounted(), 0), "fixed");
        assert_eq!(
            cell(map("m").named_type("array").uncounted(), 8),
            "fixed        "
        );
        assert_eq!(cell(map("m").uncounted(), 8), "?           ?");
    }

    #[test]
    fn uncounted_slots_are_unknown_and_uncountable_ones_a_dash() {
        let used = |map| {
            let used = ColumnId::find("used").expect("a column").column();
            (used.text)(&reading([map]).rows[0])
        };
        let slots = map("m").named_type("prog_array").uncounted();
        assert_eq!(used(slots.counted(CountMethod::Scan)), "?");
        assert_eq!(used(map("m").uncounted()), "?");
        for name in ["array", "bloom_filter"] {
            assert_eq!(used(map("m").named_type(name).uncounted()), "-", "{name}");
        }
    }

    #[test]
    fn losses_differ_from_unwatched_and_unknown() {
        use crate::types::loss::Loss;
        use crate::types::row::Row;
        let after = |count: u64, lose: fn(MapBuilder, u64) -> MapBuilder| -> Row {
            let mut history = History::default();
            history.read(watched(0, 0, [lose(map("m"), 7)]));
            let now = watched(10, 0, [lose(map("m"), 7 + count)]);
            history.read(now).rows.remove(0)
        };
        let said = |row: &Row| {
            let style = CellStyle {
                bar: 8,
                glyphs: &glyphs::UTF8,
                is_exact: false,
                last: &|_, _| String::new(),
            };
            let column = LOSS.column();
            let cell = (column.cell)(row, style).text.into_string();
            (
                cell,
                (column.text)(row).into_string(),
                (column.id.field().value)(row),
            )
        };
        let of = |cell: &str, text: &str, value| (cell.to_owned(), text.to_owned(), value);
        let refused: fn(MapBuilder, u64) -> MapBuilder = MapBuilder::refused;
        assert_eq!(
            said(&after(310, refused)),
            of(
                "fail 31/s",
                "fail:31.0,the_map_is_full",
                Value::Number(31.0)
            )
        );
        assert_eq!(
            said(&after(12_000, MapBuilder::evicted)),
            of("evict 1.2K/s", "evict:1200.0", Value::Number(1200.0))
        );
        assert_eq!(
            said(&after(40, MapBuilder::dropped)),
            of("drop 4/s", "drop:4.0", Value::Number(4.0))
        );
        let quiet = of("0/s", "0.0", Value::Number(0.0));
        assert_eq!(said(&after(0, refused)), quiet);
        let both = |map: MapBuilder, count: u64| map.refused(count).evicted(3 * count);
        assert_eq!(
            said(&after(310, both)),
            of(
                "fail 31/s",
                "fail:31.0,the_map_is_full",
                Value::Number(124.0)
            )
        );
        let one = |map| reading([map]).rows.remove(0);
        assert_eq!(said(&one(map("m"))), of("", "-", Value::Nothing));
        assert_eq!(
            said(&one(map("m").refused(9))),
            of("...", "...", Value::Nothing)
        );
        let unseen = Loss {
            is_traced: true,
            reason: Some("its type cannot be traced".into()),
            ..Loss::default()
        };
        let unseen = one(map("m").loss(unseen));
        assert_eq!(said(&unseen), of("?", "?", Value::Nothing));
    }

    #[test]
    fn lifetime_is_shown_where_evictions_are_watched() {
        let lru = |second: u32, per_s: u64| {
            map("m")
                .named_type("lru_hash")
                .used(7680, 8192)
                .evicted(per_s * u64::from(second))
        };
        let column = LIFETIME.column();
        let text = |seconds: u32, map: &dyn Fn(u32) -> MapBuilder| {
            let mut history = History::live();
            let readings =
                (0..seconds).map(|second| history.read(watched(second, 0, [map(second)])));
            (column.text)(&readings.last().expect("a reading").rows[0])
        };
        assert_eq!(text(20, &|second| lru(second, 768)), "10s");
        assert_eq!(text(20, &|second| lru(second, 9000)), "<1s");
        assert_eq!(text(20, &|second| lru(second, 0)), "-");
        assert_eq!(text(1, &|second| lru(second, 768)), "...");
        assert_eq!(text(20, &|_| map("m").refused(0)), "-");
        let unwatched = reading([map("m").named_type("lru_hash")]);
        assert_eq!((column.text)(&unwatched.rows[0]), "-");
    }

    #[test]
    fn columns_are_listed_or_changed() {
        let default = [ID, NAME];
        let parse = |text| parse_columns(text, &default);
        assert_eq!(parse("name,pressure"), Ok(vec![NAME, PRESSURE]));
        assert_eq!(parse("+growth,-id"), Ok(vec![NAME, GROWTH]));
        assert_eq!(parse("-id"), Ok(vec![NAME]));
        assert!(parse("-id,-name").is_err());
        assert!(parse("nmae").is_err_and(|e| e.contains("nmae") && e.contains("name,")));
        assert!(parse("").is_err());
    }

    #[test]
    fn exact_cells_are_exact_and_fit_their_wide_column() {
        let exact = CellStyle {
            bar: 8,
            glyphs: &glyphs::UTF8,
            is_exact: true,
            last: &|_, _| String::new(),
        };
        let largest = map("a_name_as_long_")
            .id(u32::MAX)
            .named_type("percpu_cgroup_storage")
            .used(u64::from(u32::MAX), u32::MAX)
            .sizes(u32::MAX, u32::MAX);
        let row = &reading([largest]).rows[0];
        assert_eq!(used_of_capacity(row, exact), "4,294,967,295/4,294,967,295");
        // The width excludes that of a bar, and the id column grows with its ids.
        let is_fixed = |column: &&Column| !["pressure", "id"].contains(&column.id.field().name);
        for column in COLUMNS.iter().filter(is_fixed) {
            let cell = (column.cell)(row, exact).text;
            assert!(
                cell.len() <= column.exact_width.into(),
                "{}: {cell}",
                column.id.field().name
            );
            assert!(
                column.exact_width >= column.width,
                "{}",
                column.id.field().name
            );
        }
    }
}
