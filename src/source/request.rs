//! A request to a source that has more maps than it sends.

use crate::analysis::thresholds::Thresholds;

/// Predicates and order of the requested maps. A source may return a superset; if it truncates,
/// `Fleet::maps` has the total.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SourceQuery {
    /// Every predicate has to hold.
    pub predicates: Vec<Predicate>,
    /// `None` orders by attention.
    pub order: Option<OrderBy>,
    /// The order by attention depends on them.
    pub thresholds: Thresholds,
}

/// An order by a numeric field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderBy {
    /// The name of the field in filters.
    pub field: &'static str,
    /// Whether the largest values come first.
    pub is_descending: bool,
}

/// A condition on a field, which is named as in filters.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// The text contains this one, ignoring case.
    Contains(&'static str, String),
    /// The text equals this one, ignoring case.
    Is(&'static str, String),
    /// The number compares with this one by `>`, `>=`, `<`, `<=` or `==`.
    Number(&'static str, &'static str, f64),
}
