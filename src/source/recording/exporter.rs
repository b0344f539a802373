//! The fields of fleets in a line.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::serde_skip::is_default;
use crate::analysis::series::in_ms;
use crate::text::sanitize::sanitize;
use crate::types::fleet::{ExportedFields, Fleet, Node};
use crate::types::mark::Mark;

/// The facts of a map that only an exporter supplies.
#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportedLine<'a> {
    #[serde(skip_serializing_if = "is_default")]
    collected_ms: Option<u64>,
    #[serde(skip_serializing_if = "is_default")]
    memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "is_default")]
    growth_per_s: Option<f64>,
    #[serde(skip_serializing_if = "is_default")]
    full_in_s: Option<f64>,
    #[serde(skip_serializing_if = "is_default")]
    entry_lifetime_s: Option<f64>,
    #[serde(skip_serializing_if = "is_default")]
    mark: Option<Mark>,
    #[serde(skip_serializing_if = "is_default")]
    holders: Option<u64>,
    #[serde(skip_serializing_if = "is_default")]
    programs: Option<u64>,
    #[serde(borrow, skip_serializing_if = "is_default")]
    owner: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "is_default")]
    pin: Option<Cow<'a, str>>,
}

impl<'a> From<&'a ExportedFields> for ExportedLine<'a> {
    fn from(fields: &'a ExportedFields) -> Self {
        Self {
            collected_ms: fields.scraped_at.map(in_ms),
            memory_bytes: fields.memory,
            growth_per_s: fields.growth_per_s,
            full_in_s: fields.full_in_s,
            entry_lifetime_s: fields.entry_lifetime_s,
            mark: fields.mark,
            holders: fields.holder_count,
            programs: fields.program_count,
            owner: fields.owner.as_deref().map(Cow::Borrowed),
            pin: fields.pin.as_deref().map(Cow::Borrowed),
        }
    }
}

impl From<ExportedLine<'_>> for ExportedFields {
    fn from(line: ExportedLine) -> Self {
        let sanitized = |text: Cow<str>| sanitize(text.as_bytes());
        Self {
            scraped_at: line.collected_ms.map(Duration::from_millis),
            memory: line.memory_bytes,
            growth_per_s: line.growth_per_s,
            full_in_s: line.full_in_s,
            entry_lifetime_s: line.entry_lifetime_s,
            mark: line.mark,
            holder_count: line.holders,
            program_count: line.programs,
            owner: line.owner.map(sanitized),
            pin: line.pin.map(sanitized),
        }
    }
}

/// The nodes of a snapshot.
#[derive(Debug, Serialize, Deserialize)]
pub struct FleetLine<'a> {
    maps: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    nodes: Option<Vec<NodeLine<'a>>>,
}

/// A node of a fleet.
#[derive(Debug, Serialize, Deserialize)]
struct NodeLine<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    up: bool,
    /// RFC 3339, UTC.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    last: Option<Cow<'a, str>>,
}

impl<'a> From<&'a Fleet> for FleetLine<'a> {
    fn from(fleet: &'a Fleet) -> Self {
        let line = |node: &'a Node| NodeLine {
            name: Cow::Borrowed(&node.name),
            up: node.is_up,
            last: node.last_scraped_at.map(|at| at.to_string().into()),
        };
        let nodes = fleet.nodes.as_ref();
        Self {
            maps: fleet.map_count,
            nodes: nodes.map(|nodes| nodes.iter().map(line).collect()),
        }
    }
}

