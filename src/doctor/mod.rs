//! `mapstop doctor`: what can be shown on this machine, what is missing, and what would help.

pub(crate) mod gaps;
pub mod load_message;
pub mod output;
pub mod run;
pub mod text;
