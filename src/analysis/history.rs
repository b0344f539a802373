//! The levels of every map over time, and what follows from them for the next reading. Deleted maps
//! are forgotten, and the number of points is bounded.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use super::backfill::Backfill;
use super::events::{Event, EventKind, Events};
use super::linear_fit::{LinearFit, Window};
use super::map_history::MapHistory;
use super::point_budget::PointBudget;
use super::sample_context::{FlatTrend, GrowthBasis, SampleContext};
use super::sample_times::SampleTimes;
use super::series::{Point, Resolution, Series, in_ms};
use super::thresholds::Thresholds;
use super::time_to_full::MIN_SPAN;
use super::trend::{MINUTE, TEN_MINUTES};
use crate::types::host::Moment;
use crate::types::loss_tracing::LossTracing;
use crate::types::map_id::MapKey;
use crate::types::ownership::Owners;
use crate::types::reading::Reading;
use crate::types::row::Row;
use crate::types::snapshot::Snapshot;

pub use super::map_history::Extremes;

/// The levels of every map over time.
#[derive(Debug, Clone)]
pub struct History {
    growth: GrowthBasis,
    /// The shortest span of samples that makes a trend.
    min_span: Duration,
    /// Pressures at which maps are marked.
    pub thresholds: Thresholds,
    sample_times: SampleTimes,
    began: Option<Moment>,
    reported_at: Option<Duration>,
    /// Uptime of the previous sample.
    last_sample_at: Option<Duration>,
    /// Uptime at which loss tracing began, as of the previous sample.
    tracing_since: Option<Duration>,
    map_histories: Vec<MapHistory>,
    events: Events,
    budget: PointBudget,
    /// An empty vector whose memory is used for the next rows.
    spare_rows: Vec<Row>,
}

impl Default for History {
    /// For reports: growth is from one report to the next.
    fn default() -> Self {
        Self {
            growth: GrowthBasis::default(),
            min_span: MIN_SPAN,
            thresholds: Thresholds::default(),
            sample_times: SampleTimes::default(),
            began: None,
            reported_at: None,
            last_sample_at: None,
            tracing_since: None,
            map_histories: Vec::new(),
            events: Events::default(),
            budget: PointBudget::default(),
            spare_rows: Vec::new(),
        }
    }
}

impl History {
    /// For the live view: growth is over the last minute.
    #[must_use]
    pub fn live() -> Self {
        Self {
            growth: GrowthBasis::OverMinute,
            ..Self::default()
        }
    }

    /// Accepts trends over a shorter span than usual, where the user asked for a shorter measurement.
    pub(crate) fn set_min_trend_span(&mut self, time: Duration) {
        self.min_span = self.min_span.min(time);
    }

    /// Adds a snapshot, and returns its reading. In reports, the next growth is measured from this one.
    pub fn read(&mut self, snapshot: Snapshot) -> Reading {
        let reading = self.apply_snapshot(snapshot);
        if self.growth == GrowthBasis::SinceReport {
            self.reported_at = Some(reading.moment.uptime);
            for (map, row) in self.map_histories.iter_mut().zip(&reading.rows) {
                map.reported = row.facts.used;
                map.losses.set_report_base(row);
            }
        }
        reading
    }

    /// Adds a snapshot that is not reported.
    pub(crate) fn push_unreported(&mut self, snapshot: Snapshot) {
        self.apply_snapshot(snapshot);
    }

    /// Reuses the memory of a reading that is no longer needed for the next rows: to allocate room for
    /// 100,000 rows takes longer than to fill it, since the kernel maps so much memory page by page.
    pub(crate) fn recycle(&mut self, mut old: Reading) {
        old.rows.clear();
        self.spare_rows = old.rows;
    }

    /// Adds levels of a map from before it was first sampled.
    pub fn backfill(&mut self, backfill: &Backfill) {
        let Ok(index) = self
            .map_histories
            .binary_search_by(|map| map.key.cmp(&backfill.key))
        else {
            return;
        };
        let mut points: Vec<_> = backfill
            .points
            .iter()
            .map(|(at, used)| Point::new(in_ms(*at), *used))
            .collect();
        // A server may return them in another order.
        points.sort_by_key(|point| point.at_ms);
        let times: Vec<_> = points.iter().map(|point| point.at_ms).collect();
        if let (Some(began), Some(first)) = (&mut self.began, points.first()) {
            let before = began
                .uptime
                .saturating_sub(Duration::from_millis(first.at_ms));
            began.uptime -= before;
            began.wall = began.wall.checked_sub(before).unwrap_or(began.wall);
        }
        self.sample_times.add_before(&times);
        let added_points = self.map_histories[index].backfill(&points);
        self.budget.count(added_points);
    }