impl FleetLine<'_> {
    /// The nodes in the line.
    pub fn fleet(self) -> Result<Fleet> {
        let node = |line: NodeLine| {
            let last = line.last.map(|at| at.parse::<Timestamp>()).transpose();
            Ok::<_, anyhow::Error>(Node {
                name: Arc::from(sanitize(line.name.as_bytes()).as_str()),
                is_up: line.up,
                last_scraped_at: last.map_err(|_| anyhow!("the time of a node is none"))?,
            })
        };
        let nodes = self
            .nodes
            .map(|nodes| nodes.into_iter().map(node).collect::<Result<_>>());
        Ok(Fleet {
            map_count: self.maps,
            nodes: nodes.transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    fn text(line: &impl Serialize) -> String {
        serde_json::to_string(line).expect("JSON")
    }

    fn parse_exported(line: &str) -> ExportedFields {
        serde_json::from_str::<ExportedLine>(line)
            .expect("told")
            .into()
    }

    fn parse_fleet(line: &str) -> Result<Fleet> {
        serde_json::from_str::<FleetLine>(line)
            .expect("a fleet")
            .fleet()
    }

    /// Every field is present, with a value that occurs in no other field.
    fn everything() -> ExportedFields {
        ExportedFields {
            scraped_at: Some(Duration::from_millis(1_732_744_999_250)),
            memory: Some(4096),
            growth_per_s: Some(-0.5),
            full_in_s: Some(90.25),
            entry_lifetime_s: Some(10.5),
            mark: Some(Mark::Warn),
            holder_count: Some(2),
            program_count: Some(3),
            owner: Some("flowd".into()),
            pin: Some("/sys/fs/bpf/conns".into()),
        }
    }

    #[test]
    fn a_line_says_what_was_told_and_nothing_else() {
        assert_eq!(text(&ExportedLine::from(&ExportedFields::default())), "{}");
        assert_eq!(
            text(&ExportedLine::from(&everything())),
            concat!(
                r#"{"collected_ms":1732744999250,"memory_bytes":4096,"growth_per_s":-0.5,"#,
                r#""full_in_s":90.25,"entry_lifetime_s":10.5,"mark":"warn","holders":2,"programs":3,"owner":"flowd","#,
                r#""pin":"/sys/fs/bpf/conns"}"#
            )
        );
    }

    #[test]
    fn what_is_zero_or_empty_was_told_and_what_is_not_there_was_not() {
        let told = ExportedFields {
            scraped_at: Some(Duration::ZERO),
            memory: Some(0),
            growth_per_s: Some(0.0),
            full_in_s: Some(0.0),
            entry_lifetime_s: Some(0.0),
            mark: Some(Mark::None),
            holder_count: Some(0),
            program_count: Some(0),
            owner: Some("".into()),
            pin: Some("".into()),
        };
        assert_eq!(parse_exported(&text(&ExportedLine::from(&told))), told);
        assert_eq!(parse_exported("{}"), ExportedFields::default());
    }

    #[test]
    fn what_a_file_says_is_made_harmless() {
        let told = parse_exported(r#"{"owner":"a\u001b[2J","pin":"x\u202e\n"}"#);
        assert_eq!(told.owner.as_deref(), Some("a?[2J"));
        assert_eq!(told.pin.as_deref(), Some("x??"));
        let fleet = parse_fleet(r#"{"maps":1,"nodes":[{"name":"a\u001b[2J","up":true}]}"#);
        let nodes = fleet.expect("a fleet").nodes.expect("nodes");
        assert_eq!(&*nodes[0].name, "a?[2J");
    }

    #[test]
    fn which_machines_there_are_may_be_unknown_which_is_not_that_there_are_none() {
        for (nodes, line) in [
            (None, r#"{"maps":7}"#),
            (Some(vec![]), r#"{"maps":7,"nodes":[]}"#),
        ] {
            let fleet = Fleet {
                map_count: 7,
                nodes,
            };
            assert_eq!(text(&FleetLine::from(&fleet)), line);
            assert_eq!(parse_fleet(line).expect("a fleet"), fleet);
        }
    }

    #[test]
    fn a_time_that_is_none_is_said() {
        let line = r#"{"maps":1,"nodes":[{"name":"a","up":false,"last":"soon"}]}"#;
        let error = parse_fleet(line).expect_err("no time").to_string();
        assert_eq!(error, "the time of a node is none");
    }

    prop_compose! {
        fn any_exported()(
            // Times are written in whole milliseconds.
            scraped_at in option::of((0..1u64 << 50).prop_map(Duration::from_millis)),
            memory in option::of(any::<u64>()),
            growth_per_s in option::of(-1e12..1e12f64),
            full_in_s in option::of(0.0..1e12f64),
            entry_lifetime_s in option::of(0.0..1e12f64),
            mark in option::of(prop::sample::select(&Mark::ALL)),
            holders in option::of(any::<u64>()),
            programs in option::of(any::<u64>()),
            owner in option::of("[ -~]{0,20}"),
            pin in option::of("/[ -~äß…]{0,40}"),
        ) -> ExportedFields {
            let (owner, pin) = (owner.map(Into::into), pin.map(Into::into));
            ExportedFields { scraped_at, memory, growth_per_s, full_in_s, entry_lifetime_s, mark, holder_count: holders, program_count: programs, owner, pin }
        }
    }

    prop_compose! {
        fn any_node()(
            name in "[ -~]{1,20}",
            is_up: bool,
            last in option::of(0..2_000_000_000_000i64),
        ) -> Node {
            let last = last.map(|ms| Timestamp::from_millisecond(ms).expect("a time"));
            Node { name: name.as_str().into(), is_up, last_scraped_at: last }
        }
    }

    proptest! {
        #[test]
        fn exported_fields_are_read_again(fields in any_exported()) {
            prop_assert_eq!(parse_exported(&text(&ExportedLine::from(&fields))), fields);
        }

        #[test]
        fn nodes_are_read_again(maps: u64, nodes in option::of(vec(any_node(), 0..4))) {
            let fleet = Fleet { map_count: maps, nodes };
            let again = parse_fleet(&text(&FleetLine::from(&fleet)));
            prop_assert_eq!(again.expect("a fleet"), fleet);
        }
    }
}
