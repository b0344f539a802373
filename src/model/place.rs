//! Where a process or a map belongs, by the path of its cgroup.

/// The service and the container of a cgroup path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {}

impl Place {
    /// What this path tells.
    #[must_use]
    pub fn of(_path: &str) -> Self {
        Self {}
    }
    /// The systemd unit.
    #[must_use]
    pub fn service(&self) -> Option<String> {
        None
    }
    /// The container or pod.
    #[must_use]
    pub fn container(&self) -> Option<String> {
        None
    }
}
