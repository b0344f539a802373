//! Queries, narrowed to the requested maps so that the server sends no more than needed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use super::selector::{MatchOp, Matcher, Selector};
use crate::analysis::thresholds::{CRIT_TIME_TO_FULL_S, Thresholds, WARN_TIME_TO_FULL_S};
use crate::source::metrics;
use crate::source::metrics::label::{self, ERRNO, ID, UNIT};
use crate::source::prometheus::series::INSTANCE;
use crate::source::request::{Predicate, SourceQuery};
use crate::types::map_id::{MapId, MapKey};
use crate::types::map_type::{Kind, MapType};

/// Longest query in bytes. `VictoriaMetrics` has the lowest limit of all servers: 16 KiB
/// (`-search.maxQueryLen`).
pub(super) const MAX_LEN: usize = 12 << 10;

/// Fields that are metrics, and the factor from the metric's unit to the field's.
const NUMBERS: [(&str, &str, f64); 11] = [
    ("pressure", metrics::MAP_PRESSURE, 100.0),
    ("used", metrics::MAP_USED, 1.0),
    ("capacity", metrics::MAP_CAPACITY, 1.0),
    ("max", metrics::MAP_MAX_ENTRIES, 1.0),
    ("growth", metrics::MAP_GROWTH, 1.0),
    ("last", metrics::MAP_GROWTH, 1.0),
    ("eta", metrics::MAP_FULL_IN, 1.0),
    ("lifetime", metrics::MAP_ENTRY_LIFETIME, 1.0),
    ("mem", metrics::MAP_MEMORY, 1.0),
    ("progs", metrics::MAP_PROGRAMS, 1.0),
    ("holders", metrics::MAP_HOLDERS, 1.0),
];

/// A comparison of a metric with a number.
#[derive(Debug, Clone, PartialEq)]
struct Condition {
    metric: &'static str,
    operator: &'static str,
    number: f64,
}

/// The maps that a query is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MapScope<'a> {
    node_label: &'a str,
    matchers: Vec<Matcher<'a>>,
    conditions: Vec<Condition>,
}

impl<'a> MapScope<'a> {
    /// A scope with every map for which all predicates hold, and perhaps more: not every predicate
    /// can be expressed in `PromQL`.
    pub(crate) fn new(predicates: &'a [Predicate], node_label: &'a str) -> Self {
        let mut scope = Self {
            node_label,
            matchers: Vec::new(),
            conditions: Vec::new(),
        };
        for predicate in predicates {
            scope.narrow(predicate);
        }
        scope
    }

