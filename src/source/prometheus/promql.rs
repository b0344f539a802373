//! What is wanted becomes queries, narrowed so that the server does not send what nobody looks at.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use super::series::INSTANCE;
use crate::source::request::{Predicate, SourceQuery};
use crate::types::map_id::{MapId, MapKey};
use crate::types::map_type::{Kind, MapType};

/// Bytes of a query at the most: the least that one of the servers takes (`-search.maxQueryLen` of
/// `VictoriaMetrics`) is 16 KiB.
const MAX_LEN: usize = 12 << 10;

/// Fields with a series of their own, and what its numbers are multiplied with.
const NUMBERS: [(&str, &str, f64); 10] = [
    ("pressure", "bpf_map_pressure_ratio", 100.0),
    ("used", "bpf_map_used", 1.0),
    ("capacity", "bpf_map_capacity", 1.0),
    ("max", "bpf_map_max_entries", 1.0),
    ("growth", "bpf_map_growth_per_second", 1.0),
    ("last", "bpf_map_growth_per_second", 1.0),
    ("eta", "bpf_map_full_in_seconds", 1.0),
    ("mem", "bpf_map_memory_bytes", 1.0),
    ("progs", "bpf_map_programs", 1.0),
    ("holders", "bpf_map_holders", 1.0),
];

/// Which series are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapSelector<'a> {
    /// The label that tells machines apart.
    pub node_label: &'a str,
    /// What maps have to be, as matchers of labels, each after a comma.
    matchers: String,
    /// What numbers have to be, as expressions to be joined by `and`.
    conditions: Vec<String>,
}

impl<'a> MapSelector<'a> {
    /// All maps that may be what is wanted.
    #[must_use]
    pub fn of(tests: &[Predicate], node_label: &'a str) -> Self {
        let mut scope = Self {
            node_label,
            matchers: String::new(),
            conditions: Vec::new(),
        };
        for test in tests {
            scope.narrow(test);
        }
        scope
    }

    fn narrow(&mut self, test: &Predicate) {
        let label = |field: &str| match field {
            "node" => Some(self.node_label.to_owned()),
            "name" | "type" | "id" => Some(field.to_owned()),
            _ => None,
        };
        match test {
            Predicate::Contains("kind", wanted) | Predicate::Is("kind", wanted) => {
                let kind = Kind::ALL.into_iter().find(|kind| kind.name() == wanted);
                let types = MapType::all().filter(|t| Some(t.kind()) == kind);
                let names: Vec<_> = types.map(|t| t.to_string()).collect();
                // A type that is not known here may be of any kind, and none is asked for by it.
                if kind.is_some_and(|kind| kind != Kind::Uncounted) {
                    self.matcher("type", "=~", &names.join("|"));
                }
            }
            Predicate::Contains(field, part) => {
                if let Some(label) = label(field) {
                    self.matcher(&label, "=~", &format!("(?i).*{}.*", regex::escape(part)));
                }
            }
            Predicate::Is(field, whole) => {
                if let Some(label) = label(field) {
                    self.matcher(&label, "=~", &format!("(?i){}", regex::escape(whole)));
                }
            }
            Predicate::Number("id", "==", number) => self.matcher("id", "=", &number.to_string()),
            Predicate::Number(field, comparison, number) => {
                if let Some((_, family, scale)) = NUMBERS.iter().find(|(of, ..)| of == field) {
                    let number = number / scale;
                    self.conditions
                        .push(format!("{family} {comparison} {number}"));
                }
            }
        }
    }

    fn matcher(&mut self, label: &str, operator: &str, text: &str) {
        let _ = write!(self.matchers, ",{label}{operator}{}", quote_string(text));
    }

