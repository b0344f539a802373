/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The records that mapstop and its BPF programs exchange.  Their layout is defined
 * only here: build.rs generates the Rust types from the BTF of the objects.
 *
 * Rules that keep the generated types plain: widest fields first (no padding), no
 * bool, names as __u8 arrays, no field called "type".
 */
#ifndef MAPSTOP_WIRE_H
#define MAPSTOP_WIRE_H

#include "vmlinux_min.h"

enum scan_limit {
	MAX_LISTS = 64,		/* lists of one map walked in one read(2) */
	SCAN_WINDOW = 16384,	/* slots, list nodes or buckets of one map in one read(2) */
	BUCKETS_PER_SLOT = 4,	/* buckets tested for emptiness at the cost of one slot */
	MAX_WALKED_BUCKETS = 65536,	/* a hash table with more is sampled, not walked */
	MAX_SAMPLED_BUCKETS = 262144,	/* of one hash table */
	PERCPU_BATCH_SLACK = 31,	/* a CPU may hold back: PERCPU_COUNTER_BATCH - 1 */
	MAX_PERF_EVENTS = 1024,	/* of one perf_event_array, all read each time */
};

/* "map?" in ASCII: tells a scan_request from whatever else is in a buffer. */
enum scan_request_magic {
	SCAN_REQUEST_MAGIC = 0x3f70616d,
};

/**
 * struct scan_request - which slots to look at during one read(2)
 * @magic: SCAN_REQUEST_MAGIC
 * @first_id: first map to scan
 * @last_id: last map to scan, inclusive
 * @round: selects the window: @round % windows of the map
 * @walk_parts: number of windows that a table of lists is walked in
 * @window: slots of an array, or buckets of a hash table, in one window, at most
 *	    SCAN_WINDOW; of a sampled hash table BUCKETS_PER_SLOT times as many buckets
 *
 * User space writes it to the start of the buffer that it passes to read(2), where the
 * program finds it (see find_scan_request()); the answer overwrites it.  The side that
 * can remember thus keeps the budget of a sample, and no map is needed to pass it on.
 */
struct scan_request {
	enum scan_request_magic magic;
	__u32 first_id;
	__u32 last_id;
	__u32 round;
	__u32 walk_parts;
	enum scan_limit window;
};

/* How the entries of a map were counted. */
enum count_method {
	COUNT_NONE = 0,			/* not counted */
	COUNT_COUNTER = 1,		/* the kernel's own element counter */
	COUNT_FIELD = 2,		/* a number kept in the map's structure */
	COUNT_SCAN = 3,			/* an array of pointers, in windows */
	COUNT_WALK = 4,			/* lists in windows, or a tree */
	COUNT_BUCKET_WALK = 5,		/* all buckets of a hash table, in windows */
	COUNT_BUCKET_SAMPLE = 6,	/* non-empty buckets of a hash table, in windows */
	COUNT_PERCPU_APPROX = 7,	/* each CPU may hold back PERCPU_BATCH_SLACK */
};

enum map_record_flags {
	REC_F_FROZEN = 1,		/* user space cannot write to the map */
	REC_F_TRUNCATED = 2,		/* @scan_used is a lower bound: a walk was cut short */
	REC_F_HAS_USED = 4,		/* @used is known */
	REC_F_HAS_CAPACITY = 8,		/* @capacity is known, and not unlimited */
	REC_F_HAS_CONSUMER_POS = 16,	/* @consumer_pos is known */
	REC_F_HAS_PERF_LOST = 32,	/* @perf_lost is known: since 6.0 */
	REC_F_FULL = 64,		/* as many entries as @capacity, whatever a scan finds */
};

/* Sizes and counts from which the memory of a map is computed, by family. */

/* Hash maps, sockhash, local storages. */
struct table_layout {
	__u32 elem_size;
	__u32 bucket_count;
	__u32 bucket_size;
	__u32 spare_elem_size;	/* hash maps: of the spare element of each CPU, or 0 */
	__u32 lock_size;	/* hash maps: bytes of lock counters per CPU, as far as the
				 * kernel's own sum still includes them */
};

/* Arrays, arrays of pointers, insn_array. */
struct array_layout {
	__u32 elem_size;
	__u32 page_size;	/* of a mappable array, else 0 */
};

struct stack_trace_layout {
	__u32 bucket_count;
};

struct trie_layout {
	__u32 node_size;	/* without the key */
	__u32 key_data_size;	/* bytes of key data in a node */
};

/* devmap, devmap_hash, xskmap. */
struct redirect_layout {
	__u32 entry_size;
	__u32 bucket_count;	/* devmap_hash */
};

struct cgroup_storage_layout {
	__u32 elem_size;
};

struct ringbuf_layout {
	__u32 page_count;
};

struct bloom_layout {
	__u32 bitset_size;	/* bytes */
};

struct struct_ops_layout {
	__u32 func_size;	/* bytes kept for each function */
	__u32 func_count;
	__u32 page_size;
};

