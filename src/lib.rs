//! mapstop: top for BPF maps. The library behind the binary; not an API for others.
//!
//! ```text
//!   kernel (libbpf)    recording (a file)    prometheus (a server)      source
//!          └──────────────── Snapshot ────────────────┘
//!                               │                                        analysis
//!                    Reading: one Row a map
//!                               │                                        query, columns
//!      tui        report        advise        exporter       doctor      modes
//! ```
//!
//! Modules import each other in one direction: `ARCHITECTURE.md` has the picture, the words and three
//! paths through the code, `tests/architecture.rs` the table of arrows.

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
