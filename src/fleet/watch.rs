//! Threads that ask a server, so that no key waits for it.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::client::Client;
use super::read::{self, Reader};
use super::{Clock, Options};
use crate::model::snapshot::{MapKey, Snapshot};
use crate::model::wish::{Earlier, Wish};

/// The rest after a round that failed, which doubles ...
const FIRST_REST: Duration = Duration::from_secs(1);
/// ... up to this.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// The rest after a round, by the time that it took: a server is left alone most of the time.
const REST_BY_ROUND: u32 = 4;

/// The rests after failures, one after the other.
#[derive(Debug)]
struct Rests {
    next: Duration,
}

impl Default for Rests {
    fn default() -> Self {
        Self { next: FIRST_REST }
    }
}

impl Rests {
    fn after_failure(&mut self) -> Duration {
        let rest = self.next;
        self.next = (rest * 2).min(LONGEST_REST);
        rest
    }

    fn after_success(&mut self) {
        *self = Self::default();
    }
}

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
    /// What was found and not given yet.
    news: Option<Snapshot>,
    /// Why the last round failed, if it did and that was not said yet.
    failure: Option<String>,
    notices: Vec<String>,
    /// Maps that somebody looks at and whose past was not asked for.
    looked_at: Vec<MapKey>,
    /// Maps whose past was asked for, and whether they were in the snapshot that was given last.
    asked: HashMap<MapKey, bool>,
    pasts: Vec<Earlier>,
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
pub struct Watch {
    shared: Arc<Shared>,
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

    pub fn wish(&self, wish: Wish) {
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
    let mut rests = Rests::default();
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
fn round(shared: &Shared, reader: &mut Reader, wish: &Wish) -> Result<()> {
    let snapshot = reader.levels(wish)?;
    let give = |snapshot| {
        let old = shared.state().news.replace(snapshot);
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
    let mut rests = Rests::default();
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
        if let Ok(mut pasts) = read::past(client, options, clock, &keys) {
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use super::*;
    use crate::fleet::INSTANCE;
    use crate::fleet::testing::{answer, server};
    use crate::model::snapshot::MapId;
    use crate::testing::{map, moment, snapshot};

    /// Longer than anything here takes.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// What a server does, and how often it was asked.
    #[derive(Debug, Default)]
    struct Script {
        takes_ms: AtomicU32,
        has_levels: AtomicBool,
        has_map: AtomicBool,
        has_past: AtomicBool,
        pasts: AtomicU32,
    }

    const MAP: &str = r#"bpf_map_max_entries{instance="a",id="7",name="conns",type="hash"} 1000"#;
    const OTHER: &str = r#"bpf_map_max_entries{instance="a",id="8",name="other",type="hash"} 1000"#;
    const PAST: &str = r#"{"status":"success","data":{"result":[{"metric":
        {"instance":"a","id":"7","name":"conns","type":"hash"},"values":[[1732744900,"31"]]}]}}"#;

    const NO_PAST: &str = r#"{"status":"success","data":{"result":[]}}"#;

    impl Script {
        fn all() -> Arc<Self> {
            let yes = || AtomicBool::new(true);
            Arc::new(Self {
                has_levels: yes(),
                has_map: yes(),
                has_past: yes(),
                ..Self::default()
            })
        }

        fn set(flag: &AtomicBool, is: bool) {
            flag.store(is, Ordering::SeqCst);
        }

        fn answer(&self, path: &str, form: &str) -> (u16, String) {
            let is = |flag: &AtomicBool| flag.load(Ordering::SeqCst);
            if path.ends_with("query_range") {
                // The near past is asked for in finer steps than the far one.
                let body = if form.contains("step=15") {
                    PAST
                } else {
                    NO_PAST
                };
                return (200, body.to_owned());
            }
            if form.starts_with("query=time") {
                self.pasts.fetch_add(1, Ordering::SeqCst);
                let time = r#"{"data":{"result":[1732745000.25,"1732745000.25"]}}"#;
                return if is(&self.has_past) {
                    (200, time.to_owned())
                } else {
                    (503, "later".to_owned())
                };
            }
            thread::sleep(Duration::from_millis(
                self.takes_ms.load(Ordering::SeqCst).into(),
            ));
            if !is(&self.has_levels) {
                return (503, "later".to_owned());
            }
            let lines: &[&str] = if is(&self.has_map) {
                &[MAP, OTHER]
            } else {
                &[OTHER]
            };
            (200, answer(lines))
        }

        fn watch(self: &Arc<Self>) -> Watch {
            let script = Arc::clone(self);
            let address = server(move |path, form| script.answer(path, form));
            let client = Client::new(address, None, None).expect("a client");
            let options = Options {
                node_label: INSTANCE.to_owned(),
                top: 5000,
                is_fixed: false,
            };
            let clock = Clock::new(|| moment(0));
            Watch::start(client, options, clock, Wish::default()).expect("threads")
        }
    }

    fn key(id: u32) -> MapKey {
        MapKey {
            node: Some("a".into()),
            id: MapId(id),
        }
    }

