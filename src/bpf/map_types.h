/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One function for each family of map types: entries, capacity and layout of a map. */
#ifndef MAPSTOP_MAP_TYPES_H
#define MAPSTOP_MAP_TYPES_H

#include "arena_walk.h"
#include "core_util.h"
#include "map_scan.h"
#include "per_cpu.h"
#include "perf_events.h"
#include "wire.h"

/* Since 6.6. */
extern __s64 bpf_map_sum_elem_count(const struct bpf_map *map) __ksym __weak;

/*
 * The address of @map as a plain number, to which the verifier allows adding: it knows how large
 * a struct bpf_map is, but not the structure that contains it.
 */
static __always_inline __u64 map_addr(struct bpf_map *map)
{
	__u64 addr = 0;

	bpf_probe_read_kernel(&addr, sizeof(addr), &map);
	return addr;
}

/* The address of a field of the structure that contains @map, such as a flexible array. */
#define FLEX_ARRAY_ADDR(map, type, field) \
	(map_addr(map) + bpf_core_field_offset(struct type, field))

/* A hash map of a kernel without an element counter for all hash maps: up to 6.5. */
static __always_inline void count_htab_before_6_6(struct bpf_htab *htab, struct map_record *r)
{
	bool is_counted = r->map_flags & BPF_F_NO_PREALLOC, is_per_cpu = false, is_exact;
	bool is_lru = r->map_type == BPF_MAP_TYPE_LRU_HASH ||
		      r->map_type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
	__u64 held_back = PACK(0, WALK_UNREADABLE);
	__s64 count;

	/* Scanned all the same: as soon as an element is free, the number is that of the scan. */
	if (!is_counted && !is_lru && !has_free_elem(htab))
		r->flags |= REC_F_FULL;
	if (bpf_core_field_exists(htab->use_percpu_counter))
		is_per_cpu = BPF_CORE_READ(htab, use_percpu_counter);
	if (is_counted && is_per_cpu && bpf_core_field_exists(htab->pcount.counters))
		held_back = sum_per_cpu((__u64)BPF_CORE_READ(htab, pcount.counters));
	is_exact = !is_per_cpu || !UNPACK_FLAGS(held_back);
	/* Without the shares of the CPUs a walk is more exact. */
	if (!is_counted || (!is_exact && r->layout.table.bucket_count <= MAX_WALKED_BUCKETS)) {
		scan_buckets(htab, r);
		return;
	}
	count = BPF_CORE_READ(htab, count.counter);
	if (is_per_cpu && bpf_core_field_exists(htab->pcount))
		count = BPF_CORE_READ(htab, pcount.count) + (__s64)(__s32)UNPACK_NUMBER(held_back);
	/* Negative during updates, and as long as a CPU has added only what others deleted. */
	if (count < 0)
		count = 0;
	/* An update is counted before it is refused, or before it replaces an entry. */
	if (is_exact && count > r->max_entries)
		count = r->max_entries;
	set_used(r, is_exact ? COUNT_FIELD : COUNT_PERCPU_APPROX, count);
}

static __always_inline void read_htab(struct bpf_map *map, struct map_record *r)
{
	struct bpf_htab *htab = (struct bpf_htab *)map;
	__s64 count;
	__u32 lock;

	r->container_size = bpf_core_type_size(struct bpf_htab);
	r->layout.table.elem_size = BPF_CORE_READ(htab, elem_size);
	r->layout.table.bucket_count = BPF_CORE_READ(htab, n_buckets);
	if (bpf_core_field_exists(struct bucket, raw_lock)) {
		lock = bpf_core_field_size(struct bucket, raw_lock);
		if (bpf_core_field_exists(struct bucket, lock) &&
		    bpf_core_field_size(struct bucket, lock) > lock)
			lock = bpf_core_field_size(struct bucket, lock);
		r->layout.table.bucket_size =
			(bpf_core_field_offset(struct bucket, raw_lock) + lock + PTR_SIZE - 1) &
			~(PTR_SIZE - 1);
	}
	/* Eight counters, gone by 6.16, which the kernel's own sum includes until 7.0. */
	if (bpf_core_field_exists(htab->map_locked) ||
	    (HAS_MEM_USAGE && !bpf_core_enum_value_exists(enum bpf_attach_type, BPF_TRACE_FSESSION)))
		r->layout.table.lock_size = 8 * sizeof(int);
	if (BPF_CORE_READ(htab, extra_elems))
		r->layout.table.spare_elem_size = r->layout.table.elem_size;
	if (!bpf_core_field_exists(map->elem_count) || !bpf_ksym_exists(bpf_map_sum_elem_count)) {
		count_htab_before_6_6(htab, r);
		return;
	}
	/* The kfunc returns 0 for a map without a counter, so the pointer is tested first. */
	if (!map->elem_count)
		return;
	count = bpf_map_sum_elem_count(map);
	r->method = COUNT_COUNTER;
	/* The sum over all CPUs may be negative for a moment, during updates. */
	if (count >= 0)
		set_used(r, COUNT_COUNTER, count);
}

