//! The fields of a row, which filters compare, rows are sorted by, and requests to a server name.

pub mod table;

use compact_str::CompactString;
use strsim::normalized_damerau_levenshtein;

use crate::types::row::Row;
use table::FIELDS;

/// The similarity from which a name is suggested for one that does not exist, from 0 to 1.
const MIN_SIMILARITY: f64 = 0.5;

/// The value of a field, for sorting and filtering.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A text.
    Text(CompactString),
    /// Unknown, or not applicable to this map: matches nothing and sorts last.
    Nothing,
}

impl Value {
    fn number(number: Option<impl ToNumber>) -> Self {
        number.map_or(Self::Nothing, |n| Self::Number(n.to_number()))
    }

    fn count(number: Option<usize>) -> Self {
        Self::number(number.map(|n| n as u64))
    }

    fn text(text: Option<impl Into<CompactString>>) -> Self {
        text.map_or(Self::Nothing, |text| Self::Text(text.into()))
    }
}

/// Numbers that fit an f64: counts are far below 2^53, where it begins to skip integers.
trait ToNumber {
    fn to_number(self) -> f64;
}

impl ToNumber for f64 {
    fn to_number(self) -> f64 {
        self
    }
}

impl ToNumber for u32 {
    fn to_number(self) -> f64 {
        self.into()
    }
}

impl ToNumber for u64 {
    #[expect(clippy::cast_precision_loss, reason = "see the trait")]
    fn to_number(self) -> f64 {
        self as f64
    }
}

/// How a filter interprets the value that a column is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// `:` means contains.
    Text,
    /// `:` means equals one of these words.
    Words(&'static [&'static str]),
    /// `:` means equals a type, by name or abbreviation.
    Type,
    /// A number of entries or bytes.
    Count,
    /// A fraction, typed in percent.
    Percent,
    /// A duration.
    Time,
}

/// The default direction of sorting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultOrder {
    /// A to Z.
    Smallest,
    /// The largest first.
    Largest,
}

/// One field.
#[derive(Debug)]
pub struct Field {
    /// Its name in `-s`, `-c` and filters.
    pub name: &'static str,
    /// A short description.
    pub help: &'static str,
    /// How filters compare it.
    pub field_type: FieldType,
    pub default_order: DefaultOrder,
    /// Its value in a row.
    pub value: fn(&Row) -> Value,
}

/// Further names of fields: `mark`, and headings that differ from the name of their field.
const ALIASES: [(&str, &str); 9] = [
    ("mark", "attention"),
    ("cap", "capacity"),
    ("full_in", "eta"),
    ("memory", "mem"),
    ("mem_bytes", "mem"),
    ("program", "prog"),
    ("programs", "prog"),
    ("process", "holder"),
    ("processes", "holder"),
];

/// The index of a field in [`FIELDS`], which also identifies its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnId(usize);

impl ColumnId {
    /// The field of [`FIELDS`] with this name.
    ///
    /// # Panics
    ///
    /// When no field has this name; in a `const`, that fails the build.
    #[must_use]
    pub const fn named(name: &str) -> Self {
        let mut n = 0;
        while n < FIELDS.len() {
            if is_equal(FIELDS[n].name, name) {
                return Self(n);
            }
            n += 1;
        }
        panic!("no such column");
    }

    /// The column with this name or one of `ALIASES`, if there is one.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let name = ALIASES
            .iter()
            .find(|(alias, _)| alias.eq_ignore_ascii_case(name))
            .map_or(name, |(_, name)| name);
        FIELDS
            .iter()
            .position(|field| field.name.eq_ignore_ascii_case(name))
            .map(Self)
    }

    /// Every column in order.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        (0..FIELDS.len()).map(Self)
    }

    #[must_use]
    pub fn field(self) -> &'static Field {
        &FIELDS[self.0]
    }

    /// Its index in [`FIELDS`].
    #[must_use]
    pub fn index(self) -> usize {
        self.0
    }
}

/// `==` on strings in a `const`.
pub(crate) const fn is_equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut n = 0;
    while n < a.len() {
        if a[n] != b[n] {
            return false;
        }
        n += 1;
    }
    true
}

/// The mark at the left edge.
pub const ATTENTION: ColumnId = ColumnId::named("attention");

/// The node of a map.
pub const NODE: ColumnId = ColumnId::named("node");

/// The map's id.
pub const ID: ColumnId = ColumnId::named("id");

/// The map's name.
pub const NAME: ColumnId = ColumnId::named("name");

/// The bar and the percentage.
pub const PRESSURE: ColumnId = ColumnId::named("pressure");

/// The owner of a map.
pub const OWNER: ColumnId = ColumnId::named("owner");

/// Losses per second.
pub const LOSS: ColumnId = ColumnId::named("loss");

/// How long an entry stays in an LRU map.
pub const LIFETIME: ColumnId = ColumnId::named("lifetime");

/// Growth per second.
pub const GROWTH: ColumnId = ColumnId::named("growth");

impl Field {
    /// Whether its values are numbers.
    #[must_use]
    pub(crate) fn is_number(&self) -> bool {
        matches!(
            self.field_type,
            FieldType::Count | FieldType::Percent | FieldType::Time
        )
    }
}

/// The error message for an unknown name.
#[must_use]
pub(crate) fn unknown_column_message(name: &str) -> String {
    if name.is_empty() {
        return "expected a column name, such as pressure".to_owned();
    }
    let names = FIELDS.iter().map(|field| field.name);
    format!(
        "no column is called '{name}'{}; `mapstop -s help` lists them",
        did_you_mean(name, names)
    )
}

/// ` (did you mean name?)` for the most similar name; empty if none is similar.
pub(super) fn did_you_mean(typed: &str, names: impl Iterator<Item = &'static str>) -> String {
    let typed = typed.to_lowercase();
    names
        .map(|name| (normalized_damerau_levenshtein(&typed, name), name))
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map_or_else(String::new, |(_, name)| format!(" (did you mean {name}?)"))
}

/// The list that `-s help` and `-c help` print.
#[must_use]
pub(crate) fn list_fields() -> String {
    let line = |field: &Field| format!("{:<10} {}\n", field.name, field.help);
    FIELDS.iter().map(line).collect()
}
