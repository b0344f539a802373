//! Where a level leads: a straight line through what was held, and when that is full.
//!
//! Least squares over one minute and over ten; the steeper line wins, since it is better to be told
//! too early.

mod beats;
mod full_in;
mod line;

use std::time::Duration;

pub use beats::Beats;
pub use full_in::{FullIn, SHORTEST};
pub use line::{Line, Window};

/// The short window.
pub const MINUTE: Duration = Duration::from_secs(60);
/// The long one.
pub const TEN_MINUTES: Duration = Duration::from_secs(10 * 60);

#[cfg(test)]
mod tests;
