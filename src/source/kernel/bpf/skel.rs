//! The skeleton that libbpf-cargo generates from the iterators in `src/bpf`, their record types
//! included.

#![expect(
    unsafe_code,
    reason = "generated; all of libbpf is behind a foreign interface"
)]
#![allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    missing_debug_implementations
)]

include!(concat!(env!("OUT_DIR"), "/iterators.skel.rs"));

/// The types that the programs name, their own included.
pub const TYPE_NAMES: &[&str] = include!(concat!(env!("OUT_DIR"), "/iterators.types.rs"));
