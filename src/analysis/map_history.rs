//! The history of one map: each sample adds to it, and gets the rest of its row from it.

use std::time::Duration;

use super::consumer_stall::{self, ConsumerStall};
use super::events::{EventKind, Events};
use super::fallen_peak::FallenPeak;
use super::loss_history::LossHistory;
use super::mark::{Evidence, FULL_WITHOUT_REFUSAL, Fullness, Losing, MarkHysteresis};
use super::pressure_band::PressureBand;
use super::sample_context::{GrowthBasis, SampleContext};
use super::series::{Point, Series};
use crate::types::fleet::ExportedFields;
use crate::types::loss::LossKind;
use crate::types::map_id::MapKey;
use crate::types::row::Row;
use crate::types::time_to_full::TimeToFull;

/// The history of one map.
#[derive(Debug, Clone)]
pub(super) struct MapHistory {
    pub key: MapKey,
    pub series: Series,
    /// The last point of the series, for the common case that nothing changed.
    last: Option<Point>,
    /// `None` until the level changed for the first time.
    extremes: Option<Box<Extremes>>,
    /// `None` until the level of a map that refuses updates changed for the first time.
    fallen_peak: Option<Box<FallenPeak>>,
    /// The uptime of the first sample with it; `None` if it was there when reading began.
    created_at: Option<Duration>,
    /// `used` in the last report.
    pub reported: Option<u64>,
    /// The band as of the last event; `None` before a pressure was known.
    last_band: Option<PressureBand>,
    pub losses: LossHistory,
    /// Set while the reader of a buffer does not move.
    stall: Option<Box<ConsumerStall>>,
    mark: MarkHysteresis,
}

/// The highest and lowest level of a map since reading began; of equal ones the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extremes {
    /// The highest level.
    pub highest: Point,
    /// The lowest level.
    pub lowest: Point,
}

impl MapHistory {
    pub fn new(key: MapKey, created_at: Option<Duration>) -> Self {
        Self {
            key,
            series: Series::default(),
            last: None,
            extremes: None,
            fallen_peak: None,
            created_at,
            reported: None,
            last_band: None,
            losses: LossHistory::default(),
            stall: None,
            mark: MarkHysteresis::default(),
        }
    }

    /// Adds earlier points, the oldest first. Returns the change in the number of points.
    pub(crate) fn backfill(&mut self, earlier: &[Point]) -> isize {
        let first = self.series.first_ms().unwrap_or(u64::MAX);
        let before = &earlier[..earlier.partition_point(|point| point.at_ms < first)];
        let from_one = |point| Extremes {
            highest: point,
            lowest: point,
        };
        let is_known = |point: &&Point| point.used().is_some();
        let mut extremes = self
            .extremes()
            .or_else(|| self.last.as_ref().filter(is_known).copied().map(from_one));
        // Of equal levels the latest counts.
        for point in before.iter().filter(is_known).rev() {
            let extremes = extremes.get_or_insert_with(|| from_one(*point));
            if point.used() > extremes.highest.used() {
                extremes.highest = *point;
            }
            if point.used() < extremes.lowest.used() {
                extremes.lowest = *point;
            }
        }
        let differ = |extremes: &Extremes| extremes.highest.used() != extremes.lowest.used();
        self.extremes = extremes.filter(differ).map(Box::new);
        self.series.add_before(before.iter().copied())
    }

    pub fn created_at(&self) -> Option<Duration> {
        self.created_at
    }

    /// `None` if the level never changed, or was never known.
    pub(crate) fn extremes(&self) -> Option<Extremes> {
        self.extremes.as_deref().copied()
    }

