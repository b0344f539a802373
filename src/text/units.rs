//! Numbers as people read them: two or three digits and a letter.
//!
//! Percentages are rounded down, so that 99.9 % is not shown as full; the rest to the nearest.

#[cfg(test)]
mod tests;

use std::time::Duration;

use compact_str::{CompactString, format_compact};

use crate::types::map_type::Unit;
use crate::types::time_to_full::TimeToFull;

const LETTERS: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];

/// A number in steps of `step`, rounded to the nearest: `999`, `62.3K`, `524K`, `12.0M`.
fn shorten(number: u64, step: u64) -> CompactString {
    let (number, step) = (u128::from(number), u128::from(step));
    let mut unit = 1;
    for letter in LETTERS {
        // In tenths of the unit.
        let tenths = (number * 10 + unit / 2) / unit;
        let whole = (number + unit / 2) / unit;
        if unit == 1 && whole < step {
            return format_compact!("{whole}");
        }
        if unit > 1 && tenths < 1000 {
            return format_compact!("{}.{}{letter}", tenths / 10, tenths % 10);
        }
        if unit > 1 && whole < step {
            return format_compact!("{whole}{letter}");
        }
        unit *= step;
    }
    format_compact!("{number}")
}

/// Entries, in thousands: `62.3K`.
#[must_use]
pub fn count(number: u64) -> CompactString {
    shorten(number, 1000)
}

/// Bytes, in steps of 1024: `12.0M` are 12 MiB.
#[must_use]
pub fn bytes(number: u64) -> CompactString {
    shorten(number, 1024)
}

/// A number of `unit`, bytes in steps of 1024 and all else in steps of 1000.
#[must_use]
pub(crate) fn amount(number: u64, unit: Unit) -> CompactString {
    match unit {
        Unit::Bytes => bytes(number),
        Unit::Entries | Unit::Slots | Unit::Pages => count(number),
    }
}

/// A pressure in whole percent, rounded down: only a full map is at 100.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a pressure is positive, and float casts saturate"
)]
pub fn percent(pressure: f64) -> u64 {
    // 0.29 * 100.0 is 28.999...: what is a hair under a whole percent by rounding alone is one.
    (pressure * 100.0 + 1e-9).floor() as u64
}

/// Growth, in the unit in which it can be read: `+13/s`, `+1.9/s`, `-3/s`, `+4/m`, `0/s`.
#[must_use]
pub(crate) fn rate(per_second: f64) -> CompactString {
    rate_with(per_second, short_float)
}

/// As [`rate`], with two decimals: `+13.42/s`, `+4.00/h`.
#[must_use]
pub(crate) fn exact_rate(per_second: f64) -> CompactString {
    rate_with(per_second, |size| format_compact!("{size:.2}"))
}

/// A rate of losses, without a sign: `31/s`, `1.2K/s`, `4/m`.
#[must_use]
pub(crate) fn loss_rate(per_second: f64) -> CompactString {
    rate(per_second).trim_start_matches('+').into()
}

/// As [`loss_rate`], with two decimals.
#[must_use]
pub(crate) fn exact_loss_rate(per_second: f64) -> CompactString {
    exact_rate(per_second).trim_start_matches('+').into()
}

fn rate_with(per_second: f64, write: impl Fn(f64) -> CompactString) -> CompactString {
    if per_second == 0.0 {
        return "0/s".into();
    }
    let sign = if per_second < 0.0 { '-' } else { '+' };
    let size = per_second.abs();
    let (size, per) = if size >= 0.1 {
        (size, 's')
    } else if size * 60.0 >= 0.1 {
        (size * 60.0, 'm')
    } else {
        (size * 3600.0, 'h')
    };
    format_compact!("{sign}{}/{per}", write(size))
}

/// As `short_number`, with one decimal below 10, unless that is 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is positive, and float casts saturate"
)]
fn short_float(number: f64) -> CompactString {
    if number >= 1000.0 {
        return count(number.round() as u64);
    }
    let tenths = (number * 10.0).round() as u64;
    if number >= 10.0 || tenths.is_multiple_of(10) {
        format_compact!("{}", number.round())
    } else {
        format_compact!("{}.{}", tenths / 10, tenths % 10)
    }
}

