//! `mapstop export`: an HTTP server that Prometheus scrapes.
//!
//! Samples are taken here, in the first thread, when a scrape asks for one; HTTP has a thread of its
//! own, so that neither waits for the other's clients. What is loaded is loaded first, then the
//! capabilities are given up, and only then is anybody answered.

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

/// Connections that may wait to be taken in.
const BACKLOG: i32 = 1024;

/// Listens on an address, as typed; nobody is answered yet.
///
/// # Errors
///
/// When the address cannot be had.
pub fn listen(address: &str) -> Result<TcpListener> {
    try_listen(address).with_context(|| format!("cannot listen on '{address}'"))
}

/// Serves what a source says until it is told to end.
///
/// # Errors
///
/// When the maps cannot be read, or nothing can be served.
pub fn serve(
    command: &Options,
    options: &Export,
    source: &mut impl Source,
    listener: TcpListener,
) -> Result<Exit> {
    let address = listener
        .local_addr()
        .context("the listener has no address")?;
    let mut sampler = Sampler::start(source, command, options.telling)?;
    let (ask, questions) = mpsc::channel();
    let http = thread::Builder::new().name("http".to_owned());
    let http = http.spawn(move || {
        http::serve(listener, ask, || {
            // Whoever started it may have closed what it would be said on.
            let mut out = stdout();
            let _ = writeln!(out, "serving http://{address}/metrics");
            let _ = out.flush();
        })
    });
    let http = http.context("cannot start the thread of the server")?;
    sampler.answer_all(&questions);
    http.join()
        .map_err(|_| anyhow!("the server broke"))?
        .context("cannot serve")?;
    Ok(Exit::Fine)
}

fn try_listen(address: &str) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    // More may wait than the library asks for.
    rustix::net::listen(&listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
