//! Lines of text for the panes, before they are laid out.

pub(crate) mod chart;
pub(crate) mod detail;
pub(crate) mod doctor;
pub mod help;
pub(crate) mod losses;
pub(crate) mod ownership;
