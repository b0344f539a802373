//! The options of `mapstop` itself.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use super::CliError;
use super::prometheus::ServerArgs;
use crate::analysis::thresholds::Thresholds;
use crate::cli::subcommands::{AdviseArgs, DoctorArgs, ExportArgs};
use crate::cli::values::{
    check_losses_without_replay, invalid, parse_columns, parse_delay, parse_filter, parse_percent,
    parse_theme,
};
use crate::env::Environment;
use crate::options::{Batch, DELAY, FLEET_DELAY, FailOn, Format, Live, Mode, Options};
use crate::query::fields;
use crate::query::fields::{ColumnId, NODE};
use crate::query::sort::Sort;
use crate::theme::{DEFAULT, MONO, Theme};
use crate::types::mark::Mark;

const EXAMPLES: &str = "\
Examples:
  sudo mapstop                                   the live view
  sudo mapstop --once                            one report, like top -b -n1
  sudo mapstop --once -d 10 -f kind:bounded      with growth over 10 seconds
  sudo mapstop -j --once | jq '.maps[] | select(.pressure > 0.9) | .name'
  sudo mapstop -j -d 10 > maps.jsonl             a line every 10 seconds
  sudo mapstop --record maps.zst                 the live view, to be looked at again
  mapstop --replay maps.zst --once               what it came to
  sudo mapstop advise -d 1m                      what to make larger or smaller
  sudo mapstop export                            http://127.0.0.1:2112/metrics, for Prometheus
  mapstop doctor                                 what can be shown here, and what is missing
  mapstop --prometheus http://prometheus:9090    the maps of all machines that it scrapes
  sudo mapstop --once -d 10 --fail-on crit || page-someone
  sudo mapstop --once -d 10 --losses             what was refused, evicted, dropped, and by whom

A filter is words (in name, type, owner or id) and tests, side by side or with and, or, not:
  conn    pressure>80    kind:bounded    type:lru_hash    name~'^cilium_'    used>10K
A single sample has no growth: it is shown as ..., in JSON as null.

Exit status: 0 fine, 1 failed, 2 wrong usage, 3 --fail-on was met, 4 not permitted,
5 this kernel cannot, 130 or 143 stopped by a signal.";

/// top for BPF maps: how full each map is, live or in one report.
#[derive(Debug, Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag a user can type"
)]
#[command(version, about, after_help = EXAMPLES, disable_help_subcommand = true)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    /// Print one report and exit, the same as -b -n 1; also when stdout is no terminal
    #[arg(short = '1', long)]
    once: bool,

    /// Print reports until -n of them, ^C or a closed pipe
    #[arg(short, long)]
    batch: bool,

    /// Stop after N reports
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// Time between samples, as in 2, 0.5, 500ms or 1m; 1 by default, or all that --replay has.
    /// With --once: measure so long first, so that growth is known
    #[arg(short, long, value_name = "TIME", value_parser = parse_delay)]
    delay: Option<Duration>,

    /// Print JSON, an object a report, a line an object
    #[arg(short, long)]
    json: bool,

    /// Print JSON with indentation
    #[arg(short, long)]
    pretty: bool,

    /// Print comma-separated values, a header and a line a map
    #[arg(long, conflicts_with_all = ["json", "pretty"])]
    csv: bool,

    /// Sort by a column; -COLUMN reverses, COLUMN:asc and COLUMN:desc say which way, help lists
    #[arg(short, long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort: Option<String>,

    /// Columns, as in id,name,pressure or +key,-growth; help lists
    #[arg(short, long, value_name = "LIST", allow_hyphen_values = true, conflicts_with_all = ["json", "pretty", "csv"])]
    columns: Option<String>,

    /// Show only the maps that match
    #[arg(short, long, value_name = "FILTER")]
    filter: Option<String>,

    /// Show only this map, by id, name or pinned path; the live view opens it
    #[arg(short, long, value_name = "MAP")]
    map: Option<String>,

    /// Colours: where the terminal has them, everywhere, or nowhere; auto heeds `NO_COLOR`
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = false
    )]
    color: Color,

    /// Colours of the live view: default, cvd (for every colour vision), high-contrast or mono
    #[arg(long, value_name = "NAME", value_parser = parse_theme)]
    theme: Option<&'static Theme>,

    /// Draw the live view in ASCII, as in a locale that is not UTF-8
    #[arg(long)]
    ascii: bool,

    /// Mark maps that refuse inserts with ^ from this pressure on
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    warn: Option<f64>,

    /// Mark them with ! from this pressure on while they grow
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    crit: Option<f64>,

    /// With a report: exit with 3 if a map it shows is at this mark or worse; loss: if one refused
    /// an update or dropped a record while --losses watched
    #[arg(long, value_name = "MARK")]
    fail_on: Option<FailOnArg>,

    /// Watch what maps lose: updates refused, entries evicted, records dropped. It costs some tens
    /// of nanoseconds for each map update, and is off otherwise; l in the live view
    #[arg(long)]
    losses: bool,

    /// Write every sample to FILE as well, to be looked at with --replay; compressed if it ends in
    /// .zst
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    record: Option<PathBuf>,

    /// Read samples from FILE instead of this kernel; needs no privileges
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,

    #[command(flatten)]
    server: ServerArgs,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
