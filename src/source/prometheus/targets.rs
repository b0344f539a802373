//! Which nodes are up, and when the others were last scraped.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::promql::{Selector, last_scrapes, target};
use super::response::Sample;
use super::series::{JOB, NameInterner, ScrapeTimes, node};
use crate::source::metrics;
use crate::types::fleet::Node;

/// How long a node that is down is listed.
const REMEMBERED_FOR: &str = "2h";

/// A node is down after this many of its scrape intervals without a scrape.
const STALE_INTERVALS: u32 = 3;
/// A node of unknown interval is down after this time. Prometheus itself returns the last
/// sample for five minutes.
const STALE_AFTER: Duration = Duration::from_secs(60);

/// The usual scrape intervals of nodes.
pub type Intervals = BTreeMap<Arc<str>, Duration>;

/// The queries whose results [`nodes`] takes, in this order: the last scrape of targets that
/// have samples, the same of all targets of late, targets that cannot be reached, and scrape
/// intervals.
#[must_use]
pub(crate) fn queries(node_label: &str) -> [String; 4] {
    let by = target(node_label);
    let build_info = Selector::metric(metrics::BUILD_INFO);
    let lately = build_info.clone().over(REMEMBERED_FOR);
    let times = format!("timestamp({build_info})[10m:15s]");
    let span = format!("max_over_time({times}) - min_over_time({times})");
    let of_exporters = format!("max by ({JOB}) (max_over_time({lately}))");
    [
        last_scrapes(node_label),
        format!("max by ({by}) (max_over_time(timestamp({build_info})[{REMEMBERED_FOR}:15s]))"),
        format!("max by ({by}) (up == 0 and on ({JOB}) {of_exporters})"),
        format!("max by ({by}) (({span}) / changes({times}))"),
    ]
}

