//! The command line: clap's structs, and their conversion into `Options`. Nothing else knows
//! clap.

pub(crate) mod args;
pub(crate) mod prometheus;
pub(crate) mod subcommands;
pub(crate) mod thresholds;
pub(crate) mod values;

use clap::Parser;

use crate::env::Environment;
use crate::options::Options;
use args::Args;

/// Why a command line was not accepted.
#[derive(Debug)]
pub enum CliError {
    /// From clap: wrong usage, or the requested help or version.
    Clap(clap::Error),
    /// A value that was not accepted, with the reason.
    Invalid(String),
}

impl From<clap::Error> for CliError {
    fn from(error: clap::Error) -> Self {
        Self::Clap(error)
    }
}

/// Parses the command line of the process.
///
/// # Errors
///
/// Wrong usage, or the requested help.
pub fn parse() -> Result<Options, CliError> {
    parse_from(std::env::args_os(), Environment::of_process())
}

/// Parses a command line. Without a terminal in the environment, one report takes the place of
/// the live view.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_from(
    args: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>,
    environment: Environment,
) -> Result<Options, CliError> {
    Args::try_parse_from(args)?.into_options(environment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Batch, DELAY, FailOn, Mode};
    use std::time::Duration;

    fn parse(line: &str, has_terminal: bool) -> Options {
        let args = std::iter::once("mapstop").chain(line.split_whitespace());
        let environment = Environment {
            has_terminal,
            ..Environment::terminal()
        };
        parse_from(args, environment).expect("a command line")
    }

    fn batch(line: &str) -> Batch {
        match parse(line, true).mode {
            Mode::Batch(batch) => batch,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn clap_definitions_are_valid() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn terminals_get_the_live_view_and_pipes_one_report() {
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
    fn once_measures_over_the_delay() {
        assert_eq!(batch("--once").measure, None);
        assert_eq!(batch("--once -d 10").measure, Some(Duration::from_secs(10)));
        assert_eq!(
            batch("--once -j -d 10").measure,
            Some(Duration::from_secs(10))
        );
        assert_eq!(batch("--once -d 10").count, Some(1));
    }

    #[test]
    fn json_prints_once_without_n_or_d() {
        assert_eq!(batch("-j").count, Some(1));
        assert_eq!(batch("--csv").count, Some(1));
        assert_eq!(batch("-j -n 5").count, Some(5));
        let every_10_s = batch("-j -d 10");
        assert_eq!((every_10_s.count, every_10_s.measure), (None, None));
        assert_eq!(every_10_s.delay, Duration::from_secs(10));
    }

    #[test]
    fn batch_runs_until_its_count() {
        assert_eq!(batch("-b").count, None);
        assert_eq!(batch("-b -n 3 -d 0.5").count, Some(3));
        assert_eq!(batch("-n 3 -b").measure, None);
    }

    #[test]
    fn record_and_replay_name_a_file() {
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
    fn replay_prints_every_sample_or_one_report_about_the_last() {
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
    fn contradictory_options_are_refused() {
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
            "--lifetime soon",
            "export --warn 90 --crit 80",
            "--fail-on loss --once -d 10",
            "--fail-on loss --losses",
            "--fail-on loss --losses --once",
            "--fail-on loss --losses -b -n 1",
            "--losses --replay maps.zst",
            "advise --losses --replay maps.zst",
            "-n 3",
            "extra",
            "--record a --replay b",
            "--record",
        ] {
            let args = std::iter::once("mapstop").chain(line.split_whitespace());
            match parse_from(args, Environment::terminal()).expect_err(line) {
                CliError::Clap(error) => assert_eq!(error.exit_code(), 2, "{line}"),
                CliError::Invalid(message) => assert!(message.starts_with("--"), "{message}"),
            }
        }
    }

    #[test]
    fn thresholds_are_set_for_views_reports_and_the_exporter() {
        for line in ["", "--once", "export"] {
            let thresholds = |flags| parse(&format!("{line} {flags}"), true).thresholds;
            assert_eq!(thresholds("").lifetime, Duration::from_secs(60), "{line}");
            let own = thresholds("--lifetime 5m --warn 50 --crit 60");
            assert_eq!(own.lifetime, Duration::from_secs(300), "{line}");
            assert_eq!((own.warn, own.crit), (0.5, 0.6), "{line}");
            assert_eq!(thresholds("--lifetime 0").lifetime, Duration::ZERO);
        }
    }

    #[test]
    fn losses_are_traced_only_on_request() {
        assert!(!parse("", true).losses);
        for line in ["--losses", "--once -d 10 --losses", "advise --losses"] {
            assert!(parse(line, true).losses, "{line}");
        }
        for line in ["--once -d 10", "-b", "-b -n 2 -d 5"] {
            let batch = batch(&format!("{line} --losses --fail-on loss"));
            assert_eq!(batch.fail_on, Some(FailOn::Loss), "{line}");
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
