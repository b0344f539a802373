//! From snapshots to rows: everything that is remembered between samples, and what follows from it.

pub mod backfill;
pub(crate) mod consumer_stall;
pub mod events;
pub mod exact_count;
pub mod history;
pub mod linear_fit;
pub(crate) mod loss_history;
pub mod mark;
pub mod memory;
pub mod row;
pub(crate) mod sample_context;
pub mod sample_times;
pub mod series;
pub mod thresholds;
pub mod time_to_full;
pub(crate) mod track;
pub mod trend;
