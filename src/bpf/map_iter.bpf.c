// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * iter/bpf_map: turns each BPF map of the machine into one map_record.
 *
 * No global variable, no constant table, no printk: each of them would be a map
 * of our own, and an observer must not stand in its own list.  The program may
 * run twice for one map (the record did not fit into the buffer), so it has no
 * side effects.  One object for all kernels: what one lacks is tested by field
 * or by symbol, never by version, and the branch is then dead code.
 */
#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "wire.h"
#include "htab_walk.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Since 6.6. */
extern __s64 bpf_map_sum_elem_count(const struct bpf_map *map) __ksym __weak;

#define POINTER sizeof(void *)
/* Pointers copied to the stack at a time: what the record leaves of its 512 bytes. */
#define CHUNK 16
#define CHUNKS 32
/* List nodes followed by one call of follow(), and by one of follow_on(). */
#define HOPS 32
#define LONG_HOPS (16 * HOPS)
/* Free ranges of an arena that are looked at: a fragmented one has many. */
#define ARENA_RANGES 4096

/*
 * The functions that loop are global, not static: the verifier then looks at each
 * once by itself, and not again at every call.  They take and give plain numbers,
 * all that 5.10 allows; kernel addresses among them, read with probe_read.
 */

/* Added to a number of slots when some could not be read: more than there can be. */
#define UNREADABLE (1ULL << 32)

/* Whether the kernel tells what a map takes (memlock in fdinfo): since 6.4. */
#define MEM_USAGE bpf_core_field_exists(struct bpf_map_ops, map_mem_usage)

/*
 * Whether this kernel was built with the structure; if not, it has no such maps either,
 * but a relocation that finds nothing would keep the whole program from loading.
 */
#define HAS(type) bpf_core_type_exists(struct type)

/*
 * Bytes of a page, 0 if that cannot be told: the positions of a ring buffer have pages of
 * their own, the first of them behind the page that the structure begins with.
 */
#define PAGE (HAS(bpf_ringbuf) ? bpf_core_field_offset(struct bpf_ringbuf, consumer_pos) : 0)

/* How many of the @n pointers at @at are set; @n is at most CHUNK. */
__noinline __u64 occupied_chunk(__u64 at, __u64 n)
{
	__u64 chunk[CHUNK] = {};
	__u64 used = 0;
	__u64 size = n * POINTER;

	/* Keeps the compiler from testing a copy that the verifier does not see. */
	barrier_var(size);
	if (size > sizeof(chunk))
		size = sizeof(chunk);
	/* Not past the end: what lies there is not ours, or not mapped. */
	if (bpf_probe_read_kernel(chunk, size, (void *)at))
		return UNREADABLE;
	for (int i = 0; i < CHUNK; i++) {
		used += chunk[i] != 0;
		/* One after the other: side by side they would be spilled to the stack. */
		barrier_var(used);
	}
	return used;
}

/* The same for CHUNKS chunks: two short loops are verified sooner than a long one. */
__noinline __u64 occupied_chunks(__u64 at, __u64 n)
{
	__u64 used = 0;

	for (__u64 i = 0; i < CHUNK * CHUNKS; i += CHUNK) {
		if (i >= n)
			break;
		used += occupied_chunk(at + i * POINTER, n - i);
	}
	return used;
}

/* How many of the @n pointers at @at are set; @n is at most SCAN_WINDOW. */
__noinline __u64 occupied(__u64 at, __u64 n)
{
	__u64 used = 0;

	for (__u64 i = 0; i < SCAN_WINDOW; i += CHUNK * CHUNKS) {
		if (i >= n)
			break;
		used += occupied_chunks(at + i * POINTER, n - i);
	}
	return used;
}

/*
 * Follows a list from @node: the next pointer is each node's first word, @end the
 * value of the last one.  Gives the number of nodes when the list ended within
 * HOPS, else the address to go on from: negative, being a kernel address.
 */
__noinline __u64 follow(__u64 node, __u64 end)
{
	for (int i = 0; i < HOPS; i++) {
		if (!node || node == end)
			return i;
		if (bpf_probe_read_kernel(&node, sizeof(node), (void *)node))
			return i + 1;
	}
	return node && node != end ? node : HOPS;
}

