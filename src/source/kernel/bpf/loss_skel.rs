//! The object made of `src/bpf/loss_trace.bpf.c`, and the types of its records that libbpf-cargo
//! generates.

#![expect(
    unsafe_code,
    reason = "generated; all of libbpf is behind a foreign interface"
)]
#![allow(
    clippy::all,
    clippy::pedantic,
    dead_code,
    missing_docs,
    missing_debug_implementations
)]

include!(concat!(env!("OUT_DIR"), "/losses.skel.rs"));

/// The object, which is opened more than once.
pub const OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/losses.bpf.o"));
