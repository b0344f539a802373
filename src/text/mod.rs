//! Numbers and names as people read them.

pub mod count_note;
pub(crate) mod memlock;
pub mod node;
pub mod remedies;
pub mod sanitize;
pub mod units;
pub mod width;
