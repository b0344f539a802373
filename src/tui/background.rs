//! What takes longer than a screen may wait: an examination of this machine, an exact count. Each
//! has a thread of its own, and the loop asks what became of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::state::App;
use crate::types::doctor_report::DoctorReport;
use crate::types::map_id::{MapId, MapKey};

/// Examines the machine that mapstop runs on.
pub type Examine = fn() -> DoctorReport;

/// Counts a map of that machine: it tells how many entries there were so far, and ends early, with
/// `None`, when it is told not to go on.
pub type Count = fn(MapId, &mut dyn FnMut(u64) -> bool) -> Result<Option<u64>>;

/// What became of an errand.
enum TaskEvent {
    Examined(Box<DoctorReport>),
    NotExamined,
    Counting(TaskId, MapKey, u64),
    Counted(TaskId, MapKey, Duration, Result<Option<u64>>),
}

/// The number of a count, by which what comes of one that was stopped is known.
type TaskId = u64;

/// The errands that are out.
pub struct BackgroundTasks {
    examine: Examine,
    count: Count,
    news: (Sender<TaskEvent>, Receiver<TaskEvent>),
    open: usize,
    /// Of the count that goes on, if one does.
    turn: TaskId,
    /// Tells the count that goes on to stop.
    stop: Arc<AtomicBool>,
}

impl BackgroundTasks {
    /// None yet, to be done so.
    pub fn new(examine: Examine, count: Count) -> Self {
        Self {
            examine,
            count,
            news: channel(),
            open: 0,
            turn: 0,
            stop: Arc::default(),
        }
    }

    /// Whether there will be news before anybody presses a key.
    #[must_use]
    pub fn has_running(&self) -> bool {
        self.open > 0
    }

    /// Examines this machine.
    pub fn examine(&mut self) {
        let examine = self.examine;
        let run = move || TaskEvent::Examined(Box::new(examine()));
        self.start("examine", run, TaskEvent::NotExamined);
    }

    /// Counts this map of this machine.
    pub fn count(&mut self, id: MapId) {
        let key = MapKey { node: None, id };
        self.stop_counting();
        let (stop, turn) = (Arc::new(AtomicBool::new(false)), self.turn);
        self.stop = Arc::clone(&stop);
        let (count, news) = (self.count, self.news.0.clone());
        let not_started = anyhow!("no thread can be started");
        let not_started = TaskEvent::Counted(turn, key.clone(), Duration::ZERO, Err(not_started));
        let run = move || {
            let start = Instant::now();
            let counted = count(key.id, &mut |so_far| {
                let _ = news.send(TaskEvent::Counting(turn, key.clone(), so_far));
                !stop.load(Ordering::Relaxed)
            });
            TaskEvent::Counted(turn, key, start.elapsed(), counted)
        };
        self.start("count", run, not_started);
    }

    /// The count that goes on is to stop.
    pub fn stop_counting(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.turn += 1;
    }

    /// Does this in a thread; where none can be started, the news are that.
    fn start(
        &mut self,
        name: &str,
        run: impl FnOnce() -> TaskEvent + Send + 'static,
        not_started: TaskEvent,
    ) {
        self.open += 1;
        let news = self.news.0.clone();
        let thread = thread::Builder::new().name(name.to_owned());
        let started = thread.spawn(move || drop(news.send(run())));
        if started.is_err() {
            let _ = self.news.0.send(not_started);
        }
    }

    /// Tells the view what there is to tell.
    pub fn deliver(&mut self, app: &mut App) {
        for news in self.news.1.try_iter() {
            match news {
                TaskEvent::Examined(checkup) => {
                    self.open -= 1;
                    app.examined(*checkup);
                }
                TaskEvent::NotExamined => {
                    self.open -= 1;
                    app.not_examined();
                }
                TaskEvent::Counting(turn, key, so_far) if turn == self.turn => {
                    app.counting(&key, so_far);
                }
                TaskEvent::Counting(..) => {}
                TaskEvent::Counted(turn, key, took, counted) => {
                    self.open -= 1;
                    if turn == self.turn {
                        app.counted(&key, took, counted);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::test_util::{checkup, host, key, map, moment, snapshot};
    use crate::tui::action::Effect;
    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    fn app() -> App {
        let mut app = App::new(host(), moment(0));
        app.ingest(snapshot(0, [map("m").id(7).uncounted()]), Duration::ZERO);
        app.selected = Some(key(7));
        app
    }

    /// Does what a key asks for, as the loop does.
    fn press(app: &mut App, errands: &mut BackgroundTasks, code: KeyCode) {
        match app.press(KeyEvent::new(code, KeyModifiers::NONE)) {
            Effect::Examine => errands.examine(),
            Effect::Count(id) => errands.count(id),
            Effect::StopCounting => errands.stop_counting(),
            _ => {}
        }
    }

    fn until_all_are_back(app: &mut App, errands: &mut BackgroundTasks) {
        while errands.has_running() {
            errands.deliver(app);
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn an_examination_comes_back_with_what_was_found() {
        let mut app = app();
        let mut errands = BackgroundTasks::new(checkup, |_, _| Ok(None));
        press(&mut app, &mut errands, KeyCode::Char('i'));
        assert!(errands.has_running());
        until_all_are_back(&mut app, &mut errands);
        assert_eq!(app.checkup.as_deref(), Some(&checkup()));
    }

    #[test]
    fn a_count_comes_back_with_its_number_or_its_error() {
        for (count, expected) in [
            ((|id, _| Ok(Some(u64::from(id.0) * 6))) as Count, Some(42)),
            (|_, _| anyhow::bail!("it is gone"), None),
        ] {
            let (mut app, mut errands) = (app(), BackgroundTasks::new(checkup, count));
            press(&mut app, &mut errands, KeyCode::Char('C'));
            press(&mut app, &mut errands, KeyCode::Enter);
            until_all_are_back(&mut app, &mut errands);
            assert_eq!(app.exact(&key(7)).map(|exact| exact.entries), expected);
        }
    }

    #[test]
    fn a_count_that_is_stopped_ends_and_says_nothing_to_the_next() {
        // Ends only when it is told to.
        let endless: Count = |_, go_on| {
            while go_on(1) {
                thread::sleep(Duration::from_millis(1));
            }
            Ok(Some(1))
        };
        let (mut app, mut errands) = (app(), BackgroundTasks::new(checkup, endless));
        for key in [KeyCode::Char('C'), KeyCode::Enter, KeyCode::Esc] {
            press(&mut app, &mut errands, key);
        }
        for key in [KeyCode::Char('C'), KeyCode::Enter] {
            press(&mut app, &mut errands, key);
        }
        while errands.open > 1 {
            errands.deliver(&mut app);
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(app.exact(&key(7)), None, "the second goes on");
        press(&mut app, &mut errands, KeyCode::Esc);
        until_all_are_back(&mut app, &mut errands);
        assert_eq!(app.exact(&key(7)), None);
    }
}
