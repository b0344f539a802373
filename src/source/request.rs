//! What is wanted of a source that has more maps than anybody looks at: which, in which order, and
//! which of them are on the screen.

use crate::analysis::thresholds::Thresholds;

/// Predicates and order of the requested maps. A source may return a superset; if it truncates,
/// `Fleet::maps` has the total.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SourceQuery {
    /// What has to be true of a map, all of it.
    pub tests: Vec<Predicate>,
    /// The field that comes first, as columns call it; `None` is by attention.
    pub first: Option<OrderBy>,
    /// The order by attention depends on them.
    pub thresholds: Thresholds,
}

/// An order by the numbers of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderBy {
    /// Its name.
    pub field: &'static str,
    /// Whether the largest come first.
    pub is_descending: bool,
}

/// A test of a field, as columns call it.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// Its text contains this, in any case.
    Contains(&'static str, String),
    /// Its text is this, in any case.
    Is(&'static str, String),
    /// Its number compares so with this: `>`, `>=`, `<`, `<=` or `==`.
    Number(&'static str, &'static str, f64),
}