/* The same for LONG_HOPS: short loops in each other are verified sooner than a long one. */
__noinline __u64 follow_on(__u64 node, __u64 end)
{
	__u64 nodes;

	for (nodes = 0; nodes < LONG_HOPS; nodes += HOPS) {
		node = follow(node, end);
		if ((__s64)node >= 0)
			return nodes + node;
	}
	return node;
}

/* Set beside a number of nodes: there were more. */
#define MORE (1ULL << 32)

/* How many nodes one list has from @node to @end, MORE after @most of them. */
__noinline __u64 walk_list(__u64 node, __u64 end, __u64 most)
{
	__u64 nodes = 0;

	for (int i = 0; i < SCAN_WINDOW / LONG_HOPS; i++) {
		if (nodes >= most)
			break;
		node = follow_on(node, end);
		if ((__s64)node >= 0)
			return nodes + node;
		nodes += LONG_HOPS;
	}
	return MORE | nodes;
}

/* Of walk_lists(): how many lists were followed to their end, and the nodes met. */
#define WALKED(lists, nodes) ((__u64)(lists) << 32 | (__u32)(nodes))

/*
 * Walks @lists lists whose heads lie @stride bytes apart from @heads on; each ends
 * at @end.  Stops after SCAN_WINDOW nodes or MOST_LISTS lists.
 */
__noinline __u64 walk_lists(__u64 heads, __u32 lists, __u32 stride, __u64 end)
{
	__u64 node = 0, nodes = 0;
	__u32 i;

	for (i = 0; i < MOST_LISTS; i++) {
		if (i >= lists || nodes >= SCAN_WINDOW)
			break;
		if (bpf_probe_read_kernel(&node, sizeof(node), (void *)(heads + (__u64)i * stride)))
			break;
		nodes += walk_list(node, end, SCAN_WINDOW - nodes);
		if (nodes & MORE)
			break;
	}
	return WALKED(i, nodes);
}

#ifdef SECOND_ARGUMENT
/* Finds the question by the registers at @regs; what is no question has not its mark. */
static __always_inline int find_question(struct question *q, __u64 regs)
{
	void *buffer = 0;

	if (bpf_probe_read_kernel(&buffer, sizeof(buffer),
				  &SECOND_ARGUMENT((struct pt_regs *)regs)) ||
	    bpf_probe_read_user(q, sizeof(*q), buffer))
		return false;
	return q->magic == QUESTION_MAGIC;
}

/* The registers lie at the end of the stack, which has one of these sizes (THREAD_SIZE). */
static __always_inline int find_question_on_stack(struct question *q)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 stack = (__u64)BPF_CORE_READ(task, stack) - bpf_core_type_size(struct pt_regs);

	return find_question(q, stack + 16 * 1024) || find_question(q, stack + 32 * 1024) ||
	       find_question(q, stack + 64 * 1024);
}
#endif

/*
 * The question in the buffer of the read(2) that runs us; false where this machine cannot
 * tell or nobody asked: then nothing is scanned.
 */
static __noinline int read_question(struct question *q)
{
#ifdef SECOND_ARGUMENT
	/* A helper gives the registers since 5.15. */
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs) ||
	    !bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf))
		return find_question_on_stack(q);
	return find_question(q, bpf_task_pt_regs(bpf_get_current_task_btf()));
#else
	return false;
#endif
}

/* Chooses this round's window of @r->slots places, @window of them at a time. */
static __always_inline int choose_window(struct map_record *r, const struct question *q,
					 __u32 window)
{
	__u32 windows;

	if (r->id < q->first_id || r->id > q->last_id || !r->slots || !window)
		return false;
	windows = (r->slots - 1) / window + 1;
	r->scan_first = q->round % windows * window;
	r->scan_end = r->scan_first + window;
	if (r->scan_end > r->slots)
		r->scan_end = r->slots;
	r->scan_used = 0;
	return true;
}

