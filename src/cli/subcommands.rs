//! The subcommands and their options.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::CliError;
use super::values::{check_losses_without_replay, parse_address, parse_delay, parse_filter};
use crate::options::{Advise, Doctor, Export, ExportOptions, LabelBy, Mode, Options};

#[derive(Debug, Args)]
pub(crate) struct AdviseArgs {
    /// How long to measure, 10 seconds by default; all of a recording is
    #[arg(short, long, value_name = "TIME", value_parser = parse_delay, conflicts_with = "replay")]
    delay: Option<Duration>,

    /// Print JSON, one object on a line
    #[arg(short, long)]
    json: bool,

    /// Judge only the maps that match
    #[arg(short, long, value_name = "FILTER")]
    filter: Option<String>,

    /// Watch what maps lose, too; it costs some tens of nanoseconds for each map update
    #[arg(long)]
    losses: bool,

    /// Judge by a recording; needs no privileges
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Print JSON, one object on a line
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
    /// Listen here; 0.0.0.0:2112 is for everybody
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2112", value_parser = parse_address)]
    listen: String,

    /// Tell only of the maps that match
    #[arg(short, long, value_name = "FILTER")]
    filter: Option<String>,

    /// Count what maps lose: refused updates, evictions, drops. It costs some tens of ns an update
    #[arg(long)]
    losses: bool,

    /// Tell maps apart by id; or by name, where ids change at every restart: sums over those of one
    /// name, and their worst pressure
    #[arg(long, value_name = "LABEL", default_value = "id")]
    label_by: LabelByArg,

    /// Add the names that ebpf-map-metrics has, for its dashboards
    #[arg(long)]
    compat: bool,

    /// Series of maps at the most; whole maps are left out then, those that are marked last
    #[arg(long, value_name = "N", default_value_t = MAX_SERIES)]
    max_series: usize,

    /// Tell what a recording holds, as if it happened from now on; needs no privileges
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
}

/// Default of `--max-series`.
pub(crate) const MAX_SERIES: usize = 200_000;

/// The values of `--label-by`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LabelByArg {
    /// Each map is itself.
    Id,
    /// Maps of one name and type are one.
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
