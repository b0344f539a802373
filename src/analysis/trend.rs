//! The two windows of a forecast.
//!
//! A line is fitted to each (`linear_fit`), and the steeper one gives the time to full (`time_to_full`):
//! too early a warning is better than too late a one.

#[cfg(test)]
mod tests;

use std::time::Duration;

/// The short window.
pub const MINUTE: Duration = Duration::from_secs(60);
/// The long window.
pub const TEN_MINUTES: Duration = Duration::from_secs(10 * 60);