/* Counts the pointers set in this round's window of the array at @base. */
static __always_inline void scan(struct map_record *r, __u64 base, __u32 slots)
{
	struct question q;
	__u64 used;

	r->method = COUNT_SCAN;
	r->slots = slots;
	if (!read_question(&q) || q.window > SCAN_WINDOW || !choose_window(r, &q, q.window))
		return;
	used = occupied(base + (__u64)r->scan_first * POINTER, r->scan_end - r->scan_first);
	if (used >= UNREADABLE)
		r->scan_end = r->scan_first;	/* no look was taken */
	else
		r->scan_used = used;
}

/*
 * Counts the nodes in this round's window of the @lists list heads at @heads.  Lists
 * cannot be entered in the middle: what is left after SCAN_WINDOW nodes waits for a
 * question that asks for smaller windows.
 */
static __always_inline void scan_lists(struct map_record *r, __u64 heads, __u32 lists,
				       __u32 stride, __u64 end)
{
	struct question q;
	__u64 walked;

	r->method = COUNT_WALK;
	r->slots = lists;
	if (!read_question(&q) || !q.walk_parts ||
	    !choose_window(r, &q, (lists - 1) / q.walk_parts + 1))
		return;
	walked = walk_lists(heads + (__u64)r->scan_first * stride, r->scan_end - r->scan_first, stride, end);
	r->scan_used = (__u32)walked;
	if ((walked >> 32) < r->scan_end - r->scan_first)
		r->facts |= FACT_WALK_CUT;
}

/*
 * Used pages of an arena: @pages less the free ones, which are ranges in a red-black
 * tree.  Each edge is gone twice, down and up; where we came from says what is next.
 */
static __always_inline __u64 arena_used(struct bpf_arena *arena, __u64 pages)
{
	__u64 node, from = 0, up, left, right, next, free = 0;
	__u32 first, last;
	struct range_node *range;
	struct rb_node *rb;
	int i;

	node = (__u64)BPF_CORE_READ(arena, rt.it_root.rb_root.rb_node);
	bpf_for(i, 0, 3 * ARENA_RANGES) {
		if (!node)
			break;
		rb = (struct rb_node *)node;
		up = BPF_CORE_READ(rb, __rb_parent_color) & ~3ULL;
		left = (__u64)BPF_CORE_READ(rb, rb_left);
		right = (__u64)BPF_CORE_READ(rb, rb_right);
		if (from == up && left) {
			next = left;
		} else if (from == up || from == left) {
			range = (void *)(node - bpf_core_field_offset(struct range_node, rn_rbnode));
			first = BPF_CORE_READ(range, rn_start);
			last = BPF_CORE_READ(range, rn_last);
			free += (__u64)last - first + 1;
			next = right ? right : up;
		} else {
			next = up;
		}
		from = node;
		node = next;
	}
	return node || free > pages ? UNKNOWN : pages - free;
}

/*
 * The address of @map as a plain number, which the verifier lets us add to: it knows
 * how large a struct bpf_map is, but not what lies around it.
 */
static __always_inline __u64 address_of(struct bpf_map *map)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &map);
	return address;
}

/* The address of a flexible array, which has no pointer of its own to read. */
#define ARRAY_OF(map, type, field) (address_of(map) + bpf_core_field_offset(struct type, field))

/*
 * Counts the entries of a hash table whose kernel does not, up to 6.5: by following its
 * chains, or of one that has many by looking how many of them are empty.
 */
static __always_inline void count_chains(struct bpf_htab *htab, struct map_record *r)
{
	int is_whole = r->bucket_count <= MOST_CHAINS;
	__u64 chains, n, found;
	struct question q;

	if (!r->node_size || r->bucket_count < r->max_entries ||
	    r->bucket_count & (r->bucket_count - 1))
		return;
	r->method = is_whole ? COUNT_CHAINS : COUNT_HEADS;
	r->slots = r->bucket_count < MOST_HEADS ? r->bucket_count : MOST_HEADS;
	if (!read_question(&q) || q.window > SCAN_WINDOW ||
	    !choose_window(r, &q, is_whole ? q.window : q.window * HEADS))
		return;
	chains = (__u64)BPF_CORE_READ(htab, buckets) + (__u64)r->scan_first * r->node_size;
	n = r->scan_end - r->scan_first;
	if (is_whole)
		found = walk_chains(chains, n, r->node_size, r->scan_first);
	else
		found = chains_in_use(chains, n, r->node_size);
	if (found >= UNREADABLE_CHAINS)
		r->scan_end = r->scan_first;	/* no look was taken */
	r->scan_used = (__u32)found;
	if (found >= UNSURE && found < UNREADABLE_CHAINS)
		r->facts |= FACT_WALK_CUT;
}