    /// Adds a sample, and derives the rest of its row. Returns the change in the number of points.
    pub fn apply(
        &mut self,
        row: &mut Row,
        context: &mut SampleContext<'_>,
        events: &mut Events,
    ) -> isize {
        let kind = row.facts.map_type.kind();
        let used = row.facts.used;
        let added_points = match self.last {
            Some(last) if last.used() == used => 0,
            _ => self.push_point(row, context, events),
        };
        self.losses.apply(row, context, events);
        let before = self.stall.as_deref().copied();
        let backlog = match row.facts.loss.as_ref().and_then(|loss| loss.backlog) {
            Some(backlog) => Some(backlog.fullest),
            None => row.pressure,
        };
        let position = row.facts.kernel().and_then(|kernel| kernel.consumer_pos);
        let stall = consumer_stall::update_stall(before, position, backlog, context.now);
        row.stalled_for = stall.and_then(|stall| stall.stalled_for(context.now));
        self.stall = stall.map(Box::new);
        if kind.grows() {
            self.update_forecast(row, context);
            if row.is_out_of_room() {
                row.full_in = TimeToFull::Now;
            } else if row.facts.map_type.collides() || row.is_full_by_design() {
                row.full_in = TimeToFull::Never;
            }
        }
        let evidence = Evidence {
            kind,
            pressure: row.pressure_lower_bound(),
            full_in: row.full_in,
            fullness: self.fullness(row, context.now),
            losing: self.losing(row),
            lifetime: row.entry_lifetime(),
        };
        let verdict = self.mark.judge(&evidence, context.thresholds);
        row.mark = verdict.map(|verdict| verdict.mark);
        row.mark_reason = verdict.and_then(|verdict| verdict.reason);
        row.take_exported_mark();
        added_points
    }

    fn fullness(&self, row: &Row, now: Duration) -> Fullness {
        if row.is_full_by_design() {
            return Fullness::ByDesign;
        }
        let is_full = row.pressure_lower_bound().is_some_and(|level| level >= 1.0);
        if !is_full {
            return Fullness::NotFull;
        }
        if self.extremes.is_some() {
            return Fullness::Became;
        }
        if self.losses.watched_without_refusal(now) >= FULL_WITHOUT_REFUSAL {
            Fullness::SizedToFit
        } else {
            Fullness::Found
        }
    }

    fn losing(&self, row: &Row) -> Losing {
        match row.faulty_loss() {
            Some(LossKind::Failed) => Losing::Refusals,
            Some(_) => Losing::Drops,
            None => self
                .losses
                .collision_share()
                .map_or(Losing::Nothing, Losing::Collisions),
        }
    }

    /// Adds a point for a level that differs from the previous one.
    fn push_point(&mut self, row: &Row, context: &SampleContext<'_>, events: &mut Events) -> isize {
        let point = Point::new(context.now_ms, row.facts.used);
        if point.used().is_some() {
            match (&mut self.extremes, self.last) {
                (Some(extremes), _) => {
                    if point.used() >= extremes.highest.used() {
                        extremes.highest = point;
                    }
                    if point.used() <= extremes.lowest.used() {
                        extremes.lowest = point;
                    }
                }
                (None, Some(last)) if last.used().is_some() => {
                    let is_higher = point.used() > last.used();
                    let (highest, lowest) = if is_higher {
                        (point, last)
                    } else {
                        (last, point)
                    };
                    self.extremes = Some(Box::new(Extremes { highest, lowest }));
                }
                (None, _) => {}
            }
        }
        if row.facts.map_type.kind().grows()
            && let Some(before) = self.last.and_then(Point::used)
            && let Some(used) = point.used()
        {
            self.fallen_peak
                .get_or_insert_with(|| Box::new(FallenPeak::new(before)))
                .push(used, context.now);
        }
        if row.facts.map_type.kind().grows()
            && let Some(pressure) = row.pressure_lower_bound()
        {
            self.push_threshold_events(row.key(), pressure, context, events);
        }
        self.last = Some(point);
        self.series.push(context.now_ms, row.facts.used)
    }

    /// Records the thresholds that the pressure passed. The first pressure of a map that was there when reading began
    /// is no event.
    fn push_threshold_events(
        &mut self,
        key: &MapKey,
        pressure: f64,
        context: &SampleContext<'_>,
        events: &mut Events,
    ) {
        let thresholds = context.thresholds;
        let before = match (self.last_band, self.created_at) {
            (Some(band), _) => band,
            (None, Some(_)) => PressureBand::Below,
            (None, None) => {
                self.last_band = Some(PressureBand::from_pressure(pressure, thresholds));
                return;
            }
        };
        let now = context.now;
        let higher = PressureBand::from_pressure(pressure, thresholds);
        let lower = PressureBand::after_fall(pressure, before, thresholds);
        if higher > before {
            let kind = match higher {
                PressureBand::Full => EventKind::Full,
                band => EventKind::RoseAbove(band.threshold(thresholds)),
            };
            events.push(key.clone(), now, kind);
            self.last_band = Some(higher);
        } else if lower < before {
            if before == PressureBand::Full {
                events.push(key.clone(), now, EventKind::NoLongerFull);
            }
            // Only the lowest threshold that it fell below is recorded.
            let passed = PressureBand::FROM_FULL_DOWN.into_iter().rev();
            if let Some(band) = passed
                .filter(|band| *band != PressureBand::Full)
                .find(|band| lower < *band && *band <= before)
            {
                events.push(
                    key.clone(),
                    now,
                    EventKind::FellBelow(band.threshold(thresholds)),
                );
            }
            self.last_band = Some(lower);
        } else {
            self.last_band = Some(before);
        }
    }

