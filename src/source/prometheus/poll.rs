//! One round of questions: answers become a snapshot, first with what changes, then with the rest.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::client::{Client, HttpResponse};
use super::promql::{self, MapScope};
use super::response::{Point, Run, runs, samples};
use super::series::{
    MapSeries, NameInterner, ScrapeTimes, TargetId, info_pattern, key, level_pattern,
};
use super::targets;
use super::{Clock, Options};
use crate::analysis::backfill::Backfill;
use crate::source::metrics;
use crate::source::request::SourceQuery;
use crate::types::fleet::Fleet;
use crate::types::loss_tracing::LossTracing;
use crate::types::map_id::MapKey;
use crate::types::snapshot::Snapshot;

/// What hardly ever changes is asked for again after so long.
const OLD: Duration = Duration::from_secs(60);

/// How far back the past of a map is asked for, and in which steps: the near past finely.
const BACKFILL_RANGES: [(Duration, Duration); 2] = [
    (Duration::from_secs(10 * 60), Duration::from_secs(15)),
    (Duration::from_secs(2 * 3600), Duration::from_secs(60)),
];

/// Asks a server, and remembers what it said.
#[derive(Debug)]
pub struct Poller {
    client: Client,
    options: Options,
    clock: Clock,
    levels: MapSeries,
    collected: ScrapeTimes,
    /// The time that levels are asked for, by the server's clock: the same for all of a round.
    time: Option<String>,
    about: MapSeries,
    /// The maps that were asked about then.
    asked_about: BTreeSet<MapKey>,
    about_at: Option<Instant>,
    nodes_at: Option<Instant>,
    fleet: Fleet,
    intervals: targets::Intervals,
    /// How many maps there are; `None` if all of them were asked for.
    count: Option<u64>,
    /// The machines that there were maps of when it was last asked about machines.
    named: BTreeSet<Arc<str>>,
    watched_since: Option<Duration>,
    /// What the user should know, if it was not said yet.
    pub notices: Vec<String>,
    said_nameless: bool,
    said_mixed: bool,
    said_rest: Option<String>,
}

impl Poller {
    pub fn new(client: Client, options: Options, clock: Clock) -> Self {
        Self {
            client,
            options,
            clock,
            levels: MapSeries::default(),
            about: MapSeries::default(),
            asked_about: BTreeSet::new(),
            collected: ScrapeTimes::default(),
            time: None,
            about_at: None,
            nodes_at: None,
            fleet: Fleet::default(),
            intervals: targets::Intervals::new(),
            count: None,
            named: BTreeSet::new(),
            watched_since: None,
            notices: Vec::new(),
            said_nameless: false,
            said_mixed: false,
            said_rest: None,
        }
    }

    /// Asks what changes, of the maps that are wanted.
    ///
    /// # Errors
    ///
    /// When the server does not answer, or not with samples.
    pub fn poll_levels(&mut self, wish: &SourceQuery) -> Result<Snapshot> {
        self.time = None;
        let (series, time) = self.number(&promql::count_series())?;
        self.time = time.map(|time| time.to_string());
        let label = &self.options.node_label;
        let scope = MapScope::new(&wish.tests, label);
        let top = u64::try_from(self.options.top).unwrap_or(u64::MAX);
        let is_part = series > top || (self.options.is_fixed && scope.is_narrow());
        // Before the levels: what comes in between is newer than it seems, never older.
        let mut collected = ScrapeTimes::default();
        let answered = self.ask(&promql::last_scrapes(label))?;
        for sample in samples(answered.status, &answered.body)? {
            collected.add(&sample, label);
        }
        let queries = if is_part {
            let first = scope.top_n_query(wish, self.options.top);
            let mut names = NameInterner::default();
            let answered = self.ask(&first)?;
            let found = samples(answered.status, &answered.body)?;
            let keys: Vec<_> = found
                .iter()
                .filter_map(|sample| key(&sample.labels, label, &mut names))
                .collect();
            promql::series_of_maps(&level_pattern(), label, &keys)
        } else {
            vec![promql::all_maps(&level_pattern())]
        };
        let mut levels = self.gather(&queries)?;
        let maps = is_part.then(|| self.number(&promql::count_maps(label)));
        let maps = maps.transpose()?.map(|(maps, _)| maps);
        std::mem::swap(&mut self.levels, &mut levels);
        self.collected = collected;
        if let (Some(nodes), Some(time)) = (&mut self.fleet.nodes, time) {
            let (intervals, now) = (&self.intervals, self.clock.now().wall);
            targets::refresh_last_seen(nodes, intervals, &self.collected, time, now);
        }
        self.count = maps;
        if self.levels.is_mixed() && !self.said_mixed {
            self.said_mixed = true;
            self.notices.push(format!(
                "several targets have the same {label}: of maps of the same id only one is shown; --node-label names another label",
                label = self.options.node_label
            ));
        }
        Ok(self.snapshot())
    }

