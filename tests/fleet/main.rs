//! `mapstop --prometheus` with real parts: a real Prometheus that scrapes exporters of recordings,
//! and servers that are not Prometheus. Needs no root.

mod live;
mod odd_servers;
mod parts;
mod real;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