    /// Whether the level fell before from where it is now.
    fn is_below_fallen_peak(&self, row: &Row, used: u64, now: Duration) -> bool {
        let capacity = row.facts.capacity.unwrap_or(u64::MAX);
        self.fallen_peak
            .as_ref()
            .is_some_and(|peak| peak.is_above(used, capacity, now))
    }

    /// Sets the growth and the time to full.
    fn update_forecast(&mut self, row: &mut Row, context: &mut SampleContext<'_>) {
        if let Some(exported) = row.facts.exported() {
            // The exporter saw every sample, the server only some of them.
            row.growth_per_s = exported.growth_per_s;
            row.full_in = exported_time_to_full(exported, row);
            return;
        }
        let (Some(used), Some(last)) = (row.facts.used, self.last) else {
            row.full_in = TimeToFull::Unknown;
            return;
        };
        // With an estimated count there may be more room than it seems.
        let used_at_least = row.facts.used_lower_bound().unwrap_or_default();
        let room = row
            .facts
            .capacity
            .filter(|capacity| *capacity > 0)
            .map(|capacity| capacity.saturating_sub(used_at_least));
        let full_in = |fits, flat_full_in| match (room, flat_full_in) {
            (None, _) => TimeToFull::Unknown,
            (Some(0), _) => TimeToFull::Now,
            (_, Some(full_in)) => full_in,
            (Some(room), None) => TimeToFull::from_fits(room, fits, context.min_span),
        };
        // The fast path: most maps did not change within the window.
        let [minute, ten] = &context.windows;
        let growth = if last.at_ms <= ten.first_ms() || self.series.len() == 1 {
            let flat = context
                .flat_trend
                .update(last.at_ms, &context.windows, context.min_span);
            row.full_in = full_in([None; 2], Some(flat.full_in));
            flat.growth
        } else {
            let step_ms = context.step_ms;
            let fits = [minute, ten].map(|window| window.fit(&self.series, step_ms));
            row.full_in = full_in(fits, None);
            fits[0].map(|fit| fit.growth())
        };
        if let TimeToFull::In(seconds) = row.full_in
            && self.is_below_fallen_peak(row, used, context.now)
        {
            row.full_in = TimeToFull::Hint(seconds);
        }
        row.growth_per_s = match (context.growth, context.interval) {
            (_, None) => None,
            (GrowthBasis::OverMinute, Some(_)) => growth,
            (GrowthBasis::SinceReport, Some(interval)) => self
                .reported
                .map(|then| difference(then, used) / interval.as_secs_f64()),
        };
    }
}

/// The time to full that an exporter gives.
fn exported_time_to_full(exported: &ExportedFields, row: &Row) -> TimeToFull {
    let left = match (row.facts.used, row.facts.capacity) {
        (Some(used), Some(capacity)) => capacity.checked_sub(used),
        _ => None,
    };
    match (exported.full_in_s, left) {
        (_, Some(0)) => TimeToFull::Now,
        (Some(seconds), _) if seconds <= 0.0 => TimeToFull::Now,
        (Some(seconds), _) => TimeToFull::In(seconds),
        (None, _) if row.facts.used.is_none() => TimeToFull::Unknown,
        (None, _) if exported.growth_per_s.is_some() => TimeToFull::Steady,
        // Growth is exported from the second sample on.
        (None, _) => TimeToFull::Measuring,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn difference(before: u64, now: u64) -> f64 {
    if now >= before {
        (now - before) as f64
    } else {
        -((before - now) as f64)
    }
}