/* A hash table on a kernel without a counter that all of them have. */
static __always_inline void count_old_hash(struct bpf_htab *htab, struct map_record *r)
{
	int is_counted = r->map_flags & BPF_F_NO_PREALLOC, is_per_cpu = false;
	__s64 count;

	if (bpf_core_field_exists(htab->use_percpu_counter))
		is_per_cpu = BPF_CORE_READ(htab, use_percpu_counter);
	/* What CPUs have of it for themselves is out of reach, so that a walk is better. */
	if (!is_counted || (is_per_cpu && r->bucket_count <= MOST_CHAINS)) {
		count_chains(htab, r);
		return;
	}
	r->method = is_per_cpu ? COUNT_NEARLY : COUNT_FIELD;
	count = BPF_CORE_READ(htab, count.counter);
	if (is_per_cpu && bpf_core_field_exists(htab->pcount))
		count = BPF_CORE_READ(htab, pcount.count);
	/* While others add and delete, and as long as a CPU has added only what others deleted. */
	r->used = count < 0 ? 0 : count;
	/* An update is counted before it is refused, or takes the place of an entry. */
	if (!is_per_cpu && r->used > r->max_entries)
		r->used = r->max_entries;
}

static __always_inline void count_hash(struct bpf_map *map, struct map_record *r)
{
	struct bpf_htab *htab = (struct bpf_htab *)map;
	__s64 count;
	__u32 lock;

	r->container_size = bpf_core_type_size(struct bpf_htab);
	r->elem_size = BPF_CORE_READ(htab, elem_size);
	r->bucket_count = BPF_CORE_READ(htab, n_buckets);
	if (bpf_core_field_exists(struct bucket, raw_lock)) {
		lock = bpf_core_field_size(struct bucket, raw_lock);
		if (bpf_core_field_exists(struct bucket, lock) &&
		    bpf_core_field_size(struct bucket, lock) > lock)
			lock = bpf_core_field_size(struct bucket, lock);
		r->node_size = (bpf_core_field_offset(struct bucket, raw_lock) + lock + POINTER - 1) &
			       ~(POINTER - 1);
	}
	/* Eight counters, gone by 6.16, and until 7.0 still in what the kernel says it takes. */
	if (bpf_core_field_exists(htab->map_locked) ||
	    (MEM_USAGE && !bpf_core_enum_value_exists(enum bpf_attach_type, BPF_TRACE_FSESSION)))
		r->lock_size = 8 * sizeof(int);
	if (BPF_CORE_READ(htab, extra_elems))
		r->data_size = r->elem_size;
	if (!bpf_core_field_exists(map->elem_count) || !bpf_ksym_exists(bpf_map_sum_elem_count)) {
		count_old_hash(htab, r);
		return;
	}
	/* The kfunc answers 0 for whatever keeps no counter, so the pointer is asked first. */
	if (!map->elem_count)
		return;
	count = bpf_map_sum_elem_count(map);
	r->method = COUNT_COUNTER;
	/* A sum over CPUs while others add and delete may be below zero for a moment. */
	r->used = count < 0 ? UNKNOWN : count;
}

