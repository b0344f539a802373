//! `mapstop export` as it is: the binary, real maps, real clients, a real Prometheus. Needs root.

mod bad_clients;
mod client;
mod contrib;
mod exporter;
mod load;
mod maps;
mod numbers;
mod privileges;
mod prometheus;
mod requests;
mod server;
#[path = "../support/mod.rs"]
mod support;
