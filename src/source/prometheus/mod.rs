//! A fleet as a source: makes snapshots of the series that a Prometheus server scraped from
//! many instances of `mapstop export`.
//!
//! The only folder that knows the HTTP API and query language of Prometheus.

pub(crate) mod address;
pub(crate) mod client;
pub(crate) mod credentials;
pub(crate) mod fixtures;
pub(crate) mod poll;
pub(crate) mod promql;
pub(crate) mod response;
pub(crate) mod series;
pub mod server;
pub(crate) mod targets;
#[cfg(test)]
mod test_server;
pub(crate) mod worker;

use std::time::Duration;

use anyhow::Result;

use super::request::SourceQuery;
use super::{RemoteQuery, Replay, Source, TraceLosses, sleep_until};
use crate::analysis::backfill::Backfill;
use crate::types::host::{Host, Moment};
use crate::types::map_id::MapKey;
use crate::types::snapshot::Snapshot;
use client::Client;
use credentials::Credentials;
use server::Server;
use worker::PollWorker;

pub use address::Address;
pub(crate) use fixtures::{backfill_of, query_for, snapshot_of};
pub use series::INSTANCE;

/// Which maps to query, and how to tell nodes apart.
#[derive(Debug, Clone)]
pub struct Options {
    /// The label that distinguishes nodes.
    pub node_label: String,
    /// The largest number of maps to query.
    pub top: usize,
    /// Whether the query will not change, so that maps outside it need not be fetched.
    pub is_fixed: bool,
}

/// Monotonic clock based at the Unix epoch, since a fleet has no common boot time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    now: fn() -> Moment,
    /// Added to this machine's uptime.
    offset: Duration,
}

impl Clock {
    /// Bases a clock on that of this machine.
    #[must_use]
    pub fn new(now: fn() -> Moment) -> Self {
        let start = now();
        let since_1970 = start.wall.as_duration().try_into().unwrap_or_default();
        Self {
            now,
            offset: Duration::saturating_sub(since_1970, start.uptime),
        }
    }

    /// The uptime counts from the Unix epoch.
    #[must_use]
    pub fn now(&self) -> Moment {
        let now = (self.now)();
        Moment {
            uptime: now.uptime + self.offset,
            ..now
        }
    }
}

/// The maps of all machines that a server scrapes.
#[derive(Debug)]
pub struct Prometheus {
    host: Host,
    clock: Clock,
    worker: PollWorker,
}

impl Prometheus {
    /// Starts polling a server. If `is_fixed`, the query will not change.
    ///
    /// # Errors
    ///
    /// When credentials or certificates cannot be read.
    pub fn new(server: &Server, query: SourceQuery, is_fixed: bool, clock: Clock) -> Result<Self> {
        let credentials = Credentials::read(server)?;
        let client = Client::new(
            server.address.clone(),
            credentials,
            server.ca_file.as_deref(),
        )?;
        let options = Options {
            node_label: server.node_label.clone(),
            top: server.top,
            is_fixed,
        };
        Ok(Self {
            host: Host {
                name: server.address.host().into(),
                ..Host::default()
            },
            clock,
            worker: PollWorker::start(client, options, clock, query)?,
        })
    }
}

impl Source for Prometheus {
    fn name(&self) -> &'static str {
        "prometheus"
    }

    fn host(&self) -> &Host {
        &self.host
    }

    fn sample(&mut self) -> Result<Option<Snapshot>> {
        self.worker.take_news()
    }

    fn sample_complete(&mut self) -> Result<Option<Snapshot>> {
        self.worker.wait_for_snapshot()
    }

    fn wait(&mut self, due: Duration) -> Duration {
        sleep_until(due, || self.clock.now().uptime)
    }

    fn notice(&mut self) -> Option<String> {
        self.worker.notice()
    }

    fn still_counting(&self) -> usize {
        0
    }

    fn is_recording(&self) -> bool {
        false
    }

    fn loss_tracer(&mut self) -> Option<&mut dyn TraceLosses> {
        None
    }

    fn replay(&mut self) -> Option<&mut dyn Replay> {
        None
    }

    fn remote(&mut self) -> Option<&mut dyn RemoteQuery> {
        Some(self)
    }
}

impl RemoteQuery for Prometheus {
    fn has_pending(&self) -> bool {
        self.worker.has_pending()
    }

    fn set_query(&mut self, query: SourceQuery) {
        self.worker.set_query(query);
    }

    fn set_visible(&mut self, keys: &[MapKey]) {
        self.worker.set_visible(keys);
    }

    fn take_backfill(&mut self) -> Vec<Backfill> {
        self.worker.take_backfill()
    }
}
