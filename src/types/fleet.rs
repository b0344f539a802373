//! Many machines: what exporters export of their maps, and which of them are still scraped.

use std::sync::Arc;
use std::time::Duration;

use compact_str::CompactString;
use jiff::Timestamp;

use super::mark::Mark;

/// What an exporter derived from a map that it read. `None` is what it does not export.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExportedFields {
    /// Time of the scrape since the Unix epoch, by the clock of the server; rates are computed from
    /// it.
    pub scraped_at: Option<Duration>,
    /// Kernel memory in bytes.
    pub memory: Option<u64>,
    /// Entries per second.
    pub growth_per_s: Option<f64>,
    /// Seconds until it is full at that growth; 0 if it is full. A map with a growth and without this
    /// time is steady.
    pub full_in_s: Option<f64>,
    /// Seconds that an entry stays in an LRU map.
    pub entry_lifetime_s: Option<f64>,
    /// The mark. The exporter observes the map for longer than a view of the fleet.
    pub mark: Option<Mark>,
    /// Processes that hold it.
    pub holder_count: Option<u64>,
    /// Programs that use it.
    pub program_count: Option<u64>,
    /// Sanitized owner, without numbers that change at a restart.
    pub owner: Option<CompactString>,
    /// Sanitized path of its pin.
    pub pin: Option<CompactString>,
}

/// The machines of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fleet {
    /// Number of maps of all machines, including those that the snapshot leaves out.
    pub map_count: u64,
    /// The machines, by name; `None` if it is not known yet which there are.
    pub nodes: Option<Vec<Node>>,
}

/// A machine, as the Prometheus server sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The value of [`super::map_id::MapKey::node`].
    pub name: Arc<str>,
    /// Whether the last scrape succeeded.
    pub is_up: bool,
    /// When it was last scraped; `None` if that is too long ago to be known.
    pub last_scraped_at: Option<Timestamp>,
}

impl Fleet {
    /// The machines whose last scrape failed.
    pub fn down(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().flatten().filter(|node| !node.is_up)
    }
}

impl Node {
    /// How old its last numbers are at this time, if that is known.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<Duration> {
        Some(
            now.duration_since(self.last_scraped_at?)
                .try_into()
                .unwrap_or_default(),
        )
    }
}
