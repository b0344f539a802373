//! What was read before: the levels of every map through time, and what follows from them for the
//! next reading. Pruned when maps die, and bounded in all.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use super::backfill::Backfill;
use super::events::{Event, EventKind, Events};
use super::linear_fit::{LinearFit, Window};
use super::sample_context::{FlatTrend, Growth, SampleContext};
use super::sample_times::SampleTimes;
use super::series::{DETAILS, Point, Resolution, Series, in_ms};
use super::thresholds::Thresholds;
use super::time_to_full::MIN_SPAN;
use super::track::Track;
use super::trend::{MINUTE, TEN_MINUTES};
use crate::types::host::Moment;
use crate::types::loss_tracing::LossTracing;
use crate::types::map_id::MapKey;
use crate::types::ownership::Owners;
use crate::types::reading::Reading;
use crate::types::row::Row;
use crate::types::snapshot::Snapshot;

pub use super::track::Extremes;

/// Points of all maps together, of 16 bytes each: 24 MiB. When there are more, history is made
/// coarser for all maps (see [`DETAILS`]) ...
const MAX_POINTS: usize = 3 << 19;
/// ... and finer again when there were no more than this part of it ...
const REFINE_RATIO: usize = 4;
/// ... for so long.
const REFINE_AFTER: Duration = TEN_MINUTES;

/// How often old points are thinned out.
const THINNING_TIME: Duration = Duration::from_secs(60);

/// The levels of every map through time.
#[derive(Debug, Clone)]
pub struct History {
    growth: Growth,
    /// The time that a trend has to span at the least.
    shortest: Duration,
    /// When maps are marked.
    pub thresholds: Thresholds,
    beats: SampleTimes,
    began: Option<Moment>,
    reported: Option<Duration>,
    /// The uptime of the sample before.
    last: Option<Duration>,
    /// Since when losses were watched then.
    watched_since: Option<Duration>,
    tracks: Vec<Track>,
    events: Events,
    points: usize,
    most_points: usize,
    /// Which of [`DETAILS`] is kept.
    detail: usize,
    /// The uptime at which there was last too much for a finer one.
    full_at: Duration,
    thinned: Duration,
    /// Room for rows, empty.
    room: Vec<Row>,
}

impl Default for History {
    /// For reports: growth is from one to the next.
    fn default() -> Self {
        Self {
            growth: Growth::default(),
            shortest: MIN_SPAN,
            thresholds: Thresholds::default(),
            beats: SampleTimes::default(),
            began: None,
            reported: None,
            last: None,
            watched_since: None,
            tracks: Vec::new(),
            events: Events::default(),
            points: 0,
            most_points: MAX_POINTS,
            detail: 0,
            full_at: Duration::ZERO,
            thinned: Duration::ZERO,
            room: Vec::new(),
        }
    }
}

impl History {
    /// For a view that goes on: growth is over the last minute.
    #[must_use]
    pub fn live() -> Self {
        Self {
            growth: Growth::OverMinute,
            ..Self::default()
        }
    }

    /// Trends have to span so long, if that is shorter than usual: nothing longer was asked for.
    pub(crate) fn set_min_trend_span(&mut self, time: Duration) {
        self.shortest = self.shortest.min(time);
    }

    /// What this snapshot says in the light of those before it. In reports, growth is measured
    /// from it on.
    pub fn read(&mut self, snapshot: Snapshot) -> Reading {
        let reading = self.apply_snapshot(snapshot);
        if self.growth == Growth::SinceReport {
            self.reported = Some(reading.moment.uptime);
            for (track, row) in self.tracks.iter_mut().zip(&reading.rows) {
                track.reported = row.facts.used;
                track.losses.report(row);
            }
        }
        reading
    }

    /// Remembers a snapshot that is not reported.
    pub(crate) fn push_unreported(&mut self, snapshot: Snapshot) {
        self.apply_snapshot(snapshot);
    }

    /// Takes the room of a reading that nobody needs any more, for the rows of the next: new room for
    /// a hundred thousand costs more than filling it, since the kernel gives out such pieces page by
    /// page.
    pub(crate) fn recycle(&mut self, mut old: Reading) {
        old.rows.clear();
        self.room = old.rows;
    }

    /// Learns what a map held before it was first seen.
    pub fn backfill(&mut self, past: &Backfill) {
        let Ok(at) = self
            .tracks
            .binary_search_by(|track| track.key.cmp(&past.key))
        else {
            return;
        };
        let mut points: Vec<_> = past
            .points
            .iter()
            .map(|(at, used)| Point::new(in_ms(*at), *used))
            .collect();
        // Whoever tells of it may be wrong about that.
        points.sort_by_key(|point| point.at_ms);
        let times: Vec<_> = points.iter().map(|point| point.at_ms).collect();
        if let (Some(began), Some(first)) = (&mut self.began, points.first()) {
            let before = began
                .uptime
                .saturating_sub(Duration::from_millis(first.at_ms));
            began.uptime -= before;
            began.wall = began.wall.checked_sub(before).unwrap_or(began.wall);
        }
        self.beats.add_before(&times);
        let more = self.tracks[at].learn(&points);
        self.points = self.points.saturating_add_signed(more);
    }

