//! What is wanted of a source that has more maps than anybody looks at: which, in which order, and
//! which of them are on the screen.

/// What is wanted. A source may give more than that, never less, but where it says how much there is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SourceQuery {
    /// What has to be true of a map, all of it.
    pub tests: Vec<Predicate>,
    /// The field that comes first, as columns call it; `None` is by attention.
    pub first: Option<OrderBy>,
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
