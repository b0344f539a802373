//! mapstop: top for BPF maps. The library behind the binary.

pub mod advise;
pub mod batch;
pub mod cli;
pub mod doctor;
pub mod environment;
pub mod exit;
pub mod export;
mod failure;
pub mod fleet;
pub mod kernel;
pub mod model;
pub mod output;
pub mod query;
pub mod recording;
pub mod run;
#[doc(hidden)]
pub mod testing;
pub mod tui;