    fn apply_snapshot(&mut self, snapshot: Snapshot) -> Reading {
        let moment = snapshot.moment;
        let has_same_maps = self.tracks.len() == snapshot.maps.len()
            && self
                .tracks
                .iter()
                .zip(&snapshot.maps)
                .all(|(track, facts)| track.key == facts.key);
        if !has_same_maps {
            self.match_tracks(&snapshot);
        }
        self.began.get_or_insert(moment);
        let now_ms = in_ms(moment.uptime);
        self.beats.push(now_ms);
        let mut tracks = mem::take(&mut self.tracks);
        let mut events = mem::take(&mut self.events);
        let mut rows = self.room_for(snapshot.maps.len());
        let mut tick = self.tick(moment.uptime, &snapshot.watching);
        let mut more = 0;
        let owners = snapshot.owners;
        let mut owned = owners
            .as_deref()
            .into_iter()
            .flat_map(Owners::iter)
            .peekable();
        for (facts, track) in snapshot.maps.into_iter().zip(&mut tracks) {
            // Made where it stays: rows are large.
            rows.push(Row::from_facts(facts, snapshot.cpus, track.made()));
            if let Some(row) = rows.last_mut() {
                // Both are sorted by key.
                while owned.next_if(|(key, _)| *key < row.key()).is_some() {}
                row.ownership = owned
                    .next_if(|(key, _)| *key == row.key())
                    .map(|(_, of)| Arc::clone(of));
                more += track.apply(row, &mut tick, &mut events);
            }
        }
        drop(owned);
        let interval = tick.interval;
        self.last = Some(moment.uptime);
        self.watched_since = snapshot.watching.since();
        self.tracks = tracks;
        self.events = events;
        self.points = self.points.saturating_add_signed(more);
        self.thin(moment.uptime);
        Reading {
            moment,
            interval,
            began: self.began.unwrap_or(moment),
            has_same_maps,
            cpus: snapshot.cpus,
            owners,
            watching: snapshot.watching,
            fleet: snapshot.fleet,
            rows,
        }
    }

    /// Room for so many rows: what is there, unless it is far too much, as there were more once.
    fn room_for(&mut self, rows: usize) -> Vec<Row> {
        let mut room = mem::take(&mut self.room);
        if room.capacity() / 2 > rows {
            room = Vec::new();
        }
        room.reserve_exact(rows);
        room
    }