/// The nodes and their scrape intervals, from the results of [`queries`].
#[must_use]
pub fn nodes(
    node_label: &str,
    answers: [&[Sample<'_>]; 4],
    now: Timestamp,
) -> (Vec<Node>, Intervals) {
    let mut names = NameInterner::default();
    let [up, lately, down, often] = answers;
    let mut intervals = Intervals::new();
    for sample in often {
        let interval = sample.point.value.map(Duration::try_from_secs_f64);
        if let (Some(name), Some(Ok(interval))) = (node(&sample.labels, node_label), interval) {
            let known = intervals.entry(names.intern(name)).or_default();
            *known = interval.max(*known);
        }
    }
    let mut nodes: BTreeMap<Arc<str>, (bool, Option<Timestamp>)> = BTreeMap::new();
    for (samples, is_up, has_time) in [
        (up, true, true),
        (lately, false, true),
        (down, false, false),
    ] {
        for sample in samples {
            let labels = &sample.labels;
            let Some(name) = node(labels, node_label) else {
                continue;
            };
            let name = names.intern(name);
            let interval = intervals.get(&name).copied();
            let entry = nodes.entry(name).or_default();
            let age = sample.point.value.map(|last| sample.point.at - last);
            entry.0 |= is_up && age.is_some_and(|age| is_fresh(age, interval));
            let last = age.filter(|_| has_time).and_then(|age| ago(now, age));
            entry.1 = entry.1.max(last);
        }
    }
    let node = |(name, (is_up, last))| Node {
        name,
        is_up,
        last_scraped_at: last,
    };
    (nodes.into_iter().map(node).collect(), intervals)
}

/// Updates the state of nodes that still have samples. `server_time` is in seconds since the
/// epoch.
pub(crate) fn refresh_last_seen(
    nodes: &mut [Node],
    intervals: &Intervals,
    collected: &ScrapeTimes,
    server_time: f64,
    now: Timestamp,
) {
    for node in nodes {
        if let Some(last) = collected.latest_of_node(&node.name) {
            let age = server_time - last.as_secs_f64();
            node.is_up = is_fresh(age, intervals.get(&node.name).copied());
            node.last_scraped_at = ago(now, age);
        }
    }
}

/// Whether a node with samples of this age in seconds is up.
fn is_fresh(age: f64, interval: Option<Duration>) -> bool {
    age <= interval
        .map_or(STALE_AFTER, |interval| interval * STALE_INTERVALS)
        .as_secs_f64()
}

/// The time `seconds` before `now`, if it can be represented.
fn ago(now: Timestamp, seconds: f64) -> Option<Timestamp> {
    let age = SignedDuration::try_from_secs_f64(seconds.max(0.0)).ok()?;
    now.checked_sub(age).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::prometheus::response::samples;
    use crate::source::prometheus::series::INSTANCE;
    use crate::source::prometheus::test_server::answer;

    fn now() -> Timestamp {
        "2026-11-27T22:00:00Z".parse().expect("a time")
    }

    fn told(bodies: [&str; 4]) -> (Vec<Node>, Intervals) {
        let [up, lately, down, often] =
            bodies.map(|body| samples(200, body.as_bytes()).expect("samples"));
        nodes(INSTANCE, [&up, &lately, &down, &often], now())
    }

    /// The names of the nodes that are up.
    fn up(nodes: &[Node]) -> Vec<(&str, bool)> {
        nodes.iter().map(|node| (&*node.name, node.is_up)).collect()
    }

    #[test]
    fn numbers_of_three_intervals_ago_are_of_a_machine_that_is_not_heard_of() {
        // The responses are from 1732745000.25.
        let last = answer(&[
            r#"{instance="fast"} 1732744954.25"#,
            r#"{instance="slow"} 1732744820.25"#,
            r#"{instance="new"} 1732744940.5"#,
            r#"{instance="odd"} 1732744939.25"#,
        ]);
        let often = answer(&[
            r#"{instance="fast"} 15"#,
            r#"{instance="slow"} 60"#,
            r#"{instance="odd"} NaN"#,
        ]);
        let (mut nodes, intervals) = told([&last, &last, &answer(&[]), &often]);
        // The scrape interval of a new node is unknown.
        let seen = [
            ("fast", false),
            ("new", true),
            ("odd", false),
            ("slow", true),
        ];
        assert_eq!(up(&nodes), seen);
        let mut collected = ScrapeTimes::default();
        for sample in samples(200, last.as_bytes()).expect("samples") {
            collected.add(&sample, INSTANCE);
        }
        refresh_last_seen(&mut nodes, &intervals, &collected, 1_732_745_001.25, now());
        let seen = [
            ("fast", false),
            ("new", false),
            ("odd", false),
            ("slow", false),
        ];
        assert_eq!(up(&nodes), seen);
        // By the clock of this machine.
        let age = nodes[0].age(now()).map(|age| age.as_secs());
        assert_eq!(age, Some(47));
        refresh_last_seen(&mut nodes, &intervals, &collected, 1_732_744_960.0, now());
        assert!(up(&nodes).iter().all(|(_, is_up)| *is_up));
    }

    #[test]
    fn a_machine_that_is_not_heard_of_any_more_has_the_age_of_its_last_numbers() {
        // The responses are from 1732745000.25.
        let up = answer(&[r#"{instance="a"} 1732744999.25"#]);
        let lately = answer(&[
            r#"{instance="a"} 1732744999.25"#,
            r#"{instance="b"} 1732744760.25"#,
            r#"{instance="odd"} NaN"#,
        ]);
        let down = answer(&[r#"{instance="b"} 0"#, r#"{instance="never"} 0"#]);
        let nodes = told([&up, &lately, &down, &answer(&[])]).0;
        let now = now();
        let seen: Vec<_> = nodes
            .iter()
            .map(|node| {
                (
                    &*node.name,
                    node.is_up,
                    node.age(now).map(|age| age.as_secs()),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("a", true, Some(1)),
                ("b", false, Some(240)),
                ("never", false, None),
                ("odd", false, None)
            ]
        );
    }

    #[test]
    fn a_label_of_ones_own_is_asked_for() {
        for query in queries("machine") {
            assert!(query.starts_with("max by (machine,instance) ("), "{query}");
        }
    }
}
