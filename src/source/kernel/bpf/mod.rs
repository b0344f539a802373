//! The BPF objects: loading them, reading their iterators, and the layout of their records.

pub(crate) mod errno;
pub(crate) mod iter;
pub(crate) mod libbpf_log;
pub(crate) mod loader;
pub(crate) mod loss_skel;
pub(crate) mod min_btf;
pub(crate) mod plain;
pub(crate) mod skel;
pub(crate) mod wire;
