//! The command line: what was typed becomes what it means, once; nothing below knows clap.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::model::mark::Mark;
use crate::model::units;
use crate::query::columns::{self, ColumnId};
use crate::query::filter::Filter;
use crate::query::sort::Sort;

/// The time between two samples when nothing else is asked for.
pub const DELAY: Duration = Duration::from_secs(1);

/// The shortest time between two samples.
pub const SHORTEST_DELAY: Duration = Duration::from_millis(100);

/// The longest time between two samples.
pub const LONGEST_DELAY: Duration = Duration::from_hours(24);

const EXAMPLES: &str = "\
Examples:
  sudo mapstop                                   the live view
  sudo mapstop --once                            one report, like top -b -n1
  sudo mapstop --once -d 10 -f kind:bounded      with growth over 10 seconds
  sudo mapstop -j --once | jq '.maps[] | select(.pressure > 0.9) | .name'
  sudo mapstop -j -d 10 > maps.jsonl             a line every 10 seconds
  sudo mapstop --record maps.zst                 the live view, to be looked at again
  mapstop --replay maps.zst --once               what it came to
  sudo mapstop --once --fail-on crit || page-someone

A filter is words (in name, type or id) and tests, side by side or with and, or, not:
  conn    pressure>80    kind:bounded    type:lru_hash    name~'^cilium_'    used>10K
A single sample has no growth: it is shown as -, in JSON as null.

Exit status: 0 fine, 1 failed, 2 wrong usage, 3 --fail-on was met, 4 not permitted,
5 this kernel cannot, 130 or 143 stopped by a signal.";

/// top for BPF maps: how full each map is, live or in one report.
#[derive(Debug, Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag a user can type"
)]
#[command(version, about, after_help = EXAMPLES, disable_help_subcommand = true)]
struct Typed {
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
    #[arg(short, long, value_name = "TIME", value_parser = delay)]
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

    /// Show only this map, by id or name; the live view selects it
    #[arg(short, long, value_name = "MAP")]
    map: Option<String>,

    /// With a report: exit with 3 if a map it shows is at this mark or worse
    #[arg(long, value_name = "MARK")]
    fail_on: Option<FailOn>,

    /// Write every sample to FILE as well, to be looked at with --replay; compressed if it ends in
    /// .zst
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    record: Option<PathBuf>,

    /// Read samples from FILE instead of this kernel; needs no privileges
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
}

/// A mark as an argument.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailOn {
    /// At 80 % or over.
    Warn,
    /// Full.
    Crit,
}

fn delay(text: &str) -> Result<Duration, String> {
    let delay = units::parse_time(text)
        .map_err(|_| "expected a time, as in 2, 0.5, 500ms or 1m".to_owned())?;
    if (SHORTEST_DELAY..=LONGEST_DELAY).contains(&delay) {
        Ok(delay)
    } else {
        Err("expected a time from 0.1 seconds to a day".to_owned())
    }
}

/// A form of report.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// For people, with these columns if any were asked for.
    Text(Option<Vec<ColumnId>>),
    /// JSON, indented or not.
    Json {
        /// Whether to indent.
        pretty: bool,
    },
    /// Comma-separated values.
    Csv,
}

/// Reports to stdout.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// How many; `None` is without end.
    pub count: Option<u64>,
    /// One of how things are now; of a recording, at its end.
    pub is_once: bool,
    /// The time between two.
    pub delay: Duration,
    /// How long to measure before the first.
    pub measure: Option<Duration>,
    /// In which form.
    pub format: Format,
    /// The mark that is a failure.
    pub fail_on: Option<Mark>,
}

/// The live view.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// The time between two samples.
    pub delay: Duration,
    /// Columns instead of those that fit the width.
    pub columns: Option<Vec<ColumnId>>,
}

/// What to do with what is read.
#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    /// Print it.
    Batch(Batch),
    /// Show it.
    Live(Live),
    /// Print this text and be done.
    Help(String),
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// What to do.
    pub mode: Mode,
    /// Which maps.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// One map, by id or name.
    pub map: Option<String>,
    /// Where to write what is read.
    pub record: Option<PathBuf>,
    /// What to read instead of the kernel.
    pub replay: Option<PathBuf>,
}

/// Why a command line is not carried out.
#[derive(Debug)]
pub enum NotACommand {
    /// clap's answer: wrong usage, or the help or version that was asked for.
    Clap(clap::Error),
    /// A value that means nothing, and what would.
    Wrong(String),
}