static __always_inline void read_array(struct bpf_map *map, struct map_record *r)
{
	r->container_size = bpf_core_type_size(struct bpf_array);
	r->layout.array.elem_size = BPF_CORE_READ((struct bpf_array *)map, elem_size);
	if (r->map_flags & BPF_F_MMAPABLE)
		r->layout.array.page_size = KERNEL_PAGE_SIZE;
}

/* There is one event per CPU, few enough to read all of them each time. */
static __always_inline void read_perf_events(struct map_record *r, __u64 slots)
{
	if (!CORE_HAS_TYPE(perf_event) || !CORE_HAS_TYPE(perf_buffer) ||
	    !CORE_HAS_TYPE(bpf_event_entry) || !CORE_HAS_TYPE(perf_event_mmap_page) ||
	    r->max_entries > MAX_PERF_EVENTS)
		return;
	if (bpf_core_field_exists(struct perf_event, lost_samples)) {
		r->perf_lost = merge_perf_events(slots, r->max_entries, PERF_LOST);
		r->flags |= REC_F_HAS_PERF_LOST;
	}
	r->consumer_pos = merge_perf_events(slots, r->max_entries, PERF_READ);
	r->flags |= REC_F_HAS_CONSUMER_POS;
	r->perf_backlog = merge_perf_events(slots, r->max_entries, PERF_BACKLOG);
	r->perf_capacity = merge_perf_events(slots, r->max_entries, PERF_CAPACITY);
	r->perf_fullest = merge_perf_events(slots, r->max_entries, PERF_FULLEST);
}

