//! The subcommands and their options.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::CliError;
use super::thresholds::ThresholdArgs;
use super::values::{check_losses_without_replay, parse_address, parse_delay, parse_filter};
use crate::options::{Advise, Doctor, Export, ExportOptions, LabelBy, Mode, Options};

#[derive(Debug, Args)]
pub(crate) struct AdviseArgs {
    /// How long to measure [default: 10s]; a recording is read in full
    #[arg(short, long, value_name = "TIME", value_parser = parse_delay, conflicts_with = "replay")]
    delay: Option<Duration>,

    /// Print JSON on one line
    #[arg(short, long)]
    json: bool,

    /// Only give advice about maps that match
    #[arg(short, long, value_name = "FILTER")]
    filter: Option<String>,

    /// Also count losses; adds some tens of nanoseconds to each map update
    #[arg(long)]
    losses: bool,

    /// Read the recording FILE instead of this machine; needs no privileges
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Print JSON on one line
    #[arg(short, long)]
    json: bool,
}

impl DoctorArgs {
    pub(crate) fn into_options(self) -> Options {
        Options::new(Mode::Doctor(Doctor { is_json: self.json }))
    }
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Listen on this address and port; 0.0.0.0:2112 accepts requests from other machines
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2112", value_parser = parse_address)]
    listen: String,

    /// Only export maps that match
    #[arg(short, long, value_name = "FILTER")]
    filter: Option<String>,

    /// Also count losses: refused updates, evictions and drops; adds some tens of nanoseconds to
    /// each map update
    #[arg(long)]
    losses: bool,

    /// Export series per map id, or per name, which survives restarts that change the ids
    #[arg(long, value_name = "LABEL", default_value = "id")]
    label_by: LabelByArg,

    /// Also export the metric names of ebpf-map-metrics, for its dashboards
    #[arg(long)]
    compat: bool,

    #[command(flatten)]
    thresholds: ThresholdArgs,

    /// Export at most N series about maps; maps without a mark are left out first
    #[arg(long, value_name = "N", default_value_t = MAX_SERIES)]
    max_series: usize,

    /// Export the recording FILE as if it happened now; needs no privileges
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
}

/// Default of `--max-series`.
pub(crate) const MAX_SERIES: usize = 200_000;

/// The values of `--label-by`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LabelByArg {
    /// Series of each map.
    Id,
    /// Series of all maps of one name and type: sums, and the highest pressure.
    Name,
}

impl ExportArgs {
    pub(crate) fn into_options(self) -> Result<Options, CliError> {
        check_losses_without_replay(self.losses, self.replay.as_deref())?;
        let mode = Mode::Export(Export {
            listen: self.listen,
            export: ExportOptions {
                label_by: match self.label_by {
                    LabelByArg::Id => LabelBy::Id,
                    LabelByArg::Name => LabelBy::Name,
                },
                is_compat: self.compat,
                max_series: self.max_series,
            },
        });
        Ok(Options {
            thresholds: self.thresholds.into_thresholds()?,
            filter: parse_filter(self.filter.as_deref())?,
            losses: self.losses,
            replay: self.replay,
            ..Options::new(mode)
        })
    }
}

/// Default measuring time of `advise`.
pub(crate) const ADVISE_TIME: Duration = Duration::from_secs(10);

impl AdviseArgs {
    pub(crate) fn into_options(self) -> Result<Options, CliError> {
        check_losses_without_replay(self.losses, self.replay.as_deref())?;
        let mode = Mode::Advise(Advise {
            time: self.delay.unwrap_or(ADVISE_TIME),
            is_json: self.json,
        });
        Ok(Options {
            filter: parse_filter(self.filter.as_deref())?,
            losses: self.losses,
            replay: self.replay,
            ..Options::new(mode)
        })
    }
}
