//! One polling round: first a snapshot of what changes, then one that includes what rarely does.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::client::{Client, HttpResponse};
use super::promql::{self, MapScope};
use super::response::{Point, SeriesPoints, samples, series_points};
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

/// Age after which info metrics and targets are polled again.
const INFO_MAX_AGE: Duration = Duration::from_secs(60);

/// The ranges of a backfill and their resolutions: the recent past is finer.
const BACKFILL_RANGES: [(Duration, Duration); 2] = [
    (Duration::from_secs(10 * 60), Duration::from_secs(15)),
    (Duration::from_secs(2 * 3600), Duration::from_secs(60)),
];

/// Polls a server.
#[derive(Debug)]
pub struct Poller {
    client: Client,
    options: Options,
    clock: Clock,
    levels: MapSeries,
    scraped_at: ScrapeTimes,
    /// The server time of the current round, at which all its queries are evaluated.
    time: Option<String>,
    info: MapSeries,
    /// The maps that `info` was queried for.
    info_keys: BTreeSet<MapKey>,
    info_at: Option<Instant>,
    nodes_at: Option<Instant>,
    fleet: Fleet,
    intervals: targets::Intervals,
    /// The number of maps in all; `None` if all were queried.
    count: Option<u64>,
    /// The nodes that had maps when targets were last polled.
    polled_nodes: BTreeSet<Arc<str>>,
    traced_since: Option<Duration>,
    /// Messages for the user.
    pub notices: Vec<String>,
    warned_nameless: bool,
    warned_mixed: bool,
    last_info_warning: Option<String>,
}

impl Poller {
    pub fn new(client: Client, options: Options, clock: Clock) -> Self {
        Self {
            client,
            options,
            clock,
            levels: MapSeries::default(),
            info: MapSeries::default(),
            info_keys: BTreeSet::new(),
            scraped_at: ScrapeTimes::default(),
            time: None,
            info_at: None,
            nodes_at: None,
            fleet: Fleet::default(),
            intervals: targets::Intervals::new(),
            count: None,
            polled_nodes: BTreeSet::new(),
            traced_since: None,
            notices: Vec::new(),
            warned_nameless: false,
            warned_mixed: false,
            last_info_warning: None,
        }
    }

    /// Polls the metrics that change, of the requested maps.
    ///
    /// # Errors
    ///
    /// When the server does not respond, or not with samples.
    pub(crate) fn poll_levels(&mut self, query: &SourceQuery) -> Result<Snapshot> {
        self.time = None;
        let (series, time) = self.query_number(&promql::count_series())?;
        self.time = time.map(|time| time.to_string());
        let label = &self.options.node_label;
        let scope = MapScope::new(&query.predicates, label);
        let top = u64::try_from(self.options.top).unwrap_or(u64::MAX);
        let is_part = series > top || (self.options.is_fixed && scope.is_narrow());
        // Before the levels, so that numbers may be newer than they are thought to be,
        // but never older.
        let mut collected = ScrapeTimes::default();
        let response = self.query(&promql::last_scrapes(label))?;
        for sample in samples(response.status, &response.body)? {
            collected.add(&sample, label);
        }
        let queries = if is_part {
            let top_n = scope.top_n_query(query, self.options.top);
            let mut names = NameInterner::default();
            let response = self.query(&top_n)?;
            let found = samples(response.status, &response.body)?;
            let keys: Vec<_> = found
                .iter()
                .filter_map(|sample| key(&sample.labels, label, &mut names))
                .collect();
            promql::series_of_maps(&level_pattern(), label, &keys)
        } else {
            vec![promql::all_maps(&level_pattern())]
        };
        let mut levels = self.query_series(&queries)?;
        let maps = is_part.then(|| self.query_number(&promql::count_maps(label)));
        let maps = maps.transpose()?.map(|(maps, _)| maps);
        std::mem::swap(&mut self.levels, &mut levels);
        self.scraped_at = collected;
        if let (Some(nodes), Some(time)) = (&mut self.fleet.nodes, time) {
            let (intervals, now) = (&self.intervals, self.clock.now().wall);
            targets::refresh_last_seen(nodes, intervals, &self.scraped_at, time, now);
        }
        self.count = maps;
        if self.levels.is_mixed() && !self.warned_mixed {
            self.warned_mixed = true;
            self.notices.push(format!(
                "several targets have the same {label}: of maps of the same id only one is shown; --node-label names another label",
                label = self.options.node_label
            ));
        }
        Ok(self.snapshot())
    }

    /// Polls what rarely changes, if it is due, and then returns a snapshot with it.
    ///
    /// # Errors
    ///
    /// As [`Self::poll_levels`]; earlier results are kept.
    pub(crate) fn poll_info(&mut self) -> Result<Option<Snapshot>> {
        let is_old = |at: Option<Instant>| at.is_none_or(|at| at.elapsed() >= INFO_MAX_AGE);
        let is_new = |key| !self.info_keys.contains(key);
        let is_about_due = is_old(self.info_at) || self.levels.keys().any(is_new);
        // Targets are polled again when the set of nodes changes.
        let named: BTreeSet<_> = self
            .levels
            .keys()
            .filter_map(|key| key.node.clone())
            .collect();
        let are_nodes_due = is_old(self.nodes_at) || named != self.polled_nodes;
        if is_about_due {
            let keys = self.levels.keys();
            let queries = promql::series_of_maps(&info_pattern(), &self.options.node_label, keys);
            // At the same server time: maps deleted in between would otherwise lack info when
            // they reappear.
            self.info = self.query_series(&queries)?;
            self.info_keys = self.levels.keys().cloned().collect();
            self.info_at = Some(Instant::now());
        }
        if are_nodes_due {
            self.poll_nodes()?;
            self.nodes_at = Some(Instant::now());
            self.polled_nodes = named;
        }
        if !self.warned_nameless && are_nodes_due {
            let (nameless, _) = self.query_number(&promql::count_nameless())?;
            if nameless > 0 {
                self.warned_nameless = true;
                self.notices.push(format!(
                    "{nameless} series are of exporters with --label-by name: those maps have no id and are not shown"
                ));
            }
        }
        Ok((is_about_due || are_nodes_due).then(|| self.snapshot()))
    }

