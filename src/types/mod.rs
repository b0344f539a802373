//! Plain data: what a map is and what was read of it. No I/O, no text for people.

pub mod doctor_report;
pub mod fleet;
pub mod loss;
pub mod map_type;
pub mod ownership;
pub mod ownership_gap;
pub mod row;
pub mod snapshot;
