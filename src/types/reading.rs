//! What one snapshot says in the light of those before it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::fleet::Fleet;
use super::host::Moment;
use super::loss_tracing::LossTracing;
use super::ownership::Owners;
use super::row::Row;

/// What one snapshot says in the light of those before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// When it was taken.
    pub moment: Moment,
    /// The time that growth was measured over; `None` if there was nothing to compare with.
    pub interval: Option<Duration>,
    /// When the first snapshot was taken that this one is compared with, over however many.
    pub began: Moment,
    /// Whether it has the maps of the one before it, no more and no less.
    pub has_same_maps: bool,
    /// CPUs that the machine may have; 0 if that is not known.
    pub cpus: u32,
    /// Whose maps are, as last looked up.
    pub owners: Option<Arc<Owners>>,
    /// Whether what maps lose is being watched.
    pub watching: LossTracing,
    /// The machines that they are of, if there are several.
    pub fleet: Option<Arc<Fleet>>,
    /// A row for each map, sorted by key.
    pub rows: Vec<Row>,
}

impl Reading {
    /// Whether there are more maps than those that are in it.
    #[must_use]
    pub fn is_part(&self) -> bool {
        let fleet = self.fleet.as_ref();
        fleet.is_some_and(|fleet| fleet.maps > self.rows.len() as u64)
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