/* Arrays of pointers to programs, events, cgroups and maps. */
static __always_inline void read_pointer_array(struct bpf_map *map, struct map_record *r)
{
	__u64 slots = FLEX_ARRAY_ADDR(map, bpf_array, ptrs);

	r->container_size = bpf_core_type_size(struct bpf_array);
	r->layout.array.elem_size = BPF_CORE_READ((struct bpf_array *)map, elem_size);
	scan_pointers(r, slots, r->max_entries);
	if (r->map_type == BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		read_perf_events(r, slots);
}

static __always_inline void read_stack_trace(struct bpf_map *map, struct map_record *r)
{
	if (!CORE_HAS_TYPE(bpf_stack_map))
		return;
	r->container_size = bpf_core_type_size(struct bpf_stack_map);
	r->layout.stack_trace.bucket_count = BPF_CORE_READ((struct bpf_stack_map *)map, n_buckets);
	scan_pointers(r, FLEX_ARRAY_ADDR(map, bpf_stack_map, buckets),
		      r->layout.stack_trace.bucket_count);
}

static __always_inline void read_trie(struct bpf_map *map, struct map_record *r)
{
	struct lpm_trie *trie = (struct lpm_trie *)map;

	if (!CORE_HAS_TYPE(lpm_trie))
		return;
	r->container_size = bpf_core_type_size(struct lpm_trie);
	r->layout.trie.node_size = bpf_core_type_size(struct lpm_trie_node);
	r->layout.trie.key_data_size = BPF_CORE_READ(trie, data_size);
	set_used(r, COUNT_FIELD, BPF_CORE_READ(trie, n_entries));
}

/* devmap and devmap_hash. */
static __always_inline void read_devmap(struct bpf_map *map, struct map_record *r)
{
	struct bpf_dtab *dtab = (struct bpf_dtab *)map;
	bool is_hash = r->map_type == BPF_MAP_TYPE_DEVMAP_HASH;

	if (!CORE_HAS_TYPE(bpf_dtab))
		return;
	r->container_size = bpf_core_type_size(struct bpf_dtab);
	r->layout.redirect.entry_size = bpf_core_type_size(struct bpf_dtab_netdev);
	if (is_hash)
		r->layout.redirect.bucket_count = BPF_CORE_READ(dtab, n_buckets);
	/* A devmap keeps `items` since 6.4. */
	if (is_hash || HAS_MEM_USAGE)
		set_used(r, COUNT_FIELD, BPF_CORE_READ(dtab, items));
	else
		scan_pointers(r, (__u64)BPF_CORE_READ(dtab, netdev_map), r->max_entries);
}

static __always_inline void read_xskmap(struct bpf_map *map, struct map_record *r)
{
	struct xsk_map *xsk = (struct xsk_map *)map;

	if (!CORE_HAS_TYPE(xsk_map))
		return;
	r->container_size = bpf_core_type_size(struct xsk_map);
	if (CORE_HAS_TYPE(xsk_map_node))
		r->layout.redirect.entry_size = bpf_core_type_size(struct xsk_map_node);
	if (bpf_core_field_exists(xsk->count))
		set_used(r, COUNT_FIELD, BPF_CORE_READ(xsk, count.counter));
	else
		scan_pointers(r, FLEX_ARRAY_ADDR(map, xsk_map, xsk_map), r->max_entries);
}

static __always_inline void read_cpumap(struct bpf_map *map, struct map_record *r)
{
	if (!CORE_HAS_TYPE(bpf_cpu_map))
		return;
	r->container_size = bpf_core_type_size(struct bpf_cpu_map);
	scan_pointers(r, (__u64)BPF_CORE_READ((struct bpf_cpu_map *)map, cpu_map), r->max_entries);
}

static __always_inline void read_sockmap(struct bpf_map *map, struct map_record *r)
{
	if (!CORE_HAS_TYPE(bpf_stab))
		return;
	r->container_size = bpf_core_type_size(struct bpf_stab);
	scan_pointers(r, (__u64)BPF_CORE_READ((struct bpf_stab *)map, sks), r->max_entries);
}

static __always_inline void read_reuseport_sockarray(struct bpf_map *map, struct map_record *r)
{
	if (!CORE_HAS_TYPE(reuseport_array))
		return;
	r->container_size = bpf_core_type_size(struct reuseport_array);
	scan_pointers(r, FLEX_ARRAY_ADDR(map, reuseport_array, ptrs), r->max_entries);
}

static __always_inline void read_sockhash(struct bpf_map *map, struct map_record *r)
{
	struct bpf_shtab *shtab = (struct bpf_shtab *)map;

	if (!CORE_HAS_TYPE(bpf_shtab))
		return;
	r->container_size = bpf_core_type_size(struct bpf_shtab);
	r->layout.table.elem_size = BPF_CORE_READ(shtab, elem_size);
	r->layout.table.bucket_size = bpf_core_type_size(struct bpf_shtab_bucket);
	r->layout.table.bucket_count = BPF_CORE_READ(shtab, buckets_num);
	set_used(r, COUNT_FIELD, BPF_CORE_READ(shtab, count.counter));
}

/* Storages of sockets, inodes, tasks and cgroups. */
static __always_inline void read_local_storage(struct bpf_map *map, struct map_record *r)
{
	struct bpf_local_storage_map *storage = (struct bpf_local_storage_map *)map;
	struct table_layout *table = &r->layout.table;

	set_unlimited(r);
	if (!CORE_HAS_TYPE(bpf_local_storage_map) || !CORE_HAS_TYPE(bpf_local_storage_map_bucket))
		return;
	r->container_size = bpf_core_type_size(struct bpf_local_storage_map);
	table->elem_size = BPF_CORE_READ(storage, elem_size);
	table->bucket_count = 1U << (BPF_CORE_READ(storage, bucket_log) & 31);
	table->bucket_size = bpf_core_type_size(struct bpf_local_storage_map_bucket);
	/* A bucket begins with the head of its list. */
	scan_lists(r, (__u64)BPF_CORE_READ(storage, buckets), table->bucket_count,
		   table->bucket_size, 0);
}

static __always_inline void read_cgroup_storage(struct bpf_map *map, struct map_record *r)
{
	__u64 head;

	set_unlimited(r);
	if (!CORE_HAS_TYPE(bpf_cgroup_storage_map))
		return;
	r->container_size = bpf_core_type_size(struct bpf_cgroup_storage_map);
	if (CORE_HAS_TYPE(bpf_cgroup_storage))
		r->layout.cgroup_storage.elem_size = bpf_core_type_size(struct bpf_cgroup_storage);
	if (r->map_type == BPF_MAP_TYPE_CGROUP_STORAGE && CORE_HAS_TYPE(bpf_storage_buffer))
		r->layout.cgroup_storage.elem_size += bpf_core_type_size(struct bpf_storage_buffer);
	head = FLEX_ARRAY_ADDR(map, bpf_cgroup_storage_map, list);
	scan_lists(r, head, 1, 0, head);
}

/* Queues and stacks. */
static __always_inline void read_queue(struct bpf_map *map, struct map_record *r)
{
	struct bpf_queue_stack *queue = (struct bpf_queue_stack *)map;
	__u32 size, tail, head;

	if (!CORE_HAS_TYPE(bpf_queue_stack))
		return;
	size = BPF_CORE_READ(queue, size);
	r->container_size = bpf_core_type_size(struct bpf_queue_stack);
	r->method = COUNT_FIELD;
	/* A pop between the two reads could make an empty queue look full: read the tail, the head,
	 * and the tail again, until it did not move. */
	for (int i = 0; i < 4; i++) {
		tail = BPF_CORE_READ(queue, tail);
		head = BPF_CORE_READ(queue, head);
		if (tail != BPF_CORE_READ(queue, tail))
			continue;
		set_used(r, COUNT_FIELD, head >= tail ? head - tail : (__u64)head + size - tail);
		break;
	}
}

static __always_inline void read_ringbuf(struct bpf_map *map, struct map_record *r)
{
	struct bpf_ringbuf *rb;
	__u64 consumer, overwritten;

	if (!CORE_HAS_TYPE(bpf_ringbuf) || !CORE_HAS_TYPE(bpf_ringbuf_map))
		return;
	rb = BPF_CORE_READ((struct bpf_ringbuf_map *)map, rb);
	r->container_size = bpf_core_type_size(struct bpf_ringbuf_map);
	r->layout.ringbuf.page_count = BPF_CORE_READ(rb, nr_pages);
	set_capacity(r, BPF_CORE_READ(rb, mask) + 1);
	/* The consumer first: the producer only moves away from it. */
	consumer = BPF_CORE_READ(rb, consumer_pos);
	if (bpf_core_field_exists(rb->overwrite_mode) && BPF_CORE_READ(rb, overwrite_mode)) {
		/* Does not wait for its reader, so a reader that stands still means nothing. */
		overwritten = BPF_CORE_READ(rb, overwrite_pos);
		if (overwritten > consumer)
			consumer = overwritten;
	} else {
		r->consumer_pos = consumer;
		r->flags |= REC_F_HAS_CONSUMER_POS;
	}
	set_used(r, COUNT_FIELD, BPF_CORE_READ(rb, producer_pos) - consumer);
}

static __always_inline void read_bloom_filter(struct bpf_map *map, struct map_record *r)
{
	set_unlimited(r);
	if (!CORE_HAS_TYPE(bpf_bloom_filter))
		return;
	r->container_size = bpf_core_type_size(struct bpf_bloom_filter);
	r->layout.bloom.bitset_size =
		(BPF_CORE_READ((struct bpf_bloom_filter *)map, bitset_mask) >> 3) + 1;
}

/*
 * A struct_ops map consists of the structure up to the value, two values, a page of code, and for
 * each function a link and, on kernels that keep them, a symbol.
 */
static __always_inline void read_struct_ops(struct bpf_map *map, struct map_record *r)
{
	struct bpf_struct_ops_map *ops = (struct bpf_struct_ops_map *)map;
	struct struct_ops_layout *layout = &r->layout.struct_ops;

	/* Older kernels (6.1) do not keep the number of functions. */
	if (!CORE_HAS_TYPE(bpf_struct_ops_map) || !CORE_HAS_TYPE(bpf_struct_ops_value) ||
	    !bpf_core_field_exists(ops->funcs_cnt))
		return;
	r->container_size = bpf_core_type_size(struct bpf_struct_ops_map) -
			    bpf_core_type_size(struct bpf_struct_ops_value);
	layout->func_count = BPF_CORE_READ(ops, funcs_cnt);
	layout->func_size = PTR_SIZE;
	if (bpf_core_field_exists(ops->ksyms))
		layout->func_size += PTR_SIZE;
	layout->page_size = KERNEL_PAGE_SIZE;
}

static __always_inline void read_insn_array(struct map_record *r)
{
	if (!CORE_HAS_TYPE(bpf_insn_array) || !CORE_HAS_TYPE(bpf_insn_array_value))
		return;
	r->container_size = bpf_core_type_size(struct bpf_insn_array);
	/* Each element has a place in a table of addresses as well. */
	r->layout.array.elem_size = bpf_core_type_size(struct bpf_insn_array_value) + sizeof(long);
}

static __always_inline void read_arena(struct bpf_map *map, struct map_record *r)
{
	__u64 free = 0;

	/* 6.9 to 6.12 keep the pages of an arena in a maple tree. */
	if (!CORE_HAS_TYPE(bpf_arena) || !CORE_HAS_TYPE(range_node) ||
	    !bpf_core_field_exists(struct bpf_arena, rt))
		return;
	r->container_size = bpf_core_type_size(struct bpf_arena);
	r->layout.arena.page_size = KERNEL_PAGE_SIZE;
	/* Since 7.3 the kernel counts the pages of an arena, and nothing else of it. */
	r->layout.arena.is_counted = bpf_core_field_exists(struct bpf_arena, nr_pages);
	r->method = COUNT_WALK;
	if (add_free_arena_pages((struct bpf_arena *)map, &free) && free <= r->max_entries)
		set_used(r, COUNT_WALK, r->max_entries - free);
}

#endif
