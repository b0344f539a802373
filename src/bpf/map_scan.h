/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Scans the window of a map that the scan_request selects, and records the result. */
#ifndef MAPSTOP_MAP_SCAN_H
#define MAPSTOP_MAP_SCAN_H

#include "core_util.h"
#include "htab_walk.h"
#include "list_walk.h"
#include "scan_request.h"
#include "wire.h"

static __always_inline void set_used(struct map_record *r, enum count_method method, __u64 used)
{
	r->method = method;
	r->used = used;
	r->flags |= REC_F_HAS_USED;
}

static __always_inline void set_capacity(struct map_record *r, __u64 capacity)
{
	r->capacity = capacity;
	r->flags |= REC_F_HAS_CAPACITY;
}

/* Storages and bloom filters take any number of entries. */
static __always_inline void set_unlimited(struct map_record *r)
{
	r->capacity = 0;
	r->flags &= ~REC_F_HAS_CAPACITY;
}

/* Selects the window of this round out of @r->slots slots, @window of them at a time. */
static __always_inline bool select_window(struct map_record *r, const struct scan_request *request,
					  __u32 window)
{
	__u32 windows;

	if (r->id < request->first_id || r->id > request->last_id || !r->slots || !window)
		return false;
	windows = (r->slots - 1) / window + 1;
	r->scan_first = request->round % windows * window;
	r->scan_end = r->scan_first + window;
	if (r->scan_end > r->slots)
		r->scan_end = r->slots;
	r->scan_used = 0;
	return true;
}

/* Records what a scan of the selected window found. */
static __always_inline void set_scan_result(struct map_record *r, __u64 found)
{
	if (UNPACK_FLAGS(found) & WALK_UNREADABLE) {
		r->scan_end = r->scan_first;	/* an empty window: nothing was scanned */
		return;
	}
	r->scan_used = UNPACK_NUMBER(found);
	if (UNPACK_FLAGS(found) & WALK_INCOMPLETE)
		r->flags |= REC_F_TRUNCATED;
}

/* Counts the non-null pointers in this round's window of the array at @base. */
static __always_inline void scan_pointers(struct map_record *r, __u64 base, __u32 slots)
{
	struct scan_request request;

	r->method = COUNT_SCAN;
	r->slots = slots;
	if (!find_scan_request(&request) || request.window > SCAN_WINDOW ||
	    !select_window(r, &request, request.window))
		return;
	set_scan_result(r, count_nonnull(base + (__u64)r->scan_first * PTR_SIZE,
					 r->scan_end - r->scan_first));
}

/*
 * Counts the nodes in this round's window of the @lists list heads at @heads.  A walk cannot
 * start in the middle of a list: if one read(2) cannot walk the window to its end, user space
 * asks for smaller windows.
 */
static __always_inline void scan_lists(struct map_record *r, __u64 heads, __u32 lists,
				       __u32 stride, __u64 end)
{
	struct scan_request request;

	r->method = COUNT_WALK;
	r->slots = lists;
	if (!find_scan_request(&request) || !request.walk_parts ||
	    !select_window(r, &request, (lists - 1) / request.walk_parts + 1))
		return;
	set_scan_result(r, count_list_nodes(heads + (__u64)r->scan_first * stride,
					    r->scan_end - r->scan_first, stride, end));
}

/*
 * Counts the entries of a hash table where the kernel does not: by walking its buckets or, if the
 * table is large, by testing how many of its buckets are empty.
 */
static __always_inline void scan_buckets(struct bpf_htab *htab, struct map_record *r)
{
	__u32 bucket_count = r->layout.table.bucket_count;
	__u32 bucket_size = r->layout.table.bucket_size;
	bool is_walked = bucket_count <= MAX_WALKED_BUCKETS;
	struct scan_request request;
	__u64 buckets, n, found;

	if (!bucket_size || bucket_count < r->max_entries || bucket_count & (bucket_count - 1))
		return;
	r->method = is_walked ? COUNT_BUCKET_WALK : COUNT_BUCKET_SAMPLE;
	r->slots = bucket_count < MAX_SAMPLED_BUCKETS ? bucket_count : MAX_SAMPLED_BUCKETS;
	if (!find_scan_request(&request) || request.window > SCAN_WINDOW ||
	    !select_window(r, &request,
			   is_walked ? request.window : request.window * BUCKETS_PER_SLOT))
		return;
	buckets = (__u64)BPF_CORE_READ(htab, buckets) + (__u64)r->scan_first * bucket_size;
	n = r->scan_end - r->scan_first;
	if (is_walked)
		found = walk_buckets(buckets, n, bucket_size, r->scan_first);
	else
		found = count_nonempty(buckets, n, bucket_size);
	set_scan_result(r, found);
}

#endif
