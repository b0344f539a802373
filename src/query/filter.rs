//! The filter language: a line of text becomes a test of rows, or says where it is wrong.
//!
//! ```text
//! expr = or ;  or = and { "or" and } ;  and = not { ["and"] not }
//! not  = ["not" | "!"] ( "(" or ")" | test )
//! test = word                        name, type or id contains it, in any case
//!      | field ":" value             contains (text), equals (kind, mark, type, number)
//!      | field "~" regex
//!      | field ("=" | "!=" | ">" | ">=" | "<" | "<=") value
//! ```
//!
//! A number that is unknown or does not apply matches nothing, so `pressure<5` lists no arrays,
//! and `not pressure<5` lists none either.

use std::fmt;

use compact_str::ToCompactString;
use regex::{Regex, RegexBuilder};

use super::columns::{COLUMNS, Column, ColumnId, Compared, Value};
use crate::model::map_type::MapType;
use crate::model::row::Row;

/// Parentheses and negations inside each other, at most.
const DEEPEST: usize = 64;

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
enum Expr {
    Or(Vec<Expr>),
    And(Vec<Expr>),
    Not(Box<Expr>),
    Test(Test),
}

#[derive(Debug, Clone)]
enum Test {
    /// Name, type or id contains it; lower case.
    Word(String),
    /// The column's text contains it; lower case.
    Contains(&'static Column, String),
    /// The column's text is it; lower case.
    Is(&'static Column, String),
    Matches(&'static Column, Regex),
    Type(MapType),
    Number(&'static Column, Comparison, f64),
    Not(Box<Test>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
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

/// Where a filter is wrong, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// The byte of the text where it goes wrong.
    pub at: usize,
    /// What is wrong or was expected there.
    pub message: String,
}

/// The message alone; [`FilterError::under`] shows the place, too.
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

    /// The text, and in a second line a caret under the place where it goes wrong.
    #[must_use]
    pub fn under(&self, text: &str) -> String {
        let cells = crate::model::text::width(text.get(..self.at).unwrap_or(text));
        format!("{text}\n{:cells$}^", "")
    }
}

impl Filter {
    /// Lets every row through.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            text: String::new(),
            expr: None,
        }
    }

    /// Reads a filter; blank text lets everything through.
    ///
    /// # Errors
    ///
    /// Where and how the text is wrong.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut parser = Parser {
            text,
            at: 0,
            depth: 0,
        };
        parser.skip_blanks();
        let expr = if parser.is_at_end() {
            None
        } else {
            Some(parser.or()?)
        };
        if !parser.is_at_end() {
            return Err(FilterError::new(parser.at, "a ) without a ("));
        }
        Ok(Self {
            text: text.trim().to_owned(),
            expr,
        })
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it lets everything through.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.expr.is_none()
    }

    /// Whether it lets this row through. A test of what is not known does neither hold nor fail,
    /// so that `not pressure<5` does not list arrays either.
    #[must_use]
    pub fn matches(&self, row: &Row) -> bool {
        self.expr
            .as_ref()
            .is_none_or(|expr| expr.holds(row) == Some(true))
    }
}

