use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use super::*;
use crate::source::prometheus::INSTANCE;
use crate::source::prometheus::test_server::{answer, server};
use crate::test_util::{map, moment, snapshot};
use crate::types::map_id::MapId;

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

    fn watch(self: &Arc<Self>) -> PollWorker {
        let script = Arc::clone(self);
        let address = server(move |path, form| script.answer(path, form));
        let client = Client::new(address, None, None).expect("a client");
        let options = Options {
            node_label: INSTANCE.to_owned(),
            top: 5000,
            is_fixed: false,
        };
        let clock = Clock::new(|| moment(0));
        PollWorker::start(client, options, clock, SourceQuery::default()).expect("threads")
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
fn snapshot_with(watch: &mut PollWorker, has_map: bool) {
    until("a snapshot", || {
        let news = watch.take_news().expect("no failure")?;
        let has = news.maps.iter().any(|facts| facts.key == key(7));
        (has == has_map).then_some(())
    });
}

fn past_of(watch: &PollWorker, id: u32) -> Backfill {
    until("a past", || {
        watch.set_visible(&[key(id)]);
        watch.take_backfill().pop()
    })
}

#[test]
fn rests_double_up_to_a_minute_and_begin_anew_after_a_success() {
    let mut rests = Backoff::default();
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
    let first = watch.take_news().expect("no failure").expect("waited for");
    assert!(start.elapsed() >= Duration::from_millis(200));
    assert_eq!(first.maps.len(), 2);
    // What hardly ever changes comes by itself, then there is nothing new.
    until("the rest", || watch.take_news().expect("no failure"));
    let start = Instant::now();
    assert_eq!(watch.take_news().expect("no failure"), None);
    assert!(start.elapsed() < Duration::from_millis(150));
}

#[test]
fn a_first_round_that_fails_is_an_answer_too() {
    let script = Script::all();
    Script::set(&script.has_levels, false);
    let error = script.watch().take_news().expect_err("it failed");
    assert!(error.to_string().contains("503"), "{error}");
}

#[test]
fn a_failure_is_said_once_and_the_server_asked_again_by_itself() {
    let script = Script::all();
    let mut watch = script.watch();
    snapshot_with(&mut watch, true);
    Script::set(&script.has_levels, false);
    let error = until("a failure", || watch.take_news().err());
    assert!(error.to_string().contains("503"), "{error}");
    let failed = Instant::now();
    assert!(!watch.has_pending(), "it is said once");
    Script::set(&script.has_levels, true);
    until("news without a wish", || watch.has_pending().then_some(()));
    assert!(failed.elapsed() >= MIN_BACKOFF.mul_f64(0.8), "too soon");
    snapshot_with(&mut watch, true);
}

#[test]
fn a_failed_round_keeps_what_was_found_before_it() {
    let mut watch = PollWorker {
        worker: Worker::new(State {
            rounds_finished: 2,
            news: Some(snapshot(0, [map("m")])),
            failure: Some("it is gone".to_owned()),
            ..State::default()
        }),
        has_waited: false,
    };
    let news = watch.take_news().expect("what was found");
    assert_eq!(news.map(|news| news.maps.len()), Some(1));
    assert!(watch.has_pending());
    let error = watch.take_news().expect_err("then the failure");
    assert_eq!(error.to_string(), "it is gone");
    assert_eq!(watch.take_news().expect("said once"), None);
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
    watch.set_visible(&[key(7)]);
    assert!(watch.worker.lock().visible_keys.is_empty());
    Script::set(&script.has_map, false);
    snapshot_with(&mut watch, false);
    // Its row stays on the screen for a while.
    watch.set_visible(&[key(7)]);
    assert_eq!((watch.worker.lock().visible_keys.len(), asked()), (0, 1));
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
    watch.set_visible(&[key(7)]);
    let asked = || script.pasts.load(Ordering::SeqCst);
    until("a question", || (asked() == 1).then_some(()));
    let failed = Instant::now();
    Script::set(&script.has_past, true);
    assert_eq!(past_of(&watch, 7).key, key(7));
    assert!(failed.elapsed() >= MIN_BACKOFF.mul_f64(0.8), "too soon");
    assert_eq!(asked(), 2);
    // Nobody looks at it any more: nobody asks.
    assert!(watch.worker.lock().visible_keys.is_empty());
}