    /// Adds a notice that info is missing, unless the last one was the same.
    pub(crate) fn warn_info_missing(&mut self, error: &anyhow::Error) {
        let text = format!("owners, memory or nodes are not known: {error:#}");
        if self.last_info_warning.as_ref() != Some(&text) {
            self.notices.push(text.clone());
            self.last_info_warning = Some(text);
        }
    }

    fn poll_nodes(&mut self) -> Result<()> {
        let label = &self.options.node_label;
        let ask = |query: String| self.client.post("query", &[("query", &query)]);
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

    fn query_series(&self, queries: &[String]) -> Result<MapSeries> {
        let mut gathered = MapSeries::default();
        for query in queries {
            let response = self.query(query)?;
            for sample in samples(response.status, &response.body)? {
                gathered.add(&sample, &self.options.node_label);
            }
        }
        Ok(gathered)
    }

    /// Sends an instant query, at the time of the round if it is set.
    fn query(&self, query: &str) -> Result<HttpResponse> {
        let mut form = vec![("query", query)];
        form.extend(self.time.as_deref().map(|time| ("time", time)));
        self.client.post("query", &form)
    }

    /// The value and time of a query for one number; 0 if it finds no series.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float becomes the nearest number there is"
    )]
    fn query_number(&self, query: &str) -> Result<(u64, Option<f64>)> {
        let response = self.query(query)?;
        let samples = samples(response.status, &response.body)?;
        let Some(sample) = samples.first() else {
            return Ok((0, None));
        };
        let number = sample.point.value.context("the server counts no number")?;
        let time = Some(sample.point.at).filter(|at| at.is_finite());
        Ok((number as u64, time))
    }

    fn snapshot(&mut self) -> Snapshot {
        let moment = self.clock.now();
        let maps = self.levels.facts(&self.info, &self.scraped_at);
        // If all maps were queried, the number found is the total.
        self.fleet.map_count = self.count.unwrap_or(maps.len() as u64);
        let is_traced = maps.iter().any(|map| map.loss.is_some());
        let since = is_traced.then(|| *self.traced_since.get_or_insert(moment.uptime));
        Snapshot {
            moment,
            cpus: 0,
            maps,
            owners: None,
            loss_tracing: since.map_or(LossTracing::Off, |since| LossTracing::On {
                since,
                sees_updates: true,
                note: None,
                // The series of a deleted map are gone with it.
                deleted_map_losses: 0,
            }),
            fleet: Some(Arc::new(self.fleet.clone())),
        }
    }
}

/// Fetches past values of `used` for these maps.
///
/// # Errors
///
/// As [`Poller::poll_levels`].
pub(crate) fn fetch_backfill(
    client: &Client,
    options: &Options,
    clock: &Clock,
    keys: &[MapKey],
) -> Result<Vec<Backfill>> {
    let label = &options.node_label;
    let mut backfills = BTreeMap::new();
    // The server's clock may differ from ours.
    let response = client.post("query", &[("query", "time()")])?;
    let server = server_time(&response.body).context("the server has no time")?;
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
            let response = client.post("query_range", &form)?;
            let runs = series_points(response.status, &response.body)?;
            prepend_points(&mut backfills, runs, label, |point| {
                point_of_map(point, server, now)
            });
        }
        newest = start - 1.0;
    }
    let earlier = |(key, (_, points))| Backfill { key, points };
    Ok(backfills.into_iter().map(earlier).collect())
}

/// Times and values.
type Points = Vec<(Duration, Option<u64>)>;

/// Prepends older points. If several maps had the same id, only the latest counts, which is the
/// current one.
fn prepend_points(
    backfills: &mut BTreeMap<MapKey, (TargetId, Points)>,
    mut runs: Vec<SeriesPoints<'_>>,
    node_label: &str,
    point: impl Fn(&Point) -> Option<(Duration, Option<u64>)>,
) {
    let mut names = NameInterner::default();
    let last = |run: &SeriesPoints<'_>| {
        run.points
            .last()
            .map_or(f64::NEG_INFINITY, |point| point.at)
    };
    runs.sort_by(|a, b| {
        let by_target = || TargetId::from_labels(&a.labels).cmp(&TargetId::from_labels(&b.labels));
        last(b).total_cmp(&last(a)).then_with(by_target)
    });
    let mut taken = BTreeSet::new();
    for run in runs {
        let Some(key) = key(&run.labels, node_label, &mut names) else {
            continue;
        };
        let target = TargetId::from_labels(&run.labels);
        let (latest, points) = backfills
            .entry(key.clone())
            .or_insert_with(|| (target, Vec::new()));
        if *latest == target && taken.insert(key) {
            points.splice(0..0, run.points.iter().filter_map(&point));
        }
    }
}

/// Converts a point from the server's clock, now at `server`, to ours, now at `now`.
pub(super) fn point_of_map(
    point: &Point,
    server: f64,
    now: Duration,
) -> Option<(Duration, Option<u64>)> {
    let age = Duration::try_from_secs_f64(server - point.at).ok()?;
    Some((now.checked_sub(age)?, super::series::as_count(point.value)))
}

/// The server time in a response to the query `time()`.
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
