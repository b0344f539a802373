//! `mapstop export` as it is: the binary, real maps, real clients, a real Prometheus. Needs root.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

mod bad_clients;
mod contrib;
mod load;
mod maps;
mod numbers;
mod privileges;
mod prometheus;
mod requests;
#[path = "../support/mod.rs"]
mod support;

/// Lets this process open as many files as it may, and tells whether that is at least `count`.
fn may_open(count: u64) -> bool {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).expect("a process may use what it has");
    let is_enough = limit.maximum.is_none_or(|maximum| maximum >= count);
    if !is_enough {
        println!("not tested: this takes a limit of {count} open files");
    }
    is_enough
}

/// A file of `contrib`.
fn contrib(file: &str) -> std::path::PathBuf {
    std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("contrib")
        .join(file)
}
