//! Numbers and names as people read them.

pub mod sanitize;
pub mod units;
pub mod width;
