//! Plain data: what a map is and what was read of it. No I/O, no text for people.

pub mod count;
pub mod doctor_report;
pub mod errno;
pub mod fleet;
pub mod host;
pub mod load_error;
pub mod loss;
pub mod loss_state;
pub mod loss_tracing;
pub mod map_flags;
pub mod map_id;
pub mod map_type;
pub mod mark;
pub mod memory;
pub mod ownership;
pub mod ownership_gap;
pub mod reading;
pub mod row;
pub mod snapshot;
pub mod time_to_full;