impl Expr {
    /// Kleene's logic: what is not known counts only where the rest does not decide.
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
    fn holds(&self, row: &Row) -> Option<bool> {
        let text = |column: &Column| match (column.value)(row) {
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
pub fn has_word(row: &Row, word: &str) -> bool {
    contains(&row.facts.name, word)
        || contains(&row.facts.map_type.to_compact_string(), word)
        || contains(&row.facts.map_type.short(), word)
        || contains(&row.key().id.0.to_compact_string(), word)
}

/// Whether the text contains the part, which is in lower case, in any case.
fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(part)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

/// Ends a word or a bare value.
fn is_end(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '\'' | '"')
}

/// Stands between a field and a value, the longer first.
pub(super) const OPERATORS: [&str; 8] = ["!=", ">=", "<=", ":", "~", "=", ">", "<"];

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Passes a symbol and the blanks behind it, if it comes next.
    fn take(&mut self, symbol: &str) -> bool {
        let is_next = self.rest().starts_with(symbol);
        if is_next {
            self.at += symbol.len();
            self.skip_blanks();
        }
        is_next
    }

    /// Passes a word such as `or` and the blanks behind it, if it comes next, in any case.
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
            return Err(FilterError::new(self.at, "nested too deeply"));
        }
        let expr = if self.take("!") || self.take_word("not") {
            Expr::Not(Box::new(self.not()?))
        } else if self.rest().starts_with('(') {
            let open = self.at;
            self.take("(");
            let expr = self.or()?;
            if !self.take(")") {
                return Err(FilterError::new(open, "this ( is not closed"));
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
                "expected a word or a test such as pressure>80",
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
                let message = format!("expected a test before {name}; in quotes it is a word");
                return Err(FilterError::new(start, message));
            }
            self.at += end;
            self.skip_blanks();
            return Ok(Test::Word(name.to_lowercase()));
        };
        let column = ColumnId::find(name)
            .ok_or_else(|| FilterError::new(start, no_such_field(name)))?
            .column();
        self.at += end + operator.len();
        let value_at = self.at;
        let (value, is_quoted) = self.value()?;
        if value.is_empty() && !is_quoted {
            let message = format!("expected {} after {operator}", expected(column));
            return Err(FilterError::new(value_at, message));
        }
        compare(column, operator, &value).map_err(|message| FilterError::new(value_at, message))
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
            return Err(FilterError::new(open, "this quote is not closed"));
        };
        self.at += quote.len_utf8() + end + quote.len_utf8();
        self.skip_blanks();
        Ok(inside[..end].to_owned())
    }
}

/// What may be compared with a column, in words.
fn expected(column: &Column) -> String {
    match column.compared {
        Compared::Text => "a text".to_owned(),
        Compared::Words(words) => format!("one of {}", words.join(", ")),
        Compared::Type => "a type, as in hash or lru_hash".to_owned(),
        Compared::Count => "a number, as in 100, 10K or 4Mi".to_owned(),
        Compared::Percent => "a percentage, as in 80 or 99.5".to_owned(),
    }
}

fn no_such_field(name: &str) -> String {
    let names: Vec<_> = fields().collect();
    format!("no field is called '{name}'; there are {}", names.join(" "))
}

/// The names a filter knows.
pub fn fields() -> impl Iterator<Item = &'static str> {
    COLUMNS.iter().map(|column| match column.name {
        "attention" => "mark",
        name => name,
    })
}

/// The test that `column operator value` stands for, or what is wrong with it.
fn compare(column: &'static Column, operator: &str, value: &str) -> Result<Test, String> {
    if operator == "!=" {
        return Ok(Test::Not(Box::new(compare(column, "=", value)?)));
    }
    let lower = value.to_lowercase();
    let is_number = matches!(column.compared, Compared::Count | Compared::Percent);
    if operator == "~" {
        if is_number {
            return Err(format!("{} is a number: use = < >", column.name));
        }
        return RegexBuilder::new(value)
            .case_insensitive(true)
            .size_limit(1 << 20)
            .build()
            .map(|regex| Test::Matches(column, regex))
            .map_err(|error| format!("not a regular expression: {}", last_line(&error)));
    }
    let comparison = match operator {
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        _ => Comparison::Equal,
    };
    if is_number {
        return Ok(Test::Number(column, comparison, number(column, value)?));
    }
    if comparison != Comparison::Equal {
        return Err(format!("{} is a text: use : = ~", column.name));
    }
    match column.compared {
        Compared::Words(words) if !words.contains(&lower.as_str()) => {
            Err(format!("'{value}' is none of {}", words.join(", ")))
        }
        Compared::Words(_) => Ok(Test::Is(column, lower)),
        Compared::Type => MapType::from_name(&lower).map(Test::Type).ok_or_else(|| {
            format!("no map type is called '{value}'; type~{value} looks inside names")
        }),
        _ if operator == ":" => Ok(Test::Contains(column, lower)),
        _ => Ok(Test::Is(column, lower)),
    }
}