struct arena_layout {
	__u32 page_size;
	__u32 is_counted;	/* 1 where the kernel itself counts an arena's pages */
};

union map_layout {
	struct table_layout table;
	struct array_layout array;
	struct stack_trace_layout stack_trace;
	struct trie_layout trie;
	struct redirect_layout redirect;
	struct cgroup_storage_layout cgroup_storage;
	struct ringbuf_layout ringbuf;
	struct bloom_layout bloom;
	struct struct_ops_layout struct_ops;
	struct arena_layout arena;
};

/**
 * struct map_record - one BPF map
 * @used: entries, bytes or pages in use; set by COUNT_COUNTER, COUNT_FIELD,
 *	  COUNT_PERCPU_APPROX and for arenas
 * @capacity: limit of @used, in the same unit
 * @map_extra: bloom filter: number of hash functions; arena: address
 * @refs: references, without the iterator's own
 * @user_refs: those of them that are file descriptors and pins
 * @consumer_pos: ring buffers that wait for their reader: how far it has read;
 *		  perf_event_array: the sum over the buffers of its events
 * @perf_lost: perf_event_array: records that its events dropped
 * @perf_backlog: perf_event_array: unread bytes in the buffers of its events
 * @perf_capacity: perf_event_array: size of these buffers in bytes
 * @perf_fullest: perf_event_array: unread part of the fullest of them, in thousandths
 * @slots: places to scan; the window [@scan_first, @scan_end) was scanned this time
 * @scan_used: entries, or non-empty buckets, found in the window
 * @container_size: of the structure that contains struct bpf_map
 * @layout: what else the memory of the map is computed from; the member is chosen by
 *	    @map_type
 */
struct map_record {
	__u64 used;
	__u64 capacity;
	__u64 map_extra;
	__u64 refs;
	__u64 user_refs;
	__u64 consumer_pos;
	__u64 perf_lost;
	__u64 perf_backlog;
	__u64 perf_capacity;
	__u64 perf_fullest;
	__u32 id;
	enum bpf_map_type map_type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 map_flags;
	enum count_method method;
	enum map_record_flags flags;
	__u32 slots;
	__u32 scan_first;
	__u32 scan_end;
	__u32 scan_used;
	__u32 container_size;
	union map_layout layout;
	__u8 name[16];
};

/* How a process holds what a holder_record names. */
enum held_by {
	HELD_BY_FD = 1,		/* a map, by a file descriptor */
	HELD_BY_MAPPING = 2,	/* a map, by mapping its memory */
	HELD_BY_MAP_LINK = 3,	/* a map, by a link to the map */
	HELD_BY_LINK = 4,	/* a program, by a link to it */
	HELD_BY_PROGRAM = 5,	/* a program, by a file descriptor */
};

/* A file descriptor or a mapping of a process. */
struct holder_record {
	__u32 tgid;
	__u32 fd;		/* 0 for a mapping */
	__u32 id;		/* of the map or the program */
	enum held_by by;
	__u8 comm[16];		/* of the thread group leader */
};

enum prog_map_limit {
	MAX_USED_MAPS = 64,	/* of one program, as in the kernel */
};

/* A map that a program uses. */
struct prog_map_record {
	__u32 prog_id;
	__u32 prog_type;
	__u32 map_id;
	__u32 used_maps;	/* of the program, including those beyond MAX_USED_MAPS */
	__u8 name[16];		/* of the program */
};

/* The memory cgroup that a map is charged to. */
struct memcg_record {
	__u64 cgroup;		/* its inode number; 0 if there is none, and before 5.11 */
	__u32 map_id;
	enum bpf_map_type map_type;
	__u32 map_flags;
	__u32 max_entries;
};

/*
 * The losses of a map that are counted separately: failed updates in the order of
 * their errno, then everything else.
 */
enum loss_kind {
	LOSS_E2BIG,
	LOSS_EAGAIN,
	LOSS_ENOMEM,
	LOSS_EBUSY,
	LOSS_EEXIST,
	LOSS_ENOSPC,
	LOSS_EDEADLK,
	LOSS_ETIMEDOUT,
	LOSS_EVICTED,		/* entries evicted from an LRU map */
	LOSS_DROPPED,		/* records or packets that did not fit */
	LOSS_ATTEMPTS,		/* no loss: stacks that were stored or refused */
	LOSS_KINDS,
};

/* What caused a loss. */
enum loss_cause {
	CAUSE_UNKNOWN = 0,
	CAUSE_PROCESS = 1,	/* a process, by bpf(2) */
	CAUSE_PROGRAM = 2,	/* a BPF program, in whatever process it ran */
};

/* The losses of one map. */
struct loss_record {
	__u64 counts[LOSS_KINDS];
	enum loss_cause cause;	/* of the latest loss */
	__u32 tgid;		/* with CAUSE_PROCESS */
	__u8 comm[16];		/* of the thread group leader */
};

enum loss_limit {
	LOSS_SLOTS = 1024,	/* maps whose losses can be counted at a time */
	LOSS_PROBES = 16,	/* slots that one map may be in */
};

#endif