static __always_inline void count_ringbuf(struct bpf_map *map, struct map_record *r)
{
	struct bpf_ringbuf *rb = BPF_CORE_READ((struct bpf_ringbuf_map *)map, rb);
	__u64 consumer, overwritten;

	r->container_size = bpf_core_type_size(struct bpf_ringbuf_map);
	r->bucket_count = BPF_CORE_READ(rb, nr_pages);
	r->capacity = BPF_CORE_READ(rb, mask) + 1;
	r->method = COUNT_FIELD;
	/* The consumer first: the producer only moves away from it. */
	consumer = BPF_CORE_READ(rb, consumer_pos);
	r->consumed = consumer;
	if (bpf_core_field_exists(rb->overwrite_mode) && BPF_CORE_READ(rb, overwrite_mode)) {
		overwritten = BPF_CORE_READ(rb, overwrite_pos);
		/* It never waits for its reader, which may stand still for good. */
		r->consumed = UNKNOWN;
		if (overwritten > consumer)
			consumer = overwritten;
	}
	r->used = BPF_CORE_READ(rb, producer_pos) - consumer;
}

static __always_inline void count_storage(struct bpf_map *map, struct map_record *r)
{
	struct bpf_local_storage_map *storage = (struct bpf_local_storage_map *)map;

	r->container_size = bpf_core_type_size(struct bpf_local_storage_map);
	r->elem_size = BPF_CORE_READ(storage, elem_size);
	r->bucket_count = 1U << (BPF_CORE_READ(storage, bucket_log) & 31);
	r->node_size = bpf_core_type_size(struct bpf_local_storage_map_bucket);
	/* A bucket begins with its list's head. */
	scan_lists(r, (__u64)BPF_CORE_READ(storage, buckets), r->bucket_count, r->node_size, 0);
}

static __always_inline void count_queue(struct bpf_map *map, struct map_record *r)
{
	struct bpf_queue_stack *queue = (struct bpf_queue_stack *)map;
	__u32 size = BPF_CORE_READ(queue, size);
	__u32 tail, head;

	r->container_size = bpf_core_type_size(struct bpf_queue_stack);
	r->method = COUNT_FIELD;
	/* A pop between the two reads could make an empty queue look full: so the tail,
	 * the head, and the tail again, until it stood still. */
	for (int i = 0; i < 4; i++) {
		tail = BPF_CORE_READ(queue, tail);
		head = BPF_CORE_READ(queue, head);
		if (tail != BPF_CORE_READ(queue, tail))
			continue;
		r->used = head >= tail ? head - tail : (__u64)head + size - tail;
		break;
	}
}

/* What is asked of the events in a perf_event_array. */
enum {
	EVENT_LOST,	/* records that did not fit into its buffer */
	EVENT_WAITING,	/* bytes in it that nobody read yet */
	EVENT_ROOM,	/* bytes that it has */
};

/* A number of the event in the slot at @slot; 0 if there is none. */
__noinline __u64 event_number(__u64 slot, __u32 what)
{
	struct bpf_event_entry *entry = 0;
	struct perf_event *event;
	struct perf_buffer *rb;
	__u64 waiting, room;

	if (bpf_probe_read_kernel(&entry, sizeof(entry), (void *)slot) || !entry)
		return 0;
	event = BPF_CORE_READ(entry, event);
	if (what == EVENT_LOST)
		return bpf_core_field_exists(event->lost_samples) ?
			       BPF_CORE_READ(event, lost_samples.counter) : 0;
	rb = BPF_CORE_READ(event, rb);
	room = (__u64)(__u32)BPF_CORE_READ(rb, nr_pages) * PAGE;
	if (what == EVENT_ROOM)
		return room;
	/* The reader first, as of a ring buffer; it may say anything. */
	waiting = -BPF_CORE_READ(rb, user_page, data_tail);
	waiting += BPF_CORE_READ(rb, head.a.counter);
	return waiting < room ? waiting : room;
}

/* The sum of them over @n slots at @slots, CHUNK at most. */
__noinline __u64 event_chunk(__u64 slots, __u64 n, __u32 what)
{
	__u64 sum = 0;

	for (__u64 i = 0; i < CHUNK; i++) {
		if (i >= n)
			break;
		sum += event_number(slots + i * POINTER, what);
	}
	return sum;
}

/* The same for MOST_EVENTS slots. */
__noinline __u64 events(__u64 slots, __u64 n, __u32 what)
{
	__u64 sum = 0;

	for (__u64 i = 0; i < MOST_EVENTS; i += CHUNK) {
		if (i >= n)
			break;
		sum += event_chunk(slots + i * POINTER, n - i, what);
	}
	return sum;
}

