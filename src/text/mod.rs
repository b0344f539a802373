//! Numbers and names as people read them.

pub mod count_note;
pub(crate) mod memlock;
pub(crate) mod node;
pub(crate) mod plural;
pub(crate) mod remedies;
pub mod sanitize;
pub(crate) mod units;
pub(crate) mod width;
