//! Threads that poll a server, so that the live view never waits for it.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::client::Client;
use super::poll::{self, Poller};
use super::{Clock, Options};
use crate::analysis::backfill::Backfill;
use crate::source::request::SourceQuery;
use crate::source::worker::{Mailbox, Worker};
use crate::types::map_id::MapKey;
use crate::types::snapshot::Snapshot;

/// Pause after a failed round. It doubles with each further failure.
const MIN_BACKOFF: Duration = Duration::from_secs(1);
/// Longest pause after failed rounds.
const MAX_BACKOFF: Duration = Duration::from_secs(60);

/// Pause after a round, as a multiple of its duration, to limit the load of the server.
const PAUSE_FACTOR: u32 = 4;

/// Exponential backoff.
#[derive(Debug)]
struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: MIN_BACKOFF }
    }
}

impl Backoff {
    fn after_failure(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(MAX_BACKOFF);
        pause
    }

    fn after_success(&mut self) {
        *self = Self::default();
    }
}

/// Maps of one backfill request.
const MAX_BACKFILLS: usize = 100;

#[derive(Debug, Default)]
struct State {
    query: SourceQuery,
    is_requested: bool,
    /// The number of started rounds, and of the last finished one, successful or not.
    rounds_started: u64,
    rounds_finished: u64,
    /// The latest snapshot, until it is taken.
    news: Option<Snapshot>,
    /// The error of the last round, until it is reported.
    failure: Option<String>,
    notices: Vec<String>,
    /// Visible maps that are not backfilled yet.
    visible_keys: Vec<MapKey>,
    /// Maps that are backfilled or being so, and whether they were in the last snapshot
    /// taken.
    backfilled: HashMap<MapKey, bool>,
    backfills: Vec<Backfill>,
}

impl State {
    /// Takes the snapshot. A map that was gone and is back is backfilled again, since its
    /// history was dropped meanwhile.
    fn take_snapshot(&mut self) -> Option<Snapshot> {
        let snapshot = self.news.take()?;
        self.backfilled.retain(|key, was_there| {
            let found = snapshot.maps.binary_search_by(|facts| facts.key.cmp(key));
            let is_back = found.is_ok() && !*was_there;
            *was_there = found.is_ok();
            !is_back
        });
        Some(snapshot)
    }
}

/// Handle of the polling threads, which end when it is dropped and never delay the exit of the
/// process.
#[derive(Debug)]
pub struct PollWorker {
    worker: Worker<State>,
    /// Whether a complete snapshot was waited for before.
    has_waited: bool,
}

impl PollWorker {
    /// Starts polling.
    ///
    /// # Errors
    ///
    /// When threads cannot be started.
    pub fn start(
        client: Client,
        options: Options,
        clock: Clock,
        query: SourceQuery,
    ) -> Result<Self> {
        let worker = Worker::new(State {
            query,
            is_requested: true,
            ..State::default()
        });
        let poller = Poller::new(client.clone(), options.clone(), clock);
        worker
            .spawn("fleet", move |mailbox| poll_loop(mailbox, poller))
            .and_then(|()| {
                worker.spawn("past", move |mailbox| {
                    backfill_loop(mailbox, &client, &options, &clock);
                })
            })
            .context("cannot start a thread")?;
        Ok(Self {
            worker,
            has_waited: false,
        })
    }

    /// Takes the snapshot that came since the last call, or else requests one. The first
    /// call waits.
    ///
    /// # Errors
    ///
    /// When the last round failed: once for each failure, and after any snapshot from
    /// before it.
    pub(crate) fn take_news(&mut self) -> Result<Option<Snapshot>> {
        let mut state = self.worker.wait(None, |state| {
            state.rounds_finished == 0 && state.news.is_none()
        });
        if let Some(news) = state.take_snapshot() {
            return Ok(Some(news));
        }
        if let Some(failure) = state.failure.take() {
            bail!(failure);
        }
        state.is_requested = true;
        self.worker.notify();
        Ok(None)
    }

    /// Waits for a complete snapshot no older than this call.
    ///
    /// # Errors
    ///
    /// When the server could not be queried.
    pub(crate) fn wait_for_snapshot(&mut self) -> Result<Option<Snapshot>> {
        let next = {
            let mut state = self.worker.lock();
            if self.has_waited {
                state.is_requested = true;
                self.worker.notify();
            }
            // A running round may be older than this call, except the first.
            if self.has_waited {
                state.rounds_started + 1
            } else {
                1
            }
        };
        self.has_waited = true;
        let mut state = self.worker.wait(None, |state| state.rounds_finished < next);
        if let Some(failure) = state.failure.take() {
            bail!(failure);
        }
        let news = state.take_snapshot().context("the server said nothing")?;
        Ok(Some(news))
    }

