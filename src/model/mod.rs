//! Plain data and pure functions: what a map is, what a sample says, what follows from it.
//!
//! Nothing here knows a kernel, a terminal or a file. [`snapshot`] holds facts as they were
//! read, [`source`] is where they come from, [`history`] is what was read before, and [`row`] turns
//! facts and history into what is shown.

pub mod checkup;
pub mod events;
pub mod fleet;
pub mod history;
pub mod loss;
pub mod map_type;
pub mod mark;
pub mod memory;
pub mod ownership;
pub mod place;
pub mod remedies;
pub mod row;
pub mod series;
pub mod snapshot;
pub mod source;
pub mod text;
pub mod trend;
pub mod units;
pub mod unknown;
pub mod walk;
pub mod wish;
