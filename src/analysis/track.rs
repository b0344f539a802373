//! What is remembered of one map, and what its next sample says in the light of that.

use std::time::Duration;

use super::consumer_stall::{self, ConsumerStall};
use super::events::{EventKind, Events};
use super::loss_history::LossHistory;
use super::mark::MarkHysteresis;
use super::sample_context::{Growth, SampleContext};
use super::series::{Point, Series};
use super::thresholds::Thresholds;
use crate::types::fleet::ExportedFields;
use crate::types::map_id::MapKey;
use crate::types::row::Row;
use crate::types::time_to_full::TimeToFull;

/// How far under a threshold a level has to fall until that is an event: it may breathe ...
const HYSTERESIS: f64 = 0.05;
/// ... which one that is full does less.
const HYSTERESIS_FULL: f64 = 0.01;

/// What is remembered of one map.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub key: MapKey,
    pub series: Series,
    /// The last of them, at hand: most maps do not change.
    last: Option<Point>,
    /// Since its level changed for the first time: what it held most and least.
    extremes: Option<Box<Extremes>>,
    /// The uptime at which it was seen to be new.
    made: Option<Duration>,
    /// What it held in the last report.
    pub reported: Option<u64>,
    /// The level of the last event; `None` before a level was known.
    stage: Option<Level>,
    pub losses: LossHistory,
    /// Where the reader of a buffer stands still.
    stand: Option<Box<ConsumerStall>>,
    verdict: MarkHysteresis,
}

/// What a map held most and least since reading began, however long ago: the latest of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extremes {
    /// The most.
    pub highest: Point,
    /// The least.
    pub lowest: Point,
}

/// What a level has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Below,
    Warn,
    Crit,
    Full,
}

impl Level {
    const PASSED: [Self; 3] = [Self::Full, Self::Crit, Self::Warn];

    /// The pressure at which it begins.
    fn begin(self, thresholds: Thresholds) -> f64 {
        match self {
            Self::Below => f64::NEG_INFINITY,
            Self::Warn => thresholds.warn,
            Self::Crit => thresholds.crit,
            Self::Full => 1.0,
        }
    }

    fn from_pressure(pressure: f64, thresholds: Thresholds) -> Self {
        let is_passed = |stage: &Self| pressure >= stage.begin(thresholds);
        let passed = Self::PASSED.into_iter().find(is_passed);
        passed.unwrap_or(Self::Below)
    }
}

impl Level {
    /// What is left of a stage by a level that fell: it is held until the level is well under where
    /// it begins.
    fn held(pressure: f64, before: Self, thresholds: Thresholds) -> Self {
        let is_held = |stage: &Self| {
            let release = if *stage == Self::Full {
                HYSTERESIS_FULL
            } else {
                HYSTERESIS
            };
            *stage <= before && pressure >= stage.begin(thresholds) - release
        };
        let held = Self::PASSED.into_iter().find(is_held);
        held.unwrap_or(Self::Below)
    }
}

impl Track {
    pub fn new(key: MapKey, made: Option<Duration>) -> Self {
        Self {
            key,
            series: Series::default(),
            last: None,
            extremes: None,
            made,
            reported: None,
            stage: None,
            losses: LossHistory::default(),
            stand: None,
            verdict: MarkHysteresis::default(),
        }
    }

    /// Learns what it held before it was first seen, the oldest first; gives how many points are
    /// remembered more.
    pub(crate) fn learn(&mut self, earlier: &[Point]) -> isize {
        let first = self.series.first_ms().unwrap_or(u64::MAX);
        let before = &earlier[..earlier.partition_point(|point| point.at_ms < first)];
        let only = |point| Extremes {
            highest: point,
            lowest: point,
        };
        let is_known = |point: &&Point| point.used().is_some();
        let mut all = self
            .extremes()
            .or_else(|| self.last.as_ref().filter(is_known).copied().map(only));
        // The latest of each counts.
        for point in before.iter().filter(is_known).rev() {
            let all = all.get_or_insert_with(|| only(*point));
            if point.used() > all.highest.used() {
                all.highest = *point;
            }
            if point.used() < all.lowest.used() {
                all.lowest = *point;
            }
        }
        let differs = |all: &Extremes| all.highest.used() != all.lowest.used();
        self.extremes = all.filter(differs).map(Box::new);
        self.series.add_before(before.iter().copied())
    }

    pub fn made(&self) -> Option<Duration> {
        self.made
    }

    /// What it held most and least; `None` if that was always the same, or never known.
    pub(crate) fn extremes(&self) -> Option<Extremes> {
        self.extremes.as_deref().copied()
    }

