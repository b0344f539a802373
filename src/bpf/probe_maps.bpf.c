// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A small map of each type, to find out how this kernel lets it be counted.  They are
 * created one at a time, read once and closed.  Each is called "ms_" and the name of its
 * type.  struct_ops is missing: such a map takes a program.
 */
#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct prefix {
	__u32 bits, address;
};

#define PROBE(name, kind, key_type, value_type, entries, flags) \
	struct {                                                \
		__uint(type, BPF_MAP_TYPE_##kind);              \
		__type(key, key_type);                          \
		__type(value, value_type);                      \
		__uint(max_entries, entries);                   \
		__uint(map_flags, flags);                       \
	} ms_##name SEC(".maps")

#define WITHOUT_BTF(name, kind, key, value, entries)            \
	struct {                                                \
		__uint(type, kind);                             \
		__uint(key_size, key);                          \
		__uint(value_size, value);                      \
		__uint(max_entries, entries);                   \
	} ms_##name SEC(".maps")

PROBE(hash, HASH, __u32, __u64, 8, 0);
PROBE(array, ARRAY, __u32, __u64, 1, 0);
PROBE(prog_array, PROG_ARRAY, __u32, __u32, 2, 0);
PROBE(perf_event_array, PERF_EVENT_ARRAY, __u32, __u32, 2, 0);
PROBE(percpu_hash, PERCPU_HASH, __u32, __u64, 8, 0);
PROBE(percpu_array, PERCPU_ARRAY, __u32, __u64, 1, 0);
WITHOUT_BTF(stack_trace, BPF_MAP_TYPE_STACK_TRACE, 4, 8, 2);
PROBE(cgroup_array, CGROUP_ARRAY, __u32, __u32, 2, 0);
PROBE(lru_hash, LRU_HASH, __u32, __u64, 8, 0);
PROBE(lru_percpu_hash, LRU_PERCPU_HASH, __u32, __u64, 8, 0);
PROBE(lpm_trie, LPM_TRIE, struct prefix, __u32, 8, BPF_F_NO_PREALLOC);
PROBE(devmap, DEVMAP, __u32, __u32, 2, 0);
PROBE(sockmap, SOCKMAP, __u32, __u64, 2, 0);
PROBE(cpumap, CPUMAP, __u32, __u32, 1, 0);
PROBE(xskmap, XSKMAP, __u32, __u32, 2, 0);
PROBE(sockhash, SOCKHASH, __u32, __u64, 2, 0);
WITHOUT_BTF(cgroup_storage, BPF_MAP_TYPE_CGROUP_STORAGE, 16, 8, 0);
PROBE(reuseport_sockarray, REUSEPORT_SOCKARRAY, __u32, __u64, 2, 0);
WITHOUT_BTF(percpu_cgroup_storage, BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, 16, 8, 0);
WITHOUT_BTF(queue, BPF_MAP_TYPE_QUEUE, 0, 8, 2);
WITHOUT_BTF(stack, BPF_MAP_TYPE_STACK, 0, 8, 2);
PROBE(sk_storage, SK_STORAGE, int, __u64, 0, BPF_F_NO_PREALLOC);
PROBE(devmap_hash, DEVMAP_HASH, __u32, __u32, 2, 0);
WITHOUT_BTF(ringbuf, BPF_MAP_TYPE_RINGBUF, 0, 0, 64 * 1024);
PROBE(inode_storage, INODE_STORAGE, int, __u64, 0, BPF_F_NO_PREALLOC);
PROBE(task_storage, TASK_STORAGE, int, __u64, 0, BPF_F_NO_PREALLOC);
WITHOUT_BTF(bloom_filter, BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 2);
WITHOUT_BTF(user_ringbuf, BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 64 * 1024);
PROBE(cgrp_storage, CGRP_STORAGE, int, __u64, 0, BPF_F_NO_PREALLOC);
/* struct bpf_insn_array_value has 16 bytes. */
WITHOUT_BTF(insn_array, BPF_MAP_TYPE_INSN_ARRAY, 4, 16, 1);

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 1);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__type(key, __u32);
	__uint(max_entries, 2);
	__array(values, struct inner);
} ms_array_of_maps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__type(key, __u32);
	__uint(max_entries, 2);
	__array(values, struct inner);
} ms_hash_of_maps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
} ms_arena SEC(".maps");
