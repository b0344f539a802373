//! A fleet as a source: what a Prometheus server knows of the series of `mapstop export` becomes
//! snapshots of the maps of many machines.
//!
//! The only folder that knows Prometheus' HTTP API and its language.

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
pub(crate) use fixtures::{past_of, query_for, snapshot_of};
pub use series::INSTANCE;

/// What to ask for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The label that tells machines apart.
    pub node_label: String,
    /// Maps at the most.
    pub top: usize,
    /// Whether what is wanted will not change, so that no more than that is asked for.
    pub is_fixed: bool,
}

/// The clock of a fleet: uptimes are of no machine, but count from 1970 and never jump.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    now: fn() -> Moment,
    /// What this machine's uptime is to be increased by.
    offset: Duration,
}

impl Clock {
    /// A clock that goes as this one does.
    #[must_use]
    pub fn new(now: fn() -> Moment) -> Self {
        let start = now();
        let since_1970 = start.wall.as_duration().try_into().unwrap_or_default();
        Self {
            now,
            offset: Duration::saturating_sub(since_1970, start.uptime),
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Moment {
        let now = (self.now)();
        Moment {
            uptime: now.uptime + self.offset,
            ..now
        }
    }
}

/// The maps of the machines that a server collects numbers of.
#[derive(Debug)]
pub struct Prometheus {
    host: Host,
    clock: Clock,
    watch: PollWorker,
}

impl Prometheus {
    /// Begins to ask a server for what is wanted; for that alone if it `is_fixed`.
    ///
    /// # Errors
    ///
    /// When its secret or its certificates cannot be read.
    pub fn new(server: &Server, wish: SourceQuery, is_fixed: bool, clock: Clock) -> Result<Self> {
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
            watch: PollWorker::start(client, options, clock, wish)?,
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
        self.watch.news()
    }

    fn sample_complete(&mut self) -> Result<Option<Snapshot>> {
        self.watch.whole()
    }

    fn wait(&mut self, due: Duration) -> Duration {
        sleep_until(due, || self.clock.now().uptime)
    }

    fn notice(&mut self) -> Option<String> {
        self.watch.notice()
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
        self.watch.has_news()
    }

    fn set_query(&mut self, wish: SourceQuery) {
        self.watch.wish(wish);
    }

    fn set_visible(&mut self, keys: &[MapKey]) {
        self.watch.look_at(keys);
    }

    fn take_backfill(&mut self) -> Vec<Backfill> {
        self.watch.past()
    }
}