impl From<clap::Error> for NotACommand {
    fn from(error: clap::Error) -> Self {
        Self::Clap(error)
    }
}

/// Reads the command line of the process.
///
/// # Errors
///
/// What is wrong with it, or the help that was asked for.
pub fn parse() -> Result<Command, NotACommand> {
    let has_terminal = std::io::stdout().is_terminal()
        && std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
    parse_from(std::env::args_os(), has_terminal)
}

/// Reads these words as a command line; without a terminal the live view is one report.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_from(
    args: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>,
    has_terminal: bool,
) -> Result<Command, NotACommand> {
    Typed::try_parse_from(args)?.mean(has_terminal)
}

fn wrong(option: &str, message: &str) -> NotACommand {
    NotACommand::Wrong(format!("{option}: {message}"))
}

impl Typed {
    fn mean(self, has_terminal: bool) -> Result<Command, NotACommand> {
        let asks_help = |text: &Option<String>| text.as_deref() == Some("help");
        if asks_help(&self.sort) || asks_help(&self.columns) {
            return Ok(Command {
                mode: Mode::Help(columns::help()),
                filter: Filter::everything(),
                sort: Sort::default(),
                map: None,
                record: None,
                replay: None,
            });
        }
        let sort = match &self.sort {
            Some(text) => Sort::parse(text).map_err(|e| wrong("--sort", &e))?,
            None => Sort::default(),
        };
        let text = self.filter.as_deref().unwrap_or_default();
        let filter = Filter::parse(text).map_err(|e| {
            wrong(
                "--filter",
                &format!("{e}\n  {}", e.under(text).replace('\n', "\n  ")),
            )
        })?;
        let json = self.json || self.pretty;
        let is_batch = self.once || self.batch || json || self.csv || !has_terminal;
        let mode = if is_batch {
            Mode::Batch(self.batch(json)?)
        } else {
            if self.fail_on.is_some() {
                return Err(wrong(
                    "--fail-on",
                    "goes with a report, as in --once --fail-on crit",
                ));
            }
            if self.count.is_some() {
                return Err(wrong("--count", "goes with reports, as in -b -n 5"));
            }
            let default: Vec<_> = ColumnId::all()
                .filter(|id| id.column().from.is_some())
                .collect();
            Mode::Live(Live {
                delay: self.delay.unwrap_or(DELAY),
                columns: parse_columns(self.columns.as_deref(), &default)?,
            })
        };
        Ok(Command {
            mode,
            filter,
            sort,
            map: self.map,
            record: self.record,
            replay: self.replay,
        })
    }

    fn batch(&self, json: bool) -> Result<Batch, NotACommand> {
        if self.once && (self.count.is_some() || self.batch) {
            return Err(wrong("--once", "is one report: it goes without -b and -n"));
        }
        // Without a word about how many: one, unless reports were asked for, or a time between.
        let is_once = self.once || (!self.batch && self.count.is_none() && self.delay.is_none());
        let is_measured = self.once || (!self.batch && !json && !self.csv && self.count.is_none());
        let format = if json {
            Format::Json {
                pretty: self.pretty,
            }
        } else if self.csv {
            Format::Csv
        } else {
            let default = crate::output::text::default_columns();
            Format::Text(parse_columns(self.columns.as_deref(), &default)?)
        };
        let is_once = is_once || is_measured;
        // Where time does not pass, no report is skipped unless asked to.
        let default_delay = if self.replay.is_some() {
            Duration::ZERO
        } else {
            DELAY
        };
        Ok(Batch {
            count: if is_once { Some(1) } else { self.count },
            is_once,
            delay: self.delay.unwrap_or(default_delay),
            measure: self.delay.filter(|_| is_measured),
            format,
            fail_on: self.fail_on.map(|mark| match mark {
                FailOn::Warn => Mark::Warn,
                FailOn::Crit => Mark::Crit,
            }),
        })
    }
}

