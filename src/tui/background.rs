//! Background tasks of the live view: examining this machine, and counting a map exactly. Each runs
//! in a thread; the event loop polls the results.

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

/// Counts a map of this machine. It passes the entries counted so far to the callback, and returns
/// `None` once that returns `false`.
pub type Count = fn(MapId, &mut dyn FnMut(u64) -> bool) -> Result<Option<u64>>;

enum TaskEvent {
    Examined(Box<DoctorReport>),
    ExaminationFailed,
    CountProgress(TaskId, MapKey, u64),
    Counted(TaskId, MapKey, Duration, Result<Option<u64>>),
}

/// Generation of a count; events of an older generation are dropped.
type TaskId = u64;

/// The tasks, and the channel of their results.
pub struct BackgroundTasks {
    examine: Examine,
    count: Count,
    events: (Sender<TaskEvent>, Receiver<TaskEvent>),
    running: usize,
    /// The latest count.
    count_id: TaskId,
    /// Stops the latest count.
    stop: Arc<AtomicBool>,
}

impl BackgroundTasks {
    /// Without tasks; these functions do the work.
    pub fn new(examine: Examine, count: Count) -> Self {
        Self {
            examine,
            count,
            events: channel(),
            running: 0,
            count_id: 0,
            stop: Arc::default(),
        }
    }

    pub(crate) fn has_running(&self) -> bool {
        self.running > 0
    }

    pub(crate) fn examine(&mut self) {
        let examine = self.examine;
        let run = move || TaskEvent::Examined(Box::new(examine()));
        self.start("examine", run, TaskEvent::ExaminationFailed);
    }

    /// Counts a map, and stops any other count.
    pub(crate) fn count(&mut self, id: MapId) {
        let key = MapKey { node: None, id };
        self.stop_counting();
        let (stop, count_id) = (Arc::new(AtomicBool::new(false)), self.count_id);
        self.stop = Arc::clone(&stop);
        let (count, events) = (self.count, self.events.0.clone());
        let not_started = anyhow!("no thread can be started");
        let not_started =
            TaskEvent::Counted(count_id, key.clone(), Duration::ZERO, Err(not_started));
        let run = move || {
            let start = Instant::now();
            let counted = count(key.id, &mut |so_far| {
                let _ = events.send(TaskEvent::CountProgress(count_id, key.clone(), so_far));
                !stop.load(Ordering::Relaxed)
            });
            TaskEvent::Counted(count_id, key, start.elapsed(), counted)
        };
        self.start("count", run, not_started);
    }

    pub(crate) fn stop_counting(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.count_id += 1;
    }

    /// Runs a task in a thread; sends `not_started` if no thread can be started.
    fn start(
        &mut self,
        name: &str,
        run: impl FnOnce() -> TaskEvent + Send + 'static,
        not_started: TaskEvent,
    ) {
        self.running += 1;
        let events = self.events.0.clone();
        let thread = thread::Builder::new().name(name.to_owned());
        let started = thread.spawn(move || drop(events.send(run())));
        if started.is_err() {
            let _ = self.events.0.send(not_started);
        }
    }

    /// Passes results to the state.
    pub(crate) fn deliver(&mut self, app: &mut App) {
        for event in self.events.1.try_iter() {
            match event {
                TaskEvent::Examined(report) => {
                    self.running -= 1;
                    app.on_examined(*report);
                }
                TaskEvent::ExaminationFailed => {
                    self.running -= 1;
                    app.on_examination_failed();
                }
                TaskEvent::CountProgress(count_id, key, so_far) if count_id == self.count_id => {
                    app.on_count_progress(&key, so_far);
                }
                TaskEvent::CountProgress(..) => {}
                TaskEvent::Counted(count_id, key, took, counted) => {
                    self.running -= 1;
                    if count_id == self.count_id {
                        app.on_counted(&key, took, counted);
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
        app.table.selected = Some(key(7));
        app
    }

    /// Does what a key asks for, as the loop does.
    fn press(app: &mut App, tasks: &mut BackgroundTasks, code: KeyCode) {
        match app.press(KeyEvent::new(code, KeyModifiers::NONE)) {
            Effect::Examine => tasks.examine(),
            Effect::Count(id) => tasks.count(id),
            Effect::StopCounting => tasks.stop_counting(),
            _ => {}
        }
    }

    fn wait_for_all(app: &mut App, tasks: &mut BackgroundTasks) {
        while tasks.has_running() {
            tasks.deliver(app);
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn an_examination_delivers_its_report() {
        let mut app = app();
        let mut tasks = BackgroundTasks::new(checkup, |_, _| Ok(None));
        press(&mut app, &mut tasks, KeyCode::Char('i'));
        assert!(tasks.has_running());
        wait_for_all(&mut app, &mut tasks);
        assert_eq!(app.session.doctor_report.as_deref(), Some(&checkup()));
    }

    #[test]
    fn a_count_delivers_its_number_or_error() {
        for (count, expected) in [
            ((|id, _| Ok(Some(u64::from(id.0) * 6))) as Count, Some(42)),
            (|_, _| anyhow::bail!("it is gone"), None),
        ] {
            let (mut app, mut tasks) = (app(), BackgroundTasks::new(checkup, count));
            press(&mut app, &mut tasks, KeyCode::Char('C'));
            press(&mut app, &mut tasks, KeyCode::Enter);
            wait_for_all(&mut app, &mut tasks);
            assert_eq!(
                app.exact_count(&key(7)).map(|count| count.entries),
                expected
            );
        }
    }

    #[test]
    fn a_stopped_count_does_not_affect_the_next() {
        // Ends only when it is stopped.
        let endless: Count = |_, go_on| {
            while go_on(1) {
                thread::sleep(Duration::from_millis(1));
            }
            Ok(Some(1))
        };
        let (mut app, mut tasks) = (app(), BackgroundTasks::new(checkup, endless));
        for key in [KeyCode::Char('C'), KeyCode::Enter, KeyCode::Esc] {
            press(&mut app, &mut tasks, key);
        }
        for key in [KeyCode::Char('C'), KeyCode::Enter] {
            press(&mut app, &mut tasks, key);
        }
        while tasks.running > 1 {
            tasks.deliver(&mut app);
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(app.exact_count(&key(7)), None, "the second goes on");
        press(&mut app, &mut tasks, KeyCode::Esc);
        wait_for_all(&mut app, &mut tasks);
        assert_eq!(app.exact_count(&key(7)), None);
    }
}
