// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * iter/bpf_map: turns each BPF map of the machine into one map_record.
 *
 * No global variable, no constant table, no printk: each of them would be a map of
 * mapstop's own, and an observer must not be in its own list.  The program may run
 * twice for one map (when its record did not fit into the buffer), so it has no side
 * effects.  One object serves all kernels: it tests for fields, types and symbols,
 * never for versions, and the verifier removes the branches that do not apply.
 */
#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "wire.h"
#include "map_types.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * Whether a hash or an array is offloaded to a device: then it is another structure, and the
 * fields of a table mean something else.  Only bpf_map_offload_ops lacks this operation.
 */
static __always_inline bool is_offloaded(struct bpf_map *map, struct map_record *r)
{
	return (r->map_type == BPF_MAP_TYPE_HASH || r->map_type == BPF_MAP_TYPE_ARRAY) &&
	       !BPF_CORE_READ(map, ops, map_lookup_elem);
}

/* Fills in what depends on the type: the entries, the capacity and the layout. */
static __always_inline void read_by_type(struct bpf_map *map, struct map_record *r)
{
	set_capacity(r, r->max_entries);
	if (is_offloaded(map, r))
		return;
	switch (r->map_type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
		read_htab(map, r);
		break;
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		read_array(map, r);
		break;
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
		read_pointer_array(map, r);
		break;
	case BPF_MAP_TYPE_STACK_TRACE:
		read_stack_trace(map, r);
		break;
	case BPF_MAP_TYPE_LPM_TRIE:
		read_trie(map, r);
		break;
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_DEVMAP_HASH:
		read_devmap(map, r);
		break;
	case BPF_MAP_TYPE_XSKMAP:
		read_xskmap(map, r);
		break;
	case BPF_MAP_TYPE_CPUMAP:
		read_cpumap(map, r);
		break;
	case BPF_MAP_TYPE_SOCKMAP:
		read_sockmap(map, r);
		break;
	case BPF_MAP_TYPE_REUSEPORT_SOCKARRAY:
		read_reuseport_sockarray(map, r);
		break;
	case BPF_MAP_TYPE_SOCKHASH:
		read_sockhash(map, r);
		break;
	case BPF_MAP_TYPE_SK_STORAGE:
	case BPF_MAP_TYPE_INODE_STORAGE:
	case BPF_MAP_TYPE_TASK_STORAGE:
	case BPF_MAP_TYPE_CGRP_STORAGE:
		read_local_storage(map, r);
		break;
	case BPF_MAP_TYPE_CGROUP_STORAGE:
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
		read_cgroup_storage(map, r);
		break;
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
		read_queue(map, r);
		break;
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
		read_ringbuf(map, r);
		break;
	case BPF_MAP_TYPE_BLOOM_FILTER:
		read_bloom_filter(map, r);
		break;
	case BPF_MAP_TYPE_STRUCT_OPS:
		read_struct_ops(map, r);
		break;
	case BPF_MAP_TYPE_INSN_ARRAY:
		read_insn_array(r);
		break;
	case BPF_MAP_TYPE_ARENA:
		read_arena(map, r);
		break;
	default:
		/* A type newer than this program: its capacity is unknown. */
		set_unlimited(r);
	}
}

/*
 * Never inlined: the argument brings struct map_record into the object's BTF, from which
 * the Rust type is generated.  (A global variable would as well, but it would be a map.)
 */
static __noinline int emit(struct seq_file *seq, struct map_record *r)
{
	return bpf_seq_write(seq, r, sizeof(*r));
}

SEC("iter/bpf_map")
int mapstop_maps(struct bpf_iter__bpf_map *ctx)
{
	/* Read once: for each access to @ctx some verifiers search all of the kernel's BTF. */
	struct seq_file *seq = ctx->meta->seq;
	struct bpf_map *map = ctx->map;
	struct map_record r = {};

	if (!map)
		return 0;
	r.id = map->id;
	r.map_type = map->map_type;
	r.key_size = map->key_size;
	r.value_size = map->value_size;
	r.max_entries = map->max_entries;
	r.map_flags = map->map_flags;
	if (bpf_core_field_exists(map->map_extra))
		r.map_extra = map->map_extra;
	r.refs = map->refcnt.counter - 1;
	r.user_refs = map->usercnt.counter;
	if (map->frozen)
		r.flags |= REC_F_FROZEN;
	bpf_probe_read_kernel_str(r.name, sizeof(r.name), map->name);
	read_by_type(map, &r);
	emit(seq, &r);
	return 0;
}