enum Command {
    /// What to make larger, smaller, or look at, by what was measured
    Advise(AdviseArgs),
    /// Serve the numbers to Prometheus, until SIGTERM
    Export(ExportArgs),
    /// What this kernel and these capabilities let mapstop show, and what would close the gaps
    Doctor(DoctorArgs),
}

/// The values of `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOnArg {
    /// At 80 % or over, or full within the hour.
    Warn,
    /// Full, or full within ten minutes.
    Crit,
    /// An update was refused, or a record dropped; with --losses.
    Loss,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    /// In a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Everywhere, in reports too.
    Always,
    /// Nowhere.
    Never,
}

impl Args {
    pub(super) fn into_options(mut self, environment: Environment) -> Result<Options, CliError> {
        match self.command.take() {
            Some(Command::Advise(args)) => return args.into_options(),
            Some(Command::Export(args)) => return args.into_options(),
            Some(Command::Doctor(args)) => return Ok(args.into_options()),
            None => {}
        }
        let is_help = |text: &Option<String>| text.as_deref() == Some("help");
        if is_help(&self.sort) || is_help(&self.columns) {
            return Ok(Options::new(Mode::Help(fields::list_fields())));
        }
        let sort = match &self.sort {
            Some(text) => Sort::parse(text).map_err(|e| invalid("--sort", &e))?,
            None => Sort::default(),
        };
        let filter = parse_filter(self.filter.as_deref())?;
        check_losses_without_replay(self.losses, self.replay.as_deref())?;
        let json = self.json || self.pretty;
        let is_batch = self.once || self.batch || json || self.csv || !environment.has_terminal;
        let mode = if is_batch {
            Mode::Batch(self.batch(json)?)
        } else {
            if self.fail_on.is_some() {
                return Err(invalid(
                    "--fail-on",
                    "goes with a report, as in --once --fail-on crit",
                ));
            }
            if self.count.is_some() {
                return Err(invalid("--count", "goes with reports, as in -b -n 5"));
            }
            if self.replay.is_some() && self.delay.is_some() {
                return Err(invalid(
                    "--delay",
                    "a recording has its own times; + and - change its speed. With --once or -b it is a recorded time",
                ));
            }
            let is_fleet = self.server.is_set();
            let default: Vec<_> = ColumnId::all()
                .filter(|id| id.column().min_terminal_width.is_some() || (*id == NODE && is_fleet))
                .collect();
            Mode::Live(Live {
                delay: self.delay.unwrap_or(self.default_delay()),
                columns: parse_columns(self.columns.as_deref(), &default)?,
                theme: self.theme(environment),
                is_ascii: self.ascii || !environment.is_utf8,
            })
        };
        let default = Thresholds::default();
        let thresholds = Thresholds {
            warn: self.warn.unwrap_or(default.warn),
            crit: self
                .crit
                .unwrap_or(default.crit.max(self.warn.unwrap_or(0.0))),
        };
        if thresholds.crit < thresholds.warn {
            return Err(invalid(
                "--crit",
                "is below --warn; it has to be at it or above",
            ));
        }
        let server = self
            .server
            .into_server()
            .map_err(|why| invalid("--prometheus", &why))?;
        Ok(Options {
            thresholds,
            mode,
            filter,
            sort,
            map: self.map.map(canonicalize_pin),
            losses: self.losses,
            record: self.record,
            replay: self.replay,
            server,
        })
    }

