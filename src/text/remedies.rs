//! The commands that close gaps, each written once.

/// Runs mapstop as root.
pub const SUDO: &str = "sudo mapstop";
/// Lets ordinary users load the map iterator.
pub const SETCAP: &str = "sudo setcap cap_bpf,cap_perfmon=ep $(command -v mapstop)";
/// Lifts the limit of locked memory for the shell and its children.
pub const UNLOCK: &str = "sudo prlimit --pid $$ --memlock=unlimited";
/// Mounts sysfs, where the kernel's BTF is.
pub const MOUNT_SYS: &str = "sudo mount -t sysfs sysfs /sys";
/// Mounts /proc, which lists processes and mounts.
pub const MOUNT_PROC: &str = "sudo mount -t proc proc /proc";
/// Mounts the cgroups that memory is charged to.
pub const MOUNT_CGROUPS: &str = "sudo mount -t cgroup2 none /sys/fs/cgroup";
/// The same where memory is charged to a hierarchy of version 1.
pub const MOUNT_MEMORY_CGROUPS: &str = "sudo mount -t cgroup -o memory none /sys/fs/cgroup/memory";
/// Runs mapstop in the mount namespace of process 1.
pub const ENTER_MOUNTS: &str = "sudo nsenter --target 1 --mount mapstop";

/// Options of a container that may load the map iterator.
pub const CAP_ADD: &str = "--cap-add=BPF --cap-add=PERFMON";
/// A container that may load the map iterator and sees every process.
pub const CONTAINER: &str = "docker run --pid=host --cap-add=BPF --cap-add=PERFMON ...";
/// The same where user namespaces are remapped, so that capabilities count on the host.
pub const CONTAINER_OF_HOST_USERS: &str =
    "docker run --userns=host --pid=host --cap-add=BPF --cap-add=PERFMON ...";
/// A container that sees every process.
pub const CONTAINER_OF_HOST_PIDS: &str = "docker run --pid=host ...";
/// A container that may list links and inner maps.
pub const DOCKER_CAP_SYS_ADMIN: &str = "docker run --cap-add=SYS_ADMIN ...";
/// A container that may read directories of other users.
pub const DOCKER_CAP_DAC_READ_SEARCH: &str = "docker run --cap-add=DAC_READ_SEARCH ...";
/// A container that may read the namespaces of other processes.
pub const DOCKER_CAP_SYS_PTRACE: &str = "docker run --cap-add=SYS_PTRACE ...";
/// A container that may lock memory for programs and maps.
pub const DOCKER_ULIMIT_MEMLOCK: &str = "docker run --ulimit memlock=-1 ...";
