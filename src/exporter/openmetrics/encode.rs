//! Writes families of samples as lines, in the text format 0.0.4 or in `OpenMetrics` 1.0.

use std::ops::Range;

use compact_str::format_compact;

/// An exposition format. Prometheus reads both, and asks for `OpenMetrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// The text format, version 0.0.4.
    Text,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

impl Format {
    /// The `Content-Type`.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number that goes up and down.
    Gauge,
    /// A number that only grows; the name ends in `_total`.
    Counter,
    /// Always 1, with its content in labels; the name ends in `_info`.
    Info,
    /// A number of no declared type.
    Untyped,
}

/// The metadata lines above the samples of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FamilyMeta {
    pub name: &'static str,
    pub kind: Kind,
    /// The help text: one sentence.
    pub help: &'static str,
}

impl FamilyMeta {
    /// The name and type of the family in this format: `OpenMetrics` leaves the suffix of the type
    /// out of the name, and has two types for which the older format uses others.
    fn in_format(&self, format: Format) -> (&'static str, &'static str) {
        let (end, open, text) = match self.kind {
            Kind::Gauge => ("", "gauge", "gauge"),
            Kind::Counter => ("_total", "counter", "counter"),
            Kind::Info => ("_info", "info", "gauge"),
            Kind::Untyped => ("", "unknown", "untyped"),
        };
        match format {
            Format::Text => (self.name, text),
            Format::OpenMetrics => (self.name.strip_suffix(end).unwrap_or(self.name), open),
        }
    }
}

/// The number of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A count.
    Whole(u64),
    /// Anything else.
    Real(f64),
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

/// Writes the lines of one scrape.
#[derive(Debug)]
pub struct Lines<'a> {
    out: &'a mut Vec<u8>,
    format: Format,
    /// The head of the family that is being written, until its first sample.
    pending: Option<&'static FamilyMeta>,
    name: &'static str,
    /// Where the samples of the family begin.
    begin: usize,
}

impl<'a> Lines<'a> {
    /// Nothing is written yet.
    pub fn new(format: Format, out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            format,
            pending: None,
            name: "",
            begin: 0,
        }
    }

    /// Begins a family. Its head is written with its first sample, if it has any.
    pub(crate) fn begin_family(&mut self, head: &'static FamilyMeta) {
        self.pending = Some(head);
        self.name = head.name;
        self.begin = self.out.len();
    }

    /// The byte range of the family's samples so far.
    #[must_use]
    pub(crate) fn range(&self) -> Range<usize> {
        self.begin..self.out.len()
    }

    /// Writes a sample with these labels, as [`push_label`] makes them.
    pub(crate) fn write_sample(&mut self, labels: [&str; 2], number: Number) {
        self.write_head();
        let out = &mut *self.out;
        out.extend_from_slice(self.name.as_bytes());
        let [first, second] = labels;
        if !first.is_empty() || !second.is_empty() {
            out.push(b'{');
            out.extend_from_slice(first.as_bytes());
            if !first.is_empty() && !second.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(second.as_bytes());
            out.push(b'}');
        }
        out.push(b' ');
        match number {
            Number::Whole(number) => {
                let mut digits = itoa::Buffer::new();
                out.extend_from_slice(digits.format(number).as_bytes());
            }
            // Most growth rates are zero.
            Number::Real(0.0) => out.push(b'0'),
            Number::Real(f64::INFINITY) => out.extend_from_slice(b"+Inf"),
            Number::Real(f64::NEG_INFINITY) => out.extend_from_slice(b"-Inf"),
            Number::Real(number) => out.extend_from_slice(format_compact!("{number}").as_bytes()),
        }
        out.push(b'\n');
    }

    /// Appends samples copied from an earlier page.
    pub(crate) fn copy_samples(&mut self, samples: &[u8]) {
        if !samples.is_empty() {
            self.write_head();
            self.out.extend_from_slice(samples);
        }
    }

    /// Writes the head of the family before its first sample.
    fn write_head(&mut self) {
        if let Some(head) = self.pending.take() {
            let (name, kind) = head.in_format(self.format);
            let help = escape_help(head.help, self.format);
            let head = format_compact!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
            self.out.extend_from_slice(head.as_bytes());
            self.begin = self.out.len();
        }
    }

    /// Writes the end marker of the format.
    pub fn end(self) {
        match self.format {
            Format::Text => {}
            Format::OpenMetrics => self.out.extend_from_slice(b"# EOF\n"),
        }
    }
}

fn escape_help(help: &str, format: Format) -> String {
    let mut text = String::with_capacity(help.len());
    for c in help.chars() {
        match (c, format) {
            ('\\', _) => text.push_str("\\\\"),
            ('\n', _) => text.push_str("\\n"),
            ('"', Format::OpenMetrics) => text.push_str("\\\""),
            (c, _) => text.push(c),
        }
    }
    text
}

