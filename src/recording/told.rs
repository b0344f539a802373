//! What exporters told becomes part of a line, and a line says it again.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::shape::is_default;
use crate::model::fleet::{Fleet, Node, Told};
use crate::model::series::in_ms;
use crate::model::text::harmless;

/// What an exporter told of one map.
#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ToldLine<'a> {
    #[serde(skip_serializing_if = "is_default")]
    collected_ms: Option<u64>,
    #[serde(skip_serializing_if = "is_default")]
    memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "is_default")]
    growth_per_s: Option<f64>,
    #[serde(skip_serializing_if = "is_default")]
    full_in_s: Option<f64>,
    #[serde(skip_serializing_if = "is_default")]
    holders: Option<u64>,
    #[serde(skip_serializing_if = "is_default")]
    programs: Option<u64>,
    #[serde(borrow, skip_serializing_if = "is_default")]
    owner: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "is_default")]
    pin: Option<Cow<'a, str>>,
}

impl<'a> From<&'a Told> for ToldLine<'a> {
    fn from(told: &'a Told) -> Self {
        Self {
            collected_ms: told.collected.map(in_ms),
            memory_bytes: told.memory,
            growth_per_s: told.growth_per_s,
            full_in_s: told.full_in_s,
            holders: told.holders,
            programs: told.programs,
            owner: told.owner.as_deref().map(Cow::Borrowed),
            pin: told.pin.as_deref().map(Cow::Borrowed),
        }
    }
}

impl From<ToldLine<'_>> for Told {
    fn from(line: ToldLine) -> Self {
        let harmless = |text: Cow<str>| harmless(text.as_bytes());
        Self {
            collected: line.collected_ms.map(Duration::from_millis),
            memory: line.memory_bytes,
            growth_per_s: line.growth_per_s,
            full_in_s: line.full_in_s,
            holders: line.holders,
            programs: line.programs,
            owner: line.owner.map(harmless),
            pin: line.pin.map(harmless),
        }
    }
}

/// The machines of a snapshot.
#[derive(Debug, Serialize, Deserialize)]
pub struct FleetLine<'a> {
    maps: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    nodes: Option<Vec<NodeLine<'a>>>,
}

/// One of them.
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
            last: node.last.map(|at| at.to_string().into()),
        };
        let nodes = fleet.nodes.as_ref();
        Self {
            maps: fleet.maps,
            nodes: nodes.map(|nodes| nodes.iter().map(line).collect()),
        }
    }
}

impl FleetLine<'_> {
    /// The machines that the line tells of.
    pub fn fleet(self) -> Result<Fleet> {
        let node = |line: NodeLine| {
            let last = line.last.map(|at| at.parse::<Timestamp>()).transpose();
            Ok::<_, anyhow::Error>(Node {
                name: Arc::from(harmless(line.name.as_bytes()).as_str()),
                is_up: line.up,
                last: last.map_err(|_| anyhow!("the time of a node is none"))?,
            })
        };
        let nodes = self
            .nodes
            .map(|nodes| nodes.into_iter().map(node).collect::<Result<_>>());
        Ok(Fleet {
            maps: self.maps,
            nodes: nodes.transpose()?,
        })
    }
}
