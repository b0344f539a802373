//! Exit codes: how the program ended, for scripts.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Fine; also after `q`, `^C` in the live view and a closed pipe.
    Fine = 0,
    /// Failed while running.
    Failed = 1,
    /// Wrong usage or a wrong filter.
    Usage = 2,
    /// `--fail-on` was met.
    FailOn = 3,
    /// Not permitted.
    NotPermitted = 4,
    /// This kernel cannot.
    Unable = 5,
    /// `^C` in batch mode.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