    fn narrow(&mut self, predicate: &'a Predicate) {
        let node_label = self.node_label;
        let label = |field: &'a str| match field {
            "node" => Some(node_label),
            label::NAME | label::TYPE | ID => Some(field),
            _ => None,
        };
        match predicate {
            Predicate::Contains("kind", name) | Predicate::Is("kind", name) => {
                let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
                // A type that this mapstop does not know may be of any kind, so that it cannot be
                // selected by its kind.
                if kind.is_some_and(|kind| kind != Kind::Uncounted) {
                    let types = MapType::all().filter(|map_type| Some(map_type.kind()) == kind);
                    let names: Vec<_> = types.map(|map_type| map_type.to_string()).collect();
                    self.push_matcher(label::TYPE, MatchOp::Regex, names.join("|"));
                }
            }
            Predicate::Contains(field, part) => {
                if let Some(label) = label(field) {
                    let pattern = format!("(?i).*{}.*", regex::escape(part));
                    self.push_matcher(label, MatchOp::Regex, pattern);
                }
            }
            Predicate::Is(field, text) => {
                if let Some(label) = label(field) {
                    let pattern = format!("(?i){}", regex::escape(text));
                    self.push_matcher(label, MatchOp::Regex, pattern);
                }
            }
            Predicate::Number(ID, "==", number) => {
                self.push_matcher(ID, MatchOp::Equal, number.to_string());
            }
            Predicate::Number(field, operator, number) => {
                if let Some((_, metric, factor)) = NUMBERS.iter().find(|(name, ..)| name == field) {
                    self.conditions.push(Condition {
                        metric,
                        operator,
                        number: number / factor,
                    });
                }
            }
        }
    }

    fn push_matcher(&mut self, label: &'a str, operator: MatchOp, value: String) {
        self.matchers.push(Matcher::new(label, operator, value));
    }

    /// Whether the scope leaves out any map.
    pub(crate) fn is_narrow(&self) -> bool {
        !self.matchers.is_empty() || !self.conditions.is_empty()
    }

    fn series(&self, metric: &'a str) -> Selector<'a> {
        of_any_map(metric).with_matchers(self.matchers.iter().cloned())
    }

    /// The first `limit` maps in the requested order. The values of the samples have no meaning
    /// other than that order.
    pub(crate) fn top_n_query(&self, query: &SourceQuery, limit: usize) -> String {
        let target = target(self.node_label);
        let rest = format!("({} * 0 - 1e18)", self.series(metrics::MAP_MAX_ENTRIES));
        let number = query.order.and_then(|order| {
            let (_, metric, _) = NUMBERS.iter().find(|(name, ..)| *name == order.field)?;
            Some((self.series(metric), order.is_descending))
        });
        let order = match number {
            // `bottomk` would put the maps without a number first.
            Some((series, false)) => format!("sum without ({UNIT}) (0 - {series}) or {rest}"),
            Some((series, true)) => format!("sum without ({UNIT}) ({series}) or {rest}"),
            None => self.attention_score(query.thresholds, &rest),
        };
        let mut order = format!("({order})");
        for Condition {
            metric,
            operator,
            number,
        } in &self.conditions
        {
            let series = self.series(metric);
            let _ = write!(
                order,
                " and on ({ID},{target}) ({series} {operator} {number})"
            );
        }
        // Several targets may export the same map.
        format!("topk({limit}, max by ({ID},{target}) ({order}))")
    }

    /// The order of `query::sort` by attention, as far as metrics allow: crit maps that refuse updates, that are
    /// full soon, and others, then warnings in the same order, then the rest by pressure. What an exporter
    /// without marks exports is judged by its numbers.
    fn attention_score(&self, thresholds: Thresholds, rest: &str) -> String {
        let failed = self.series(metrics::MAP_FAILED_UPDATES).over("5m");
        let full_in = self.series(metrics::MAP_FULL_IN);
        let mark = self.series(metrics::MAP_MARK);
        let pressure = self.series(metrics::MAP_PRESSURE);
        // A type that is not known here may be bounded.
        let is_calm_when_full = |map_type: &MapType| {
            let kind = map_type.kind();
            kind.has_pressure() && kind != Kind::Bounded
        };
        let calm = MapType::all().filter(is_calm_when_full);
        let calm: Vec<_> = calm.map(|map_type| map_type.to_string()).collect();
        let bounded = pressure
            .clone()
            .matching(label::TYPE, MatchOp::NotRegex, calm.join("|"));
        let (crit, warn) = (CRIT_TIME_TO_FULL_S, WARN_TIME_TO_FULL_S);
        let warn_pressure = thresholds.warn;
        // Times to full differ by less than a mark.
        let forever = "1e9";
        format!(
            "8 + 0 * (sum without ({ERRNO}) (rate({failed})) > 0 unless {mark} < 2) \
             or 3 * ({mark} > 0) + 1 - clamp_max({full_in}, {forever}) / {forever} \
             or 3 * {mark} - 1 + {pressure} / 2 \
             or 3 * {mark} - 1 \
             or 7 - ({full_in} <= {crit}) / {forever} \
             or 4 - ({full_in} <= {warn}) / {forever} \
             or 2 + ({bounded} >= {warn_pressure}) / 2 \
             or {pressure} / 2 - 1 or {rest}"
        )
    }
}

/// Series of maps that are identified: exporters with `--label-by name` write no ids.
fn of_any_map(metric: &str) -> Selector<'_> {
    Selector::metric(metric).matching(ID, MatchOp::NotEqual, "")
}

