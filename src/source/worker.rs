//! A background thread and the state that it shares with its users.

use std::io;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

/// The state, and a way to wait until it changes.
#[derive(Debug, Default)]
pub(crate) struct Mailbox<T> {
    state: Mutex<T>,
    changed: Condvar,
    /// The worker was dropped. Written while `state` is locked, so that no waiter misses it.
    is_over: AtomicBool,
    /// Threads that have not ended.
    running: AtomicUsize,
}

impl<T> Mailbox<T> {
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes all waiters. Call it after every change that one may wait for.
    pub(crate) fn notify(&self) {
        self.changed.notify_all();
    }

    /// Waits while `is_waiting`, at most until the deadline, and returns the state as it is then.
    pub(crate) fn wait(
        &self,
        deadline: Option<Instant>,
        is_waiting: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'_, T> {
        let state = self.lock();
        match deadline {
            None => self
                .changed
                .wait_while(state, is_waiting)
                .unwrap_or_else(PoisonError::into_inner),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                let waited = self.changed.wait_timeout_while(state, left, is_waiting);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    /// The same for the thread itself: `None` once the worker is dropped.
    pub(crate) fn wait_for_work(
        &self,
        deadline: Option<Instant>,
        mut is_waiting: impl FnMut(&mut T) -> bool,
    ) -> Option<MutexGuard<'_, T>> {
        let is_over = || self.is_over.load(Ordering::Relaxed);
        let state = self.wait(deadline, |state| !is_over() && is_waiting(state));
        (!is_over()).then_some(state)
    }

    /// Whether the threads of a dropped worker have ended and freed their memory.
    pub(crate) fn has_ended(&self) -> bool {
        self.is_over.load(Ordering::Acquire) && self.running.load(Ordering::Acquire) == 0
    }
}

/// Ends its threads when it is dropped, without waiting for them. They do not keep the process from
/// ending.
#[derive(Debug)]
pub(crate) struct Worker<T>(Arc<Mailbox<T>>);

impl<T: Send + 'static> Worker<T> {
    pub(crate) fn new(state: T) -> Self {
        Self(Arc::new(Mailbox {
            state: Mutex::new(state),
            changed: Condvar::new(),
            is_over: AtomicBool::new(false),
            running: AtomicUsize::new(0),
        }))
    }

    /// Starts a thread. `run` is to return soon after [`Mailbox::wait_for_work`] returned `None`.
    ///
    /// # Errors
    ///
    /// When the system has no more threads.
    pub(crate) fn spawn(
        &self,
        name: &str,
        run: impl FnOnce(&Mailbox<T>) + Send + 'static,
    ) -> io::Result<()> {
        let mailbox = Arc::clone(&self.0);
        mailbox.running.fetch_add(1, Ordering::Release);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            // What `run` captured is dropped before the thread counts as ended.
            run(&mailbox);
            mailbox.running.fetch_sub(1, Ordering::Release);
        });
        if thread.is_err() {
            self.0.running.fetch_sub(1, Ordering::Release);
        }
        thread.map(drop)
    }

    /// Outlives the worker, to observe the end of its threads.
    pub(crate) fn mailbox(&self) -> Arc<Mailbox<T>> {
        Arc::clone(&self.0)
    }
}

impl<T> Deref for Worker<T> {
    type Target = Mailbox<T>;

    fn deref(&self) -> &Mailbox<T> {
        &self.0
    }
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        let state = self.0.lock();
        self.0.is_over.store(true, Ordering::Release);
        drop(state);
        self.0.notify();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_thread_works_until_its_worker_is_dropped() {
        let worker = Worker::new((0_u32, 0_u32));
        let (ended, has_ended) = mpsc::channel::<()>();
        let run = move |mailbox: &Mailbox<(u32, u32)>| {
            while let Some(mut state) = mailbox.wait_for_work(None, |state| state.0 == state.1) {
                state.1 = state.0;
                drop(state);
                mailbox.notify();
            }
            drop(ended);
        };
        worker.spawn("test", run).expect("a thread");
        for wanted in 1..4 {
            worker.lock().0 = wanted;
            worker.notify();
            assert_eq!(worker.wait(None, |state| state.1 != wanted).1, wanted);
        }
        let mailbox = worker.mailbox();
        assert!(!mailbox.has_ended());
        drop(worker);
        assert!(has_ended.recv().is_err());
        while !mailbox.has_ended() {
            thread::yield_now();
        }
    }

    #[test]
    fn a_wait_ends_at_its_deadline() {
        let worker = Worker::new(());
        let deadline = Instant::now() + Duration::from_millis(20);
        drop(worker.wait(Some(deadline), |()| true));
        assert!(Instant::now() >= deadline);
    }
}
