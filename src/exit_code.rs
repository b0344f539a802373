//! Exit codes.

use std::process::ExitCode;

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
    NotPermitted = 4,
    /// Not supported by this kernel.
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
