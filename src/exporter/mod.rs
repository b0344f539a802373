//! `mapstop export`: an HTTP server that Prometheus scrapes.
//!
//! The main thread samples when a scrape asks for it; HTTP runs on another thread, so that slow
//! clients do not delay sampling. Programs are loaded first, then capabilities are dropped, and
//! only then are requests answered.

pub(crate) mod connections;
pub(crate) mod cumulative;
pub(crate) mod http;
pub(crate) mod negotiate;
pub mod openmetrics;
pub(crate) mod scrape;

use std::io::{self, Write, stdout};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result, anyhow};

use crate::exit_code::Exit;
use crate::options::{Export, Options};
use crate::source::Source;
use scrape::Sampler;

/// The backlog of `listen(2)`.
const BACKLOG: i32 = 1024;

/// Binds and listens on an address; requests are not answered yet.
///
/// # Errors
///
/// When the address cannot be bound.
pub fn listen(address: &str) -> Result<TcpListener> {
    try_listen(address).with_context(|| format!("cannot listen on '{address}'"))
}

/// Serves the maps of a source until SIGINT or SIGTERM.
///
/// # Errors
///
/// When the maps cannot be read, or nothing can be served.
pub fn serve(
    options: &Options,
    mode: &Export,
    source: &mut impl Source,
    listener: TcpListener,
) -> Result<Exit> {
    let address = listener
        .local_addr()
        .context("cannot get the address of the listener")?;
    let mut sampler = Sampler::start(source, options, mode.export)?;
    let (sender, requests) = mpsc::channel();
    let http = thread::Builder::new().name("http".to_owned());
    let http = http.spawn(move || {
        http::serve(listener, sender, || {
            // stdout may have been closed by the parent process.
            let mut out = stdout();
            let _ = writeln!(out, "serving http://{address}/metrics");
            let _ = out.flush();
        })
    });
    let http = http.context("cannot start the server thread")?;
    sampler.serve(&requests);
    http.join()
        .map_err(|_| anyhow!("the server thread panicked"))?
        .context("cannot serve")?;
    Ok(Exit::Fine)
}

fn try_listen(address: &str) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    // std uses a shorter backlog.
    rustix::net::listen(&listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
