//! How many entries each map has: the records of the iterator, and the scan of those maps that have no counter.

pub(crate) mod map_reader;
pub(crate) mod occupancy;
pub(crate) mod scheduler;
pub(crate) mod window;
