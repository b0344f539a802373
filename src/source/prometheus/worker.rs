//! Threads that ask a server, so that no key waits for it.

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

/// The rest after a round that failed, which doubles ...
const FIRST_REST: Duration = Duration::from_secs(1);
/// ... up to this.
const MAX_BACKOFF: Duration = Duration::from_secs(60);

/// The rest after a round, by the time that it took: a server is left alone most of the time.
const REST_BY_ROUND: u32 = 4;

/// The rests after failures, one after the other.
#[derive(Debug)]
struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST_REST }
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

/// Maps whose past is asked for at once.
const MAX_BACKFILLS: usize = 100;

#[derive(Debug, Default)]
struct State {
    wish: SourceQuery,
    is_wanted: bool,
    is_over: bool,
    /// Rounds that began, and the last of them that ended, with or without success.
    begun: u64,
    ended: u64,
    /// What was found and not given yet.
    news: Option<Snapshot>,
    /// Why the last round failed, if it did and that was not said yet.
    failure: Option<String>,
    notices: Vec<String>,
    /// Maps that somebody looks at and whose past was not asked for.
    looked_at: Vec<MapKey>,
    /// Maps whose past was asked for, and whether they were in the snapshot that was given last.
    asked: HashMap<MapKey, bool>,
    pasts: Vec<Backfill>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl State {
    /// Gives what was found. Of a map that was gone and is back its past has to be asked for again:
    /// whoever takes snapshots in has forgotten it.
    fn give(&mut self) -> Option<Snapshot> {
        let snapshot = self.news.take()?;
        self.asked.retain(|key, was_there| {
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

/// A server that is asked by threads of its own. They end with this, and keep no process from ending.
#[derive(Debug)]
pub struct PollWorker {
    shared: Arc<Shared>,
    /// Whether a whole answer was waited for.
    was_waited_for: bool,
}

impl PollWorker {
    /// Starts to ask.
    ///
    /// # Errors
    ///
    /// When there are no threads to be had.
    pub fn start(
        client: Client,
        options: Options,
        clock: Clock,
        wish: SourceQuery,
    ) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        shared.state().wish = wish;
        shared.state().is_wanted = true;
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            let thread = thread::Builder::new().name(name.to_owned());
            thread.spawn(run).context("cannot start a thread")
        };
        let reader = Poller::new(client.clone(), options.clone(), clock);
        let own = Arc::clone(&shared);
        spawn("fleet", Box::new(move || ask_levels(&own, reader)))?;
        let own = Arc::clone(&shared);
        spawn(
            "past",
            Box::new(move || ask_pasts(&own, &client, &options, &clock)),
        )?;
        Ok(Self {
            shared,
            was_waited_for: false,
        })
    }

    /// What came since the last time; asks for more if nothing did. Waits for the very first.
    ///
    /// # Errors
    ///
    /// When the last round failed, once for each, and after what was found before it.
    pub fn news(&mut self) -> Result<Option<Snapshot>> {
        let mut state = self
            .shared
            .wait(None, |state| state.ended == 0 && state.news.is_none());
        if let Some(news) = state.give() {
            return Ok(Some(news));
        }
        if let Some(why) = state.failure.take() {
            bail!(why);
        }
        state.is_wanted = true;
        self.shared.changed.notify_all();
        Ok(None)
    }

    /// What the server says now, all of it.
    ///
    /// # Errors
    ///
    /// When it could not be asked.
    pub fn whole(&mut self) -> Result<Option<Snapshot>> {
        let next = {
            let mut state = self.shared.state();
            if self.was_waited_for {
                state.is_wanted = true;
                self.shared.changed.notify_all();
            }
            // A round that has begun may have asked before, but the first is for this.
            if self.was_waited_for {
                state.begun + 1
            } else {
                1
            }
        };
        self.was_waited_for = true;
        let mut state = self.shared.wait(None, |state| state.ended < next);
        if let Some(why) = state.failure.take() {
            bail!(why);
        }
        let news = state.give().context("the server said nothing")?;
        Ok(Some(news))
    }

    pub fn has_news(&self) -> bool {
        let state = self.shared.state();
        state.news.is_some() || state.failure.is_some() || !state.pasts.is_empty()
    }

    pub fn wish(&self, wish: SourceQuery) {
        let mut state = self.shared.state();
        if state.wish != wish {
            state.wish = wish;
            state.is_wanted = true;
            self.shared.changed.notify_all();
        }
    }

    pub fn look_at(&self, keys: &[MapKey]) {
        let mut state = self.shared.state();
        let state = &mut *state;
        for key in keys {
            if !state.asked.contains_key(key) {
                state.asked.insert(key.clone(), true);
                state.looked_at.push(key.clone());
            }
        }
        if !state.looked_at.is_empty() {
            self.shared.changed.notify_all();
        }
    }

    pub fn past(&self) -> Vec<Backfill> {
        std::mem::take(&mut self.shared.state().pasts)
    }

    pub fn notice(&self) -> Option<String> {
        self.shared.state().notices.pop()
    }
}

impl Drop for PollWorker {
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        self.shared.changed.notify_all();
    }
}

/// Asks when somebody wants to know, and after a failure by itself.
fn ask_levels(shared: &Shared, mut reader: Poller) {
    let mut rests = Backoff::default();
    let mut retry: Option<Instant> = None;
    loop {
        let wish = {
            let is_waiting = |state: &mut State| !state.is_over && !state.is_wanted;
            let mut state = shared.wait(retry, is_waiting);
            if state.is_over {
                return;
            }
            state.is_wanted = false;
            state.begun += 1;
            state.wish.clone()
        };
        let start = Instant::now();
        let result = round(shared, &mut reader, &wish);
        let took = start.elapsed();
        let mut state = shared.state();
        state.ended = state.begun;
        state.notices.append(&mut reader.notices);
        let pause = match &result {
            Ok(()) => {
                rests.after_success();
                took * REST_BY_ROUND
            }
            Err(_) => rests.after_failure(),
        };
        let until = Instant::now() + pause;
        retry = result.is_err().then_some(until);
        state.failure = result.err().map(|error| format!("{error:#}"));
        shared.changed.notify_all();
        drop(state);
        // Whoever wants to know sooner has to wait: the server has other work.
        if shared.wait(Some(until), |state| !state.is_over).is_over {
            return;
        }
    }
}

/// What changes is there for everybody as soon as it is known.
fn round(shared: &Shared, reader: &mut Poller, wish: &SourceQuery) -> Result<()> {
    let snapshot = reader.poll_levels(wish)?;
    let give = |snapshot| {
        let old = shared.state().news.replace(snapshot);
        // Many maps take a while to drop, and somebody may be waiting for the lock.
        drop(old);
        shared.changed.notify_all();
    };
    give(snapshot);
    match reader.poll_info() {
        Ok(Some(whole)) => give(whole),
        Ok(None) => {}
        // The table does without it.
        Err(error) => reader.tell_rest(&error),
    }
    Ok(())
}

/// Asks what maps held that somebody looks at.
fn ask_pasts(shared: &Shared, client: &Client, options: &Options, clock: &Clock) {
    let mut rests = Backoff::default();
    loop {
        let keys = {
            let is_waiting = |state: &mut State| !state.is_over && state.looked_at.is_empty();
            let mut state = shared.wait(None, is_waiting);
            if state.is_over {
                return;
            }
            // What was looked at last is looked at now.
            let from = state.looked_at.len().saturating_sub(MAX_BACKFILLS);
            state.looked_at.split_off(from)
        };
        if let Ok(mut pasts) = poll::past(client, options, clock, &keys) {
            rests.after_success();
            shared.state().pasts.append(&mut pasts);
        } else {
            // That is no failure: the table does without, and asks again for what is still looked at.
            let mut state = shared.state();
            for key in &keys {
                state.asked.remove(key);
            }
            drop(state);
            let until = Instant::now() + rests.after_failure();
            if shared.wait(Some(until), |state| !state.is_over).is_over {
                return;
            }
        }
    }
}
