//! What mapstop was asked for. Nothing here knows the command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::analysis::thresholds::Thresholds;
use crate::query::fields::ColumnId;
use crate::query::filter::Filter;
use crate::query::sort::Sort;
use crate::source::prometheus::server::Server;
use crate::theme::Theme;
use crate::types::mark::Mark;

/// The time between two samples when nothing else is asked for.
pub const DELAY: Duration = Duration::from_secs(1);

/// The same for a fleet: numbers are collected no more often than this by most servers.
pub const FLEET_DELAY: Duration = Duration::from_secs(15);

/// The shortest time between two samples.
pub const MIN_DELAY: Duration = Duration::from_millis(100);

/// The longest time between two samples.
pub const MAX_DELAY: Duration = Duration::from_secs(24 * 3600);

/// A form of report.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// For people.
    Text {
        /// The columns, if any were asked for.
        columns: Option<Vec<ColumnId>>,
        /// What marks look like, if colours were asked for.
        theme: Option<&'static Theme>,
    },
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
    /// What is a failure.
    pub fail_on: Option<FailOn>,
}

/// What makes a report a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    /// A map at this mark or worse.
    Mark(Mark),
    /// An update that was refused, or a record that was dropped; not an entry that was evicted.
    Loss,
}

/// The live view.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// The time between two samples.
    pub delay: Duration,
    /// Columns instead of those that fit the width.
    pub columns: Option<Vec<ColumnId>>,
    /// What roles look like.
    pub theme: &'static Theme,
    /// Whether to draw in ASCII.
    pub is_ascii: bool,
}

/// Advice by what was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Advise {
    /// How long to measure; all of a recording is.
    pub time: Duration,
    /// Whether programs are to read it.
    pub is_json: bool,
}

/// What can be shown here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doctor {
    /// Whether programs are to read it.
    pub is_json: bool,
}

/// An HTTP server for Prometheus.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// The address and port to listen on, as typed.
    pub listen: String,
    /// What to tell.
    pub export: ExportOptions,
}

/// What to do with what is read.
#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    /// Print it.
    Batch(Batch),
    /// Show it.
    Live(Live),
    /// Measure it and give advice.
    Advise(Advise),
    /// Serve it.
    Export(Export),
    /// Find out what can be shown.
    Doctor(Doctor),
    /// Print this text and be done.
    Help(String),
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// What to do.
    pub mode: Mode,
    /// When maps are marked.
    pub thresholds: Thresholds,
    /// Which maps.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// One map, by id or name.
    pub map: Option<String>,
    /// Whether to watch what maps lose.
    pub losses: bool,
    /// Where to write what is read.
    pub record: Option<PathBuf>,
    /// What to read instead of the kernel.
    pub replay: Option<PathBuf>,
    /// Whom to ask instead.
    pub server: Option<Server>,
}

impl Options {
    /// One that is about nothing else.
    pub(crate) fn new(mode: Mode) -> Self {
        Self {
            mode,
            thresholds: Thresholds::default(),
            filter: Filter::everything(),
            sort: Sort::default(),
            map: None,
            losses: false,
            record: None,
            replay: None,
            server: None,
        }
    }
}

/// Which labels tell maps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LabelBy {
    /// By id, name and type: each is itself.
    #[default]
    Id,
    /// By name and type: those of one name are one.
    Name,
}

/// What is to be told, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportOptions {
    /// Which labels tell maps apart.
    pub label_by: LabelBy,
    /// Whether to add the names of the ancestor.
    pub is_compat: bool,
    /// Maximum number of series of maps.
    pub max_series: usize,
}
