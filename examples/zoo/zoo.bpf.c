// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A zoo: a map of every kind, named as in the wild, and the programs that put into
 * them what user space cannot.  For the demo and the kernel tests.
 */
#include "../../src/bpf/vmlinux_min.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define NUMA_NO_NODE (-1)

#define TYPE(name) __uint(type, BPF_MAP_TYPE_##name)

struct flow {
	__u32 src, dst;
	__u16 sport, dport;
	__u32 proto;
};

struct counters {
	__u64 packets, bytes, first_seen, last_seen;
	__u64 spare[4];
};

struct prefix {
	__u32 bits, address;
};

#define TABLE(name, kind, key_type, value_type, entries, flags) \
	struct {                                                \
		TYPE(kind);                                     \
		__type(key, key_type);                          \
		__type(value, value_type);                      \
		__uint(max_entries, entries);                   \
		__uint(map_flags, flags);                       \
	} name SEC(".maps")

TABLE(conn_track_v4, HASH, struct flow, struct counters, 65536, 0);
TABLE(tcp_conns, HASH, struct flow, struct counters, 4096, BPF_F_NO_PREALLOC);
TABLE(pol_ep_02366, HASH, __u32, __u64, 1024, 0);
TABLE(dns_inflight, PERCPU_HASH, __u32, struct counters, 1024, 0);
TABLE(ct4_global, LRU_HASH, struct flow, struct counters, 4096, 0);
TABLE(snat_v4_ext, LRU_PERCPU_HASH, __u32, __u64, 8192, 0);
TABLE(fib_trie, LPM_TRIE, struct prefix, __u32, 65536, BPF_F_NO_PREALLOC);
TABLE(settings, ARRAY, __u32, __u64, 16, 0);
TABLE(prog_stats, PERCPU_ARRAY, __u32, struct counters, 256, 0);
TABLE(jmp_table, PROG_ARRAY, __u32, __u32, 64, 0);
TABLE(perf_out, PERF_EVENT_ARRAY, __u32, __u32, 8, 0);
TABLE(cgroup_list, CGROUP_ARRAY, __u32, __u32, 16, 0);
TABLE(dev_table, DEVMAP, __u32, __u32, 32, 0);
TABLE(dev_redirect, DEVMAP_HASH, __u32, __u32, 256, 0);
TABLE(cpu_steer, CPUMAP, __u32, __u32, 2, 0);
TABLE(xsk_queues, XSKMAP, __u32, __u32, 8, 0);
TABLE(sock_redir, SOCKMAP, __u32, __u64, 128, 0);
TABLE(sock_by_tuple, SOCKHASH, __u32, __u64, 128, 0);
TABLE(reuse_socks, REUSEPORT_SOCKARRAY, __u32, __u64, 16, 0);
TABLE(sk_flow_state, SK_STORAGE, int, struct counters, 0, BPF_F_NO_PREALLOC);
TABLE(inode_labels, INODE_STORAGE, int, __u64, 0, BPF_F_NO_PREALLOC);
TABLE(task_state, TASK_STORAGE, int, struct counters, 0, BPF_F_NO_PREALLOC);
TABLE(cgrp_stats, CGRP_STORAGE, int, struct counters, 0, BPF_F_NO_PREALLOC);

struct {
	TYPE(STACK_TRACE);
	__uint(key_size, 4);
	__uint(value_size, 127 * 8);
	__uint(max_entries, 1024);
} stack_traces SEC(".maps");

struct {
	TYPE(QUEUE);
	__uint(value_size, 8);
	__uint(max_entries, 100);
} work_queue SEC(".maps");

struct {
	TYPE(STACK);
	__uint(value_size, 8);
	__uint(max_entries, 100);
} free_ports SEC(".maps");

struct {
	TYPE(BLOOM_FILTER);
	__uint(value_size, 4);
	__uint(max_entries, 1000);
} pid_seen SEC(".maps");

struct {
	TYPE(RINGBUF);
	__uint(max_entries, 64 * 1024);
} events SEC(".maps");

struct {
	TYPE(USER_RINGBUF);
	__uint(max_entries, 64 * 1024);
} commands SEC(".maps");

struct {
	TYPE(ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 100);
	/* Where user space would see it; without an address no page is given out. */
#if defined(__TARGET_ARCH_arm64)
	__ulong(map_extra, 1ULL << 32);
#else
	__ulong(map_extra, 1ULL << 44);
#endif
} heap SEC(".maps");

struct {
	TYPE(CGROUP_STORAGE);
	__uint(key_size, 16);
	__uint(value_size, 8);
} egress_bytes SEC(".maps");

struct {
	TYPE(PERCPU_CGROUP_STORAGE);
	__uint(key_size, 16);
	__uint(value_size, 8);
} egress_pcpu SEC(".maps");

struct inner {
	TYPE(HASH);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 64);
} inner_00 SEC(".maps");

struct {
	TYPE(ARRAY_OF_MAPS);
	__type(key, __u32);
	__uint(max_entries, 32);
	__array(values, struct inner);
} svc_slots SEC(".maps");

struct {
	TYPE(HASH_OF_MAPS);
	__type(key, __u32);
	__uint(max_entries, 32);
	__array(values, struct inner);
} policy_maps SEC(".maps");

/* A struct_ops map: made, and never registered. */
struct tcp_congestion_ops {
	char name[16];
};

SEC(".struct_ops")
struct tcp_congestion_ops bpf_zoo_cc = { .name = "zoo" };

/* What a program run by bpf(2) is asked for. */
struct request {
	__u32 count;
	__u32 size;
};

extern void *bpf_arena_alloc_pages(void *map, void *at, __u32 pages, int node,
				   __u64 flags) __ksym __weak;

/* Writes @count records (1,024 at most) of @size bytes (64 at most); gives how many had room. */
SEC("syscall")
int write_events(struct request *request)
{
	__u8 record[64] = {};
	__u32 size = request->size;
	int written = 0;

	if (size > sizeof(record))
		size = sizeof(record);
	for (int i = 0; i < 1024; i++) {
		if (i >= request->count)
			break;
		/* The sign of what it gives, without a branch for the verifier to follow. */
		written += 1 - ((__u64)bpf_ringbuf_output(&events, record, size, 0) >> 63);
	}
	return written;
}

/* Takes @count pages of the arena; 0 if it had none. */
SEC("syscall")
int take_pages(struct request *request)
{
	return bpf_arena_alloc_pages(&heap, 0, request->count, NUMA_NO_NODE, 0) != 0;
}

/* Keeps the kernel's stack less as many frames as its argument says: each another stack. */
SEC("raw_tp")
int keep_stack(__u64 *args)
{
	return bpf_get_stackid(args, &stack_traces, (args[0] & 0x7f) | BPF_F_REUSE_STACKID);
}

/* Makes the storage of each cgroup it is attached to. */
SEC("cgroup_skb/egress")
int count_egress(void *packet)
{
	__u64 *bytes = bpf_get_local_storage(&egress_bytes, 0);
	__u64 *percpu = bpf_get_local_storage(&egress_pcpu, 0);

	__sync_fetch_and_add(bytes, 1);
	__sync_fetch_and_add(percpu, 1);
	return 1;
}
