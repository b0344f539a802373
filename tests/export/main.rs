//! `mapstop export` as it is: the binary, real maps, real clients, a real Prometheus. Needs root.

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

/// A file of `contrib`.
fn contrib(file: &str) -> std::path::PathBuf {
    std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("contrib")
        .join(file)
}