    /// Asks what hardly ever changes, if it is time; gives a snapshot with it if it was.
    ///
    /// # Errors
    ///
    /// As [`Self::poll_levels`]; what was known stays.
    pub fn poll_info(&mut self) -> Result<Option<Snapshot>> {
        let is_old = |at: Option<Instant>| at.is_none_or(|at| at.elapsed() >= OLD);
        let is_new = |key| !self.asked_about.contains(key);
        let is_about_due = is_old(self.about_at) || self.levels.keys().any(is_new);
        // A machine that came or went is a reason to ask about all of them.
        let named: BTreeSet<_> = self
            .levels
            .keys()
            .filter_map(|key| key.node.clone())
            .collect();
        let are_nodes_due = is_old(self.nodes_at) || named != self.named;
        if is_about_due {
            let keys = self.levels.keys();
            let queries = promql::series_of_maps(&info_pattern(), &self.options.node_label, keys);
            // Of the same time: maps that went in between would be without it when they come again.
            self.about = self.gather(&queries)?;
            self.asked_about = self.levels.keys().cloned().collect();
            self.about_at = Some(Instant::now());
        }
        if are_nodes_due {
            self.nodes()?;
            self.nodes_at = Some(Instant::now());
            self.named = named;
        }
        if !self.said_nameless && are_nodes_due {
            let (nameless, _) = self.number(&promql::count_nameless())?;
            if nameless > 0 {
                self.said_nameless = true;
                self.notices.push(format!(
                    "{nameless} series are of exporters with --label-by name: those maps have no id and are not shown"
                ));
            }
        }
        Ok((is_about_due || are_nodes_due).then(|| self.snapshot()))
    }

    /// Says once that the rest cannot be had.
    pub fn tell_rest(&mut self, error: &anyhow::Error) {
        let text = format!("owners, memory or nodes are not known: {error:#}");
        if self.said_rest.as_ref() != Some(&text) {
            self.notices.push(text.clone());
            self.said_rest = Some(text);
        }
    }

    fn nodes(&mut self) -> Result<()> {
        let label = &self.options.node_label;
        let ask = |query: String| self.client.ask("query", &[("query", &query)]);
        let [up, lately, down, often] = targets::queries(label).map(ask);
        let (up, lately, down, often) = (up?, lately?, down?, often?);
        let up = samples(up.status, &up.body)?;
        let lately = samples(lately.status, &lately.body)?;
        let down = samples(down.status, &down.body)?;
        let often = samples(often.status, &often.body)?;
        let now = self.clock.now().wall;
        let (nodes, intervals) = targets::nodes(label, [&up, &lately, &down, &often], now);
        self.fleet.nodes = Some(nodes);
        self.intervals = intervals;
        Ok(())
    }

    fn gather(&self, queries: &[String]) -> Result<MapSeries> {
        let mut gathered = MapSeries::default();
        for query in queries {
            let answered = self.ask(query)?;
            for sample in samples(answered.status, &answered.body)? {
                gathered.add(&sample, &self.options.node_label);
            }
        }
        Ok(gathered)
    }

    /// Asks what is so now, or was at the time of the round.
    fn ask(&self, query: &str) -> Result<HttpResponse> {
        let mut form = vec![("query", query)];
        form.extend(self.time.as_deref().map(|time| ("time", time)));
        self.client.ask("query", &form)
    }