/// A number with a unit: K M G (thousands), Ki Mi Gi (1024s), and % for pressure.
fn number(column: &Column, text: &str) -> Result<f64, String> {
    let wrong = || format!("expected {}, not '{text}'", expected(column));
    let is_percent = column.compared == Compared::Percent;
    let (text_number, has_percent) = match text.strip_suffix('%') {
        Some(number) if is_percent => (number, true),
        Some(_) => return Err(format!("{} is not a percentage", column.name)),
        None => (text, false),
    };
    let digits = text_number
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+'))
        .unwrap_or(text_number.len());
    let (number, unit) = text_number.split_at(digits);
    let scale = match unit {
        "" => 1.0,
        _ if is_percent => return Err(wrong()),
        "K" | "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "Ki" => f64::from(1 << 10),
        "Mi" => f64::from(1 << 20),
        "Gi" => f64::from(1 << 30),
        _ => return Err(format!("'{unit}' is no unit; there are K M G Ki Mi Gi")),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    if is_percent && !has_percent && number > 0.0 && number < 1.0 {
        return Err(format!(
            "pressure is in percent: write {} or {number}%",
            number * 100.0
        ));
    }
    Ok(number * scale)
}

/// Errors of the regex crate draw the expression over several lines; the last says what is wrong.
fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().last().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{map, reading};
    use proptest::prelude::*;

    fn names(filter: &str) -> Vec<String> {
        let filter = Filter::parse(filter).expect("a filter");
        reading([
            map("conn_track").id(1).used(95, 100).sizes(16, 64),
            map("conn_LRU").id(2).named_type("lru_hash").used(500, 500),
            map("blocklist").id(31).used(20_000, 65_536).flags(1),
            map("stats").id(4).named_type("percpu_array").uncounted(),
            map("quota").id(5).uncounted(),
            map("full").id(6).used(10, 10),
        ])
        .rows
        .iter()
        .filter(|row| filter.matches(row))
        .map(|row| row.facts.name.to_string())
        .collect()
    }

    fn error(filter: &str) -> (usize, String) {
        let error = Filter::parse(filter).expect_err("an error");
        (error.at, error.message)
    }

    #[test]
    fn a_word_is_looked_for_in_name_type_and_id_in_any_case() {
        assert_eq!(names("CONN"), ["conn_track", "conn_LRU"]);
        assert_eq!(names("lru"), ["conn_LRU"]);
        assert_eq!(names("pcpu_arr"), ["stats"]);
        assert_eq!(names("31"), ["blocklist"]);
        assert_eq!(names("'conn_t'"), ["conn_track"]);
    }

    #[test]
    fn nothing_typed_lets_everything_through() {
        assert_eq!(names("").len(), 6);
        assert_eq!(names("   ").len(), 6);
        assert!(Filter::parse(" ").is_ok_and(|filter| filter.is_everything()));
    }

    #[test]
    fn words_side_by_side_are_and_and_bind_closer_than_or() {
        assert_eq!(names("conn lru"), ["conn_LRU"]);
        assert_eq!(names("conn and lru"), ["conn_LRU"]);
        assert_eq!(names("conn lru or full"), ["conn_LRU", "full"]);
        assert_eq!(names("conn (lru or track)"), ["conn_track", "conn_LRU"]);
        assert_eq!(names("conn not lru"), ["conn_track"]);
        assert_eq!(names("conn !lru"), ["conn_track"]);
        assert_eq!(
            names("not (conn or full) kind:bounded"),
            ["quota", "blocklist"]
        );
    }

    #[test]
    fn words_that_begin_like_operators_are_words() {
        assert_eq!(names("order or android or nothing"), Vec::<String>::new());
        assert_eq!(names("or_track or full"), ["full"]);
    }

    #[test]
    fn texts_are_contained_equal_or_matched() {
        assert_eq!(names("name:Conn"), ["conn_track", "conn_LRU"]);
        assert_eq!(names("name=full"), ["full"]);
        assert_eq!(names("name='conn_lru'"), ["conn_LRU"]);
        assert_eq!(names("name!=full conn"), ["conn_track", "conn_LRU"]);
        assert_eq!(names("name~'^(full|quota)$'"), ["quota", "full"]);
        assert_eq!(names("flags:prealloc"), ["blocklist"]);
        assert_eq!(names("flags='' conn"), ["conn_track", "conn_LRU"]);
    }

    #[test]
    fn kind_mark_and_type_compare_whole_and_types_know_their_abbreviations() {
        assert_eq!(names("kind:evicting"), ["conn_LRU"]);
        assert_eq!(names("mark:crit"), ["full"]);
        assert_eq!(names("mark:warn or mark:crit"), ["conn_track", "full"]);
        assert_eq!(names("type:pcpu_arr"), ["stats"]);
        assert_eq!(names("type=percpu_array"), ["stats"]);
        assert_eq!(names("type:hash").len(), 4);
        assert_eq!(names("type~hash").len(), 5);
    }

    #[test]
    fn numbers_have_units_and_unknown_ones_match_nothing() {
        assert_eq!(names("pressure>=95"), ["conn_track", "conn_LRU", "full"]);
        assert_eq!(names("pressure>=95%"), ["conn_track", "conn_LRU", "full"]);
        assert_eq!(names("pressure<50"), ["blocklist"]);
        assert_eq!(names("pressure<0.5%"), Vec::<String>::new());
        assert_eq!(names("used>10K"), ["blocklist"]);
        assert_eq!(names("capacity>=64Ki"), ["blocklist"]);
        assert_eq!(names("id:31"), ["blocklist"]);
        assert_eq!(names("used=10"), ["full"]);
        assert_eq!(names("growth<1"), Vec::<String>::new());
        assert_eq!(names("not pressure>=95"), ["blocklist"]);
        assert_eq!(names("pressure!=100"), ["conn_track", "blocklist"]);
        assert_eq!(names("mark!=crit pressure<96"), ["conn_track", "blocklist"]);
        assert_eq!(names("quota or pressure>99"), ["conn_LRU", "quota", "full"]);
        assert_eq!(names("not (quota pressure>99)").len(), 5);
    }

    #[test]
    fn errors_say_where_and_what_would_be_right() {
        for (filter, at, part) in [
            ("pressure>", 9, "expected a percentage"),
            (
                "pressure>0.9",
                9,
                "pressure is in percent: write 90 or 0.9%",
            ),
            ("used>9%", 5, "not a percentage"),
            ("kind:bonded", 5, "none of bounded"),
            ("owne:x", 0, "no field is called 'owne'"),
            ("name>3", 5, "name is a text"),
            ("used~3", 5, "used is a number"),
            ("used>3x", 5, "'x' is no unit"),
            ("type:hsah", 5, "no map type"),
            ("name~'('", 5, "not a regular expression"),
            ("(conn", 0, "not closed"),
            ("conn)", 4, "a ) without a ("),
            ("name:'conn", 5, "quote is not closed"),
            ("conn and", 8, "expected a test"),
            ("conn or", 7, "expected a word"),
            ("not", 3, "expected a word"),
            ("()", 1, "expected a word"),
            ("and conn", 0, "expected a test before and"),
            ("conn and and full", 9, "expected a test before and"),
            ("conn or or full", 8, "expected a test before or"),
        ] {
            let (position, message) = error(filter);
            assert!(message.contains(part), "{filter}: {message}");
            assert_eq!(position, at, "{filter}: {message}");
            assert!(!message.contains('\n'), "{filter}: {message}");
        }
    }

    #[test]
    fn the_caret_stands_under_the_place_in_cells() {
        let text = "接続 pressure>";
        let error = Filter::parse(text).expect_err("an error");
        let shown = error.under(text);
        assert_eq!(
            shown.lines().nth(1).and_then(|line| line.find('^')),
            Some(14)
        );
    }

    #[test]
    fn deep_nesting_is_refused_and_not_a_crash() {
        let text = "(".repeat(100_000);
        assert!(error(&text).1.contains("too deeply"));
        assert!(error(&"!".repeat(100_000)).1.contains("too deeply"));
    }

    proptest! {
        #[test]
        fn any_text_is_a_filter_or_an_error_inside_it(text in "\\PC{0,60}") {
            if let Err(error) = Filter::parse(&text) {
                prop_assert!(error.at <= text.len());
                prop_assert!(text.is_char_boundary(error.at));
            }
        }

        #[test]
        fn any_likely_text_is_a_filter_or_an_error(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("("), Just(")"), Just("not "), Just(" or "), Just(" and "), Just("!"),
                    Just("name"), Just("pressure"), Just(":"), Just(">="), Just("~"), Just("80"),
                    Just("10Ki"), Just("'"), Just("\""), Just("hash"), Just(" "),
                ],
                0..20,
            )
        ) {
            let text: String = parts.concat();
            if let Err(error) = Filter::parse(&text) {
                prop_assert!(error.at <= text.len());
            }
        }
    }
}