    /// The default time between two samples.
    fn default_delay(&self) -> Duration {
        if self.server.is_set() {
            FLEET_DELAY
        } else {
            DELAY
        }
    }

    /// The theme, without colours where they are disabled.
    fn theme(&self, environment: Environment) -> &'static Theme {
        match self.color {
            Color::Never => &MONO,
            Color::Auto if environment.is_without_color => &MONO,
            Color::Auto | Color::Always => self.theme.unwrap_or(&DEFAULT),
        }
    }

    fn batch(&self, json: bool) -> Result<Batch, CliError> {
        if self.once && (self.count.is_some() || self.batch) {
            return Err(invalid(
                "--once",
                "is one report: it goes without -b and -n",
            ));
        }
        // Without a number: one report, unless `-b` or an interval was given.
        let is_once = self.once || (!self.batch && self.count.is_none() && self.delay.is_none());
        let is_measured = self.once || (!self.batch && !json && !self.csv && self.count.is_none());
        let format = if json {
            Format::Json {
                pretty: self.pretty,
            }
        } else if self.csv {
            Format::Csv
        } else {
            let mut default = crate::columns::default_columns();
            if self.server.is_set() {
                default.insert(0, NODE);
            }
            Format::Text {
                columns: parse_columns(self.columns.as_deref(), &default)?,
                theme: (self.color == Color::Always).then(|| self.theme.unwrap_or(&DEFAULT)),
            }
        };
        let is_once = is_once || is_measured;
        let count = if is_once { Some(1) } else { self.count };
        let measure = self.delay.filter(|_| is_measured);
        if self.fail_on == Some(FailOnArg::Loss) {
            if !self.losses && !self.server.is_set() {
                return Err(invalid("--fail-on", "loss goes with --losses"));
            }
            if count == Some(1) && measure.is_none() {
                return Err(invalid(
                    "--fail-on",
                    "loss takes time to watch, as in --once -d 10 --losses --fail-on loss",
                ));
            }
        }
        // A replay has no real time to keep up with, so by default no sample is skipped.
        let default_delay = if self.replay.is_some() {
            Duration::ZERO
        } else {
            self.default_delay()
        };
        Ok(Batch {
            count,
            is_once,
            delay: self.delay.unwrap_or(default_delay),
            measure,
            format,
            fail_on: self.fail_on.map(|what| match what {
                FailOnArg::Warn => FailOn::Mark(Mark::Warn),
                FailOnArg::Crit => FailOn::Mark(Mark::Crit),
                FailOnArg::Loss => FailOn::Loss,
            }),
        })
    }
}

/// The canonical path, as mapstop finds pins. Text that is no path on this machine is unchanged.
fn canonicalize_pin(map: String) -> String {
    if !map.contains('/') {
        return map;
    }
    let path = std::fs::canonicalize(&map);
    let path = path
        .ok()
        .and_then(|path| path.into_os_string().into_string().ok());
    path.unwrap_or(map)
}
