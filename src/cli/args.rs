//! The options of `mapstop` itself.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use super::CliError;
use super::prometheus::ServerArgs;
use crate::cli::subcommands::{AdviseArgs, DoctorArgs, ExportArgs};
use crate::cli::thresholds::ThresholdArgs;
use crate::cli::values::{
    check_losses_without_replay, invalid, parse_columns, parse_delay, parse_filter, parse_theme,
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
  sudo mapstop --once                            one report
  sudo mapstop --once -d 10 -f kind:bounded      one report, with growth over 10 seconds
  sudo mapstop -j --once | jq '.maps[] | select(.pressure > 0.9) | .name'
  sudo mapstop -j -d 10 > maps.jsonl             a JSON report every 10 seconds
  sudo mapstop --record maps.zst                 the live view, recorded to a file
  mapstop --replay maps.zst                      that recording, again
  sudo mapstop advise -d 1m                      which maps to resize or clean up
  sudo mapstop export                            metrics at http://127.0.0.1:2112/metrics
  mapstop doctor                                 what works on this machine, and what does not
  mapstop --prometheus http://prometheus:9090    the maps of every machine that it scrapes
  sudo mapstop --once -d 10 --losses             one report, with losses over 10 seconds
  sudo mapstop --once -d 10 --fail-on crit || page-someone

Filters:
  Put words and tests side by side, or join them with and, or, not and parentheses:
    conn    pressure>80    full:yes    mark:crit    kind:bounded    name~'^cilium_'    used>10K
  A word matches the name, type, owner or id. `-s help` lists the fields to test.

Marks, for maps that refuse inserts when full (bounded):
  crit (!)  grew until it was full, full within 10 minutes, or growing at 95% (--crit) or more
  warn (^)  full when first seen, at 80% (--warn) or more, or over 50% and full within the hour
  A map that refuses updates or drops records is crit. A buffer that stays 75% full is warn.
  An LRU map whose entries are evicted within a minute (--lifetime) is warn, with --losses.
  A map with room for one entry and a frozen map are full by design, and get no mark for it.

Growth needs several samples. Until then a report shows ..., and JSON has null. One report with
--once observes no growth: add -d 10, or use --fail-on full.

Exit status: 0 success, 1 failure, 2 wrong usage, 3 --fail-on matched, 4 not permitted,
5 not supported by this kernel, 130 or 143 stopped by a signal.";

/// top for BPF maps: how full each map is, how fast it fills up and who owns it
#[derive(Debug, Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag a user can type"
)]
#[command(version, after_help = EXAMPLES, disable_help_subcommand = true)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    /// Print one report and exit; the default if stdout is not a terminal
    #[arg(short = '1', long)]
    once: bool,

    /// Print reports until -n is reached, Ctrl-C is pressed or the pipe is closed
    #[arg(short, long)]
    batch: bool,

    /// Stop after N reports
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// Time between samples, such as 2, 0.5, 500ms or 1m [default: 1s]. With --once, measure this
    /// long before the report. Reports from --replay include every sample by default
    #[arg(short, long, value_name = "TIME", value_parser = parse_delay)]
    delay: Option<Duration>,

    /// Print JSON, one report per line
    #[arg(short, long)]
    json: bool,

    /// Print indented JSON
    #[arg(short, long)]
    pretty: bool,

    /// Print CSV: a header, then one line per map
    #[arg(long, conflicts_with_all = ["json", "pretty"])]
    csv: bool,

    /// Sort by COLUMN, -COLUMN (reversed), COLUMN:asc or COLUMN:desc; `-s help` lists the columns
    #[arg(short, long, value_name = "COLUMN", allow_hyphen_values = true)]
    sort: Option<String>,

    /// Show these columns, such as id,name,pressure, or change the default ones, such as
    /// +key,-growth; `-c help` lists the columns
    #[arg(short, long, value_name = "LIST", allow_hyphen_values = true, conflicts_with_all = ["json", "pretty", "csv"])]
    columns: Option<String>,

    /// Show only maps that match, such as 'pressure>80 kind:bounded'
    #[arg(short, long, value_name = "FILTER")]
    filter: Option<String>,

    /// Show only this map, given by id, name or pinned path; the live view opens its details
    #[arg(short, long, value_name = "MAP")]
    map: Option<String>,

    /// When to use colours
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = false
    )]
    color: Color,

    /// Colour theme: default, cvd (safe for colour blindness), high-contrast or mono
    #[arg(long, value_name = "NAME", value_parser = parse_theme)]
    theme: Option<&'static Theme>,

    /// Draw the live view in ASCII; the default if the locale is not UTF-8
    #[arg(long)]
    ascii: bool,

    #[command(flatten)]
    thresholds: ThresholdArgs,

    /// Exit with status 3 if a reported map has this mark or a worse one, is full, or has lost data
    #[arg(long, value_name = "MARK")]
    fail_on: Option<FailOnArg>,

    /// Count losses: refused updates, evicted entries and dropped records. Adds some tens of
    /// nanoseconds to each map update; in the live view, l turns it on and off
    #[arg(long)]
    losses: bool,

    /// Also write every sample to FILE, for --replay; compressed if FILE ends in .zst
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    record: Option<PathBuf>,

    /// Show the recording FILE instead of this machine; needs no privileges
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,

    #[command(flatten)]
    server: ServerArgs,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
enum Command {
    /// Measure for a while, then list maps to resize or clean up, and why
    Advise(AdviseArgs),
    /// Serve metrics to Prometheus
    Export(ExportArgs),
    /// Check what mapstop can show on this machine, and how to fix what is missing
    Doctor(DoctorArgs),
}

/// The values of `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOnArg {
    /// A map is marked warn or crit.
    Warn,
    /// A map is marked crit; a map that was already full when first seen is warn.
    Crit,
    /// A map is full for certain, whatever its mark; also LRU maps, so add -f kind:bounded.
    Full,
    /// A map refused an update or dropped a record; needs --losses.
    Loss,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    /// In the live view, unless `NO_COLOR` is set.
    Auto,
    /// In the live view and in reports.
    Always,
    /// Never.
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
                    "works only with reports, as in --once --fail-on crit",
                ));
            }
            if self.count.is_some() {
                return Err(invalid("--count", "works only with reports, as in -b -n 5"));
            }
            if self.replay.is_some() && self.delay.is_some() {
                return Err(invalid(
                    "--delay",
                    "the live view replays a recording at its own pace; press + and - to change its speed",
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
        let thresholds = self.thresholds.into_thresholds()?;
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
            return Err(invalid("--once", "cannot be combined with -b or -n"));
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
                default.insert(1, NODE);
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
                return Err(invalid("--fail-on", "loss needs --losses"));
            }
            if count == Some(1) && measure.is_none() {
                return Err(invalid(
                    "--fail-on",
                    "loss needs time to measure, as in --once -d 10 --losses --fail-on loss",
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
                FailOnArg::Full => FailOn::Full,
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
