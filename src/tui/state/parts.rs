//! The parts of the state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::owner_list::OwnerList;
use super::prompt::PromptHistory;
use super::sample_buffer::SampleBuffer;
use super::toast::Toast;
use super::{Player, ScreenStack, Search, Summary};
use crate::analysis::exact_count::ExactCount;
use crate::analysis::history::History;
use crate::columns::glyphs::{Glyphs, UTF8};
use crate::query::fields::ColumnId;
use crate::query::filter::Filter;
use crate::query::sort::Sort;
use crate::theme::{DEFAULT, Theme};
use crate::types::doctor_report::DoctorReport;
use crate::types::host::{Host, Moment};
use crate::types::loss_tracing::LossTracing;
use crate::types::map_id::MapKey;
use crate::types::reading::Reading;

/// What was sampled.
#[derive(Debug, Clone)]
pub struct Data {
    pub(crate) host: Host,
    /// The reading on the screen, deleted maps included; `None` before the first sample.
    pub reading: Option<Arc<Reading>>,
    /// Counts over the maps of the reading.
    pub summary: Summary,
    /// Set while sampling fails.
    pub stale: Option<Stale>,
    /// How long the last sample took.
    pub(crate) sample_cost: Duration,
    pub(crate) loss_tracing: LossTracing,
    /// Whether samples are being recorded.
    pub is_recording: bool,
    pub(super) exact_counts: BTreeMap<MapKey, ExactCount>,
    pub(super) samples: SampleBuffer,
    pub(super) history: History,
}

/// Sampling fails, and the numbers on the screen are old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// Why it fails.
    pub error: String,
}

/// The table of maps.
#[derive(Debug, Clone)]
pub struct Table {
    /// Indices of the matching rows in the reading, in display order.
    pub visible: Vec<usize>,
    /// Which maps are shown.
    pub filter: Filter,
    /// The search, if there is one.
    pub search: Option<Search>,
    /// The order of the rows.
    pub sort: Sort,
    /// The selected map.
    pub selected: Option<MapKey>,
    /// Maps that are kept at the top.
    pub(crate) pinned_rows: BTreeSet<MapKey>,
    /// Whether the selected map stays on the screen while its row moves.
    pub is_following: bool,
    /// The first visible row.
    pub top: usize,
    /// How many columns are scrolled away at the left.
    pub(crate) scrolled: usize,
    /// Uptime until which the order of the rows is held.
    pub(super) held_until: Duration,
    pub(super) suggestions: Suggestions,
    /// The owner list that the table was opened from, and the filter before that.
    pub(super) opened_from: Option<(OwnerList, Filter)>,
}

/// Names similar to a filter that nothing matches.
#[derive(Debug, Clone, Default)]
pub(super) struct Suggestions {
    /// The text of that filter.
    pub(super) filter: String,
    /// How many maps there were.
    pub(super) rows: usize,
    pub(super) names: Vec<String>,
}

/// What things look like.
#[derive(Debug, Clone)]
pub struct Display {
    /// Columns chosen by the user, instead of those that fit.
    pub columns: Option<Vec<ColumnId>>,
    /// Characters for bars, charts and rules.
    pub glyphs: &'static Glyphs,
    /// Styles.
    pub theme: &'static Theme,
    pub(crate) zone: TimeZone,
    /// Whether numbers are exact and names are not cut.
    pub is_exact: bool,
    /// Whether the user wants a preview; `None` leaves it to the height of the screen.
    pub(super) preview: Option<bool>,
}

/// The run of the view: its clock, and what the user has asked of the source.
#[derive(Debug, Clone)]
pub struct Session {
    /// The time of the last sample or key.
    pub now: Moment,
    /// The time between two samples.
    pub delay: Duration,
    /// The recording that is shown instead of a live source.
    pub player: Option<Player>,
    pub(super) is_paused: bool,
    /// Whether the user wants losses to be traced.
    pub is_tracing_requested: bool,
    /// The result of the last examination of this machine.
    pub doctor_report: Option<Arc<DoctorReport>>,
    pub(super) is_examining: bool,
    /// The map to open when it is first sampled: an id, name or pin.
    pub(super) open_when_seen: Option<String>,
}

/// Screens, messages, and other things between the user and the terminal.
#[derive(Debug, Clone)]
pub(super) struct Nav {
    pub(super) screens: ScreenStack,
    pub(super) toast: Option<Toast>,
    /// A message that stays until the user dismisses it.
    pub(super) alert: Option<String>,
    /// Whether the user has dismissed the line about maps that could not be counted.
    pub(super) is_limit_hidden: bool,
    pub(super) prompt_history: PromptHistory,
    /// Width and height of the terminal.
    pub(super) size: (u16, u16),
}

impl Data {
    pub(super) fn new(host: Host) -> Self {
        Self {
            host,
            reading: None,
            summary: Summary::default(),
            stale: None,
            sample_cost: Duration::ZERO,
            loss_tracing: LossTracing::Off,
            is_recording: false,
            exact_counts: BTreeMap::new(),
            samples: SampleBuffer::default(),
            history: History::live(),
        }
    }
}

impl Default for Table {
    fn default() -> Self {
        Self {
            visible: Vec::new(),
            filter: Filter::everything(),
            search: None,
            sort: Sort::default(),
            selected: None,
            pinned_rows: BTreeSet::new(),
            is_following: false,
            top: 0,
            scrolled: 0,
            held_until: Duration::ZERO,
            suggestions: Suggestions::default(),
            opened_from: None,
        }
    }
}

impl Default for Display {
    fn default() -> Self {
        Self {
            columns: None,
            glyphs: &UTF8,
            theme: &DEFAULT,
            zone: TimeZone::UTC,
            is_exact: false,
            preview: None,
        }
    }
}

impl Session {
    pub(super) fn new(now: Moment) -> Self {
        Self {
            now,
            delay: crate::options::DELAY,
            player: None,
            is_paused: false,
            is_tracing_requested: false,
            doctor_report: None,
            is_examining: false,
            open_when_seen: None,
        }
    }
}

impl Default for Nav {
    fn default() -> Self {
        Self {
            screens: ScreenStack::default(),
            toast: None,
            alert: None,
            is_limit_hidden: false,
            prompt_history: PromptHistory::default(),
            size: (80, 24),
        }
    }
}