    /// Whether it asks for less than all.
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        !self.matchers.is_empty() || !self.conditions.is_empty()
    }

    /// The series of a family.
    fn family(&self, name: &str) -> String {
        format!("{name}{{id!=\"\"{}}}", self.matchers)
    }

    /// All series of these families, of all maps.
    #[must_use]
    pub fn all(families: &str) -> String {
        format!("{{__name__=~\"{families}\",id!=\"\"}}")
    }

    /// How many maps there are.
    #[must_use]
    pub fn count() -> &'static str {
        "count(bpf_map_max_entries{id!=\"\"})"
    }

    /// How many maps there are, each once however many targets tell of it.
    #[must_use]
    pub fn count_once(node_label: &str) -> String {
        let maps = |by: &str, matcher: &str| {
            format!("count(count by ({by},id) (bpf_map_max_entries{{id!=\"\"{matcher}}}))")
        };
        if node_label == INSTANCE {
            return maps(INSTANCE, "");
        }
        // A target without the label is called by its instance.
        let with = maps(node_label, &format!(",{node_label}!=\"\""));
        let without = maps(INSTANCE, &format!(",{node_label}=\"\""));
        format!("({with} or vector(0)) + ({without} or vector(0))")
    }

    /// When every target was collected last.
    #[must_use]
    pub fn collected(node_label: &str) -> String {
        format!(
            "max by ({}) (timestamp(mapstop_build_info))",
            target(node_label)
        )
    }

    /// How many maps only have a name, and cannot be told apart.
    #[must_use]
    pub fn count_nameless() -> &'static str {
        "count(bpf_map_max_entries{id=\"\"})"
    }

    /// The maps that come first, at most so many. Numbers say nothing but the order.
    #[must_use]
    pub fn top_n_query(&self, wish: &SourceQuery, most: usize) -> String {
        let rest = format!("({} * 0 - 1e18)", self.family("bpf_map_max_entries"));
        let number = wish.first.and_then(|first| {
            let (_, family, _) = NUMBERS.iter().find(|(of, ..)| *of == first.field)?;
            Some((self.family(family), first.is_descending))
        });
        let order = match number {
            // `bottomk` would have those without a number first.
            Some((family, false)) => format!("sum without (unit) (0 - {family}) or {rest}"),
            Some((family, true)) => format!("sum without (unit) ({family}) or {rest}"),
            None => self.attention_score(&rest),
        };
        let mut order = format!("({order})");
        for condition in &self.conditions {
            let (family, rest) = condition.split_once(' ').unwrap_or((condition, ""));
            let _ = write!(
                order,
                " and on (id,{}) ({} {rest})",
                target(self.node_label),
                self.family(family)
            );
        }
        // Each once, however many targets tell of it.
        format!(
            "topk({most}, max by (id,{}) ({order}))",
            target(self.node_label)
        )
    }

    /// What needs a person most, as `query::sort` has it, as far as series tell: what refuses, what is
    /// full soon, what is full to four fifths, then by level.
    fn attention_score(&self, rest: &str) -> String {
        let refusing = self
            .family("bpf_map_failed_updates_total")
            .replace('}', "}[5m]");
        let full_in = self.family("bpf_map_full_in_seconds");
        let pressure = self.family("bpf_map_pressure_ratio");
        let bounded = pressure.replace('}', ",type!~\"lru_.*|ringbuf|user_ringbuf\"}");
        format!(
            "4 + 0 * (sum without (errno) (rate({refusing})) > 0) \
             or 3 - ({full_in} <= 600) / 600 \
             or 2 - ({full_in} <= 3600) / 3600 \
             or 1 + ({bounded} >= 0.8) / 4 \
             or {pressure} / 2 or {rest}"
        )
    }

    /// The series of these families of certain maps, in queries that are not too long. Each has the
    /// maps of some machines.
    #[must_use]
    pub fn of_maps<'k>(
        families: &str,
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
            let node = quote_string(node);
            let mut matchers = vec![format!("{node_label}={node}")];
            if node_label != INSTANCE {
                // A target without the label is called by its instance.
                matchers.push(format!("{node_label}=\"\",{INSTANCE}={node}"));
            }
            for matcher in matchers {
                let start = format!("{{__name__=~\"{families}\",{matcher},id=~\"");
                for ids in ids.chunks((MAX_LEN - start.len().min(MAX_LEN / 2)) / 12) {
                    let ids: Vec<_> = ids.iter().map(|id| id.0.to_string()).collect();
                    selectors.push(format!("{start}{}\"}}", ids.join("|")));
                }
            }
        }
        let mut queries = Vec::new();
        let mut rest = &selectors[..];
        while !rest.is_empty() {
            let mut bytes = 0;
            let fit = rest.iter().take_while(|selector| {
                // With ` or ` and parentheses around each.
                bytes += selector.len() + 6;
                bytes <= MAX_LEN
            });
            let (now, later) = rest.split_at(fit.count().max(1));
            queries.push(or_join(now));
            rest = later;
        }
        queries
    }
}

