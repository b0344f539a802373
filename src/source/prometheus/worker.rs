//! Threads that poll a server, so that the live view never waits for it.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::client::Client;
use super::poll::{self, Poller};
use super::{Clock, Options};
use crate::analysis::backfill::Backfill;
use crate::source::request::SourceQuery;
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
        let rest = self.next;
        self.next = (rest * 2).min(MAX_BACKOFF);
        rest
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
    is_stopped: bool,
    /// The number of started rounds, and of the last finished one, successful or not.
    rounds_started: u64,
    rounds_finished: u64,
    /// A snapshot that was not taken yet.
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

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
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

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(
        &self,
        until: Option<Instant>,
        is_waiting: impl Fn(&mut State) -> bool,
    ) -> MutexGuard<'_, State> {
        let state = self.state();
        match until {
            None => self
                .changed
                .wait_while(state, is_waiting)
                .unwrap_or_else(PoisonError::into_inner),
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                let waited = self.changed.wait_timeout_while(state, left, is_waiting);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }
}

/// Handle of the polling threads, which end when it is dropped and never delay the exit of the
/// process.
#[derive(Debug)]
pub struct PollWorker {
    shared: Arc<Shared>,
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
        let shared = Arc::new(Shared::default());
        shared.state().query = query;
        shared.state().is_requested = true;
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            let thread = thread::Builder::new().name(name.to_owned());
            thread.spawn(run).context("cannot start a thread")
        };
        let reader = Poller::new(client.clone(), options.clone(), clock);
        let own = Arc::clone(&shared);
        spawn("fleet", Box::new(move || poll_loop(&own, reader)))?;
        let own = Arc::clone(&shared);
        spawn(
            "past",
            Box::new(move || backfill_loop(&own, &client, &options, &clock)),
        )?;
        Ok(Self {
            shared,
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
    pub fn take_news(&mut self) -> Result<Option<Snapshot>> {
        let mut state = self.shared.wait(None, |state| {
            state.rounds_finished == 0 && state.news.is_none()
        });
        if let Some(news) = state.take_snapshot() {
            return Ok(Some(news));
        }
        if let Some(why) = state.failure.take() {
            bail!(why);
        }
        state.is_requested = true;
        self.shared.changed.notify_all();
        Ok(None)
    }

    /// Waits for a complete snapshot no older than this call.
    ///
    /// # Errors
    ///
    /// When the server could not be queried.
    pub fn wait_for_snapshot(&mut self) -> Result<Option<Snapshot>> {
        let next = {
            let mut state = self.shared.state();
            if self.has_waited {
                state.is_requested = true;
                self.shared.changed.notify_all();
            }
            // A running round may be older than this call, except the first.
            if self.has_waited {
                state.rounds_started + 1
            } else {
                1
            }
        };
        self.has_waited = true;
        let mut state = self.shared.wait(None, |state| state.rounds_finished < next);
        if let Some(why) = state.failure.take() {
            bail!(why);
        }
        let news = state.take_snapshot().context("the server said nothing")?;
        Ok(Some(news))
    }

    pub fn has_pending(&self) -> bool {
        let state = self.shared.state();
        state.news.is_some() || state.failure.is_some() || !state.backfills.is_empty()
    }

    pub fn set_query(&self, query: SourceQuery) {
        let mut state = self.shared.state();
        if state.query != query {
            state.query = query;
            state.is_requested = true;
            self.shared.changed.notify_all();
        }
    }

    pub fn set_visible(&self, keys: &[MapKey]) {
        let mut state = self.shared.state();
        let state = &mut *state;
        for key in keys {
            if !state.backfilled.contains_key(key) {
                state.backfilled.insert(key.clone(), true);
                state.visible_keys.push(key.clone());
            }
        }
        if !state.visible_keys.is_empty() {
            self.shared.changed.notify_all();
        }
    }

    pub fn take_backfill(&self) -> Vec<Backfill> {
        std::mem::take(&mut self.shared.state().backfills)
    }

    pub fn notice(&self) -> Option<String> {
        self.shared.state().notices.pop()
    }
}

impl Drop for PollWorker {
    fn drop(&mut self) {
        self.shared.state().is_stopped = true;
        self.shared.changed.notify_all();
    }
}

/// Polls on request, and retries after a failure.
fn poll_loop(shared: &Shared, mut reader: Poller) {
    let mut rests = Backoff::default();
    let mut retry: Option<Instant> = None;
    loop {
        let query = {
            let is_waiting = |state: &mut State| !state.is_stopped && !state.is_requested;
            let mut state = shared.wait(retry, is_waiting);
            if state.is_stopped {
                return;
            }
            state.is_requested = false;
            state.rounds_started += 1;
            state.query.clone()
        };
        let start = Instant::now();
        let result = poll_once(shared, &mut reader, &query);
        let took = start.elapsed();
        let mut state = shared.state();
        state.rounds_finished = state.rounds_started;
        state.notices.append(&mut reader.notices);
        let pause = match &result {
            Ok(()) => {
                rests.after_success();
                took * PAUSE_FACTOR
            }
            Err(_) => rests.after_failure(),
        };
        let until = Instant::now() + pause;
        retry = result.is_err().then_some(until);
        state.failure = result.err().map(|error| format!("{error:#}"));
        shared.changed.notify_all();
        drop(state);
        // Requests wait until the pause is over, to limit the load of the server.
        if shared
            .wait(Some(until), |state| !state.is_stopped)
            .is_stopped
        {
            return;
        }
    }
}

/// Publishes a snapshot with the levels as soon as they are known, and another with the info.
fn poll_once(shared: &Shared, reader: &mut Poller, query: &SourceQuery) -> Result<()> {
    let snapshot = reader.poll_levels(query)?;
    let give = |snapshot| {
        let old = shared.state().news.replace(snapshot);
        // Dropping many maps takes a while, so it is done without the lock.
        drop(old);
        shared.changed.notify_all();
    };
    give(snapshot);
    match reader.poll_info() {
        Ok(Some(whole)) => give(whole),
        Ok(None) => {}
        // The table works without the info.
        Err(error) => reader.warn_info_missing(&error),
    }
    Ok(())
}

/// Fetches backfills of visible maps.
fn backfill_loop(shared: &Shared, client: &Client, options: &Options, clock: &Clock) {
    let mut rests = Backoff::default();
    loop {
        let keys = {
            let is_waiting = |state: &mut State| !state.is_stopped && state.visible_keys.is_empty();
            let mut state = shared.wait(None, is_waiting);
            if state.is_stopped {
                return;
            }
            // The keys added last are visible now.
            let from = state.visible_keys.len().saturating_sub(MAX_BACKFILLS);
            state.visible_keys.split_off(from)
        };
        if let Ok(mut pasts) = poll::fetch_backfill(client, options, clock, &keys) {
            rests.after_success();
            shared.state().backfills.append(&mut pasts);
        } else {
            // Not reported: the table works without, and keys that are still visible
            // are requested again.
            let mut state = shared.state();
            for key in &keys {
                state.backfilled.remove(key);
            }
            drop(state);
            let until = Instant::now() + rests.after_failure();
            if shared
                .wait(Some(until), |state| !state.is_stopped)
                .is_stopped
            {
                return;
            }
        }
    }
}