    fn apply_snapshot(&mut self, snapshot: Snapshot) -> Reading {
        let moment = snapshot.moment;
        let has_same_maps = self.map_histories.len() == snapshot.maps.len()
            && self
                .map_histories
                .iter()
                .zip(&snapshot.maps)
                .all(|(map, facts)| map.key == facts.key);
        if !has_same_maps {
            self.match_maps(&snapshot);
        }
        self.began.get_or_insert(moment);
        let now_ms = in_ms(moment.uptime);
        self.sample_times.push(now_ms);
        let mut maps = mem::take(&mut self.map_histories);
        let mut events = mem::take(&mut self.events);
        let mut rows = self.take_spare_rows(snapshot.maps.len());
        let mut context = self.sample_context(moment.uptime, &snapshot.loss_tracing);
        let mut added_points = 0;
        let owners = snapshot.owners;
        let mut owned = owners
            .as_deref()
            .into_iter()
            .flat_map(Owners::iter)
            .peekable();
        for (facts, map) in snapshot.maps.into_iter().zip(&mut maps) {
            // Built in place: rows are large.
            rows.push(Row::from_facts(facts, snapshot.cpus, map.created_at()));
            if let Some(row) = rows.last_mut() {
                // Both are sorted by key.
                while owned.next_if(|(key, _)| *key < row.key()).is_some() {}
                row.ownership = owned
                    .next_if(|(key, _)| *key == row.key())
                    .map(|(_, ownership)| Arc::clone(ownership));
                added_points += map.apply(row, &mut context, &mut events);
            }
        }
        drop(owned);
        let interval = context.interval;
        self.last_sample_at = Some(moment.uptime);
        self.tracing_since = snapshot.loss_tracing.since();
        self.map_histories = maps;
        self.events = events;
        self.budget.count(added_points);
        self.budget.thin(&mut self.map_histories, moment.uptime);
        Reading {
            moment,
            interval,
            began: self.began.unwrap_or(moment),
            has_same_maps,
            cpus: snapshot.cpus,
            owners,
            loss_tracing: snapshot.loss_tracing,
            fleet: snapshot.fleet,
            rows,
        }
    }

    /// An empty vector for this many rows: the spare one, unless it is far too large.
    fn take_spare_rows(&mut self, count: usize) -> Vec<Row> {
        let mut spare = mem::take(&mut self.spare_rows);
        if spare.capacity() / 2 > count {
            spare = Vec::new();
        }
        spare.reserve_exact(count);
        spare
    }

