//! The options of a run. Nothing here knows the command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::analysis::thresholds::Thresholds;
use crate::query::fields::ColumnId;
use crate::query::filter::Filter;
use crate::query::sort::Sort;
use crate::source::prometheus::server::Server;
use crate::theme::Theme;
use crate::types::mark::Mark;

/// Default time between two samples.
pub const DELAY: Duration = Duration::from_secs(1);

/// Default for a fleet: most servers scrape no more often.
pub const FLEET_DELAY: Duration = Duration::from_secs(15);

pub const MIN_DELAY: Duration = Duration::from_millis(100);

pub const MAX_DELAY: Duration = Duration::from_secs(24 * 3600);

/// The format of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// A table.
    Text {
        /// `None` for the default ones.
        columns: Option<Vec<ColumnId>>,
        /// `None` without colours.
        theme: Option<&'static Theme>,
    },
    /// JSON, indented or not.
    Json {
        /// Indented.
        pretty: bool,
    },
    /// Comma-separated values.
    Csv,
}

/// Reports to stdout.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// `None` for no end.
    pub count: Option<u64>,
    /// One report about now, or about the last sample of a recording.
    pub is_once: bool,
    pub delay: Duration,
    /// Time to measure before the first report.
    pub measure: Option<Duration>,
    pub format: Format,
    pub fail_on: Option<FailOn>,
}

/// When a report ends with status 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    /// A map at this mark or worse.
    Mark(Mark),
    /// A map whose used is certainly its capacity, whatever its mark.
    Full,
    /// A refused update or a dropped record; evictions do not count.
    Loss,
}

/// The live view.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    pub delay: Duration,
    /// `None` for those that fit the width.
    pub columns: Option<Vec<ColumnId>>,
    pub theme: &'static Theme,
    pub is_ascii: bool,
}

/// `mapstop advise`.
#[derive(Debug, Clone, PartialEq)]
pub struct Advise {
    /// Time to measure; a recording is read in full.
    pub time: Duration,
    pub is_json: bool,
}

/// `mapstop doctor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doctor {
    pub is_json: bool,
}

/// `mapstop export`.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// The address and port to listen on, as typed.
    pub listen: String,
    pub export: ExportOptions,
}

/// What to do with the samples.
#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    /// Print reports.
    Batch(Batch),
    /// Show the live view.
    Live(Live),
    /// Print advice.
    Advise(Advise),
    /// Serve metrics.
    Export(Export),
    /// Print what can be shown here.
    Doctor(Doctor),
    /// Print this text.
    Help(String),
}

/// The options of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    pub mode: Mode,
    pub thresholds: Thresholds,
    pub filter: Filter,
    pub sort: Sort,
    /// One map, by id, name or pin.
    pub map: Option<String>,
    /// Whether to count losses.
    pub losses: bool,
    /// The file to record to.
    pub record: Option<PathBuf>,
    /// The recording to read instead of the kernel.
    pub replay: Option<PathBuf>,
    /// The Prometheus server to read instead of the kernel.
    pub server: Option<Server>,
}

impl Options {
    /// The defaults for a mode.
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

/// The labels that identify a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LabelBy {
    /// Id, name and type.
    #[default]
    Id,
    /// Name and type: maps of one name are summed.
    Name,
}

/// How maps are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportOptions {
    pub label_by: LabelBy,
    /// Whether to add the metric names of ebpf-map-metrics.
    pub is_compat: bool,
    /// Limit of series about maps.
    pub max_series: usize,
}
