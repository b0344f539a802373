//! Comparisons: converts `field operator value` to a test.

use regex::RegexBuilder;

use super::{Comparison, Test};
use crate::query::fields::table::FIELDS;
use crate::query::fields::{Field, FieldType, did_you_mean};
use crate::text::units;
use crate::types::map_type::MapType;

/// Describes the values that a column can be compared with.
pub(super) fn describe_values(column: &Field) -> String {
    match column.field_type {
        FieldType::Text => "text".to_owned(),
        FieldType::Words(words) => format!("one of {}", words.join(", ")),
        FieldType::Type => "a map type, such as hash or lru_hash".to_owned(),
        FieldType::Count => "a number, such as 100, 10K or 4Mi".to_owned(),
        FieldType::Percent => "a percentage, such as 80 or 99.5".to_owned(),
        FieldType::Time => "a time, such as 10m or 2h".to_owned(),
    }
}

/// The message for `pressure>` and nothing after it.
pub(super) fn missing_value_message(column: &Field, operator: &str) -> String {
    let values = describe_values(column);
    match values.split_once(',') {
        Some((what, examples)) if !matches!(column.field_type, FieldType::Words(_)) => {
            format!("expected {what} after {operator},{examples}")
        }
        _ => format!("expected {values} after {operator}"),
    }
}

pub(super) fn unknown_field_message(name: &str) -> String {
    format!(
        "no field is called '{name}'{}; `mapstop -s help` lists them",
        did_you_mean(name, field_names())
    )
}

/// The words that a filter accepts for a column.
pub fn field_names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|column| match column.name {
        "attention" => "mark",
        name => name,
    })
}

/// The test for `column operator value`, or the reason why it is not valid. `name` is how the user called
/// the column.
pub(super) fn parse_test(
    column: &'static Field,
    name: &str,
    operator: &str,
    value: &str,
) -> Result<Test, String> {
    if operator == "!=" {
        return Ok(Test::Not(Box::new(parse_test(column, name, "=", value)?)));
    }
    let lower = value.to_lowercase();
    let is_number = matches!(
        column.field_type,
        FieldType::Count | FieldType::Percent | FieldType::Time
    );
    if operator == "~" {
        if is_number {
            return Err(format!("{name} is a number; use =, < or >"));
        }
        return RegexBuilder::new(value)
            .case_insensitive(true)
            .size_limit(1 << 20)
            .build()
            .map(|regex| Test::Matches(column, regex))
            .map_err(|error| format!("not a valid regular expression: {}", last_line(&error)));
    }
    let comparison = match operator {
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        _ => Comparison::Equal,
    };
    if is_number {
        return Ok(Test::Number(
            column,
            comparison,
            parse_number(column, value)?,
        ));
    }
    if comparison != Comparison::Equal {
        return Err(match column.field_type {
            FieldType::Words(words) => format!(
                "{name} is not a number; use {name}:{}",
                words.first().unwrap_or(&"")
            ),
            _ => format!("{name} is text; use :, = or ~"),
        });
    }
    match column.field_type {
        FieldType::Words(words) => {
            let word = match lower.as_str() {
                "!" if column.name == "attention" => "crit",
                "^" if column.name == "attention" => "warn",
                word => word,
            };
            if words.contains(&word) {
                Ok(Test::Is(column, word.to_owned()))
            } else {
                Err(format!(
                    "expected {}; got '{value}'",
                    describe_values(column)
                ))
            }
        }
        FieldType::Type => MapType::from_name(&lower).map(Test::Type).ok_or_else(|| {
            format!(
                "no map type is called '{value}'; type~{value} finds types whose names contain it"
            )
        }),
        _ if operator == ":" => Ok(Test::Contains(column, lower)),
        _ => Ok(Test::Is(column, lower)),
    }
}

/// A number with a unit: K M G (thousands), Ki Mi Gi (1024s), and % for pressure.
fn parse_number(column: &Field, text: &str) -> Result<f64, String> {
    let wrong = || format!("expected {}; got '{text}'", describe_values(column));
    let is_percent = column.field_type == FieldType::Percent;
    if column.field_type == FieldType::Time {
        let time = units::parse_time(text).map_err(|_| wrong())?;
        return Ok(time.as_secs_f64());
    }
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
        _ if is_percent || number.is_empty() => return Err(wrong()),
        "K" | "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "Ki" => f64::from(1 << 10),
        "Mi" => f64::from(1 << 20),
        "Gi" => f64::from(1 << 30),
        _ => {
            return Err(format!(
                "'{unit}' is not a unit; the units are K, M, G, Ki, Mi and Gi"
            ));
        }
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
