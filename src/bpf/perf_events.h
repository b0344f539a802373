/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the events in a perf_event_array lost, and what waits in their buffers. */
#ifndef MAPSTOP_PERF_EVENTS_H
#define MAPSTOP_PERF_EVENTS_H

#include "core_util.h"
#include "wire.h"

/* Events merged by one call of the inner loop. */
#define PERF_CHUNK 16

/* What to read from an event. */
enum perf_stat {
	PERF_LOST,	/* records that did not fit into its buffer */
	PERF_BACKLOG,	/* bytes in the buffer that nobody has read yet */
	PERF_CAPACITY,	/* size of the buffer in bytes */
	PERF_READ,	/* bytes that were read from the buffer, as its reader says */
	PERF_FULLEST,	/* unread part of the buffer in thousandths */
};

/* Reads @stat of the event in the slot at @slot; 0 if the slot is empty. */
__noinline __u64 perf_event_stat(__u64 slot, __u32 stat)
{
	struct bpf_event_entry *entry = 0;
	struct perf_event *event;
	struct perf_buffer *rb;
	__u64 backlog, capacity, read;

	if (bpf_probe_read_kernel(&entry, sizeof(entry), (void *)slot) || !entry)
		return 0;
	event = BPF_CORE_READ(entry, event);
	if (stat == PERF_LOST)
		return bpf_core_field_exists(event->lost_samples) ?
			       BPF_CORE_READ(event, lost_samples.counter) : 0;
	rb = BPF_CORE_READ(event, rb);
	capacity = (__u64)(__u32)BPF_CORE_READ(rb, nr_pages) * KERNEL_PAGE_SIZE;
	if (stat == PERF_CAPACITY)
		return capacity;
	/* The position of the reader first, as with a ring buffer; it may have any value. */
	read = BPF_CORE_READ(rb, user_page, data_tail);
	if (stat == PERF_READ)
		return read;
	backlog = BPF_CORE_READ(rb, head.a.counter) - read;
	if (backlog > capacity)
		backlog = capacity;
	if (stat == PERF_FULLEST)
		return capacity ? backlog * 1000 / capacity : 0;
	return backlog;
}

static __always_inline __u64 merge_perf_stats(__u64 a, __u64 b, __u32 stat)
{
	if (stat != PERF_FULLEST)
		return a + b;
	return a > b ? a : b;
}

/* The sum, or the highest, of @stat over the events in @n slots; @n is at most PERF_CHUNK. */
__noinline __u64 merge_perf_events_16(__u64 slots, __u64 n, __u32 stat)
{
	__u64 merged = 0;

	for (__u64 i = 0; i < PERF_CHUNK; i++) {
		if (i >= n)
			break;
		merged = merge_perf_stats(merged, perf_event_stat(slots + i * PTR_SIZE, stat), stat);
	}
	return merged;
}

/* The same for @n up to MAX_PERF_EVENTS. */
__noinline __u64 merge_perf_events(__u64 slots, __u64 n, __u32 stat)
{
	__u64 merged = 0;

	for (__u64 i = 0; i < MAX_PERF_EVENTS; i += PERF_CHUNK) {
		if (i >= n)
			break;
		merged = merge_perf_stats(
			merged, merge_perf_events_16(slots + i * PTR_SIZE, n - i, stat), stat);
	}
	return merged;
}

#endif