    pub(crate) fn has_pending(&self) -> bool {
        let state = self.worker.lock();
        state.news.is_some() || state.failure.is_some() || !state.backfills.is_empty()
    }

    pub(crate) fn set_query(&self, query: SourceQuery) {
        let mut state = self.worker.lock();
        if state.query != query {
            state.query = query;
            state.is_requested = true;
            self.worker.notify();
        }
    }

    pub(crate) fn set_visible(&self, keys: &[MapKey]) {
        let mut state = self.worker.lock();
        let state = &mut *state;
        for key in keys {
            if !state.backfilled.contains_key(key) {
                state.backfilled.insert(key.clone(), true);
                state.visible_keys.push(key.clone());
            }
        }
        if !state.visible_keys.is_empty() {
            self.worker.notify();
        }
    }

    pub(crate) fn take_backfill(&self) -> Vec<Backfill> {
        std::mem::take(&mut self.worker.lock().backfills)
    }

    pub fn notice(&self) -> Option<String> {
        self.worker.lock().notices.pop()
    }
}

/// Polls on request, and retries after a failure.
fn poll_loop(mailbox: &Mailbox<State>, mut poller: Poller) {
    let mut backoff = Backoff::default();
    let mut retry: Option<Instant> = None;
    loop {
        let query = {
            let Some(mut state) = mailbox.wait_for_work(retry, |state| !state.is_requested) else {
                return;
            };
            state.is_requested = false;
            state.rounds_started += 1;
            state.query.clone()
        };
        let start = Instant::now();
        let result = poll_once(mailbox, &mut poller, &query);
        let took = start.elapsed();
        let mut state = mailbox.lock();
        state.rounds_finished = state.rounds_started;
        state.notices.append(&mut poller.notices);
        let pause = match &result {
            Ok(()) => {
                backoff.after_success();
                took * PAUSE_FACTOR
            }
            Err(_) => backoff.after_failure(),
        };
        let until = Instant::now() + pause;
        retry = result.is_err().then_some(until);
        state.failure = result.err().map(|error| format!("{error:#}"));
        mailbox.notify();
        drop(state);
        // Requests wait until the pause is over, to limit the load of the server.
        if mailbox.wait_for_work(Some(until), |_| true).is_none() {
            return;
        }
    }
}

/// Publishes a snapshot with the levels as soon as they are known, and another with the info.
fn poll_once(mailbox: &Mailbox<State>, poller: &mut Poller, query: &SourceQuery) -> Result<()> {
    let snapshot = poller.poll_levels(query)?;
    let give = |snapshot| {
        let old = mailbox.lock().news.replace(snapshot);
        // Dropping many maps takes a while, so it is done without the lock.
        drop(old);
        mailbox.notify();
    };
    give(snapshot);
    match poller.poll_info() {
        Ok(Some(whole)) => give(whole),
        Ok(None) => {}
        // The table works without the info.
        Err(error) => poller.warn_info_missing(&error),
    }
    Ok(())
}

/// Fetches backfills of visible maps.
fn backfill_loop(mailbox: &Mailbox<State>, client: &Client, options: &Options, clock: &Clock) {
    let mut backoff = Backoff::default();
    loop {
        let keys = {
            let is_waiting = |state: &mut State| state.visible_keys.is_empty();
            let Some(mut state) = mailbox.wait_for_work(None, is_waiting) else {
                return;
            };
            // The keys added last are visible now.
            let from = state.visible_keys.len().saturating_sub(MAX_BACKFILLS);
            state.visible_keys.split_off(from)
        };
        if let Ok(mut fetched) = poll::fetch_backfill(client, options, clock, &keys) {
            backoff.after_success();
            mailbox.lock().backfills.append(&mut fetched);
        } else {
            // Not reported: the table works without, and keys that are still visible
            // are requested again.
            let mut state = mailbox.lock();
            for key in &keys {
                state.backfilled.remove(key);
            }
            drop(state);
            let until = Instant::now() + backoff.after_failure();
            if mailbox.wait_for_work(Some(until), |_| true).is_none() {
                return;
            }
        }
    }
}
