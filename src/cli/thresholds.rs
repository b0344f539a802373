//! The options about marks.

use std::time::Duration;

use clap::Args;

use super::CliError;
use super::values::{invalid, parse_lifetime, parse_percent};
use crate::analysis::thresholds::Thresholds;

/// From when on maps are marked.
#[derive(Debug, Args)]
pub(super) struct ThresholdArgs {
    /// Mark bounded maps warn (^) from this pressure on [default: 80]
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    warn: Option<f64>,

    /// Mark bounded maps crit (!) from this pressure on while they grow [default: 95]
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    crit: Option<f64>,

    /// Mark LRU maps warn (^) whose entries are evicted within this time; needs --losses, 0 turns it
    /// off [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = parse_lifetime)]
    lifetime: Option<Duration>,
}

impl ThresholdArgs {
    pub(super) fn into_thresholds(self) -> Result<Thresholds, CliError> {
        let default = Thresholds::default();
        let warn = self.warn.unwrap_or(default.warn);
        let crit = self
            .crit
            .unwrap_or(default.crit.max(self.warn.unwrap_or(0.0)));
        if crit < warn {
            return Err(invalid("--crit", "must be at least --warn"));
        }
        Ok(Thresholds {
            warn,
            crit,
            lifetime: self.lifetime.unwrap_or(default.lifetime),
        })
    }
}