    /// Remembers what this row's map holds now, and adds to the row what follows; gives how many
    /// points are remembered more.
    pub fn apply(
        &mut self,
        row: &mut Row,
        tick: &mut SampleContext<'_>,
        events: &mut Events,
    ) -> isize {
        let kind = row.facts.map_type.kind();
        let used = row.facts.used;
        let more = match self.last {
            Some(last) if last.used() == used => 0,
            _ => self.push_point(row, tick, events),
        };
        self.losses.apply(row, tick, events);
        let before = self.stand.as_deref().copied();
        let stand =
            consumer_stall::update_stall(before, row.facts.consumer_pos, row.pressure, tick.now);
        row.stalled_for = stand.and_then(|stand| stand.stalled_for(tick.now));
        self.stand = stand.map(Box::new);
        let refuses = row.is_losing();
        if kind.grows() {
            self.update_forecast(row, tick);
            if row.is_out_of_room() {
                row.full_in = TimeToFull::Now;
            }
        }
        let pressure = row.pressure_lower_bound();
        row.mark = self
            .verdict
            .judge(kind, pressure, row.full_in, refuses, tick.thresholds);
        more
    }

    /// Remembers a level that is not the one before.
    fn push_point(&mut self, row: &Row, tick: &SampleContext<'_>, events: &mut Events) -> isize {
        let point = Point::new(tick.now_ms, row.facts.used);
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
            && let Some(pressure) = row.pressure_lower_bound()
        {
            self.push_level_events(row.key(), pressure, tick, events);
        }
        self.last = Some(point);
        self.series.push(tick.now_ms, row.facts.used)
    }

    /// Says what a level has passed. What a map held when reading began is no event.
    fn push_level_events(
        &mut self,
        key: &MapKey,
        pressure: f64,
        tick: &SampleContext<'_>,
        events: &mut Events,
    ) {
        let thresholds = tick.thresholds;
        let before = match (self.stage, self.made) {
            (Some(stage), _) => stage,
            (None, Some(_)) => Level::Below,
            (None, None) => {
                self.stage = Some(Level::from_pressure(pressure, thresholds));
                return;
            }
        };
        let now = tick.now;
        let higher = Level::from_pressure(pressure, thresholds);
        let lower = Level::held(pressure, before, thresholds);
        if higher > before {
            let what = match higher {
                Level::Full => EventKind::Full,
                stage => EventKind::Crossed(stage.begin(thresholds)),
            };
            events.push(key.clone(), now, what);
            self.stage = Some(higher);
        } else if lower < before {
            if before == Level::Full {
                events.push(key.clone(), now, EventKind::NoLongerFull);
            }
            // The lowest threshold that it fell under says it all.
            let passed = Level::PASSED.into_iter().rev();
            if let Some(stage) = passed
                .filter(|stage| *stage != Level::Full)
                .find(|stage| lower < *stage && *stage <= before)
            {
                events.push(key.clone(), now, EventKind::Fell(stage.begin(thresholds)));
            }
            self.stage = Some(lower);
        } else {
            self.stage = Some(before);
        }
    }

    /// Says how it grows and when it is full.
    fn update_forecast(&mut self, row: &mut Row, tick: &mut SampleContext<'_>) {
        if let Some(told) = &row.facts.exported {
            // The exporter saw every sample; a server has only some of them.
            row.growth_per_s = told.growth_per_s;
            row.full_in = exported_time_to_full(told, row);
            return;
        }
        let (Some(used), Some(last)) = (row.facts.used, self.last) else {
            row.full_in = TimeToFull::Unknown;
            return;
        };
        // What is only estimated may have more room than it seems.
        let sure = row.facts.used_lower_bound().unwrap_or_default();
        let left = row
            .facts
            .capacity
            .filter(|capacity| *capacity > 0)
            .map(|capacity| capacity.saturating_sub(sure));
        let full_in = |lines, of| match (left, of) {
            (None, _) => TimeToFull::Unknown,
            (Some(0), _) => TimeToFull::Now,
            (_, Some(still)) => still,
            (Some(left), None) => TimeToFull::from_fits(left, lines, tick.shortest),
        };
        // Most maps did not change in all that time, or never did, and cost next to nothing.
        let [minute, ten] = &tick.windows;
        let growth = if last.at_ms <= ten.first_ms() || self.series.len() == 1 {
            let still = tick.still.since(last.at_ms, &tick.windows, tick.shortest);
            row.full_in = full_in([None; 2], Some(still.full_in));
            still.growth
        } else {
            let step_ms = tick.step_ms;
            let lines = [minute, ten].map(|window| window.line(&self.series, step_ms));
            row.full_in = full_in(lines, None);
            lines[0].map(|line| line.growth())
        };
        row.growth_per_s = match (tick.growth, tick.interval) {
            (_, None) => None,
            (Growth::OverMinute, Some(_)) => growth,
            (Growth::SinceReport, Some(interval)) => self
                .reported
                .map(|then| difference(then, used) / interval.as_secs_f64()),
        };
    }
}

/// The time to full that an exporter gives.
fn exported_time_to_full(told: &ExportedFields, row: &Row) -> TimeToFull {
    let left = match (row.facts.used, row.facts.capacity) {
        (Some(used), Some(capacity)) => capacity.checked_sub(used),
        _ => None,
    };
    match (told.full_in_s, left) {
        (_, Some(0)) => TimeToFull::Now,
        (Some(seconds), _) if seconds <= 0.0 => TimeToFull::Now,
        (Some(seconds), _) => TimeToFull::In(seconds),
        (None, _) if row.facts.used.is_none() => TimeToFull::Unknown,
        (None, _) if told.growth_per_s.is_some() => TimeToFull::Steady,
        // It is exported from the second sample on.
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
