//! Selectors of series. Values are escaped, so that none can end its quotes.

use std::borrow::Cow;
use std::fmt;

/// Selects series by their metric and labels, as an instant vector or over a range of time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Selector<'a> {
    metric: Option<&'a str>,
    matchers: Vec<Matcher<'a>>,
    range: Option<&'a str>,
}

/// A condition on the value of one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matcher<'a> {
    label: Cow<'a, str>,
    operator: MatchOp,
    value: Cow<'a, str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MatchOp {
    Equal,
    NotEqual,
    /// The expression has to match the whole value.
    Regex,
    NotRegex,
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(
        label: impl Into<Cow<'a, str>>,
        operator: MatchOp,
        value: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self {
            label: label.into(),
            operator,
            value: value.into(),
        }
    }
}

impl<'a> Selector<'a> {
    pub(crate) fn metric(name: &'a str) -> Self {
        Self {
            metric: Some(name),
            ..Self::default()
        }
    }

    /// Selects from all metrics whose whole name matches an expression.
    pub(crate) fn metrics(pattern: impl Into<Cow<'a, str>>) -> Self {
        Self::default().matching("__name__", MatchOp::Regex, pattern)
    }

    #[must_use]
    pub(crate) fn matching(
        self,
        label: impl Into<Cow<'a, str>>,
        operator: MatchOp,
        value: impl Into<Cow<'a, str>>,
    ) -> Self {
        self.with_matchers([Matcher::new(label, operator, value)])
    }

    #[must_use]
    pub(crate) fn with_matchers(mut self, more: impl IntoIterator<Item = Matcher<'a>>) -> Self {
        self.matchers.extend(more);
        self
    }

    /// Selects the samples of the last `5m`, for example.
    #[must_use]
    pub(crate) fn over(mut self, range: &'a str) -> Self {
        self.range = Some(range);
        self
    }
}

impl fmt::Display for Selector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric.unwrap_or_default())?;
        if !self.matchers.is_empty() {
            f.write_str("{")?;
            for (n, matcher) in self.matchers.iter().enumerate() {
                write!(f, "{}{matcher}", if n > 0 { "," } else { "" })?;
            }
            f.write_str("}")?;
        }
        match self.range {
            Some(range) => write!(f, "[{range}]"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Matcher<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = match self.operator {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        };
        write!(f, "{}{operator}{}", self.label, Quoted(&self.value))
    }
}

/// A string literal of `PromQL`.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                // Prometheus' lexer takes this character for invalid UTF-8.
                char::REPLACEMENT_CHARACTER => f.write_str("\\ufffd")?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_has_its_matchers_in_braces_and_its_range_behind() {
        let plain = Selector::metric("up");
        assert_eq!(plain.to_string(), "up");
        assert_eq!(plain.over("2h").to_string(), "up[2h]");
        let narrow = Selector::metrics("a|b")
            .matching("id", MatchOp::NotEqual, "")
            .matching("type", MatchOp::NotRegex, "lru_.*")
            .matching("node", MatchOp::Equal, "n1")
            .over("5m");
        assert_eq!(
            narrow.to_string(),
            r#"{__name__=~"a|b",id!="",type!~"lru_.*",node="n1"}[5m]"#
        );
    }

    #[test]
    fn values_cannot_end_their_quotes() {
        let quoted = |value: &str| Quoted(value).to_string();
        assert_eq!(quoted("a}b{c"), r#""a}b{c""#);
        assert_eq!(quoted("a\"\\\n\u{fffd}"), r#""a\"\\\n\ufffd""#);
    }
}