/// All series of the metrics that match a pattern, of all maps.
pub(crate) fn all_maps(pattern: &str) -> String {
    Selector::metrics(pattern)
        .matching(ID, MatchOp::NotEqual, "")
        .to_string()
}

/// The number of maps. A map that several targets export counts once for each.
pub(crate) fn count_series() -> String {
    format!("count({})", of_any_map(metrics::MAP_MAX_ENTRIES))
}

/// The number of maps.
pub(crate) fn count_maps(node_label: &str) -> String {
    let count = |by: &str, series: Selector| format!("count(count by ({by},{ID}) ({series}))");
    let all = of_any_map(metrics::MAP_MAX_ENTRIES);
    if node_label == INSTANCE {
        return count(INSTANCE, all);
    }
    let with = all.clone().matching(node_label, MatchOp::NotEqual, "");
    let with = count(node_label, with);
    // A target without the label is named by its instance.
    let without = count(INSTANCE, all.matching(node_label, MatchOp::Equal, ""));
    format!("({with} or vector(0)) + ({without} or vector(0))")
}

/// When each target was scraped last.
pub(crate) fn last_scrapes(node_label: &str) -> String {
    let build_info = Selector::metric(metrics::BUILD_INFO);
    format!("max by ({}) (timestamp({build_info}))", target(node_label))
}

/// The number of series of maps without an id, so that maps of one name cannot be distinguished.
pub(crate) fn count_nameless() -> String {
    let series = Selector::metric(metrics::MAP_MAX_ENTRIES);
    format!("count({})", series.matching(ID, MatchOp::Equal, ""))
}

/// Queries for the metrics of these maps that match a pattern: as many as [`MAX_LEN`]
/// requires.
pub(crate) fn series_of_maps<'k>(
    pattern: &str,
    node_label: &str,
    keys: impl IntoIterator<Item = &'k MapKey>,
) -> Vec<String> {
    let mut nodes: BTreeMap<&str, Vec<MapId>> = BTreeMap::new();
    for key in keys {
        let node = key.node.as_deref().unwrap_or_default();
        nodes.entry(node).or_default().push(key.id);
    }
    let mut selectors = Vec::new();
    for (node, ids) in nodes {
        let series = Selector::metrics(pattern);
        let mut of_node = vec![series.clone().matching(node_label, MatchOp::Equal, node)];
        if node_label != INSTANCE {
            // A target without the label is named by its instance.
            let unlabelled = series.matching(node_label, MatchOp::Equal, "");
            of_node.push(unlabelled.matching(INSTANCE, MatchOp::Equal, node));
        }
        for series in of_node {
            let len = series.to_string().len() + ",id=~\"\"".len();
            for ids in ids.chunks((MAX_LEN - len.min(MAX_LEN / 2)) / 12) {
                let ids: Vec<_> = ids.iter().map(|id| id.0.to_string()).collect();
                let series = series.clone();
                let series = series.matching(ID, MatchOp::Regex, ids.join("|"));
                selectors.push(series.to_string());
            }
        }
    }
    let mut queries = Vec::new();
    let mut rest = &selectors[..];
    while !rest.is_empty() {
        let mut bytes = 0;
        let fit = rest.iter().take_while(|selector| {
            // Each also needs ` or ` and parentheses.
            bytes += selector.len() + 6;
            bytes <= MAX_LEN
        });
        let (now, later) = rest.split_at(fit.count().max(1));
        queries.push(or_join(now));
        rest = later;
    }
    queries
}

/// The union of these selectors, as a balanced tree, since every `or` copies its left side.
fn or_join(selectors: &[String]) -> String {
    match selectors {
        [] => String::new(),
        [one] => one.clone(),
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            let both = [left, right].map(|half| match half {
                [one] => one.clone(),
                many => format!("({})", or_join(many)),
            });
            both.join(" or ")
        }
    }
}

/// The labels that identify a target.
pub(crate) fn target(node_label: &str) -> Cow<'_, str> {
    if node_label == INSTANCE {
        INSTANCE.into()
    } else {
        format!("{node_label},{INSTANCE}").into()
    }
}
