//! The sentence about a machine whose last scrape failed.

use jiff::Timestamp;

use super::units;
use crate::types::fleet::Node;

/// As in `web-3 is down: last heard of 4m09s ago`.
#[must_use]
pub(crate) fn describe_down(node: &Node, now: Timestamp) -> String {
    match node.age(now) {
        Some(age) => format!(
            "{} is down: last heard of {} ago",
            node.name,
            units::time(age)
        ),
        None => format!("{} is down, and has been for long", node.name),
    }
}
