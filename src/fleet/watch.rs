//! Threads that ask a server, so that no key waits for it.

use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::client::Client;
use super::read::{self, Reader};
use super::{Clock, Options};
use crate::model::snapshot::{MapKey, Snapshot};
use crate::model::wish::{Earlier, Wish};

/// The rest after a round that failed, which doubles ...
const FIRST_REST: Duration = Duration::from_secs(1);
/// ... up to this.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// The rest after a round, by the time that it took: a server is left alone most of the time.
const REST_BY_ROUND: u32 = 4;

/// Maps whose past is asked for at once.
const MOST_PASTS: usize = 100;

#[derive(Debug, Default)]
struct State {
    wish: Wish,
    is_wanted: bool,
    is_over: bool,
    /// Rounds that began, and the last of them that ended, with or without success.
    begun: u64,
    ended: u64,
    news: Option<Result<Snapshot, Arc<str>>>,
    notices: Vec<String>,
    /// Maps that somebody looks at and whose past was not asked for.
    looked_at: Vec<MapKey>,
    pasts: Vec<Earlier>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
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
pub struct Watch {
    shared: Arc<Shared>,
    /// Maps whose past was asked for.
    seen: HashSet<MapKey>,
    /// Whether a whole answer was waited for.
    was_waited_for: bool,
}

impl Watch {
    /// Starts to ask.
    ///
    /// # Errors
    ///
    /// When there are no threads to be had.
    pub fn start(client: Client, options: Options, clock: Clock, wish: Wish) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        shared.state().wish = wish;
        shared.state().is_wanted = true;
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            let thread = thread::Builder::new().name(name.to_owned());
            thread.spawn(run).context("cannot start a thread")
        };
        let reader = Reader::new(client.clone(), options.clone(), clock);
        let own = Arc::clone(&shared);
        spawn("fleet", Box::new(move || ask_levels(&own, reader)))?;
        let own = Arc::clone(&shared);
        spawn(
            "past",
            Box::new(move || ask_pasts(&own, &client, &options, &clock)),
        )?;
        Ok(Self {
            shared,
            seen: HashSet::new(),
            was_waited_for: false,
        })
    }

    /// What came since the last time; asks for more if nothing did. Waits for the very first.
    ///
    /// # Errors
    ///
    /// When the last round failed, once for each.
    pub fn news(&mut self) -> Result<Option<Snapshot>> {
        let mut state = self
            .shared
            .wait(None, |state| state.ended == 0 && state.news.is_none());
        if let Some(news) = state.news.take() {
            return news.map(Some).map_err(|why| anyhow!("{why}"));
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
        let news = state.news.take().context("the server said nothing")?;
        news.map(Some).map_err(|why| anyhow!("{why}"))
    }

    pub fn has_news(&self) -> bool {
        let state = self.shared.state();
        state.news.is_some() || !state.pasts.is_empty()
    }

    pub fn wish(&self, wish: Wish) {
        let mut state = self.shared.state();
        if state.wish != wish {
            state.wish = wish;
            state.is_wanted = true;
            self.shared.changed.notify_all();
        }
    }

    pub fn look_at(&mut self, keys: &[MapKey]) {
        let new: Vec<_> = keys.iter().filter(|key| !self.seen.contains(key)).collect();
        if new.is_empty() {
            return;
        }
        let mut state = self.shared.state();
        state.looked_at.extend(new.iter().copied().cloned());
        self.seen.extend(new.into_iter().cloned());
        self.shared.changed.notify_all();
    }

    pub fn past(&self) -> Vec<Earlier> {
        std::mem::take(&mut self.shared.state().pasts)
    }

    pub fn notice(&self) -> Option<String> {
        self.shared.state().notices.pop()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        self.shared.changed.notify_all();
    }
}

/// Asks when somebody wants to know, and after a failure by itself.
fn ask_levels(shared: &Shared, mut reader: Reader) {
    let mut rest = FIRST_REST;
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
        match result {
            Ok(()) => {
                rest = FIRST_REST;
                retry = None;
            }
            Err(error) => {
                state.news = Some(Err(format!("{error:#}").into()));
                retry = Some(Instant::now() + rest);
            }
        }
        shared.changed.notify_all();
        let pause = if retry.is_some() {
            rest
        } else {
            took * REST_BY_ROUND
        };
        if retry.is_some() {
            rest = (rest * 2).min(LONGEST_REST);
        }
        drop(state);
        // Whoever wants to know sooner has to wait: the server has other work.
        let until = Instant::now() + pause;
        if shared.wait(Some(until), |state| !state.is_over).is_over {
            return;
        }
    }
}

/// What changes is there for everybody as soon as it is known.
fn round(shared: &Shared, reader: &mut Reader, wish: &Wish) -> Result<()> {
    let snapshot = reader.levels(wish)?;
    let give = |snapshot| {
        let old = shared.state().news.replace(Ok(snapshot));
        // Many maps take a while to drop, and somebody may be waiting for the lock.
        drop(old);
        shared.changed.notify_all();
    };
    give(snapshot);
    match reader.rest() {
        Ok(Some(whole)) => give(whole),
        Ok(None) => {}
        // The table does without it.
        Err(error) => reader.tell_rest(&error),
    }
    Ok(())
}

/// Asks what maps held that somebody looks at.
fn ask_pasts(shared: &Shared, client: &Client, options: &Options, clock: &Clock) {
    loop {
        let keys = {
            let is_waiting = |state: &mut State| !state.is_over && state.looked_at.is_empty();
            let mut state = shared.wait(None, is_waiting);
            if state.is_over {
                return;
            }
            // What was looked at last is looked at now.
            let from = state.looked_at.len().saturating_sub(MOST_PASTS);
            state.looked_at.split_off(from)
        };
        // A past that cannot be had is no failure: the table does without.
        if let Ok(mut pasts) = read::past(client, options, clock, &keys) {
            shared.state().pasts.append(&mut pasts);
        }
    }
}
