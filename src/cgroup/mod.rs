//! What the path of a cgroup says about who runs in it.

pub mod workload;