fn parse_columns(
    text: Option<&str>,
    default: &[ColumnId],
) -> Result<Option<Vec<ColumnId>>, NotACommand> {
    text.map(|text| columns::parse_columns(text, default))
        .transpose()
        .map_err(|e| wrong("--columns", &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str, has_terminal: bool) -> Command {
        let args = std::iter::once("mapstop").chain(line.split_whitespace());
        parse_from(args, has_terminal).expect("a command line")
    }

    fn batch(line: &str) -> Batch {
        match parse(line, true).mode {
            Mode::Batch(batch) => batch,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn clap_has_no_complaint() {
        use clap::CommandFactory;
        Typed::command().debug_assert();
    }

    #[test]
    fn a_terminal_gets_the_live_view_and_a_pipe_one_report() {
        assert!(matches!(parse("", true).mode, Mode::Live(_)));
        let Mode::Batch(batch) = parse("", false).mode else {
            panic!("a pipe")
        };
        assert_eq!((batch.count, batch.measure), (Some(1), None));
        let Mode::Batch(batch) = parse("-d 5", false).mode else {
            panic!("a pipe")
        };
        assert_eq!(
            (batch.count, batch.measure),
            (Some(1), Some(Duration::from_secs(5)))
        );
    }

    #[test]
    fn once_measures_for_as_long_as_it_is_told() {
        assert_eq!(batch("--once").measure, None);
        assert_eq!(batch("--once -d 10").measure, Some(Duration::from_secs(10)));
        assert_eq!(
            batch("--once -j -d 10").measure,
            Some(Duration::from_secs(10))
        );
        assert_eq!(batch("--once -d 10").count, Some(1));
    }

    #[test]
    fn json_is_one_report_unless_a_number_or_a_time_between_is_given() {
        assert_eq!(batch("-j").count, Some(1));
        assert_eq!(batch("--csv").count, Some(1));
        assert_eq!(batch("-j -n 5").count, Some(5));
        let every_10_s = batch("-j -d 10");
        assert_eq!((every_10_s.count, every_10_s.measure), (None, None));
        assert_eq!(every_10_s.delay, Duration::from_secs(10));
    }

    #[test]
    fn batch_goes_on_without_end() {
        assert_eq!(batch("-b").count, None);
        assert_eq!(batch("-b -n 3 -d 0.5").count, Some(3));
        assert_eq!(batch("-n 3 -b").measure, None);
    }

    #[test]
    fn samples_go_to_a_file_or_come_from_one() {
        let command = parse("-b --record maps.zst", true);
        assert_eq!(command.record, Some("maps.zst".into()));
        assert_eq!(command.replay, None);
        let command = parse("--replay maps.zst", true);
        assert_eq!(command.record, None);
        assert_eq!(command.replay, Some("maps.zst".into()));
        let Mode::Live(live) = command.mode else {
            panic!("a terminal")
        };
        assert_eq!(live.delay, DELAY);
    }

    #[test]
    fn a_recording_is_printed_whole_or_as_one_report_about_its_end() {
        let all = batch("-b --replay maps.zst");
        assert_eq!((all.count, all.is_once), (None, false));
        assert_eq!(all.delay, Duration::ZERO);
        let every_10_s = batch("-j -d 10 --replay maps.zst");
        assert_eq!((every_10_s.count, every_10_s.is_once), (None, false));
        assert_eq!(every_10_s.delay, Duration::from_secs(10));
        let first = batch("-n 1 -b --replay maps.zst");
        assert_eq!((first.count, first.is_once), (Some(1), false));
        for line in ["--once", "-j", "--csv", "--once -d 10"] {
            let last = batch(&format!("{line} --replay maps.zst"));
            assert_eq!((last.count, last.is_once), (Some(1), true), "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "--once -n 3",
            "--once -b",
            "--csv -j",
            "-d 0.01",
            "-d 2d",
            "-d x",
            "-n 0",
            "-s nmae",
            "-f pressure>",
            "-c nmae",
            "-c id -j",
            "--fail-on loud --once",
            "--fail-on crit",
            "-n 3",
            "extra",
            "--record a --replay b",
            "--record",
        ] {
            let args = std::iter::once("mapstop").chain(line.split_whitespace());
            match parse_from(args, true).expect_err(line) {
                NotACommand::Clap(error) => assert_eq!(error.exit_code(), 2, "{line}"),
                NotACommand::Wrong(message) => assert!(message.starts_with("--"), "{message}"),
            }
        }
    }

    #[test]
    fn help_lists_the_columns() {
        let Mode::Help(text) = parse("-s help", true).mode else {
            panic!("help")
        };
        assert!(
            text.lines().any(|line| line.starts_with("pressure ")),
            "{text}"
        );
    }
}
