//! What takes longer than a screen may wait: an examination of this machine, an exact count. Each
//! has a thread of its own, and the loop asks what became of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::app::App;
use crate::model::checkup::Checkup;
use crate::model::snapshot::{MapId, MapKey};

/// Examines the machine that mapstop runs on.
pub type Examine = fn() -> Checkup;

/// Counts a map of that machine: it tells how many entries there were so far, and ends early, with
/// `None`, when it is told not to go on.
pub type Count = fn(MapId, &mut dyn FnMut(u64) -> bool) -> Result<Option<u64>>;

/// What became of an errand.
enum News {
    Examined(Box<Checkup>),
    Counting(MapKey, u64),
    Counted(MapKey, Duration, Result<Option<u64>>),
}

/// The errands that are out.
pub struct Errands {
    examine: Examine,
    count: Count,
    news: (Sender<News>, Receiver<News>),
    open: usize,
    /// Tells the count that goes on to stop.
    stop: Arc<AtomicBool>,
}

impl Errands {
    /// None yet, to be done so.
    pub fn new(examine: Examine, count: Count) -> Self {
        Self {
            examine,
            count,
            news: channel(),
            open: 0,
            stop: Arc::default(),
        }
    }

    /// Whether there will be news before anybody presses a key.
    pub fn is_out(&self) -> bool {
        self.open > 0
    }

    /// Examines this machine.
    pub fn examine(&mut self) {
        let (examine, news) = (self.examine, self.news.0.clone());
        let run = move || {
            let _ = news.send(News::Examined(Box::new(examine())));
        };
        self.start("examine", run);
    }

    /// Counts this map of this machine.
    pub fn count(&mut self, id: MapId) {
        let key = MapKey { node: None, id };
        let stop = Arc::new(AtomicBool::new(false));
        self.stop = Arc::clone(&stop);
        let (count, news) = (self.count, self.news.0.clone());
        let run = move || {
            let start = Instant::now();
            let counted = count(key.id, &mut |so_far| {
                let _ = news.send(News::Counting(key.clone(), so_far));
                !stop.load(Ordering::Relaxed)
            });
            let _ = news.send(News::Counted(key, start.elapsed(), counted));
        };
        self.start("count", run);
    }

    /// The count that goes on is to stop.
    pub fn stop_counting(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn start(&mut self, name: &str, run: impl FnOnce() + Send + 'static) {
        let thread = thread::Builder::new().name(name.to_owned());
        if thread.spawn(run).is_ok() {
            self.open += 1;
        }
    }

    /// Tells the view what there is to tell.
    pub fn tell(&mut self, app: &mut App) {
        for news in self.news.1.try_iter() {
            match news {
                News::Examined(checkup) => {
                    self.open -= 1;
                    app.examined(*checkup);
                }
                News::Counting(key, so_far) => app.counting(&key, so_far),
                News::Counted(key, took, counted) => {
                    self.open -= 1;
                    app.counted(&key, took, counted);
                }
            }
        }
    }
}
