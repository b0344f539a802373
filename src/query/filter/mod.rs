//! The filter language: parses a line of text to a test of rows, or reports the position of an error.
//!
//! ```text
//! expr = or ;  or = and { "or" and } ;  and = not { ["and"] not }
//! not  = ["not" | "!"] ( "(" or ")" | test )
//! test = word                        name, type, owner or id contains it, in any case
//!      | field ":" value             contains (text), equals (kind, mark, type, number)
//!      | field "~" regex
//!      | field ("=" | "!=" | ">" | ">=" | "<" | "<=") value
//! ```
//!
//! A number that is unknown or does not apply matches nothing, so `pressure<5` lists no arrays,
//! and `not pressure<5` lists none either.

pub(crate) mod compare;
pub(crate) mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use compact_str::ToCompactString;
use regex::Regex;

use super::fields::{ColumnId, Field, Value};
use crate::types::map_type::MapType;
use crate::types::row::Row;
use parse::Parser;

pub use compare::field_names;
pub(super) use parse::OPERATORS;

/// A test of rows.
#[derive(Debug, Clone)]
pub struct Filter {
    text: String,
    expr: Option<Expr>,
}

impl Default for Filter {
    fn default() -> Self {
        Self::everything()
    }
}

/// Two filters are the same when they were typed the same.
impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

#[derive(Debug, Clone)]
pub(super) enum Expr {
    Or(Vec<Expr>),
    And(Vec<Expr>),
    Not(Box<Expr>),
    Test(Test),
}

#[derive(Debug, Clone)]
pub(super) enum Test {
    /// Name, type, owner or id contains it; lower case.
    Word(String),
    /// The column's text contains it; lower case.
    Contains(&'static Field, String),
    /// The column's text is it; lower case.
    Is(&'static Field, String),
    Matches(&'static Field, Regex),
    Type(MapType),
    Number(&'static Field, Comparison, f64),
    Not(Box<Test>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Comparison {
    #[expect(
        clippy::float_cmp,
        reason = "both come from integers, or the user means it"
    )]
    fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Equal => a == b,
            Self::Greater => a > b,
            Self::GreaterOrEqual => a >= b,
            Self::Less => a < b,
            Self::LessOrEqual => a <= b,
        }
    }
}

/// The position of an error in a filter, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// The byte offset of the error.
    pub at: usize,
    /// What is wrong or was expected there.
    pub message: String,
}

/// The message alone; `FilterError::caret_line` shows the place, too.
impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FilterError {}

impl FilterError {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
        }
    }

    /// The text, and in a second line a caret under the error.
    #[must_use]
    pub(crate) fn caret_line(&self, text: &str) -> String {
        let cells = crate::text::width::width(text.get(..self.at).unwrap_or(text));
        format!("{text}\n{:cells$}^", "")
    }
}

impl Filter {
    /// A filter that every row passes.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            text: String::new(),
            expr: None,
        }
    }

    /// Parses a filter; every row passes a blank one.
    ///
    /// # Errors
    ///
    /// When the text is not valid, with the position and the reason.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let expr = Parser::new(text).all()?;
        Ok(Self {
            text: text.trim().to_owned(),
            expr,
        })
    }

    /// The text as typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The expression; `None` if every row passes.
    pub(super) fn expr(&self) -> Option<&Expr> {
        self.expr.as_ref()
    }

    /// Whether a test is about this field.
    #[must_use]
    pub(crate) fn is_about(&self, field: ColumnId) -> bool {
        let mut open: Vec<_> = self.expr.iter().collect();
        while let Some(expr) = open.pop() {
            match expr {
                Expr::Or(list) | Expr::And(list) => open.extend(list),
                Expr::Not(inner) => open.push(inner),
                Expr::Test(test)
                    if test.field().is_some_and(|it| it.name == field.field().name) =>
                {
                    return true;
                }
                Expr::Test(_) => {}
            }
        }
        false
    }

    /// Whether every row passes.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.expr.is_none()
    }

    /// Whether this row passes. A test of an unknown value neither holds nor fails, so that
    /// `not pressure<5` does not list arrays either.
    #[must_use]
    pub fn matches(&self, row: &Row) -> bool {
        self.expr
            .as_ref()
            .is_none_or(|expr| expr.holds(row) == Some(true))
    }
}

impl Expr {
    /// Kleene's three-valued logic: an unknown operand matters only if the others do not decide.
    fn holds(&self, row: &Row) -> Option<bool> {
        let decided_by = |list: &[Self], deciding: bool| {
            let mut result = Some(!deciding);
            for expr in list {
                match expr.holds(row) {
                    Some(holds) if holds == deciding => return Some(deciding),
                    Some(_) => {}
                    None => result = None,
                }
            }
            result
        };
        match self {
            Self::Or(any) => decided_by(any, true),
            Self::And(all) => decided_by(all, false),
            Self::Not(expr) => expr.holds(row).map(|holds| !holds),
            Self::Test(test) => test.holds(row),
        }
    }
}

impl Test {
    /// The field that is tested, if it is a single one.
    fn field(&self) -> Option<&'static Field> {
        match self {
            Self::Word(_) | Self::Type(_) => None,
            Self::Contains(field, _)
            | Self::Is(field, _)
            | Self::Matches(field, _)
            | Self::Number(field, _, _) => Some(field),
            Self::Not(inner) => inner.field(),
        }
    }

    fn holds(&self, row: &Row) -> Option<bool> {
        let text = |column: &Field| match (column.value)(row) {
            Value::Text(text) => Some(text),
            Value::Number(_) | Value::Nothing => None,
        };
        match self {
            Self::Word(word) => Some(has_word(row, word)),
            Self::Contains(column, part) => text(column).map(|text| contains(&text, part)),
            Self::Is(column, whole) => text(column).map(|text| text.to_lowercase() == *whole),
            Self::Matches(column, regex) => text(column).map(|text| regex.is_match(&text)),
            Self::Type(wanted) => Some(row.facts.map_type == *wanted),
            Self::Number(column, comparison, wanted) => match (column.value)(row) {
                Value::Number(number) => Some(comparison.holds(number, *wanted)),
                Value::Text(_) | Value::Nothing => None,
            },
            Self::Not(inner) => inner.holds(row).map(|holds| !holds),
        }
    }
}

/// Whether name, type or id contains a word, which is in lower case, in any case.
#[must_use]
pub(crate) fn has_word(row: &Row, word: &str) -> bool {
    contains(&row.facts.name, word)
        || contains(&row.facts.map_type.to_compact_string(), word)
        || contains(&row.facts.map_type.short(), word)
        || contains(&row.key().id.0.to_compact_string(), word)
        || row.owner().is_some_and(|owner| contains(&owner, word))
        || row
            .key()
            .node
            .as_deref()
            .is_some_and(|node| contains(node, word))
}

/// Whether the text contains the part, which is in lower case, in any case.
fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(part)
}
