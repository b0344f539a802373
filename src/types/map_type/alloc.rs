//! How the kernel allocates a map.

/// How the kernel allocates maps of a type: what its `map_alloc` and `map_mem_usage` add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AllocKind {
    /// A table of buckets, with preallocated elements unless `BPF_F_NO_PREALLOC` is set.
    Hash(PerCpu, Eviction),
    /// One element per entry, side by side.
    Array,
    /// One element per entry on every CPU.
    PerCpuArray,
    /// One pointer per entry, in an array.
    Pointers,
    /// An array of pointers to queues; the queues are allocated when an entry is set.
    CpuQueues,
    /// An array of pointers to devices; a device entry is allocated when it is set.
    Devices,
    /// A table of buckets of device entries.
    DeviceTable,
    /// An array of pointers, and a node in each socket that is set.
    XdpSockets,
    /// A table of buckets with elements allocated on insert.
    SocketTable,
    /// A pointer to each bucket, and every bucket.
    Stacks,
    /// One node per entry, and inner nodes.
    Trie,
    /// One value per entry, and one more.
    Queue,
    /// Bits.
    Bloom,
    /// Pages, and pointers to them.
    Ring,
    /// A table that finds the elements of all owners.
    Storage,
    /// A list with one element per cgroup.
    CgroupStorage(PerCpu),
    /// Two values, and code for each function.
    StructOps,
    /// Pages allocated on demand.
    Arena,
    /// Addresses in a program.
    Instructions,
}

/// Whether each CPU has values of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PerCpu {
    Yes,
    No,
}

/// Whether a hash evicts its least recently used elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Eviction {
    Lru,
    None,
}
