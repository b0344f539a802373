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

use std::io::{Write, stdout};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result, anyhow};

use crate::cli::{Command, Export};
use crate::exit_code::Exit;
use crate::run::complain;
use crate::source::Source;
use crate::source::kernel::{Kernel, Privileges};
use crate::source::recording::{Recording, Timed};
use scrape::Sampler;

/// Connections that may wait to be taken in.
const BACKLOG: i32 = 1024;

/// Serves until it is told to end.
///
/// # Errors
///
/// When the address cannot be had, or the maps cannot be read.
pub fn run(command: &Command, options: &Export) -> Result<Exit> {
    let listener = listen(&options.listen)
        .with_context(|| format!("cannot listen on '{}'", options.listen))?;
    let address = listener
        .local_addr()
        .context("the listener has no address")?;
    if let Some(path) = &command.replay {
        let mut recording = Timed::new(Recording::open(path)?);
        return serve(command, options, &mut recording, listener, address);
    }
    let (mut kernel, privileges) = Kernel::confined(command.losses)?;
    if let (Privileges::Kept(names), false) = (&privileges, command.losses) {
        complain(&format!(
            "keeps {names}: every read takes it on this kernel"
        ));
    }
    serve(command, options, &mut kernel, listener, address)
}

/// Serves what a source says.
fn serve(
    command: &Command,
    options: &Export,
    source: &mut impl Source,
    listener: TcpListener,
    address: SocketAddr,
) -> Result<Exit> {
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

fn listen(address: &str) -> Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    // More may wait than the library asks for.
    rustix::net::listen(&listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
