//! Which machines are heard of, and when those that are not were last.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::answer::Sample;
use super::gather::{Names, node};
use super::promql::{Scope, target};
use crate::model::fleet::Node;

/// How long a machine is remembered that is not heard of any more.
const MEMORY: &str = "2h";

/// When each machine was last heard of, by the server's clock. To be given to [`nodes`] as they are
/// asked for here: those that are up, all that were lately, and those that the server cannot reach.
#[must_use]
pub fn queries(node_label: &str) -> [String; 3] {
    let by = target(node_label);
    let of_exporters = format!("max by (job) (max_over_time(mapstop_build_info[{MEMORY}]))");
    [
        Scope::collected(node_label),
        format!("max by ({by}) (max_over_time(timestamp(mapstop_build_info)[{MEMORY}:15s]))"),
        format!("max by ({by}) (up == 0 and on (job) {of_exporters})"),
    ]
}

/// The machines, from the answers to [`queries`].
#[must_use]
pub fn nodes(node_label: &str, answers: [&[Sample<'_>]; 3], now: Timestamp) -> Vec<Node> {
    let mut names = Names::default();
    let mut nodes: BTreeMap<Arc<str>, (bool, Option<Timestamp>)> = BTreeMap::new();
    let [up, lately, down] = answers;
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
            let entry = nodes.entry(names.name(name)).or_default();
            entry.0 |= is_up;
            let age = sample.point.value.map(|last| sample.point.at - last);
            let last = age.filter(|_| has_time).and_then(|age| ago(now, age));
            entry.1 = entry.1.max(last);
        }
    }
    let node = |(name, (is_up, last))| Node { name, is_up, last };
    nodes.into_iter().map(node).collect()
}

/// So many seconds before now, if that is sensible.
fn ago(now: Timestamp, seconds: f64) -> Option<Timestamp> {
    let age = SignedDuration::try_from_secs_f64(seconds.max(0.0)).ok()?;
    now.checked_sub(age).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::answer::samples;
    use crate::fleet::gather::INSTANCE;
    use crate::fleet::testing::answer;

    #[test]
    fn a_machine_that_is_not_heard_of_any_more_has_the_age_of_its_last_numbers() {
        // Answers are of 1732745000.25.
        let up = answer(&[r#"{instance="a"} 1732744999.25"#]);
        let lately = answer(&[
            r#"{instance="a"} 1732744999.25"#,
            r#"{instance="b"} 1732744760.25"#,
            r#"{instance="odd"} NaN"#,
        ]);
        let down = answer(&[r#"{instance="b"} 0"#, r#"{instance="never"} 0"#]);
        let answers =
            [&up, &lately, &down].map(|body| samples(200, body.as_bytes()).expect("samples"));
        let now: Timestamp = "2026-11-27T22:00:00Z".parse().expect("a time");
        let nodes = nodes(INSTANCE, [&answers[0], &answers[1], &answers[2]], now);
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