/// A length of time in two units at most: `38s`, `4m09s`, `19m`, `2h05m`, `3d`.
#[must_use]
pub fn time(duration: Duration) -> CompactString {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    if seconds < 60 {
        format_compact!("{seconds}s")
    } else if seconds < 600 {
        format_compact!("{minutes}m{:02}s", seconds % 60)
    } else if seconds < 3600 {
        format_compact!("{minutes}m")
    } else if days == 0 {
        format_compact!("{hours}h{minutes:02}m")
    } else {
        format_compact!("{days}d")
    }
}

/// How long an entry stays in a map: `<1s`, `38s`, `4m09s`.
#[must_use]
pub(crate) fn entry_lifetime(lifetime: Duration) -> CompactString {
    if lifetime < Duration::from_secs(1) {
        "<1s".into()
    } else {
        time(lifetime)
    }
}

/// The duration of some work: `0.04 ms`, `1.4 ms`, `80 ms`, `2.3 s`.
#[must_use]
pub(crate) fn short_time(time: Duration) -> CompactString {
    let ms = time.as_secs_f64() * 1000.0;
    match ms {
        ..1.0 => format_compact!("{ms:.2} ms"),
        ..10.0 => format_compact!("{ms:.1} ms"),
        ..1000.0 => format_compact!("{ms:.0} ms"),
        _ => format_compact!("{:.1} s", ms / 1000.0),
    }
}

/// The time to full, or empty where there is none: `now`, `4m09s`, `~2h05m`, `>30d`.
#[must_use]
pub fn full_in(full_in: TimeToFull) -> CompactString {
    let long = Duration::from_secs(30 * 24 * 3600);
    let in_time = |seconds: f64| match Duration::try_from_secs_f64(seconds) {
        Ok(left) if left < long => time(left),
        _ => ">30d".into(),
    };
    match full_in {
        TimeToFull::Now => "now".into(),
        TimeToFull::In(seconds) => in_time(seconds),
        TimeToFull::Hint(seconds) => format_compact!("~{}", in_time(seconds)),
        TimeToFull::Never | TimeToFull::Unknown | TimeToFull::Measuring | TimeToFull::Steady => {
            "".into()
        }
    }
}

/// An interval in the form in which it can be typed: `1s`, `0.5s`, `2m`.
#[must_use]
pub fn interval(interval: Duration) -> CompactString {
    let seconds = interval.as_secs();
    if interval.subsec_nanos() != 0 {
        format_compact!("{}s", interval.as_secs_f64())
    } else if seconds >= 60 && seconds.is_multiple_of(60) {
        format_compact!("{}m", seconds / 60)
    } else {
        format_compact!("{seconds}s")
    }
}

/// Why a typed duration is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseDurationError;

/// Parses a typed duration: `2`, `0.5`, `500ms`, `10s`, `1m`, `2h`, `3d`; seconds by default.
///
/// # Errors
///
/// When it is something else, negative, or not finite.
pub(crate) fn parse_time(text: &str) -> Result<Duration, ParseDurationError> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale = match unit.trim() {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(ParseDurationError),
    };
    let number: f64 = number.parse().map_err(|_| ParseDurationError)?;
    Duration::try_from_secs_f64(number * scale).map_err(|_| ParseDurationError)
}

/// An exact number with commas, for sentences: `62,300`.
#[must_use]
pub(crate) fn with_thousands_separators(number: u64) -> CompactString {
    let digits = format_compact!("{number}");
    let mut out = CompactString::default();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The sign before a number: `>` if parts of it are not known, else `~` if parts are estimates.
#[must_use]
pub(crate) fn bound_sign(has_unknown: bool, has_estimate: bool) -> &'static str {
    match (has_unknown, has_estimate) {
        (true, _) => ">",
        (false, true) => "~",
        (false, false) => "",
    }
}
