//! A reading: a snapshot, and what follows from it and from earlier ones.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::fleet::Fleet;
use super::host::Moment;
use super::loss_tracing::LossTracing;
use super::ownership::Owners;
use super::row::Row;

/// A snapshot, and what follows from it and from earlier ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// When it was taken.
    pub moment: Moment,
    /// The time that growth was measured over; `None` if there was no earlier sample.
    pub interval: Option<Duration>,
    /// When the first known sample was taken, backfill included.
    pub began: Moment,
    /// Whether it has the same maps as the previous reading.
    pub has_same_maps: bool,
    /// CPUs that the machine may have; 0 if that is not known.
    pub cpus: u32,
    /// Owners as last collected.
    pub owners: Option<Arc<Owners>>,
    /// The state of loss tracing.
    pub loss_tracing: LossTracing,
    /// The machines, if there can be several.
    pub fleet: Option<Arc<Fleet>>,
    /// One row for each map, sorted by key.
    pub rows: Vec<Row>,
}

impl Reading {
    /// Whether maps are left out.
    #[must_use]
    pub fn is_part(&self) -> bool {
        let fleet = self.fleet.as_ref();
        fleet.is_some_and(|fleet| fleet.map_count > self.rows.len() as u64)
    }

    /// The time of day at an uptime not after this reading.
    #[must_use]
    pub(crate) fn wall_time_at(&self, uptime: Duration) -> Timestamp {
        let ago = self.moment.uptime.saturating_sub(uptime);
        self.moment
            .wall
            .checked_sub(ago)
            .unwrap_or(self.moment.wall)
    }
}
