use proptest::prelude::*;

use super::queries::MAX_LEN;
use super::*;
use crate::analysis::thresholds::Thresholds;
use crate::source::prometheus::series::INSTANCE;
use crate::source::request::{OrderBy, Predicate, SourceQuery};
use crate::types::map_id::{MapId, MapKey};

fn key(node: &str, id: u32) -> MapKey {
    MapKey {
        node: Some(node.into()),
        id: MapId(id),
    }
}

#[test]
fn maps_are_asked_for_machine_by_machine() {
    let keys = [key("a", 1), key("b", 2), key("a", 30), key("c", 2)];
    let queries = series_of_maps("x|y", INSTANCE, &keys);
    assert_eq!(
        queries,
        [
            r#"{__name__=~"x|y",instance="a",id=~"1|30"} or ({__name__=~"x|y",instance="b",id=~"2"} or {__name__=~"x|y",instance="c",id=~"2"})"#
        ]
    );
    // A target without the label is called by its instance.
    assert_eq!(
        series_of_maps("x", "node", &keys[..1]),
        [r#"{__name__=~"x",node="a",id=~"1"} or {__name__=~"x",node="",instance="a",id=~"1"}"#]
    );
    assert_eq!(series_of_maps("x", "node", []), [""; 0]);
}

#[test]
fn no_query_is_too_long_and_each_map_is_asked_for_once() {
    let keys: Vec<_> = (0..500)
        .flat_map(|node| (0..20).map(move |id| key(&format!("node-{node}"), 4_000_000_000 + id)))
        .chain((0..5000).map(|id| key("large", id)))
        .collect();
    let queries = series_of_maps("bpf_map_used", "instance", &keys);
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
    let predicates = [
        Predicate::Contains("node", "web-3".to_owned()),
        Predicate::Is("name", "a.b\"\\".to_owned()),
        Predicate::Is("kind", "evicting".to_owned()),
        Predicate::Number("pressure", ">", 80.0),
        Predicate::Contains("owner", "flowd".to_owned()),
    ];
    let scope = MapScope::new(&predicates, "machine");
    let query = scope.top_n_query(&SourceQuery::default(), 5000);
    for part in [
        r#"machine=~"(?i).*web\\-3.*""#,
        r#"name=~"(?i)a\\.b\"\\\\""#,
        r#"type=~"lru_hash|lru_percpu_hash""#,
        r#"and on (id,machine,instance) (bpf_map_pressure_ratio{id!="","#,
        "} > 0.8)",
    ] {
        assert!(query.contains(part), "{part}: {query}");
    }
    assert!(!query.contains("flowd"), "no series but info has owners");
    assert!(query.starts_with("topk(5000, max by (id,machine,instance) ((8 + 0 * "));
}

#[test]
fn an_order_by_a_number_is_asked_of_the_server() {
    let by = |field, is_descending| {
        let query = SourceQuery {
            order: Some(OrderBy {
                field,
                is_descending,
            }),
            ..SourceQuery::default()
        };
        MapScope::new(&[], INSTANCE).top_n_query(&query, 7)
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

#[test]
fn the_order_by_attention_goes_by_the_thresholds_that_are_set() {
    let by_attention = |thresholds| {
        let query = SourceQuery {
            thresholds,
            ..SourceQuery::default()
        };
        MapScope::new(&[], INSTANCE).top_n_query(&query, 7)
    };
    let default = by_attention(Thresholds::default());
    for part in [
        "} >= 0.8) / 2",
        "} <= 600) / 1e9",
        "} <= 3600) / 1e9",
        "3 * (bpf_map_mark{",
    ] {
        assert!(default.contains(part), "{part}: {default}");
    }
    let calm = r#"type!~"lru_hash|lru_percpu_hash|ringbuf|user_ringbuf""#;
    assert!(default.contains(calm), "{default}");
    let thresholds = Thresholds {
        warn: 0.5,
        crit: 0.6,
        ..Thresholds::default()
    };
    assert!(by_attention(thresholds).contains("} >= 0.5) / 2"));
}

/// The brackets and the string literals of a query, unescaped, or `None` if it is not well-formed.
fn literals(query: &str) -> Option<Vec<String>> {
    let mut literals = Vec::new();
    let mut open = Vec::new();
    let mut chars = query.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                let mut literal = String::new();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\n' | '\u{fffd}' => return None,
                        '\\' => literal.push(match chars.next()? {
                            'n' => '\n',
                            'u' => {
                                let digits: String = chars.by_ref().take(4).collect();
                                char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                            }
                            c @ ('"' | '\\') => c,
                            _ => return None,
                        }),
                        c => literal.push(c),
                    }
                }
                literals.push(literal);
            }
            '(' => open.push(')'),
            '[' => open.push(']'),
            // Braces hold matchers only.
            '{' if open.last() != Some(&'}') => open.push('}'),
            ')' | ']' | '}' if open.pop() == Some(c) => {}
            ' '..='~' if !"{)]}".contains(c) => {}
            _ => return None,
        }
    }
    open.is_empty().then_some(literals)
}

#[test]
fn a_brace_in_a_value_changes_nothing_but_that_value() {
    let query = |name: &str| {
        let predicates = [Predicate::Contains("name", name.to_owned())];
        MapScope::new(&predicates, INSTANCE).top_n_query(&SourceQuery::default(), 5)
    };
    // A brace is escaped in an expression, and its backslash in a literal.
    assert_eq!(query("}"), query("X").replace('X', r"\\}"));
}

proptest! {
    #[test]
    fn every_query_is_well_formed_whatever_is_asked_for(
        texts in proptest::array::uniform3(any::<String>()),
        number in any::<f64>(),
        field in prop::sample::select(vec!["", "mem", "eta", "id"]),
        is_descending in any::<bool>(),
    ) {
        let [part, whole, node] = texts;
        let predicates = vec![
            Predicate::Contains("node", part.clone()),
            Predicate::Is("name", whole.clone()),
            Predicate::Number("pressure", ">=", number),
        ];
        let order = OrderBy { field, is_descending };
        let query = SourceQuery { predicates, order: Some(order), ..SourceQuery::default() };
        let top = MapScope::new(&query.predicates, INSTANCE).top_n_query(&query, 5);
        let found = literals(&top).expect("a well-formed query");
        let pattern = format!("(?i).*{}.*", regex::escape(&part));
        prop_assert!(found.contains(&pattern), "{pattern:?} in {top}");
        let pattern = format!("(?i){}", regex::escape(&whole));
        prop_assert!(found.contains(&pattern), "{pattern:?} in {top}");
        for query in series_of_maps("x|y", "machine", &[key(&node, 1)]) {
            let found = literals(&query).expect("a well-formed query");
            prop_assert!(found.contains(&node), "{node:?} in {query}");
        }
    }
}