    fn tick(&self, now: Duration, watching: &LossTracing) -> SampleContext<'_> {
        let watched_since = watching.since();
        let now_ms = in_ms(now);
        let windows = self.windows(now_ms);
        let base = match self.growth {
            Growth::SinceReport => self.reported,
            Growth::OverMinute => Some(Duration::from_millis(windows[0].first_ms())),
        };
        // Beats are in whole milliseconds.
        let interval = base.and_then(|base| now.checked_sub(base));
        let loss_interval = match self.growth {
            Growth::SinceReport => interval,
            Growth::OverMinute => self.last.and_then(|last| now.checked_sub(last)),
        };
        SampleContext {
            now,
            now_ms,
            step_ms: self.step_ms(),
            growth: self.growth,
            loss_interval,
            is_watched_anew: watched_since != self.watched_since,
            watched_since,
            is_watching: matches!(watching, LossTracing::Starting | LossTracing::On { .. }),
            interval: interval.filter(|interval| interval.as_millis() > 0),
            shortest: self.shortest,
            thresholds: self.thresholds,
            still: FlatTrend::default(),
            windows,
        }
    }

    /// Begins tracks for the maps that came, and ends those of the maps that went.
    fn match_tracks(&mut self, snapshot: &Snapshot) {
        let now = snapshot.moment.uptime;
        // Where only a part of all maps is given, one that was not there before may be old.
        let may_be_made = self.began.is_some() && !snapshot.is_part();
        let old = mem::take(&mut self.tracks);
        let before = nodes(old.iter().map(|track| &track.key));
        let after = nodes(snapshot.maps.iter().map(|facts| &facts.key));
        let mut old = old.into_iter().peekable();
        let mut tracks = Vec::with_capacity(snapshot.maps.len());
        for facts in &snapshot.maps {
            while let Some(gone) = old.next_if(|track| track.key < facts.key) {
                self.end(&gone, &after, snapshot);
            }
            let track = old.next_if(|track| track.key == facts.key);
            tracks.push(track.unwrap_or_else(|| {
                // A machine that is heard of again had its maps all the time.
                let made = (may_be_made && before.contains(&facts.key.node)).then_some(now);
                if made.is_some() {
                    self.events.push(facts.key.clone(), now, EventKind::Created);
                }
                Track::new(facts.key.clone(), made)
            }));
        }
        for gone in old {
            self.end(&gone, &after, snapshot);
        }
        self.tracks = tracks;
    }

    /// Ends a track, and says that its map is gone if its machine is still heard of.
    fn end(&mut self, track: &Track, heard_of: &BTreeSet<Option<Arc<str>>>, snapshot: &Snapshot) {
        self.points -= track.series.len();
        if !snapshot.is_part() && heard_of.contains(&track.key.node) {
            let now = snapshot.moment.uptime;
            self.events.push(track.key.clone(), now, EventKind::Deleted);
        }
    }

    /// The last minute and the last ten.
    fn windows(&self, now_ms: u64) -> [Window<'_>; 2] {
        [MINUTE, TEN_MINUTES].map(|length| Window::new(&self.beats, now_ms, length))
    }

    /// Coarsest resolution of the old points that a window can reach: that of the next coarser stage,
    /// since a series stays coarse for a while after its stage became finer.
    fn step_ms(&self) -> u64 {
        let coarser = DETAILS.get(self.detail + 1).or(DETAILS.last());
        coarser.map_or(1, |detail| in_ms(detail.step))
    }

    /// Thins out what is old, from time to time, and when there is too much of it.
    fn thin(&mut self, now: Duration) {
        if self.points <= self.most_points && now.saturating_sub(self.thinned) < THINNING_TIME {
            return;
        }
        self.thinned = now;
        self.thin_all(now);
        while self.points > self.most_points.max(2 * self.tracks.len())
            && self.detail + 1 < DETAILS.len()
        {
            self.detail += 1;
            for track in &mut self.tracks {
                track.series.thin_again();
            }
            self.thin_all(now);
        }
        if self.points > self.most_points / REFINE_RATIO {
            self.full_at = now;
        } else if self.detail > 0 && now.saturating_sub(self.full_at) >= REFINE_AFTER {
            self.detail -= 1;
            self.full_at = now;
        }
    }

    fn thin_all(&mut self, now: Duration) {
        let detail = DETAILS[self.detail];
        let change: isize = self
            .tracks
            .iter_mut()
            .map(|track| track.series.thin(in_ms(now), detail))
            .sum();
        self.points = self.points.saturating_add_signed(change);
    }

    fn track(&self, key: &MapKey) -> Option<&Track> {
        let at = self.tracks.binary_search_by(|track| track.key.cmp(key));
        Some(&self.tracks[at.ok()?])
    }

    /// The levels of a map, if it is there.
    #[must_use]
    pub fn series(&self, key: &MapKey) -> Option<&Series> {
        Some(&self.track(key)?.series)
    }

    /// What a map held most and least since reading began; `None` if that was always the same.
    #[must_use]
    pub(crate) fn extremes(&self, key: &MapKey) -> Option<Extremes> {
        self.track(key)?.extremes()
    }

    /// The lines through a map's last minute and ten minutes.
    #[must_use]
    pub fn lines(&self, key: &MapKey, now: Duration) -> [Option<LinearFit>; 2] {
        let windows = self.windows(in_ms(now));
        self.series(key).map_or([None; 2], |series| {
            windows.map(|window| window.line(series, self.step_ms()))
        })
    }

    /// What happened to a map, the latest first.
    pub fn events(&self, key: &MapKey) -> impl Iterator<Item = &Event> {
        self.events.of(key).into_iter()
    }

    /// How finely it is remembered now, if that is coarser than it should be.
    #[must_use]
    pub fn degraded_resolution(&self) -> Option<Resolution> {
        (self.detail > 0).then(|| DETAILS[self.detail])
    }

    /// When the first of what is known was; `None` before anything was read.
    #[must_use]
    pub fn began(&self) -> Option<Moment> {
        self.began
    }

    /// How many points there are, of all maps.
    #[must_use]
    pub fn points(&self) -> usize {
        self.points
    }
}

/// The machines that maps are of; this one counts as one, even without maps.
fn nodes<'a>(keys: impl Iterator<Item = &'a MapKey>) -> BTreeSet<Option<Arc<str>>> {
    let mut nodes = BTreeSet::from([None]);
    let mut last: &Option<Arc<str>> = &None;
    for key in keys {
        // They are in the order of keys.
        if key.node != *last {
            nodes.insert(key.node.clone());
            last = &key.node;
        }
    }
    nodes
}
