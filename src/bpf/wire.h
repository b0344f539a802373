/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What crosses the border between the kernel and mapstop: the question that
 * user space asks, the record it gets for each map, those that say whose the maps
 * are, and what the tracers count.  Their layout is written here and nowhere else; the Rust types are generated from this file's BTF.
 *
 * Rules that keep the generated types plain: widest fields first (no padding),
 * no bool, names as __u8 arrays, no field called "type".
 */
#ifndef MAPSTOP_RECORDS_H
#define MAPSTOP_RECORDS_H

/* A number that the kernel could not give. */
#define UNKNOWN (~0ULL)

enum scan_limit {
	MOST_LISTS = 64,	/* lists of one map followed in one read */
	SCAN_WINDOW = 16384,	/* slots, list nodes or chains of one map in one read */
	HEADS = 4,		/* chains that are only seen to be empty or not, for a slot */
	MOST_CHAINS = 65536,	/* a hash table of no more is followed whole */
	MOST_HEADS = 262144,	/* looked at of one that has more */
	NOT_ADDED = 31,		/* to a count by each CPU: PERCPU_COUNTER_BATCH in hashtab.c, less one */
	MOST_EVENTS = 1024,	/* of a perf_event_array, looked at in every read */
};

/* Tells a question from whatever else lies in a buffer: "map?" in ASCII. */
enum question_magic {
	QUESTION_MAGIC = 0x3f70616d,
};

/*
 * Which slots to look at during this read.  User space writes it to the start
 * of the buffer it passes to read(2), the program finds it there (see
 * read_question()), and the answer overwrites it.  That way the budget of a
 * tick is kept by the side that has a memory, and no map is needed to tell.
 */
struct question {
	enum question_magic magic;
	__u32 first_id;		/* maps from this id ... */
	__u32 last_id;		/* ... to this one, both included, are looked at */
	__u32 round;		/* chooses the window: round % windows of the map */
	__u32 walk_parts;	/* a table of lists is walked in so many windows */
	enum scan_limit window;	/* slots in a window of an array, chains in one of a hash table,
				 * SCAN_WINDOW at most; HEADS times as many heads of chains */
};

/* How a map's entries were counted. */
enum count_method {
	COUNT_NONE = 0,		/* nothing to count, or not countable here */
	COUNT_COUNTER = 1,	/* the kernel's own element counter */
	COUNT_FIELD = 2,	/* a number kept in the map's structure */
	COUNT_SCAN = 3,		/* an array of pointers, looked at in windows */
	COUNT_WALK = 4,		/* lists or a tree, followed */
	COUNT_CHAINS = 5,	/* all chains of a hash table, followed in windows */
	COUNT_HEADS = 6,	/* chains of a hash table that are not empty, in windows */
	COUNT_NEARLY = 7,	/* a number to which each CPU has yet to add NOT_ADDED at most */
};

enum map_fact {
	FACT_FROZEN = 1,	/* closed for writes from user space */
	FACT_WALK_CUT = 2,	/* scan_used is a lower bound: a walk met its limit */
};

struct map_record {
	__u64 used;		/* COUNT_COUNTER, _FIELD, _NEARLY, arena walks; else UNKNOWN */
	__u64 capacity;		/* in the same unit as used; UNKNOWN if unlimited */
	__u64 map_extra;	/* bloom filter: hash functions; arena: address */
	__u64 refs;		/* references, the iterator's own taken off */
	__u64 user_refs;	/* open files and pins among them */
	__u64 consumed;		/* ring buffers: where the reader is; else, and of those
				 * that overwrite what was not read, UNKNOWN */
	__u64 lost;		/* perf_event_array: records that did not fit, of the events in
				 * it; else, and before 6.0, UNKNOWN */
	__u64 waiting;		/* perf_event_array: bytes in their buffers that nobody read yet */
	__u64 room;		/* perf_event_array: bytes that these buffers have */
	__u32 id;
	__u32 map_type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 map_flags;
	enum count_method method;
	enum map_fact facts;	/* bits */
	/* COUNT_SCAN and later: of `slots` places, [first, end) were looked at */
	__u32 slots;
	__u32 scan_first;
	__u32 scan_end;
	__u32 scan_used;
	/* what memory is computed from; 0 where the type has no such thing */
	__u32 container_size;	/* of the structure that holds struct bpf_map */
	__u32 elem_size;	/* struct_ops: of what is kept for a function; arena: of a page,
				 * where the kernel counts those */
	__u32 bucket_count;	/* of a table; pages of a ring buffer, bytes of a bloom filter,
				 * functions of a struct_ops */
	__u32 node_size;	/* of a bucket, of a tree's node, of a device's or socket's entry;
				 * of a page: mmapable arrays, struct_ops, other arenas */
	__u32 data_size;	/* lpm_trie: bytes of key data in a node; hash family: of the
				 * element that each CPU has to spare */
	__u32 lock_size;	/* hash family: bytes of lock counters per CPU, those that only
				 * the kernel's own sum still has included */
	__u8 name[16];
};

/* How a process holds what a holder_record names. */
enum held_by {
	HELD_BY_FD = 1,		/* a map, by a descriptor */
	HELD_BY_MAPPING = 2,	/* a map, by its memory */
	HELD_BY_MAP_LINK = 3,	/* a map, by a link that is made of it */
	HELD_BY_LINK = 4,	/* a program, by a link to it */
	HELD_BY_PROGRAM = 5,	/* a program, by a descriptor */
};

/* A descriptor or a mapping of a process. */
struct holder_record {
	__u32 tgid;
	__u32 fd;		/* 0 for a mapping */
	__u32 id;		/* of the map or of the program */
	enum held_by by;
	__u8 comm[16];		/* of the whole process, not of a thread */
};

enum use_limit {
	MOST_USED_MAPS = 64,	/* of one program: what the kernel loads at most */
};

/* A map that a program uses. */
struct use_record {
	__u32 prog_id;
	__u32 prog_type;
	__u32 map_id;
	__u32 used_maps;	/* of the program, those beyond the most included */
	__u8 name[16];
};

/*
 * What is counted of a map's losses: updates that were refused, by error and in the
 * order of the errors' numbers, then what is no update.
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
	LOSS_EVICTED,		/* entries that made room for others */
	LOSS_DROPPED,		/* records or packets that did not fit */
	LOSS_KINDS,
};

/* Who made a loss happen. */
enum loss_cause {
	CAUSE_UNKNOWN = 0,
	CAUSE_PROCESS = 1,	/* by bpf(2) */
	CAUSE_PROGRAM = 2,	/* a BPF program, whichever process it met */
};

/* What one map lost. */
struct loss_record {
	__u64 counts[LOSS_KINDS];
	enum loss_cause cause;	/* of the last of them */
	__u32 tgid;		/* CAUSE_PROCESS */
	__u8 comm[16];		/* of the whole process, not of a thread */
};

enum loss_limit {
	LOSS_SLOTS = 1024,	/* maps that can lose something while watched */
	LOSS_PROBES = 16,	/* slots that one map may be in */
};

/* Who pays for a map. */
struct payer_record {
	__u64 cgroup;		/* its inode number, 0 if none pays; UNKNOWN before 5.11 */
	__u32 map_id;
	__u32 map_type;
	__u32 map_flags;
	__u32 max_entries;
};

#endif
