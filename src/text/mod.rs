//! Numbers and names as people read them.

pub(crate) mod memlock;
pub mod node;
pub mod remedies;
pub mod sanitize;
pub mod units;
pub mod width;