    fn sample_context(&self, now: Duration, loss_tracing: &LossTracing) -> SampleContext<'_> {
        let tracing_since = loss_tracing.since();
        let now_ms = in_ms(now);
        let windows = self.windows(now_ms);
        let base = match self.growth {
            GrowthBasis::SinceReport => self.reported_at,
            GrowthBasis::OverMinute => Some(Duration::from_millis(windows[0].first_ms())),
        };
        // Sample times are in whole milliseconds.
        let interval = base.and_then(|base| now.checked_sub(base));
        let loss_interval = match self.growth {
            GrowthBasis::SinceReport => interval,
            GrowthBasis::OverMinute => self.last_sample_at.and_then(|last| now.checked_sub(last)),
        };
        SampleContext {
            now,
            now_ms,
            step_ms: self.budget.step_ms(),
            growth: self.growth,
            loss_interval,
            is_tracing_restarted: tracing_since != self.tracing_since,
            tracing_since,
            is_tracing: matches!(loss_tracing, LossTracing::Starting | LossTracing::On { .. }),
            interval: interval.filter(|interval| interval.as_millis() > 0),
            min_span: self.min_span,
            thresholds: self.thresholds,
            flat_trend: FlatTrend::default(),
            windows,
        }
    }

    /// Begins the histories of new maps, and ends those of deleted maps.
    fn match_maps(&mut self, snapshot: &Snapshot) {
        let now = snapshot.moment.uptime;
        // In a partial snapshot, a map that was not there before may be old.
        let may_be_new = self.began.is_some() && !snapshot.is_part();
        let old = mem::take(&mut self.map_histories);
        let before = nodes(old.iter().map(|map| &map.key));
        let after = nodes(snapshot.maps.iter().map(|facts| &facts.key));
        let mut old = old.into_iter().peekable();
        let mut maps = Vec::with_capacity(snapshot.maps.len());
        for facts in &snapshot.maps {
            while let Some(deleted) = old.next_if(|map| map.key < facts.key) {
                self.end_map(&deleted, &after, snapshot);
            }
            let known = old.next_if(|map| map.key == facts.key);
            maps.push(known.unwrap_or_else(|| {
                // A node that came back had its maps all the time.
                let created_at = (may_be_new && before.contains(&facts.key.node)).then_some(now);
                if created_at.is_some() {
                    self.events.push(facts.key.clone(), now, EventKind::Created);
                }
                MapHistory::new(facts.key.clone(), created_at)
            }));
        }
        for deleted in old {
            self.end_map(&deleted, &after, snapshot);
        }
        self.map_histories = maps;
    }

    /// Ends the history of a map, with an event if the map's node is still there.
    fn end_map(
        &mut self,
        map: &MapHistory,
        present_nodes: &BTreeSet<Option<Arc<str>>>,
        snapshot: &Snapshot,
    ) {
        self.budget.remove(map.series.len());
        if !snapshot.is_part() && present_nodes.contains(&map.key.node) {
            let now = snapshot.moment.uptime;
            self.events.push(map.key.clone(), now, EventKind::Deleted);
        }
    }

    /// The last minute and the last ten.
    fn windows(&self, now_ms: u64) -> [Window<'_>; 2] {
        [MINUTE, TEN_MINUTES].map(|length| Window::new(&self.sample_times, now_ms, length))
    }

    fn map_history(&self, key: &MapKey) -> Option<&MapHistory> {
        let at = self.map_histories.binary_search_by(|map| map.key.cmp(key));
        Some(&self.map_histories[at.ok()?])
    }

    /// The levels of a map, unless it was deleted.
    #[must_use]
    pub fn series(&self, key: &MapKey) -> Option<&Series> {
        Some(&self.map_history(key)?.series)
    }

    /// The highest and lowest level of a map since reading began; `None` if it never changed.
    #[must_use]
    pub(crate) fn extremes(&self, key: &MapKey) -> Option<Extremes> {
        self.map_history(key)?.extremes()
    }

    /// The fits to a map's last minute and ten minutes.
    #[must_use]
    pub fn fits(&self, key: &MapKey, now: Duration) -> [Option<LinearFit>; 2] {
        let windows = self.windows(in_ms(now));
        self.series(key).map_or([None; 2], |series| {
            windows.map(|window| window.fit(series, self.budget.step_ms()))
        })
    }

    /// What happened to a map, the latest first.
    pub fn events(&self, key: &MapKey) -> impl Iterator<Item = &Event> {
        self.events.events_of(key).into_iter()
    }

    /// The resolution of old points, if it had to be made coarser.
    #[must_use]
    pub fn degraded_resolution(&self) -> Option<Resolution> {
        self.budget.degraded_resolution()
    }

    /// The moment of the first sample; `None` before there is one.
    #[must_use]
    pub fn began(&self) -> Option<Moment> {
        self.began
    }

    /// Number of points of all maps.
    #[must_use]
    pub fn points(&self) -> usize {
        self.budget.points()
    }
}

/// The nodes of these maps. `None`, this machine, is always one of them.
fn nodes<'a>(keys: impl Iterator<Item = &'a MapKey>) -> BTreeSet<Option<Arc<str>>> {
    let mut nodes = BTreeSet::from([None]);
    let mut last: &Option<Arc<str>> = &None;
    for key in keys {
        // Keys are sorted by node first.
        if key.node != *last {
            nodes.insert(key.node.clone());
            last = &key.node;
        }
    }
    nodes
}
