//! One round of questions: answers become a snapshot, first with what changes, then with the rest.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::answer::{Run, runs, samples};
use super::client::Client;
use super::gather::{ABOUT, Gathered, LEVELS, Names, key};
use super::nodes;
use super::promql::Scope;
use super::{Clock, Options};
use crate::model::fleet::Fleet;
use crate::model::loss::Watching;
use crate::model::snapshot::{MapKey, Snapshot};
use crate::model::wish::{Earlier, Wish};

/// What hardly ever changes is asked for again after so long.
const OLD: Duration = Duration::from_mins(1);

/// How far back the past of a map is asked for, and in which steps: the near past finely.
const PASTS: [(Duration, Duration); 2] = [
    (Duration::from_mins(10), Duration::from_secs(15)),
    (Duration::from_hours(2), Duration::from_mins(1)),
];

/// Asks a server, and remembers what it said.
#[derive(Debug)]
pub struct Reader {
    client: Client,
    options: Options,
    clock: Clock,
    levels: Gathered,
    about: Gathered,
    about_at: Option<Instant>,
    nodes_at: Option<Instant>,
    fleet: Fleet,
    /// The machines that there were maps of when it was last asked about machines.
    named: BTreeSet<Arc<str>>,
    watched_since: Option<Duration>,
    /// What the user should know, if it was not said yet.
    pub notices: Vec<String>,
    said_nameless: bool,
    said_mixed: bool,
    said_rest: Option<String>,
}