/*
 * What the events in a perf_event_array lost, and what waits in their buffers.  There
 * is one a CPU, so that all are looked at each time.
 */
static __always_inline void read_events(struct map_record *r, __u64 slots)
{
	if (r->max_entries > MOST_EVENTS)
		return;
	if (bpf_core_field_exists(struct perf_event, lost_samples))
		r->lost = events(slots, r->max_entries, EVENT_LOST);
	r->waiting = events(slots, r->max_entries, EVENT_WAITING);
	r->room = events(slots, r->max_entries, EVENT_ROOM);
}

/* Arrays of pointers that a loader fills, and what is counted like them. */
static __always_inline void count_slots(struct bpf_map *map, struct map_record *r)
{
	switch (r->map_type) {
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
		r->container_size = bpf_core_type_size(struct bpf_array);
		r->elem_size = BPF_CORE_READ((struct bpf_array *)map, elem_size);
		scan(r, ARRAY_OF(map, bpf_array, ptrs), r->max_entries);
		break;
	case BPF_MAP_TYPE_STACK_TRACE:
		if (!HAS(bpf_stack_map))
			break;
		r->container_size = bpf_core_type_size(struct bpf_stack_map);
		r->bucket_count = BPF_CORE_READ((struct bpf_stack_map *)map, n_buckets);
		scan(r, ARRAY_OF(map, bpf_stack_map, buckets), r->bucket_count);
		break;
	case BPF_MAP_TYPE_DEVMAP:
		if (!HAS(bpf_dtab))
			break;
		r->container_size = bpf_core_type_size(struct bpf_dtab);
		r->node_size = bpf_core_type_size(struct bpf_dtab_netdev);
		/* `items` is kept since 6.4. */
		if (MEM_USAGE) {
			r->method = COUNT_FIELD;
			r->used = BPF_CORE_READ((struct bpf_dtab *)map, items);
		} else {
			scan(r, (__u64)BPF_CORE_READ((struct bpf_dtab *)map, netdev_map),
			     r->max_entries);
		}
		break;
	case BPF_MAP_TYPE_SOCKMAP:
		if (!HAS(bpf_stab))
			break;
		r->container_size = bpf_core_type_size(struct bpf_stab);
		scan(r, (__u64)BPF_CORE_READ((struct bpf_stab *)map, sks), r->max_entries);
		break;
	case BPF_MAP_TYPE_CPUMAP:
		if (!HAS(bpf_cpu_map))
			break;
		r->container_size = bpf_core_type_size(struct bpf_cpu_map);
		scan(r, (__u64)BPF_CORE_READ((struct bpf_cpu_map *)map, cpu_map), r->max_entries);
		break;
	case BPF_MAP_TYPE_XSKMAP:
		if (!HAS(xsk_map))
			break;
		r->container_size = bpf_core_type_size(struct xsk_map);
		if (HAS(xsk_map_node))
			r->node_size = bpf_core_type_size(struct xsk_map_node);
		if (bpf_core_field_exists(struct xsk_map, count)) {
			r->method = COUNT_FIELD;
			r->used = BPF_CORE_READ((struct xsk_map *)map, count.counter);
		} else {
			scan(r, ARRAY_OF(map, xsk_map, xsk_map), r->max_entries);
		}
		break;
	case BPF_MAP_TYPE_REUSEPORT_SOCKARRAY:
		if (!HAS(reuseport_array))
			break;
		r->container_size = bpf_core_type_size(struct reuseport_array);
		scan(r, ARRAY_OF(map, reuseport_array, ptrs), r->max_entries);
		break;
	}
}

