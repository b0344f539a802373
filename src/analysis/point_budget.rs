//! Bounds the number of points of all maps together: the more there are, the coarser the old ones.

use std::time::Duration;

use super::map_history::MapHistory;
use super::series::{RESOLUTIONS, Resolution, in_ms};
use super::trend::TEN_MINUTES;

/// Points of all maps together, of 16 bytes each: 24 MiB. When there are more, the history of all maps
/// is made coarser (see [`RESOLUTIONS`]).
const MAX_POINTS: usize = 3 << 19;
/// The history is made finer again when the points are at most this part of [`MAX_POINTS`] for
/// [`REFINE_AFTER`].
const REFINE_RATIO: usize = 4;
/// How long the number of points has to stay that low.
const REFINE_AFTER: Duration = TEN_MINUTES;

/// How often old points are thinned out.
const THINNING_INTERVAL: Duration = Duration::from_secs(60);

/// The number of points, and the resolution that keeps it low.
#[derive(Debug, Clone)]
pub(super) struct PointBudget {
    points: usize,
    pub(super) max_points: usize,
    /// Index into [`RESOLUTIONS`].
    resolution: usize,
    /// Uptime at which there were last too many points for a finer resolution.
    last_crowded_at: Duration,
    thinned_at: Duration,
}

impl Default for PointBudget {
    fn default() -> Self {
        Self {
            points: 0,
            max_points: MAX_POINTS,
            resolution: 0,
            last_crowded_at: Duration::ZERO,
            thinned_at: Duration::ZERO,
        }
    }
}

impl PointBudget {
    /// The number of points of all maps.
    pub(super) fn points(&self) -> usize {
        self.points
    }

    /// Counts points that were added, or removed if `change` is negative.
    pub(super) fn count(&mut self, change: isize) {
        self.points = self.points.saturating_add_signed(change);
    }

    /// Removes the points of a map that was deleted.
    pub(super) fn remove(&mut self, points: usize) {
        self.points -= points;
    }

    /// The resolution of old points, if it had to be made coarser.
    pub(super) fn degraded_resolution(&self) -> Option<Resolution> {
        (self.resolution > 0).then(|| RESOLUTIONS[self.resolution])
    }

    /// Coarsest step of old points: that of the next coarser resolution, since a series stays coarse for a
    /// while after the resolution became finer.
    pub(super) fn step_ms(&self) -> u64 {
        let coarser = RESOLUTIONS.get(self.resolution + 1).or(RESOLUTIONS.last());
        coarser.map_or(1, |resolution| in_ms(resolution.step))
    }

    /// Thins out old points, at intervals and whenever there are too many.
    pub(super) fn thin(&mut self, maps: &mut [MapHistory], now: Duration) {
        if self.points <= self.max_points && now.saturating_sub(self.thinned_at) < THINNING_INTERVAL
        {
            return;
        }
        self.thinned_at = now;
        self.thin_all(maps, now);
        while self.points > self.max_points.max(2 * maps.len())
            && self.resolution + 1 < RESOLUTIONS.len()
        {
            self.resolution += 1;
            for map in &mut *maps {
                map.series.reset_thinning();
            }
            self.thin_all(maps, now);
        }
        if self.points > self.max_points / REFINE_RATIO {
            self.last_crowded_at = now;
        } else if self.resolution > 0 && now.saturating_sub(self.last_crowded_at) >= REFINE_AFTER {
            self.resolution -= 1;
            self.last_crowded_at = now;
        }
    }

    fn thin_all(&mut self, maps: &mut [MapHistory], now: Duration) {
        let resolution = RESOLUTIONS[self.resolution];
        let change = maps
            .iter_mut()
            .map(|map| map.series.thin(in_ms(now), resolution))
            .sum();
        self.count(change);
    }
}
