//! Limits connections and the memory of responses, by closing those that are slowest.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::scrape::Page;

/// Most connections. Beyond it, the one that has been idle longest is closed: honest clients
/// send their request at once.
const MAX_CONNECTIONS: usize = 256;
/// Bytes of older pages that are being sent. Beyond it, the connection that reads the oldest
/// page is closed.
const MAX_BYTES: usize = 64 << 20;
/// Timeout of a response, from the request to its last byte.
const MAX_TIME: Duration = Duration::from_secs(30);

/// The state of a connection.
#[derive(Debug, Clone, Copy)]
enum ClientState {
    /// Idle since then.
    Waiting(Instant),
    /// Waiting for a page since then.
    Requesting(Instant),
    /// Receiving a page of this number and size, requested then.
    Reading(Instant, u64, usize),
}

/// One client.
#[derive(Debug)]
pub struct Client(Mutex<ClientState>);

impl Client {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(ClientState::Waiting(Instant::now()))))
    }

    fn lock_state(&self) -> MutexGuard<'_, ClientState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the client as busy until the returned guard is dropped.
    pub(crate) fn begin_request(self: &Arc<Self>) -> InFlightGuard {
        *self.lock_state() = ClientState::Requesting(Instant::now());
        InFlightGuard(Arc::clone(self))
    }

    /// Completes when a response has taken too long.
    pub(crate) async fn wait_until_overdue(&self) {
        loop {
            let since = match *self.lock_state() {
                ClientState::Waiting(_) => None,
                ClientState::Requesting(since) | ClientState::Reading(since, ..) => Some(since),
            };
            let left = MAX_TIME.saturating_sub(since.map_or(Duration::ZERO, |at| at.elapsed()));
            if left.is_zero() {
                return;
            }
            sleep(left).await;
        }
    }
}

/// A guard: while it exists, a response is due.
#[derive(Debug)]
pub struct InFlightGuard(Arc<Client>);

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        *self.0.lock_state() = ClientState::Waiting(Instant::now());
    }
}

/// A page on its way to a client.
struct PageBody {
    page: Arc<Page>,
    _busy: InFlightGuard,
}

impl AsRef<[u8]> for PageBody {
    fn as_ref(&self) -> &[u8] {
        &self.page.bytes
    }
}

/// Each client, and the task that talks to it.
type Clients = Vec<(AbortHandle, Arc<Client>)>;

/// All clients.
#[derive(Debug, Clone, Default)]
pub struct Connections(Arc<Mutex<Clients>>);

impl Connections {
    fn lock_clients(&self) -> MutexGuard<'_, Clients> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection, whose task `start` spawns.
    pub fn add(&self, start: impl FnOnce(Arc<Client>) -> AbortHandle) {
        let mut list = self.lock_clients();
        list.retain(|(task, _)| !task.is_finished());
        if list.len() >= MAX_CONNECTIONS {
            // Idle connections are closed before busy ones.
            let since = |client: &Client| match *client.lock_state() {
                ClientState::Waiting(since) => (0, since),
                ClientState::Reading(since, ..) => (1, since),
                ClientState::Requesting(since) => (2, since),
            };
            let longest = (0..list.len()).min_by_key(|at| since(&list[*at].1));
            if let Some(at) = longest {
                list.swap_remove(at).0.abort();
            }
        }
        let client = Client::new();
        list.push((start(Arc::clone(&client)), client));
    }

    /// The body of a page; other connections may be closed to make room for it.
    pub(crate) fn body_of_page(&self, page: Arc<Page>, busy: InFlightGuard) -> Bytes {
        let since_request = match *busy.0.lock_state() {
            ClientState::Waiting(since)
            | ClientState::Requesting(since)
            | ClientState::Reading(since, ..) => since,
        };
        *busy.0.lock_state() = ClientState::Reading(since_request, page.number, page.bytes.len());
        self.make_room(page.number);
        Bytes::from_owner(PageBody { page, _busy: busy })
    }

    fn make_room(&self, newest: u64) {
        let list = self.lock_clients();
        let mut pages: Vec<(u64, usize)> = list
            .iter()
            .filter_map(|(_, client)| match *client.lock_state() {
                ClientState::Reading(_, number, bytes) if number != newest => Some((number, bytes)),
                _ => None,
            })
            .collect();
        pages.sort_unstable();
        pages.dedup();
        let mut bytes: usize = pages.iter().map(|(_, bytes)| bytes).sum();
        for (oldest, size) in pages {
            if bytes <= MAX_BYTES {
                return;
            }
            bytes -= size;
            for (task, client) in &*list {
                if matches!(*client.lock_state(), ClientState::Reading(_, number, _) if number == oldest)
                {
                    task.abort();
                }
            }
        }
    }

    /// Whether a response is being sent.
    #[must_use]
    pub(crate) fn is_busy(&self) -> bool {
        self.lock_clients().iter().any(|(task, client)| {
            !task.is_finished() && !matches!(*client.lock_state(), ClientState::Waiting(_))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client whose task never ends by itself.
    fn add(connections: &Connections) -> (AbortHandle, Arc<Client>) {
        let mut added = None;
        connections.add(|client| {
            let task = tokio::spawn(std::future::pending::<()>()).abort_handle();
            added = Some((task.clone(), client));
            task
        });
        added.expect("it was added")
    }

    fn in_runtime(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        runtime.block_on(test);
    }

    async fn is_gone((task, _): &(AbortHandle, Arc<Client>)) -> bool {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        task.is_finished()
    }

    #[test]
    fn longest_idle_connection_is_closed_first() {
        in_runtime(async {
            let connections = Connections::default();
            let busy = add(&connections);
            let _busy = busy.1.begin_request();
            let idle = add(&connections);
            let since_request = add(&connections);
            for _ in 3..MAX_CONNECTIONS {
                add(&connections);
            }
            drop(since_request.1.begin_request());
            assert!(!is_gone(&idle).await, "there was room");
            add(&connections);
            assert!(is_gone(&idle).await);
            assert!(!is_gone(&busy).await);
            assert!(
                !is_gone(&since_request).await,
                "it waits since a moment only"
            );
            assert_eq!(connections.lock_clients().len(), MAX_CONNECTIONS);
        });
    }

    #[test]
    fn reader_of_the_oldest_page_is_closed_when_memory_runs_out() {
        in_runtime(async {
            let connections = Connections::default();
            let mut readers = Vec::new();
            for number in 0..4 {
                let reader = add(&connections);
                let page = Arc::new(Page {
                    number,
                    bytes: vec![0; MAX_BYTES / 2].into(),
                });
                let body = connections.body_of_page(page, reader.1.begin_request());
                readers.push((reader, body));
            }
            let mut gone = Vec::new();
            for (reader, _) in &readers {
                gone.push(is_gone(reader).await);
            }
            assert_eq!(gone, [true, false, false, false]);
        });
    }

    #[test]
    fn client_is_busy_until_its_response_is_sent() {
        in_runtime(async {
            let connections = Connections::default();
            let client = add(&connections).1;
            assert!(!connections.is_busy());
            let page = Arc::new(Page {
                number: 1,
                bytes: vec![1, 2, 3].into(),
            });
            let body = connections.body_of_page(page, client.begin_request());
            let rest = body.slice(2..);
            drop(body);
            assert!(connections.is_busy());
            drop(rest);
            assert!(!connections.is_busy());
        });
    }
}