/// What one of these selectors finds. In halves, since each `or` copies what is at its left.
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

/// The labels that tell targets apart.
#[must_use]
pub fn target(node_label: &str) -> Cow<'_, str> {
    if node_label == INSTANCE {
        INSTANCE.into()
    } else {
        format!("{node_label},{INSTANCE}").into()
    }
}

/// A text as a string of `PromQL`.
fn quote_string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::request::OrderBy;

    fn key(node: &str, id: u32) -> MapKey {
        MapKey {
            node: Some(node.into()),
            id: MapId(id),
        }
    }

    #[test]
    fn maps_are_asked_for_machine_by_machine() {
        let keys = [key("a", 1), key("b", 2), key("a", 30), key("c", 2)];
        let queries = MapSelector::of_maps("x|y", INSTANCE, &keys);
        assert_eq!(
            queries,
            [
                r#"{__name__=~"x|y",instance="a",id=~"1|30"} or ({__name__=~"x|y",instance="b",id=~"2"} or {__name__=~"x|y",instance="c",id=~"2"})"#
            ]
        );
        // A target without the label is called by its instance.
        assert_eq!(
            MapSelector::of_maps("x", "node", &keys[..1]),
            [r#"{__name__=~"x",node="a",id=~"1"} or {__name__=~"x",node="",instance="a",id=~"1"}"#]
        );
        assert_eq!(MapSelector::of_maps("x", "node", []), [""; 0]);
    }

    #[test]
    fn no_query_is_too_long_and_each_map_is_asked_for_once() {
        let keys: Vec<_> = (0..500)
            .flat_map(|node| {
                (0..20).map(move |id| key(&format!("node-{node}"), 4_000_000_000 + id))
            })
            .chain((0..5000).map(|id| key("large", id)))
            .collect();
        let queries = MapSelector::of_maps("bpf_map_used", "instance", &keys);
        let ids: usize = queries
            .iter()
            .map(|query| query.matches('|').count() + query.matches("id=~").count())
            .sum();
        assert_eq!(ids, keys.len());
        assert!(queries.iter().all(|query| query.len() <= MAX_LEN));
        assert!(queries.len() < 20, "{}", queries.len());
    }

    #[test]
    fn what_a_filter_says_is_asked_of_the_server() {
        let tests = [
            Predicate::Contains("node", "web-3".to_owned()),
            Predicate::Is("name", "a.b\"\\".to_owned()),
            Predicate::Is("kind", "evicting".to_owned()),
            Predicate::Number("pressure", ">", 80.0),
            Predicate::Contains("owner", "flowd".to_owned()),
        ];
        let scope = MapSelector::of(&tests, "machine");
        let first = scope.top_n_query(&SourceQuery::default(), 5000);
        for part in [
            r#"machine=~"(?i).*web\\-3.*""#,
            r#"name=~"(?i)a\\.b\"\\\\""#,
            r#"type=~"lru_hash|lru_percpu_hash""#,
            r#"and on (id,machine,instance) (bpf_map_pressure_ratio{id!="","#,
            "} > 0.8)",
        ] {
            assert!(first.contains(part), "{part}: {first}");
        }
        assert!(!first.contains("flowd"), "no series but info has owners");
        assert!(first.starts_with("topk(5000, max by (id,machine,instance) ((4 + 0 * "));
    }

    #[test]
    fn an_order_by_a_number_is_asked_of_the_server() {
        let by = |field, is_descending| {
            let wish = SourceQuery {
                first: Some(OrderBy {
                    field,
                    is_descending,
                }),
                ..SourceQuery::default()
            };
            MapSelector::of(&[], INSTANCE).top_n_query(&wish, 7)
        };
        assert_eq!(
            by("mem", true),
            "topk(7, max by (id,instance) ((sum without (unit) (bpf_map_memory_bytes{id!=\"\"}) or \
             (bpf_map_max_entries{id!=\"\"} * 0 - 1e18))))"
        );
        assert!(by("eta", false).contains("(0 - bpf_map_full_in_seconds"));
        assert!(
            by("owner", false).contains("bpf_map_pressure_ratio"),
            "by attention"
        );
    }
}
