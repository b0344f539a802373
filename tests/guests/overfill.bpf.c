// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Maps, and programs that insert more than fits.  The numbers are defined here and repeated
 * in the tests under the same names.
 */
#include "../../src/bpf/vmlinux_min.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";


#define TYPE(name) __uint(type, BPF_MAP_TYPE_##name)

struct prefix {
	__u32 bits, address;
};

struct record {
	__u64 words[8];
};

/* The size in the UAPI. */
struct bpf_dynptr {
	__u64 words[2];
};

struct large {
	__u8 bytes[4000];
};

#define TABLE(name, kind, key_type, value_type, entries, flags) \
	struct {                                                \
		TYPE(kind);                                     \
		__type(key, key_type);                          \
		__type(value, value_type);                      \
		__uint(max_entries, entries);                   \
		__uint(map_flags, flags);                       \
	} name SEC(".maps")

TABLE(hash, HASH, __u32, __u64, 100, 0);
TABLE(hash_grown, HASH, __u32, __u64, 64, BPF_F_NO_PREALLOC);
TABLE(percpu, PERCPU_HASH, __u32, __u64, 50, 0);
TABLE(lru, LRU_HASH, __u32, __u64, 100, 0);
TABLE(lru_percpu, LRU_PERCPU_HASH, __u32, __u64, 100, 0);
TABLE(trie, LPM_TRIE, struct prefix, __u64, 60, BPF_F_NO_PREALLOC);
TABLE(devices, DEVMAP, __u32, __u32, 1, 0);
TABLE(perf, PERF_EVENT_ARRAY, __u32, __u32, 64, 0);
TABLE(storage, SK_STORAGE, int, struct large, 0, BPF_F_NO_PREALLOC);
TABLE(worked, HASH, __u32, __u64, 100, 0);

#define LIST(name, kind, entries)               \
	struct {                                \
		TYPE(kind);                     \
		__uint(value_size, 8);          \
		__uint(max_entries, entries);   \
	} name SEC(".maps")

LIST(queue, QUEUE, 30);
LIST(stack, STACK, 20);

#define RING(name)                              \
	struct {                                \
		TYPE(RINGBUF);                  \
		__uint(max_entries, 4096);      \
	} name SEC(".maps")

RING(ring_reserve);
RING(ring_output);
RING(ring_dynptr);

/* One bucket, so that every stack but the first collides. */
struct {
	TYPE(STACK_TRACE);
	__uint(key_size, 4);
	__uint(value_size, 127 * 8);
	__uint(max_entries, 1);
} stacks SEC(".maps");

/*
 * Returns how many of its calls failed, without a branch for the verifier to follow.
 * Before 6.4 some helpers return an int, despite their declared type.
 */
#define OVERFILL(program, times, call)                          \
	SEC("tc")                                               \
	int program(void *ctx)                                  \
	{                                                       \
		int refused = 0;                                \
								\
		for (__u32 i = 0; i < times; i++)               \
			refused += (__u32)(call) >> 31;         \
		return refused;                                 \
	}

static __always_inline long put(void *map, __u32 number)
{
	__u64 value = 0;

	return bpf_map_update_elem(map, &number, &value, 0);
}
OVERFILL(fill_hash, 131, put(&hash, i))
OVERFILL(fill_grown, 101, put(&hash_grown, i))
OVERFILL(fill_percpu, 91, put(&percpu, i))
OVERFILL(fill_lru, 400, put(&lru, i))
OVERFILL(fill_lru_percpu, 450, put(&lru_percpu, i))
OVERFILL(work, 1000, put(&worked, 7))

static __always_inline long put_prefix(__u32 number)
{
	struct prefix prefix = { .bits = 32, .address = number };
	__u64 value = 0;

	return bpf_map_update_elem(&trie, &prefix, &value, 0);
}
OVERFILL(fill_trie, 103, put_prefix(i))

static __always_inline long push(void *list)
{
	__u64 value = 0;

	return bpf_map_push_elem(list, &value, 0);
}
OVERFILL(fill_queue, 77, push(&queue))
OVERFILL(fill_stack, 73, push(&stack))

/* 56 of these fit: each has a header of eight bytes, and one byte stays free. */
static __always_inline long reserve(void)
{
	struct record *record = bpf_ringbuf_reserve(&ring_reserve, sizeof(*record), 0);

	if (!record)
		return -1;
	record->words[0] = 1;
	bpf_ringbuf_submit(record, 0);
	return 0;
}
OVERFILL(fill_reserve, 115, reserve())

static __always_inline long output(void)
{
	struct record record = {};

	return bpf_ringbuf_output(&ring_output, &record, sizeof(record), 0);
}
OVERFILL(fill_output, 117, output())

static __always_inline long reserve_dynptr(void)
{
	struct bpf_dynptr record;
	long error = bpf_ringbuf_reserve_dynptr(&ring_dynptr, sizeof(struct record), 0, &record);

	bpf_ringbuf_submit_dynptr(&record, 0);
	return error;
}
OVERFILL(fill_dynptr, 123, reserve_dynptr())

static __always_inline long event(void *ctx)
{
	struct record record = {};

	return bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &record, sizeof(record));
}
OVERFILL(fill_perf, 200, event(ctx))

/* Stores the kernel stack without the first frames; each argument gives another stack. */
SEC("raw_tp")
int keep_stack(__u64 *args)
{
	return bpf_get_stackid(args, &stacks, args[0] & 0x7f);
}

/* To a device that accepts no redirected packets. */
SEC("xdp")
int send_on(void *ctx)
{
	return bpf_redirect_map(&devices, 0, 0);
}

/* Only loaded, to find out whether the kernel accepts such a program. */
SEC("fexit/bpf_fentry_test1")
int tracer(void *ctx)
{
	return 0;
}
