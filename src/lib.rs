//! mapstop: top for BPF maps. The library behind the binary.

pub mod advise;
pub mod analysis;
pub mod cgroup;
pub mod cli;
pub mod columns;
pub mod diag;
pub mod doctor;
pub mod env;
pub mod exit_code;
pub mod exporter;
pub mod options;
pub mod query;
pub mod report;
pub mod run;
pub mod source;
#[doc(hidden)]
pub mod test_util;
pub mod text;
pub mod theme;
pub mod tui;
pub mod types;
