//! The sentence about a machine whose last scrape failed.

use jiff::Timestamp;

use super::units;
use crate::types::fleet::Node;

/// `web-3 is down; last seen 4m09s ago`.
#[must_use]
pub(crate) fn describe_down(node: &Node, now: Timestamp) -> String {
    match node.age(now) {
        Some(age) => format!("{} is down; last seen {} ago", node.name, units::time(age)),
        None => format!("{} has been down for a long time", node.name),
    }
}