/* Tables and buffers with a number of their own to read. */
static __always_inline void count_field(struct bpf_map *map, struct map_record *r)
{
	switch (r->map_type) {
	case BPF_MAP_TYPE_LPM_TRIE:
		if (!HAS(lpm_trie))
			break;
		r->container_size = bpf_core_type_size(struct lpm_trie);
		r->node_size = bpf_core_type_size(struct lpm_trie_node);
		r->data_size = BPF_CORE_READ((struct lpm_trie *)map, data_size);
		r->method = COUNT_FIELD;
		r->used = BPF_CORE_READ((struct lpm_trie *)map, n_entries);
		break;
	case BPF_MAP_TYPE_DEVMAP_HASH:
		if (!HAS(bpf_dtab))
			break;
		r->container_size = bpf_core_type_size(struct bpf_dtab);
		r->node_size = bpf_core_type_size(struct bpf_dtab_netdev);
		r->bucket_count = BPF_CORE_READ((struct bpf_dtab *)map, n_buckets);
		r->method = COUNT_FIELD;
		r->used = BPF_CORE_READ((struct bpf_dtab *)map, items);
		break;
	case BPF_MAP_TYPE_SOCKHASH:
		if (!HAS(bpf_shtab))
			break;
		r->container_size = bpf_core_type_size(struct bpf_shtab);
		r->elem_size = BPF_CORE_READ((struct bpf_shtab *)map, elem_size);
		r->node_size = bpf_core_type_size(struct bpf_shtab_bucket);
		r->bucket_count = BPF_CORE_READ((struct bpf_shtab *)map, buckets_num);
		r->method = COUNT_FIELD;
		r->used = BPF_CORE_READ((struct bpf_shtab *)map, count.counter);
		break;
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
		if (HAS(bpf_queue_stack))
			count_queue(map, r);
		break;
	}
}

/*
 * What a struct_ops map is made of: the structure up to the value, two values, a page for
 * the code, and for each function a link and, where the kernel keeps those, a symbol.
 */
static __always_inline void size_struct_ops(struct bpf_map *map, struct map_record *r)
{
	struct bpf_struct_ops_map *ops = (struct bpf_struct_ops_map *)map;

	/* Older kernels (6.1) do not keep the number of functions: not known, then. */
	if (!bpf_core_field_exists(ops->funcs_cnt))
		return;
	r->container_size = bpf_core_type_size(struct bpf_struct_ops_map) -
			    bpf_core_type_size(struct bpf_struct_ops_value);
	r->bucket_count = BPF_CORE_READ(ops, funcs_cnt);
	r->elem_size = POINTER;
	if (bpf_core_field_exists(ops->ksyms))
		r->elem_size += POINTER;
	r->node_size = PAGE;
}

/*
 * Whether a device holds a hash or an array: then it is another structure, in which something
 * else lies where a table would have its buckets.  Of all that work the table of its functions
 * alone lacks this one (bpf_map_offload_ops).
 */
static __always_inline int is_offloaded(struct bpf_map *map, struct map_record *r)
{
	return (r->map_type == BPF_MAP_TYPE_HASH || r->map_type == BPF_MAP_TYPE_ARRAY) &&
	       !BPF_CORE_READ(map, ops, map_lookup_elem);
}

