//! How many entries each map has: from its record, or, without a counter, from a scan in windows.

pub(crate) mod map_reader;
pub(crate) mod occupancy;
pub(crate) mod scheduler;
pub(crate) mod window;
