//! Derives workloads from cgroup paths.

pub mod workload;