/// Appends a label, with the value escaped as both formats require.
pub(crate) fn push_label(labels: &mut String, name: &str, value: &str) {
    labels.push_str(name);
    labels.push_str("=\"");
    let mut rest = value;
    // Bytes are faster than characters, and none of the three occurs inside another
    // character.
    let ends = |byte: &u8| matches!(byte, b'\\' | b'"' | b'\n');
    while let Some(at) = rest.as_bytes().iter().position(ends) {
        labels.push_str(&rest[..at]);
        labels.push_str(match rest.as_bytes()[at] {
            b'\\' => "\\\\",
            b'"' => "\\\"",
            _ => "\\n",
        });
        rest = &rest[at + 1..];
    }
    labels.push_str(rest);
    labels.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVEL: FamilyMeta = FamilyMeta {
        name: "some_level",
        kind: Kind::Gauge,
        help: "A \"level\",\nor C:\\.",
    };
    const LOST: FamilyMeta = FamilyMeta {
        name: "some_lost_total",
        kind: Kind::Counter,
        help: "What was lost.",
    };
    const ABOUT: FamilyMeta = FamilyMeta {
        name: "some_info",
        kind: Kind::Info,
        help: "About it.",
    };
    const OLD: FamilyMeta = FamilyMeta {
        name: "old",
        kind: Kind::Untyped,
        help: "An old name.",
    };

    fn written(format: Format) -> String {
        let mut out = Vec::new();
        let mut lines = Lines::new(format, &mut out);
        lines.begin_family(&LEVEL);
        lines.write_sample(["id=\"7\"", ""], 0.5.into());
        lines.write_sample(["id=\"7\"", "a=\"b\""], 3.into());
        lines.begin_family(&LOST);
        lines.write_sample(["", "a=\"b\""], 4.into());
        lines.begin_family(&ABOUT);
        lines.write_sample(["", ""], 1.into());
        lines.begin_family(&OLD);
        lines.end();
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn text_format_keeps_whole_names() {
        assert_eq!(
            written(Format::Text),
            "# HELP some_level A \"level\",\\nor C:\\\\.\n\
             # TYPE some_level gauge\n\
             some_level{id=\"7\"} 0.5\n\
             some_level{id=\"7\",a=\"b\"} 3\n\
             # HELP some_lost_total What was lost.\n\
             # TYPE some_lost_total counter\n\
             some_lost_total{a=\"b\"} 4\n\
             # HELP some_info About it.\n\
             # TYPE some_info gauge\n\
             some_info 1\n"
        );
    }

    #[test]
    fn openmetrics_strips_suffixes_and_ends_with_eof() {
        assert_eq!(
            written(Format::OpenMetrics),
            "# HELP some_level A \\\"level\\\",\\nor C:\\\\.\n\
             # TYPE some_level gauge\n\
             some_level{id=\"7\"} 0.5\n\
             some_level{id=\"7\",a=\"b\"} 3\n\
             # HELP some_lost What was lost.\n\
             # TYPE some_lost counter\n\
             some_lost_total{a=\"b\"} 4\n\
             # HELP some About it.\n\
             # TYPE some info\n\
             some_info 1\n\
             # EOF\n"
        );
    }

    #[test]
    fn untyped_is_named_as_each_format_does() {
        assert_eq!(OLD.in_format(Format::Text), ("old", "untyped"));
        assert_eq!(OLD.in_format(Format::OpenMetrics), ("old", "unknown"));
    }

    #[test]
    fn any_label_value_is_escaped() {
        let mut labels = String::new();
        push_label(&mut labels, "name", "");
        labels.push(',');
        push_label(&mut labels, "owner", "a\\b\"c\nd} 1\u{e9}");
        labels.push(',');
        push_label(&mut labels, "pin", "\\\"");
        assert_eq!(
            labels,
            "name=\"\",owner=\"a\\\\b\\\"c\\nd} 1\u{e9}\",pin=\"\\\\\\\"\""
        );
    }

    #[test]
    fn numbers_are_valid_in_both_formats() {
        let mut out = Vec::new();
        let mut lines = Lines::new(Format::OpenMetrics, &mut out);
        lines.begin_family(&OLD);
        for number in [
            Number::Whole(u64::MAX),
            Number::Real(0.950_622_558_593_75),
            Number::Real(-13.0),
            Number::Real(f64::INFINITY),
            Number::Real(f64::NEG_INFINITY),
            Number::Real(f64::NAN),
        ] {
            lines.write_sample(["", ""], number);
        }
        let text = String::from_utf8(out).expect("UTF-8");
        let numbers: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(
            numbers,
            [
                "old 18446744073709551615",
                "old 0.95062255859375",
                "old -13",
                "old +Inf",
                "old -Inf",
                "old NaN"
            ]
        );
    }
}
