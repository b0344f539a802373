//! Parsers of option values.

use std::path::Path;
use std::time::Duration;

use super::CliError;
use crate::columns;
use crate::options::{MAX_DELAY, MIN_DELAY};
use crate::query::fields::ColumnId;
use crate::query::filter::Filter;
use crate::text::units;
use crate::theme::{THEMES, Theme};

pub(crate) fn parse_theme(name: &str) -> Result<&'static Theme, String> {
    let names = THEMES.map(|theme| theme.name).join(", ");
    Theme::find(name).ok_or_else(|| format!("the themes are {names}"))
}

/// Checks for a port. The host is resolved when the server binds.
pub(crate) fn parse_address(text: &str) -> Result<String, String> {
    let port = text
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse::<u16>().ok());
    match port {
        Some(_) => Ok(text.to_owned()),
        None => Err("expected an address with a port, such as 127.0.0.1:2112".to_owned()),
    }
}

pub(crate) fn parse_percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>();
    number
        .ok()
        .filter(|percent| (1.0..=100.0).contains(percent))
        .map(|percent| percent / 100.0)
        .ok_or_else(|| "expected a percentage from 1 to 100, such as 80".to_owned())
}

pub(crate) fn parse_delay(text: &str) -> Result<Duration, String> {
    let delay = units::parse_time(text)
        .map_err(|_| "expected a time, such as 2, 0.5, 500ms or 1m".to_owned())?;
    if (MIN_DELAY..=MAX_DELAY).contains(&delay) {
        Ok(delay)
    } else {
        Err("expected a time from 0.1 seconds to one day".to_owned())
    }
}

pub(crate) fn parse_lifetime(text: &str) -> Result<Duration, String> {
    units::parse_time(text).map_err(|_| "expected a time, such as 30, 90s or 5m".to_owned())
}

pub(crate) fn check_losses_without_replay(
    losses: bool,
    replay: Option<&Path>,
) -> Result<(), CliError> {
    if losses && replay.is_some() {
        return Err(invalid(
            "--losses",
            "a recording has losses only if it was made with --losses; use --record and --losses together",
        ));
    }
    Ok(())
}

pub(crate) fn invalid(option: &str, message: &str) -> CliError {
    CliError::Invalid(format!("{option}: {message}"))
}

pub(crate) fn parse_filter(text: Option<&str>) -> Result<Filter, CliError> {
    let text = text.unwrap_or_default();
    Filter::parse(text).map_err(|e| {
        invalid(
            "--filter",
            &format!("{e}\n  {}", e.caret_line(text).replace('\n', "\n  ")),
        )
    })
}

pub(crate) fn parse_columns(
    text: Option<&str>,
    default: &[ColumnId],
) -> Result<Option<Vec<ColumnId>>, CliError> {
    text.map(|text| columns::parse_columns(text, default))
        .transpose()
        .map_err(|e| invalid("--columns", &e))
}
