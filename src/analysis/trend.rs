//! Where a level leads: a straight line through what was held, and when that is full.
//!
//! Least squares over one minute and over ten; the steeper line wins, since it is better to be told
//! too early.

#[cfg(test)]
mod tests;

use std::time::Duration;

/// The short window.
pub const MINUTE: Duration = Duration::from_secs(60);
/// The long one.
pub const TEN_MINUTES: Duration = Duration::from_secs(10 * 60);