    /// The one number that is the answer, 0 where there are no series, and its time, where there are.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float becomes the nearest number there is"
    )]
    fn number(&self, query: &str) -> Result<(u64, Option<f64>)> {
        let answered = self.ask(query)?;
        let samples = samples(answered.status, &answered.body)?;
        let Some(sample) = samples.first() else {
            return Ok((0, None));
        };
        let number = sample.point.value.context("the server counts no number")?;
        let time = Some(sample.point.at).filter(|at| at.is_finite());
        Ok((number as u64, time))
    }

    fn snapshot(&mut self) -> Snapshot {
        let moment = self.clock.now();
        let maps = self.levels.facts(&self.about, &self.collected);
        // Of all maps there are as many as were found.
        self.fleet.maps = self.count.unwrap_or(maps.len() as u64);
        let is_watched = maps.iter().any(|map| map.loss.is_some());
        let since = is_watched.then(|| *self.watched_since.get_or_insert(moment.uptime));
        Snapshot {
            moment,
            cpus: 0,
            maps,
            owners: None,
            watching: since.map_or(LossTracing::Off, |since| LossTracing::On {
                since,
                sees_updates: true,
                note: None,
                // A map that is gone took its series with it.
                gone: 0,
            }),
            fleet: Some(Arc::new(self.fleet.clone())),
        }
    }
}

/// Asks what these maps held.
///
/// # Errors
///
/// As [`Poller::poll_levels`].
pub fn past(
    client: &Client,
    options: &Options,
    clock: &Clock,
    keys: &[MapKey],
) -> Result<Vec<Backfill>> {
    let label = &options.node_label;
    let mut pasts = BTreeMap::new();
    // What the server says it is now: its clock may be another.
    let answered = client.ask("query", &[("query", "time()")])?;
    let server = server_time(&answered.body).context("the server has no time")?;
    let now = clock.now().uptime;
    let mut newest = f64::INFINITY;
    for (reach, step) in BACKFILL_RANGES {
        let step = step.as_secs_f64();
        let end = (server.min(newest) / step).floor() * step;
        let start = end - reach.as_secs_f64();
        for query in promql::series_of_maps(metrics::MAP_USED, label, keys) {
            let [start, end, step] = [start, end, step].map(|number| number.to_string());
            let form = [
                ("query", &*query),
                ("start", &start),
                ("end", &end),
                ("step", &step),
            ];
            let answered = client.ask("query_range", &form)?;
            let runs = runs(answered.status, &answered.body)?;
            add_earlier(&mut pasts, runs, label, |point| held(point, server, now));
        }
        newest = start - 1.0;
    }
    let earlier = |(key, (_, points))| Backfill { key, points };
    Ok(pasts.into_iter().map(earlier).collect())
}

/// When, and what.
type Points = Vec<(Duration, Option<u64>)>;

/// Adds what maps held before what is there already. Of several that had the same id, the one counts that
/// was there last: it is the one that is there now.
fn add_earlier(
    pasts: &mut BTreeMap<MapKey, (TargetId, Points)>,
    mut runs: Vec<Run<'_>>,
    node_label: &str,
    point: impl Fn(&Point) -> Option<(Duration, Option<u64>)>,
) {
    let mut names = NameInterner::default();
    let last = |run: &Run<'_>| {
        run.points
            .last()
            .map_or(f64::NEG_INFINITY, |point| point.at)
    };
    runs.sort_by(|a, b| {
        let by_teller = || TargetId::of(&a.labels).cmp(&TargetId::of(&b.labels));
        last(b).total_cmp(&last(a)).then_with(by_teller)
    });
    let mut taken = BTreeSet::new();
    for run in runs {
        let Some(key) = key(&run.labels, node_label, &mut names) else {
            continue;
        };
        let teller = TargetId::of(&run.labels);
        let (of, points) = pasts
            .entry(key.clone())
            .or_insert_with(|| (teller, Vec::new()));
        if *of == teller && taken.insert(key) {
            points.splice(0..0, run.points.iter().filter_map(&point));
        }
    }
}

/// What a series held at a time, by our clock when it is `now`, and by the server's when it is
/// `server`.
pub(super) fn held(point: &Point, server: f64, now: Duration) -> Option<(Duration, Option<u64>)> {
    let age = Duration::try_from_secs_f64(server - point.at).ok()?;
    Some((now.checked_sub(age)?, super::series::as_count(point.value)))
}

/// When it was asked what time it is, as an answer without labels says.
pub(super) fn server_time(body: &[u8]) -> Option<f64> {
    #[derive(serde::Deserialize)]
    struct Answer {
        data: Data,
    }
    #[derive(serde::Deserialize)]
    struct Data {
        result: super::response::Point,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    answer.data.result.value.filter(|at| at.is_finite())
}
