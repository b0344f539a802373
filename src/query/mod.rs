//! Which rows, in which order, with which columns: all that a user can ask of a table.

pub mod columns;
pub mod complete;
pub mod fill;
pub mod filter;
pub mod groups;
pub mod narrow;
pub mod near;
pub mod sort;
