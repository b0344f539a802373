//! HTTP: passes requests to the sampler, and answers with its pages.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};

use super::connections::{Client, Connections, InFlightGuard};
use super::negotiate;
use super::openmetrics::Format;
use super::scrape::{ScrapeRequest, ScrapeResult};

/// Timeout of a request's head, from the end of the previous response or from the start of the
/// connection.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Limits of a request's head: bytes and headers.
const MAX_HEADER_BYTES: usize = 16 << 10;
const MAX_HEADERS: usize = 64;
/// Pause after `accept(2)` failed, for example for lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// Grace period for responses that are being sent at shutdown.
const MAX_SHUTDOWN_TIME: Duration = Duration::from_secs(10);

const PLAIN: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const START_PAGE: &str = "<!doctype html><title>mapstop</title><h1>mapstop</h1>\
    <p><a href=\"/metrics\">/metrics</a>: metrics of the BPF maps on this machine</p>\
    <p><a href=\"/healthz\">/healthz</a>: health check</p>\n";

/// The two signals that end the server.
struct Shutdown {
    terminate: Signal,
    interrupt: Signal,
}

impl Shutdown {
    async fn requested(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Serves until a signal arrives, then finishes the responses that are being sent. `is_ready` is
/// called once signals are handled.
///
/// # Errors
///
/// When the runtime or the signal handlers cannot be set up.
pub fn serve(
    listener: TcpListener,
    requests: Sender<ScrapeRequest>,
    is_ready: impl FnOnce(),
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    runtime.block_on(async {
        let mut shutdown = Shutdown {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        };
        let listener = tokio::net::TcpListener::from_std(listener)?;
        is_ready();
        accept_until(&listener, &mut shutdown, requests).await;
        Ok(())
    })
}

async fn accept_until(
    listener: &tokio::net::TcpListener,
    shutdown: &mut Shutdown,
    requests: Sender<ScrapeRequest>,
) {
    let connections = Connections::default();
    let (stop, is_stopping) = watch::channel(());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.requested() => break,
        };
        match accepted {
            Ok((stream, _)) => connections.add(|client| {
                let server = Server {
                    requests: requests.clone(),
                    connections: connections.clone(),
                    client,
                };
                tokio::spawn(server.serve_connection(stream, is_stopping.clone())).abort_handle()
            }),
            Err(_) => sleep(PAUSE).await,
        }
    }
    let _ = stop.send(());
    let finished = async {
        while connections.is_busy() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        _ = timeout(MAX_SHUTDOWN_TIME, finished) => {}
        () = shutdown.requested() => {}
    }
}

/// The state that all connections share.
struct Server {
    requests: Sender<ScrapeRequest>,
    connections: Connections,
    client: Arc<Client>,
}

impl Server {
    async fn serve_connection(self, stream: TcpStream, mut is_stopping: watch::Receiver<()>) {
        let client = Arc::clone(&self.client);
        let server = Arc::new(self);
        let service = service_fn(move |request| {
            let server = Arc::clone(&server);
            async move { Ok::<_, Infallible>(server.respond(&request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(MAX_HEADER_BYTES)
            .max_headers(MAX_HEADERS)
            // A client may close its side after the request and still wait for the
            // response.
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let overdue = client.wait_until_overdue();
        tokio::pin!(overdue);
        tokio::select! {
            // Errors of a client affect only that client.
            _ = connection.as_mut() => {}
            () = overdue.as_mut() => {}
            _ = is_stopping.changed() => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    _ = connection => {}
                    () = overdue => {}
                }
            }
        }
    }

    async fn respond(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let busy = self.client.begin_request();
        let is_read = [Method::GET, Method::HEAD].contains(request.method());
        match request.uri().path() {
            "/" | "/metrics" | "/healthz" if !is_read => {
                let mut refused = plain(StatusCode::METHOD_NOT_ALLOWED, "use GET or HEAD\n");
                refused
                    .headers_mut()
                    .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
                refused
            }
            "/" => response(StatusCode::OK, HTML, START_PAGE.into()),
            "/healthz" => plain(StatusCode::OK, "ok\n"),
            "/metrics" => self.metrics(request, busy).await,
            _ => plain(
                StatusCode::NOT_FOUND,
                "not found; try /metrics or /healthz\n",
            ),
        }
    }

    async fn metrics(
        &self,
        request: &Request<Incoming>,
        busy: InFlightGuard,
    ) -> Response<Full<Bytes>> {
        let accepts = request.headers().get_all(ACCEPT).iter();
        let accept: Vec<_> = accepts.filter_map(|accept| accept.to_str().ok()).collect();
        let format = negotiate::format(&accept.join(","));
        match self.request_page(format).await {
            Ok(page) => response(
                StatusCode::OK,
                format.content_type(),
                self.connections.body_of_page(page, busy),
            ),
            Err(why) => plain(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("cannot read the maps: {why}\n"),
            ),
        }
    }

    async fn request_page(&self, format: Format) -> ScrapeResult {
        let (reply, page) = oneshot::channel();
        let sent = self.requests.send(ScrapeRequest { format, reply });
        let ended = || Arc::from("mapstop is shutting down");
        sent.map_err(|_| ended())?;
        page.await.map_err(|_| ended())?
    }
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    response(status, PLAIN, text.into())
}

fn response(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