/* Fills in used, capacity, the method, and what memory is made of, by type. */
static __always_inline void count(struct bpf_map *map, struct map_record *r)
{
	__u64 head;

	r->capacity = r->max_entries;
	if (is_offloaded(map, r))
		return;
	switch (r->map_type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
		count_hash(map, r);
		break;
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		r->container_size = bpf_core_type_size(struct bpf_array);
		r->elem_size = BPF_CORE_READ((struct bpf_array *)map, elem_size);
		if (r->map_flags & BPF_F_MMAPABLE)
			r->node_size = PAGE;
		break;
	case BPF_MAP_TYPE_STRUCT_OPS:
		if (HAS(bpf_struct_ops_map) && HAS(bpf_struct_ops_value))
			size_struct_ops(map, r);
		break;
	case BPF_MAP_TYPE_INSN_ARRAY:
		if (!HAS(bpf_insn_array) || !HAS(bpf_insn_array_value))
			break;
		r->container_size = bpf_core_type_size(struct bpf_insn_array);
		/* With its place in a table of addresses. */
		r->elem_size = bpf_core_type_size(struct bpf_insn_array_value) + sizeof(long);
		break;
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
		if (HAS(bpf_ringbuf) && HAS(bpf_ringbuf_map))
			count_ringbuf(map, r);
		break;
	case BPF_MAP_TYPE_ARENA:
		if (HAS(bpf_arena) && HAS(range_node) &&
		    bpf_core_field_exists(struct bpf_arena, rt)) {
			r->container_size = bpf_core_type_size(struct bpf_arena);
			/* Since 7.3 the kernel counts an arena's pages, and nothing else of it. */
			if (bpf_core_field_exists(struct bpf_arena, nr_pages))
				r->elem_size = PAGE;
			else
				r->node_size = PAGE;
			r->method = COUNT_WALK;
			r->used = arena_used((struct bpf_arena *)map, r->max_entries);
		}
		break;
	case BPF_MAP_TYPE_CGROUP_STORAGE:
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
		r->capacity = UNKNOWN;
		if (!HAS(bpf_cgroup_storage_map))
			break;
		r->container_size = bpf_core_type_size(struct bpf_cgroup_storage_map);
		if (HAS(bpf_cgroup_storage))
			r->elem_size = bpf_core_type_size(struct bpf_cgroup_storage);
		if (r->map_type == BPF_MAP_TYPE_CGROUP_STORAGE && HAS(bpf_storage_buffer))
			r->elem_size += bpf_core_type_size(struct bpf_storage_buffer);
		head = ARRAY_OF(map, bpf_cgroup_storage_map, list);
		scan_lists(r, head, 1, 0, head);
		break;
	case BPF_MAP_TYPE_SK_STORAGE:
	case BPF_MAP_TYPE_INODE_STORAGE:
	case BPF_MAP_TYPE_TASK_STORAGE:
	case BPF_MAP_TYPE_CGRP_STORAGE:
		r->capacity = UNKNOWN;
		if (HAS(bpf_local_storage_map) && HAS(bpf_local_storage_map_bucket))
			count_storage(map, r);
		break;
	case BPF_MAP_TYPE_LPM_TRIE:
	case BPF_MAP_TYPE_DEVMAP_HASH:
	case BPF_MAP_TYPE_SOCKHASH:
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
		count_field(map, r);
		break;
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_STACK_TRACE:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_SOCKMAP:
	case BPF_MAP_TYPE_CPUMAP:
	case BPF_MAP_TYPE_XSKMAP:
	case BPF_MAP_TYPE_REUSEPORT_SOCKARRAY:
		count_slots(map, r);
		break;
	case BPF_MAP_TYPE_BLOOM_FILTER:
		r->capacity = UNKNOWN;
		if (!HAS(bpf_bloom_filter))
			break;
		r->container_size = bpf_core_type_size(struct bpf_bloom_filter);
		r->bucket_count =
			(BPF_CORE_READ((struct bpf_bloom_filter *)map, bitset_mask) >> 3) + 1;
		break;
	default:
		/* A type newer than this program: what it holds at most is not known. */
		r->capacity = UNKNOWN;
	}
}

/*
 * Hands a record over.  A function of its own, never inlined, because its
 * argument is what brings struct map_record into the object's BTF, from which the
 * Rust type is made; a global variable would do, too, and be a map.
 */
static __noinline int emit(struct seq_file *seq, struct map_record *r)
{
	return bpf_seq_write(seq, r, sizeof(*r));
}

SEC("iter/bpf_map")
int maps(struct bpf_iter__bpf_map *ctx)
{
	/* Read once, before the ways part: for each time, some verifiers search all of the
	 * kernel's BTF. */
	struct seq_file *seq = ctx->meta->seq;
	struct bpf_map *map = ctx->map;
	struct map_record r = {};

	if (!map)
		return 0;
	r.used = UNKNOWN;
	r.capacity = UNKNOWN;
	r.consumed = UNKNOWN;
	r.lost = UNKNOWN;
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
		r.facts |= FACT_FROZEN;
	bpf_probe_read_kernel_str(r.name, sizeof(r.name), map->name);
	count(map, &r);
	if (r.map_type == BPF_MAP_TYPE_PERF_EVENT_ARRAY && HAS(perf_event) && HAS(perf_buffer) &&
	    HAS(bpf_event_entry) && HAS(perf_event_mmap_page))
		read_events(&r, ARRAY_OF(map, bpf_array, ptrs));
	emit(seq, &r);
	return 0;
}
