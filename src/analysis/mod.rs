//! From snapshots to rows: everything that is remembered between samples, and what follows from it.

pub mod backfill;
pub(crate) mod consumer_stall;
pub mod events;
pub(crate) mod exact_count;
pub(crate) mod fallen_peak;
pub mod history;
pub(crate) mod linear_fit;
pub(crate) mod loss_history;
pub(crate) mod map_history;
pub(crate) mod mark;
pub mod memory;
pub(crate) mod point_budget;
pub(crate) mod pressure_band;
pub(crate) mod row;
pub(crate) mod sample_context;
pub(crate) mod sample_times;
pub mod series;
pub mod thresholds;
pub(crate) mod time_to_full;
pub(crate) mod trend;
