//! Lines of text for the panes, before they are laid out. No I/O.

pub(crate) mod chart;
pub(crate) mod detail;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod help;
pub(crate) mod level;
pub(crate) mod losses;
pub(crate) mod ownership;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::analysis::exact_count::ExactCount;
use crate::analysis::history::History;
use crate::columns::glyphs::Glyphs;
use crate::types::host::{Host, Moment};
use crate::types::loss_tracing::LossTracing;
use crate::types::map_id::MapKey;
use crate::types::reading::Reading;

/// What the text about a map depends on besides the map itself.
#[derive(Clone, Copy)]
pub(crate) struct TextContext<'a> {
    pub(crate) host: &'a Host,
    /// `None` before the first sample.
    pub(crate) reading: Option<&'a Reading>,
    pub(crate) history: &'a History,
    pub(crate) exact_counts: &'a BTreeMap<MapKey, ExactCount>,
    pub(crate) tracing: &'a LossTracing,
    /// The first sample of the recording that is shown; `None` for a live source.
    pub(crate) recording_start: Option<Moment>,
    pub(crate) is_paused: bool,
    pub(crate) zone: &'a TimeZone,
    pub(crate) glyphs: &'a Glyphs,
}

impl TextContext<'_> {
    pub(crate) fn is_replay(&self) -> bool {
        self.recording_start.is_some()
    }

    pub(crate) fn is_fleet(&self) -> bool {
        self.reading.is_some_and(|reading| reading.fleet.is_some())
    }

    /// Whether the maps are the current ones of this machine, not those of a recording or a fleet.
    pub(crate) fn is_this_machine(&self) -> bool {
        !self.is_replay() && !self.is_fleet()
    }

    pub(crate) fn clock(&self, wall: Timestamp) -> String {
        clock(self.zone, wall)
    }
}

/// The time of day in the user's time zone.
pub(crate) fn clock(zone: &TimeZone, wall: Timestamp) -> String {
    let time = wall.to_zoned(zone.clone());
    time.strftime("%H:%M:%S").to_string()
}