    fn until<T>(what: &str, mut is_there: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(it) = is_there() {
                return it;
            }
            assert!(start.elapsed() < PATIENCE, "never: {what}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The next snapshot with this map, or without it.
    fn snapshot_with(watch: &mut Watch, has_map: bool) {
        until("a snapshot", || {
            let news = watch.news().expect("no failure")?;
            let has = news.maps.iter().any(|facts| facts.key == key(7));
            (has == has_map).then_some(())
        });
    }

    fn past_of(watch: &Watch, id: u32) -> Earlier {
        until("a past", || {
            watch.look_at(&[key(id)]);
            watch.past().pop()
        })
    }

    #[test]
    fn rests_double_up_to_a_minute_and_begin_anew_after_a_success() {
        let mut rests = Rests::default();
        let mut seconds = || rests.after_failure().as_secs();
        let seen: Vec<_> = std::iter::repeat_with(&mut seconds).take(9).collect();
        assert_eq!(seen, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        rests.after_success();
        assert_eq!(rests.after_failure().as_secs(), 1);
    }

    #[test]
    fn the_very_first_is_waited_for_and_no_other() {
        let script = Script::all();
        script.takes_ms.store(200, Ordering::SeqCst);
        let mut watch = script.watch();
        let start = Instant::now();
        let first = watch.news().expect("no failure").expect("waited for");
        assert!(start.elapsed() >= Duration::from_millis(200));
        assert_eq!(first.maps.len(), 2);
        // What hardly ever changes comes by itself, then there is nothing new.
        until("the rest", || watch.news().expect("no failure"));
        let start = Instant::now();
        assert_eq!(watch.news().expect("no failure"), None);
        assert!(start.elapsed() < Duration::from_millis(150));
    }

    #[test]
    fn a_first_round_that_fails_is_an_answer_too() {
        let script = Script::all();
        Script::set(&script.has_levels, false);
        let error = script.watch().news().expect_err("it failed");
        assert!(error.to_string().contains("503"), "{error}");
    }

    #[test]
    fn a_failure_is_said_once_and_the_server_asked_again_by_itself() {
        let script = Script::all();
        let mut watch = script.watch();
        snapshot_with(&mut watch, true);
        Script::set(&script.has_levels, false);
        let error = until("a failure", || watch.news().err());
        assert!(error.to_string().contains("503"), "{error}");
        let failed = Instant::now();
        assert!(!watch.has_news(), "it is said once");
        Script::set(&script.has_levels, true);
        until("news without a wish", || watch.has_news().then_some(()));
        assert!(failed.elapsed() >= FIRST_REST.mul_f64(0.8), "too soon");
        snapshot_with(&mut watch, true);
    }

    #[test]
    fn a_failed_round_keeps_what_was_found_before_it() {
        let shared = Shared::default();
        shared.state().ended = 2;
        shared.state().news = Some(snapshot(0, [map("m")]));
        shared.state().failure = Some("it is gone".to_owned());
        let mut watch = Watch {
            shared: Arc::new(shared),
            was_waited_for: false,
        };
        let news = watch.news().expect("what was found");
        assert_eq!(news.map(|news| news.maps.len()), Some(1));
        assert!(watch.has_news());
        let error = watch.news().expect_err("then the failure");
        assert_eq!(error.to_string(), "it is gone");
        assert_eq!(watch.news().expect("said once"), None);
    }

    #[test]
    fn a_past_is_asked_once_and_again_when_its_map_comes_back() {
        let script = Script::all();
        let mut watch = script.watch();
        snapshot_with(&mut watch, true);
        let past = past_of(&watch, 7);
        assert_eq!((past.key, past.points.len()), (key(7), 1));
        assert_eq!(past.points[0].1, Some(31));
        let asked = || script.pasts.load(Ordering::SeqCst);
        snapshot_with(&mut watch, true);
        watch.look_at(&[key(7)]);
        assert!(watch.shared.state().looked_at.is_empty());
        Script::set(&script.has_map, false);
        snapshot_with(&mut watch, false);
        // Its row stays on the screen for a while.
        watch.look_at(&[key(7)]);
        assert_eq!((watch.shared.state().looked_at.len(), asked()), (0, 1));
        Script::set(&script.has_map, true);
        snapshot_with(&mut watch, true);
        assert_eq!(past_of(&watch, 7).key, key(7));
        assert_eq!(asked(), 2);
    }

    #[test]
    fn a_past_that_could_not_be_had_is_asked_for_again_after_a_rest() {
        let script = Script::all();
        Script::set(&script.has_past, false);
        let mut watch = script.watch();
        snapshot_with(&mut watch, true);
        watch.look_at(&[key(7)]);
        let asked = || script.pasts.load(Ordering::SeqCst);
        until("a question", || (asked() == 1).then_some(()));
        let failed = Instant::now();
        Script::set(&script.has_past, true);
        assert_eq!(past_of(&watch, 7).key, key(7));
        assert!(failed.elapsed() >= FIRST_REST.mul_f64(0.8), "too soon");
        assert_eq!(asked(), 2);
        // Nobody looks at it any more: nobody asks.
        assert!(watch.shared.state().looked_at.is_empty());
    }
}
