//! The commands that let more be seen, each written once.

/// The user that may do everything.
pub const SUDO: &str = "sudo mapstop";
/// What gives an ordinary user the table.
pub const SETCAP: &str = "sudo setcap cap_bpf,cap_perfmon=ep $(command -v mapstop)";
/// What lets a shell, and what it starts, lock memory.
pub const UNLOCK: &str = "sudo prlimit --pid $$ --memlock=unlimited";
/// What shows where a kernel describes itself.
pub const MOUNT_SYS: &str = "sudo mount -t sysfs sysfs /sys";
/// What shows processes and mounts.
pub const MOUNT_PROC: &str = "sudo mount -t proc proc /proc";
/// What shows the cgroups that pay for memory.
pub const MOUNT_CGROUPS: &str = "sudo mount -t cgroup2 none /sys/fs/cgroup";
/// The same where memory is accounted for by version 1.
pub const MOUNT_MEMORY_CGROUPS: &str = "sudo mount -t cgroup -o memory none /sys/fs/cgroup/memory";
/// The mounts of the first process.
pub const ENTER_MOUNTS: &str = "sudo nsenter --target 1 --mount mapstop";

/// What a container is given for the table.
pub const CAP_ADD: &str = "--cap-add=BPF --cap-add=PERFMON";
/// For a container, of which the rest of the command line is its own: the table ...
pub const CONTAINER: &str = "docker run --pid=host --cap-add=BPF --cap-add=PERFMON ...";
/// ... where capabilities count for the machine ...
pub const CONTAINER_OF_HOST_USERS: &str =
    "docker run --userns=host --pid=host --cap-add=BPF --cap-add=PERFMON ...";
/// ... every process ...
pub const CONTAINER_OF_HOST_PIDS: &str = "docker run --pid=host ...";
/// ... links and inner maps ...
pub const DOCKER_CAP_SYS_ADMIN: &str = "docker run --cap-add=SYS_ADMIN ...";
/// ... folders that only root may look into ...
pub const DOCKER_CAP_DAC_READ_SEARCH: &str = "docker run --cap-add=DAC_READ_SEARCH ...";
/// ... whose mounts it sees ...
pub const DOCKER_CAP_SYS_PTRACE: &str = "docker run --cap-add=SYS_PTRACE ...";
/// ... and memory for programs and maps.
pub const DOCKER_ULIMIT_MEMLOCK: &str = "docker run --ulimit memlock=-1 ...";
