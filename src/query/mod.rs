//! Selects and orders rows: fields, filters and sorting.

pub mod complete;
pub mod fields;
pub mod filter;
pub mod group;
pub mod pushdown;
pub mod sort;
pub mod suggest;
