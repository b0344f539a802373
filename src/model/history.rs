//! What was read before: the levels of every map through time, and what follows from them for the
//! next reading. Pruned when maps die, and bounded in all.

use std::mem;
use std::time::Duration;

use super::events::{Event, Events, What};
use super::mark::{Thresholds, Verdict};
use super::row::{Reading, Row};
use super::series::{Detail, FULL_DETAIL, Point, Series, in_ms};
use super::snapshot::{MapFacts, MapKey, Moment, Snapshot};
use super::trend::{Beats, FullIn, Line, MINUTE, SHORTEST, TEN_MINUTES, Window};

/// How far back a reading looks: whoever jumps into a recording has to begin so much earlier.
pub const REACH: Duration = TEN_MINUTES;

/// How much of that has to be whole: what came and went lately is shown.
const WHOLE_REACH: Duration = Duration::from_secs(12);

/// Samples that are read before a jump, at the most.
const MOST_RUN_UP: usize = 200;

/// The samples before sample `at` that are to be read first, so that what it says is complete: all
/// of the last seconds, and enough of the rest of [`REACH`] to know where levels lead.
#[must_use]
pub fn run_up(moments: &[Moment], at: usize) -> Vec<usize> {
    let now = moments[at].uptime;
    let since = |time: Duration| {
        let begin = now.saturating_sub(time);
        let first = moments.partition_point(|moment| moment.uptime < begin);
        first.min(at).saturating_sub(1)
    };
    let (begin, whole) = (since(REACH), since(WHOLE_REACH));
    let step = (whole - begin).div_ceil(MOST_RUN_UP).max(1);
    (begin..whole).step_by(step).chain(whole..at).collect()
}

/// Points of all maps together, of 16 bytes each: 24 MiB. When there are more, history is made
/// coarser for all maps, what is old first (see [`Detail::coarser`]).
const MOST_POINTS: usize = 3 << 19;

/// How often old points are thinned out.
const THINNING_TIME: Duration = Duration::from_mins(1);

/// What is remembered of one map.
#[derive(Debug, Clone)]
struct Track {
    key: MapKey,
    series: Series,
    /// The last of them, at hand: most maps do not change.
    last: Option<Point>,
    /// The uptime at which it was seen to be new.
    made: Option<Duration>,
    /// What it held in the last report.
    reported: Option<u64>,
    verdict: Verdict,
}

/// What growth is measured over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Growth {
    /// From one report to the next.
    #[default]
    SinceReport,
    /// A line through the last minute, which is calm to look at.
    OverMinute,
}

/// The levels of every map through time.
#[derive(Debug, Clone)]
pub struct History {
    growth: Growth,
    /// The time that a trend has to span at the least.
    shortest: Duration,
    /// When maps are marked.
    pub thresholds: Thresholds,
    beats: Beats,
    began: Option<Moment>,
    reported: Option<Duration>,
    tracks: Vec<Track>,
    events: Events,
    points: usize,
    most_points: usize,
    detail: Detail,
    thinned: Duration,
}