impl Reader {
    pub fn new(client: Client, options: Options, clock: Clock) -> Self {
        Self {
            client,
            options,
            clock,
            levels: Gathered::default(),
            about: Gathered::default(),
            about_at: None,
            nodes_at: None,
            fleet: Fleet::default(),
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
    pub fn levels(&mut self, wish: &Wish) -> Result<Snapshot> {
        self.fleet.maps = self.number(Scope::count())?;
        let label = &self.options.node_label;
        let scope = Scope::of(&wish.tests, label);
        let top = u64::try_from(self.options.top).unwrap_or(u64::MAX);
        let is_part = self.fleet.maps > top || (self.options.is_fixed && scope.is_narrow());
        let queries = if is_part {
            let first = scope.first(wish, self.options.top);
            let mut names = Names::default();
            let answered = self.client.ask("query", &[("query", &first)])?;
            let found = samples(answered.status, &answered.body)?;
            let keys: Vec<_> = found
                .iter()
                .filter_map(|sample| key(&sample.labels, label, &mut names))
                .collect();
            Scope::of_maps(LEVELS, label, &keys)
        } else {
            vec![Scope::all(LEVELS)]
        };
        let mut levels = self.gather(&queries)?;
        std::mem::swap(&mut self.levels, &mut levels);
        if self.levels.is_mixed() && !self.said_mixed {
            self.said_mixed = true;
            self.notices.push(format!(
                "several targets have the same {label}: their maps are mixed up; --node-label names another label",
                label = self.options.node_label
            ));
        }
        Ok(self.snapshot())
    }

    /// Asks what hardly ever changes, if it is time; gives a snapshot with it if it was.
    ///
    /// # Errors
    ///
    /// As [`Self::levels`]; what was known stays.
    pub fn rest(&mut self) -> Result<Option<Snapshot>> {
        let is_old = |at: Option<Instant>| at.is_none_or(|at| at.elapsed() >= OLD);
        let is_about_due = is_old(self.about_at) || !self.about.has_all_of(&self.levels);
        // A machine that came or went is a reason to ask about all of them.
        let named: BTreeSet<_> = self
            .levels
            .keys()
            .filter_map(|key| key.node.clone())
            .collect();
        let are_nodes_due = is_old(self.nodes_at) || named != self.named;
        if is_about_due {
            let keys = self.levels.keys();
            let queries = Scope::of_maps(ABOUT, &self.options.node_label, keys);
            self.about = self.gather(&queries)?;
            self.about_at = Some(Instant::now());
        }
        if are_nodes_due {
            self.nodes()?;
            self.nodes_at = Some(Instant::now());
            self.named = named;
        }
        if !self.said_nameless && are_nodes_due {
            let nameless = self.number(Scope::count_nameless())?;
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
        let [up, lately, down] = nodes::queries(label).map(ask);
        let (up, lately, down) = (up?, lately?, down?);
        let up = samples(up.status, &up.body)?;
        let lately = samples(lately.status, &lately.body)?;
        let down = samples(down.status, &down.body)?;
        let now = self.clock.now().wall;
        self.fleet.nodes = Some(nodes::nodes(label, [&up, &lately, &down], now));
        Ok(())
    }

    fn gather(&self, queries: &[String]) -> Result<Gathered> {
        let mut gathered = Gathered::default();
        for query in queries {
            let answered = self.client.ask("query", &[("query", query)])?;
            for sample in samples(answered.status, &answered.body)? {
                gathered.add(&sample, &self.options.node_label);
            }
        }
        Ok(gathered)
    }

    /// The one number that is the answer; 0 where there are no series.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float becomes the nearest number there is"
    )]
    fn number(&self, query: &str) -> Result<u64> {
        let answered = self.client.ask("query", &[("query", query)])?;
        let samples = samples(answered.status, &answered.body)?;
        let Some(sample) = samples.first() else {
            return Ok(0);
        };
        let number = sample.point.value.context("the server counts no number")?;
        Ok(number as u64)
    }

    fn snapshot(&mut self) -> Snapshot {
        let moment = self.clock.now();
        let maps = self.levels.facts(&self.about);
        let is_watched = maps.iter().any(|map| map.loss.is_some());
        let since = is_watched.then(|| *self.watched_since.get_or_insert(moment.uptime));
        Snapshot {
            moment,
            cpus: 0,
            maps,
            owners: None,
            watching: since.map_or(Watching::Off, |since| Watching::On {
                since,
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
/// As [`Reader::levels`].
pub fn past(
    client: &Client,
    options: &Options,
    clock: &Clock,
    keys: &[MapKey],
) -> Result<Vec<Earlier>> {
    let label = &options.node_label;
    let mut pasts: Vec<Earlier> = Vec::new();
    let mut names = Names::default();
    // What the server says it is now: its clock may be another.
    let answered = client.ask("query", &[("query", "time()")])?;
    let server = server_time(&answered.body).context("the server has no time")?;
    let now = clock.now().uptime;
    let mut newest = f64::INFINITY;
    for (reach, step) in PASTS {
        let step = step.as_secs_f64();
        let end = (server.min(newest) / step).floor() * step;
        let start = end - reach.as_secs_f64();
        for query in Scope::of_maps("bpf_map_used", label, keys) {
            let [start, end, step] = [start, end, step].map(|number| number.to_string());
            let form = [
                ("query", &*query),
                ("start", &start),
                ("end", &end),
                ("step", &step),
            ];
            let answered = client.ask("query_range", &form)?;
            for run in runs(answered.status, &answered.body)? {
                let Some(key) = self::key(&run.labels, label, &mut names) else {
                    continue;
                };
                let points = points(&run, server, now);
                match pasts.iter_mut().find(|past| past.key == key) {
                    Some(past) => past.points = [points, std::mem::take(&mut past.points)].concat(),
                    None => pasts.push(Earlier { key, points }),
                }
            }
        }
        newest = start - 1.0;
    }
    Ok(pasts)
}

/// What a series held, by our clock when it is `now`, and by the server's when it is `server`.
pub(super) fn points(run: &Run<'_>, server: f64, now: Duration) -> Vec<(Duration, Option<u64>)> {
    let points = run.points.iter().filter_map(|point| {
        let age = Duration::try_from_secs_f64(server - point.at).ok()?;
        Some((now.checked_sub(age)?, super::gather::whole(point.value)))
    });
    points.collect()
}

/// When it was asked what time it is, as an answer without labels says.
pub(super) fn server_time(body: &[u8]) -> Option<f64> {
    #[derive(serde::Deserialize)]
    struct Answer {
        data: Data,
    }
    #[derive(serde::Deserialize)]
    struct Data {
        result: super::answer::Point,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    answer.data.result.value.filter(|at| at.is_finite())
}
