//! Which rows, in which order, with which columns: all that a user can ask of a table.

pub mod complete;
pub mod filter;
pub mod group;
pub mod pushdown;
pub mod sort;
pub mod suggest;