impl Default for History {
    /// For reports: growth is from one to the next.
    fn default() -> Self {
        Self {
            growth: Growth::default(),
            shortest: SHORTEST,
            thresholds: Thresholds::default(),
            beats: Beats::default(),
            began: None,
            reported: None,
            tracks: Vec::new(),
            events: Events::default(),
            points: 0,
            most_points: MOST_POINTS,
            detail: FULL_DETAIL,
            thinned: Duration::ZERO,
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
    pub fn settle_within(&mut self, time: Duration) {
        self.shortest = self.shortest.min(time);
    }

    /// What this snapshot says in the light of those before it. In reports, growth is measured
    /// from it on.
    pub fn read(&mut self, snapshot: Snapshot) -> Reading {
        let reading = self.take_in(snapshot);
        if self.growth == Growth::SinceReport {
            self.reported = Some(reading.moment.uptime);
            for (track, row) in self.tracks.iter_mut().zip(&reading.rows) {
                track.reported = row.facts.used;
            }
        }
        reading
    }

    /// Remembers a snapshot that is not reported.
    pub fn note(&mut self, snapshot: Snapshot) {
        self.take_in(snapshot);
    }

    fn take_in(&mut self, snapshot: Snapshot) -> Reading {
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
        self.beats.push(in_ms(moment.uptime));
        let interval = self.interval(moment.uptime);
        let windows = self.windows(moment.uptime);
        let still = self.still(&windows);
        let mut tracks = mem::take(&mut self.tracks);
        let rows = snapshot
            .maps
            .into_iter()
            .zip(&mut tracks)
            .map(|(facts, track)| {
                self.row(facts, track, (&windows, still), moment.uptime, interval)
            })
            .collect();
        self.tracks = tracks;
        self.thin(moment.uptime);
        Reading {
            moment,
            interval,
            began: self.began.unwrap_or(moment),
            has_same_maps,
            rows,
        }
    }

    /// Begins tracks for the maps that came, and ends those of the maps that went.
    fn match_tracks(&mut self, snapshot: &Snapshot) {
        let now = snapshot.moment.uptime;
        let made = self.began.map(|_| now);
        let mut old = mem::take(&mut self.tracks).into_iter().peekable();
        let mut tracks = Vec::with_capacity(snapshot.maps.len());
        for facts in &snapshot.maps {
            while let Some(gone) = old.next_if(|track| track.key < facts.key) {
                self.end(&gone, now);
            }
            let track = old.next_if(|track| track.key == facts.key);
            tracks.push(track.unwrap_or_else(|| {
                if made.is_some() {
                    self.events.push(facts.key.clone(), now, What::Made);
                }
                Track {
                    key: facts.key.clone(),
                    series: Series::default(),
                    last: None,
                    made,
                    reported: None,
                    verdict: Verdict::default(),
                }
            }));
        }
        for gone in old {
            self.end(&gone, now);
        }
        self.tracks = tracks;
    }

    fn end(&mut self, track: &Track, now: Duration) {
        self.points -= track.series.len();
        self.events.push(track.key.clone(), now, What::Gone);
    }

    /// The time that growth is measured over; `None` if there was nothing to compare with.
    fn interval(&self, now: Duration) -> Option<Duration> {
        let base = match self.growth {
            Growth::SinceReport => self.reported,
            Growth::OverMinute => self
                .beats
                .earliest_from(in_ms(now.saturating_sub(MINUTE)))
                .map(Duration::from_millis),
        };
        // Beats are in whole milliseconds.
        now.checked_sub(base?)
            .filter(|interval| interval.as_millis() > 0)
    }

    fn row(
        &mut self,
        facts: MapFacts,
        track: &mut Track,
        (windows, still): (&[Window; 2], FullIn),
        now: Duration,
        interval: Option<Duration>,
    ) -> Row {
        let kind = facts.map_type.kind();
        let before = track.last.and_then(Point::used);
        let last = match track.last {
            Some(last) if before == facts.used => last,
            _ => {
                self.points = self
                    .points
                    .saturating_add_signed(track.series.push(in_ms(now), facts.used));
                *track.last.insert(Point::new(in_ms(now), facts.used))
            }
        };
        let mut row = Row::without_trend(facts, track.made);
        if kind.grows() {
            let [minute, ten] = windows;
            let full_in = |lines: Option<[Option<Line>; 2]>, left: u64| match lines {
                Some(lines) => FullIn::of(left, lines, self.shortest),
                None if left == 0 => FullIn::Now,
                None => still,
            };
            // Most maps did not change in all that time, and cost nothing.
            let lines = ten
                .flat(last)
                .is_none()
                .then(|| [minute, ten].map(|window| window.line(last, &track.series, &self.beats)));
            row.growth_per_s = match (self.growth, row.facts.used, interval) {
                (_, None, _) | (_, _, None) => None,
                (Growth::OverMinute, Some(_), Some(_)) => match &lines {
                    Some([minute, _]) => minute.map(|line| line.growth()),
                    None => Some(0.0),
                },
                (Growth::SinceReport, Some(used), Some(interval)) => track
                    .reported
                    .map(|then| difference(then, used) / interval.as_secs_f64()),
            };
            row.full_in = match (row.facts.used, row.facts.capacity) {
                (Some(used), Some(capacity)) if capacity > 0 => {
                    full_in(lines, capacity.saturating_sub(used))
                }
                _ => FullIn::Unknown,
            };
            if before != row.facts.used {
                self.tell(&row, before, now);
            }
        }
        row.mark = track
            .verdict
            .judge(kind, row.pressure, row.full_in, self.thresholds);
        row
    }

    /// What is said of a map that did not change in all of the long window.
    fn still(&self, windows: &[Window; 2]) -> FullIn {
        let lines = windows.map(|window| window.flat_line());
        FullIn::of(1, lines, self.shortest)
    }

    /// Keeps in mind what a level that grew has passed.
    fn tell(&mut self, row: &Row, before: Option<u64>, now: Duration) {
        let (Some(before), Some(used), Some(capacity)) =
            (before, row.facts.used, row.facts.capacity)
        else {
            return;
        };
        let was = Row::pressure_of(before, capacity);
        let is = Row::pressure_of(used, capacity);
        let thresholds = [
            (1.0, What::Full),
            (self.thresholds.crit, What::Crossed(self.thresholds.crit)),
            (self.thresholds.warn, What::Crossed(self.thresholds.warn)),
        ];
        let passed = thresholds
            .into_iter()
            .find(|(at, _)| was < *at && is >= *at);
        if let Some((_, what)) = passed {
            self.events.push(row.key().clone(), now, what);
        }
    }

    /// The last minute and the last ten.
    fn windows(&self, now: Duration) -> [Window; 2] {
        [MINUTE, TEN_MINUTES].map(|length| Window::new(&self.beats, in_ms(now), length))
    }

    /// Thins out what is old, from time to time, and when there is too much of it.
    fn thin(&mut self, now: Duration) {
        if self.points <= self.most_points && now.saturating_sub(self.thinned) < THINNING_TIME {
            return;
        }
        self.thinned = now;
        self.thin_all(now);
        while self.points > self.most_points.max(2 * self.tracks.len()) {
            self.detail = self.detail.coarser();
            for track in &mut self.tracks {
                track.series.thin_again();
            }
            self.thin_all(now);
        }
    }

    fn thin_all(&mut self, now: Duration) {
        let detail = self.detail;
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

    /// The lines through a map's last minute and ten minutes before an uptime.
    #[must_use]
    pub fn lines(&self, key: &MapKey, now: Duration) -> [Option<Line>; 2] {
        let windows = self.windows(now);
        self.series(key).map_or([None; 2], |series| {
            let last = series.latest_first().next();
            windows.map(|window| window.line(last?, series, &self.beats))
        })
    }

    /// What happened to a map, the latest first.
    pub fn events(&self, key: &MapKey) -> impl Iterator<Item = &Event> {
        self.events.of(key).into_iter()
    }

    /// How finely it is remembered now, if that is coarser than it should be.
    #[must_use]
    pub fn coarsened(&self) -> Option<Detail> {
        (self.detail != FULL_DETAIL).then_some(self.detail)
    }

    /// How many points there are, of all maps.
    #[must_use]
    pub fn points(&self) -> usize {
        self.points
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::mark::Mark;
    use crate::testing::{MapBuilder, key, map, moment, snapshot};

    fn at(
        history: &mut History,
        second: u32,
        maps: impl IntoIterator<Item = MapBuilder>,
    ) -> Reading {
        history.read(snapshot(second, maps))
    }

    #[test]
    fn a_map_that_came_later_is_known_to_be_made_then() {
        let mut history = History::default();
        at(&mut history, 1, [map("old").id(2)]);
        at(&mut history, 2, [map("old").id(2), map("new").id(3)]);
        let reading = at(&mut history, 5, [map("old").id(2), map("new").id(3)]);
        let made: Vec<_> = reading.rows.iter().map(|row| row.made).collect();
        assert_eq!(made, [None, Some(Duration::from_secs(2))]);
        assert_eq!(reading.began, moment(1));
    }

    #[test]
    fn maps_that_come_and_go_keep_their_own_levels() {
        let mut history = History::default();
        at(
            &mut history,
            1,
            [
                map("a").id(2).used(20, 90),
                map("b").id(5).used(50, 90),
                map("c").id(9).used(80, 99),
            ],
        );
        let reading = at(
            &mut history,
            2,
            [
                map("x").id(1).used(1, 90),
                map("b").id(5).used(53, 90),
                map("y").id(10).used(1, 9),
            ],
        );
        let growth: Vec<_> = reading.rows.iter().map(|row| row.growth_per_s).collect();
        assert_eq!(growth, [None, Some(3.0), None]);
        assert_eq!(history.points(), 4, "those of the dead are gone");
        assert!(history.series(&key(2)).is_none());
    }

    #[test]
    fn growth_in_reports_is_since_the_last_report_whatever_was_noted_between() {
        let mut history = History::default();
        at(&mut history, 10, [map("m").used(100, 1000)]);
        history.note(snapshot(12, [map("m").used(500, 1000)]));
        let reading = at(&mut history, 14, [map("m").used(80, 1000)]);
        assert_eq!(reading.rows[0].growth_per_s, Some(-5.0));
        assert_eq!(reading.interval, Some(Duration::from_secs(4)));
    }

    #[test]
    fn growth_in_the_live_view_is_over_the_last_minute() {
        let mut history = History::live();
        let mut last = None;
        for second in 0..200 {
            // An entry each five seconds, which one second alone cannot tell.
            let used = u64::from(second / 5);
            last = Some(at(&mut history, second, [map("m").used(used, 1000)]));
        }
        let reading = last.expect("a reading");
        let growth = reading.rows[0].growth_per_s.expect("a growth");
        assert!((growth - 0.2).abs() < 0.01, "{growth}");
        assert_eq!(reading.interval, Some(MINUTE));
    }

    #[test]
    fn a_first_snapshot_and_no_time_have_no_growth() {
        for mut history in [History::default(), History::live()] {
            for _ in 0..2 {
                let reading = at(&mut history, 7, [map("m")]);
                assert_eq!(
                    (reading.interval, reading.rows[0].growth_per_s),
                    (None, None)
                );
            }
        }
    }

    #[test]
    fn a_map_that_fills_is_marked_before_it_is_full() {
        let mut history = History::live();
        let mut marks = Vec::new();
        for second in 0..=1000 {
            let reading = at(&mut history, second, [map("m").used(second.into(), 1000)]);
            marks.push(reading.rows[0].mark);
        }
        assert_eq!(marks[9], Some(Mark::None), "not enough samples yet");
        assert_eq!(marks[399], Some(Mark::None));
        let soon = marks.iter().position(|mark| *mark == Some(Mark::Crit));
        assert_eq!(soon, Some(400), "full in ten minutes");
        assert!(marks[400..].iter().all(|mark| *mark == Some(Mark::Crit)));
        let what: Vec<_> = history.events(&key(1)).map(|event| event.what).collect();
        assert_eq!(what, [What::Full, What::Crossed(0.95), What::Crossed(0.80)]);
    }

    #[test]
    fn only_a_map_that_refuses_inserts_has_growth_and_a_time_to_full() {
        for map_type in [2, 3, 9, 27, 28] {
            let mut history = History::default();
            at(&mut history, 1, [map("m").of_type(map_type).used(1, 9)]);
            let reading = at(&mut history, 2, [map("m").of_type(map_type).used(3, 9)]);
            let row = &reading.rows[0];
            assert_eq!(
                (row.growth_per_s, row.full_in),
                (None, FullIn::Never),
                "type {map_type}"
            );
        }
    }

    #[test]
    fn a_run_up_is_whole_at_its_end_and_has_enough_of_the_rest() {
        let moments: Vec<_> = (0..5000).map(moment).collect();
        let samples = run_up(&moments, 4000);
        assert_eq!(samples.first(), Some(&3399));
        assert!(samples.len() < 230, "{}", samples.len());
        assert!(samples.ends_with(&[3997, 3998, 3999]));
        assert!(samples.is_sorted());
        let last: Vec<_> = samples.iter().rev().take(12).collect();
        assert_eq!(last.last(), Some(&&3988), "every one of the last seconds");
        assert_eq!(run_up(&moments, 0), [0; 0]);
        assert_eq!(run_up(&moments, 3), [0, 1, 2]);
    }

    #[test]
    fn memory_has_a_bound_and_the_finest_goes_first() {
        let mut history = History::live();
        history.most_points = 5000;
        let count = 50;
        for second in 0..200 {
            let maps = (0..count).map(|id| map("m").id(id).used(second.into(), 1000));
            at(&mut history, second, maps);
        }
        assert!(history.points() <= 5000, "{}", history.points());
        let detail = history.coarsened().expect("it is coarser");
        assert!(detail.fine < FULL_DETAIL.fine);
        assert_eq!(detail.whole, FULL_DETAIL.whole);
    }
}
