//! A recursive-descent parser of filters.

use super::compare::{missing_value_message, parse_test, unknown_field_message};
use super::{Expr, FilterError, Test};
use crate::query::fields::ColumnId;

/// Maximum depth of nested parentheses and negations.
const DEEPEST: usize = 64;

pub(super) struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

/// Ends a word or a bare value.
fn is_end(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '\'' | '"')
}

/// The operators, longer ones first.
pub(in crate::query) const OPERATORS: [&str; 8] = ["!=", ">=", "<=", ":", "~", "=", ">", "<"];

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// Parses the whole text; `None` if it is blank.
    pub(super) fn all(&mut self) -> Result<Option<Expr>, FilterError> {
        self.skip_blanks();
        let expr = if self.is_at_end() {
            None
        } else {
            Some(self.or()?)
        };
        if !self.is_at_end() {
            return Err(FilterError::new(
                self.at,
                "unexpected ) without an opening (",
            ));
        }
        Ok(expr)
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Consumes a symbol and the blanks after it, if it comes next.
    fn take(&mut self, symbol: &str) -> bool {
        let is_next = self.rest().starts_with(symbol);
        if is_next {
            self.at += symbol.len();
            self.skip_blanks();
        }
        is_next
    }

    /// Consumes a word such as `or` and the blanks after it, if it comes next, ignoring case.
    fn take_word(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let end = rest
            .find(|c| is_end(c) || OPERATORS.iter().any(|o| o.starts_with(c)))
            .unwrap_or(rest.len());
        let is_next = rest[..end].eq_ignore_ascii_case(word);
        if is_next {
            self.at += end;
            self.skip_blanks();
        }
        is_next
    }

    fn or(&mut self) -> Result<Expr, FilterError> {
        let mut any = vec![self.and()?];
        while self.take_word("or") {
            any.push(self.and()?);
        }
        Ok(match any.pop() {
            Some(only) if any.is_empty() => only,
            last => Expr::Or(any.into_iter().chain(last).collect()),
        })
    }

    fn and(&mut self) -> Result<Expr, FilterError> {
        let mut all = vec![self.not()?];
        loop {
            let has_word = self.take_word("and");
            let before = self.at;
            let is_done = self.is_at_end() || self.rest().starts_with(')') || self.take_word("or");
            self.at = before;
            if is_done {
                if has_word {
                    return Err(FilterError::new(self.at, "expected a test after and"));
                }
                break;
            }
            all.push(self.not()?);
        }
        Ok(match all.pop() {
            Some(only) if all.is_empty() => only,
            last => Expr::And(all.into_iter().chain(last).collect()),
        })
    }

    fn not(&mut self) -> Result<Expr, FilterError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(FilterError::new(
                self.at,
                "nested too deeply; use fewer parentheses or negations",
            ));
        }
        let expr = if self.take("!") || self.take_word("not") {
            Expr::Not(Box::new(self.not()?))
        } else if self.rest().starts_with('(') {
            let open = self.at;
            self.take("(");
            let expr = self.or()?;
            if !self.take(")") {
                return Err(FilterError::new(open, "missing ) for this ("));
            }
            expr
        } else {
            Expr::Test(self.test()?)
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn test(&mut self) -> Result<Test, FilterError> {
        let start = self.at;
        if self.is_at_end() || self.rest().starts_with(')') {
            return Err(FilterError::new(
                start,
                "expected a word or a test, such as pressure>80",
            ));
        }
        if self.rest().starts_with(['\'', '"']) {
            return Ok(Test::Word(self.quoted()?.to_lowercase()));
        }
        let rest = self.rest();
        let end = rest
            .find(|c| is_end(c) || OPERATORS.iter().any(|o| o.starts_with(c)))
            .unwrap_or(rest.len());
        let name = &rest[..end];
        let operator = OPERATORS.iter().find(|o| rest[end..].starts_with(**o));
        let Some(operator) = operator else {
            if ["and", "or", "not"]
                .iter()
                .any(|word| name.eq_ignore_ascii_case(word))
            {
                let message = format!(
                    "expected a test before {name}; to search for the word, put it in quotes"
                );
                return Err(FilterError::new(start, message));
            }
            self.at += end;
            self.skip_blanks();
            return Ok(Test::Word(name.to_lowercase()));
        };
        let column = ColumnId::find(name)
            .ok_or_else(|| FilterError::new(start, unknown_field_message(name)))?
            .field();
        self.at += end + operator.len();
        let value_at = self.at;
        let (value, is_quoted) = self.value()?;
        if value.is_empty() && !is_quoted {
            let message = missing_value_message(column, operator);
            return Err(FilterError::new(value_at, message));
        }
        parse_test(column, name, operator, &value)
            .map_err(|message| FilterError::new(value_at, message))
    }

    /// A value, bare or in quotes, and whether it was quoted.
    fn value(&mut self) -> Result<(String, bool), FilterError> {
        if self.rest().starts_with(['\'', '"']) {
            return Ok((self.quoted()?, true));
        }
        let rest = self.rest();
        let end = rest.find(is_end).unwrap_or(rest.len());
        self.at += end;
        self.skip_blanks();
        Ok((rest[..end].to_owned(), false))
    }

    fn quoted(&mut self) -> Result<String, FilterError> {
        let open = self.at;
        let mut chars = self.rest().chars();
        let quote = chars.next().unwrap_or('"');
        let inside = chars.as_str();
        let Some(end) = inside.find(quote) else {
            return Err(FilterError::new(open, "unclosed quote"));
        };
        self.at += quote.len_utf8() + end + quote.len_utf8();
        self.skip_blanks();
        Ok(inside[..end].to_owned())
    }
}
