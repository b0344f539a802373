/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counts the entries of a hash table, or its non-empty buckets.
 *
 * A table is an array of buckets.  The first word of a bucket points to its first entry, the
 * first word of an entry to the next one.  The last pointer is no address but a nulls marker
 * (hlist_nulls): an odd number made of the bucket's index, which shows when an entry moved to
 * another bucket while a walk stood on it.
 *
 * The suffix of a function is the most buckets that it handles.
 */
#ifndef MAPSTOP_HTAB_WALK_H
#define MAPSTOP_HTAB_WALK_H

#include "core_util.h"
#include "walk_result.h"
#include "wire.h"

/* Buckets handled together, and how many times that is done in a row. */
#define BUCKETS 8
#define BUCKET_RUNS 32
/* Entries of one bucket that are followed.  A table has at most as many entries as buckets, so
 * a longer bucket is very unlikely. */
#define MAX_BUCKET_LEN 32
/* Walks of a bucket that keeps changing, before it counts as incomplete. */
#define MAX_TRIES 4

/* The last pointer of the bucket with this index. */
#define NULLS_MARKER(index) ((index) << 1 | 1)

/* The size of a bucket unless locks are debugged; several of these are copied in one read. */
#define PLAIN_BUCKET_SIZE 16

/*
 * Returns a bit for each of the @n buckets at @addr, set if it is not empty; @n is at most BUCKETS.
 * Several are copied at a time, since half of the cost of a copy is the call.
 */
__noinline __u64 nonempty_mask_8(__u64 addr, __u64 n, __u64 stride)
{
	__u64 chunk[BUCKETS * 2];
	__u64 mask = 0, size = n * PLAIN_BUCKET_SIZE;

	barrier_var(size);
	if (size > sizeof(chunk))
		size = sizeof(chunk);
	/* What is not read counts as empty. */
	for (int i = 0; i < BUCKETS * 2; i++)
		chunk[i] = 1;
	if (stride == PLAIN_BUCKET_SIZE) {
		if (bpf_probe_read_kernel(chunk, size, (void *)addr))
			return PACK(0, WALK_UNREADABLE);
	} else {
		for (__u64 i = 0; i < BUCKETS; i++) {
			if (i >= n)
				break;
			if (bpf_probe_read_kernel(&chunk[2 * i], sizeof(*chunk), (void *)(addr + i * stride)))
				return PACK(0, WALK_UNREADABLE);
		}
	}
	for (int i = 0; i < BUCKETS; i++) {
		mask |= (~chunk[2 * i] & 1) << i;
		barrier_var(mask);
	}
	return PACK(mask, 0);
}

/* The number of non-empty ones among @n buckets. */
__noinline __u64 count_nonempty_256(__u64 addr, __u64 n, __u64 stride)
{
	__u64 used = 0, mask;

	for (__u64 i = 0; i < BUCKETS * BUCKET_RUNS; i += BUCKETS) {
		if (i >= n)
			break;
		mask = nonempty_mask_8(addr + i * stride, n - i, stride);
		if (UNPACK_FLAGS(mask))
			return mask;
		/* The bits of a byte, added up in pairs, fours and eights. */
		mask -= mask >> 1 & 0x55;
		mask = (mask & 0x33) + (mask >> 2 & 0x33);
		used += (mask + (mask >> 4)) & 0xf;
	}
	return PACK(used, 0);
}

/* The same for @n up to BUCKETS_PER_SLOT * SCAN_WINDOW. */
__noinline __u64 count_nonempty(__u64 addr, __u64 n, __u64 stride)
{
	__u64 used = 0;

	for (__u64 i = 0; i < BUCKETS_PER_SLOT * SCAN_WINDOW; i += BUCKETS * BUCKET_RUNS) {
		if (i >= n)
			break;
		used = add_results(used, count_nonempty_256(addr + i * stride, n - i, stride));
	}
	return used;
}

/* The number of entries from @node to @marker; incomplete if there is another marker, or none. */
__noinline __u64 count_entries(__u64 node, __u64 marker)
{
	for (int i = 0; i <= MAX_BUCKET_LEN; i++) {
		if (node & 1)
			return node == marker ? PACK(i, 0) : PACK(0, WALK_INCOMPLETE);
		if (bpf_probe_read_kernel(&node, sizeof(node), (void *)node))
			break;
	}
	return PACK(0, WALK_INCOMPLETE);
}

/* The number of entries in the bucket at @addr, which ends with @marker. */
__noinline __u64 walk_bucket(__u64 addr, __u64 marker)
{
	__u64 node = 0, entries;

	for (int i = 0; i < MAX_TRIES; i++) {
		if (bpf_probe_read_kernel(&node, sizeof(node), (void *)addr))
			break;
		entries = count_entries(node, marker);
		if (!UNPACK_FLAGS(entries))
			return entries;
	}
	return PACK(0, WALK_INCOMPLETE);
}

/* The number of entries in the @n buckets at @addr, the first of which has this @index. */
__noinline __u64 walk_buckets_8(__u64 addr, __u64 n, __u64 stride, __u64 index)
{
	__u64 mask = nonempty_mask_8(addr, n, stride), entries = 0;

	if (UNPACK_FLAGS(mask))
		return mask;
	for (__u64 i = 0; i < BUCKETS; i++) {
		if (mask >> i & 1)
			entries = add_results(entries, walk_bucket(addr + i * stride,
								   NULLS_MARKER(index + i)));
	}
	return entries;
}

__noinline __u64 walk_buckets_256(__u64 addr, __u64 n, __u64 stride, __u64 index)
{
	__u64 entries = 0;

	for (__u64 i = 0; i < BUCKETS * BUCKET_RUNS; i += BUCKETS) {
		if (i >= n)
			break;
		entries = add_results(entries, walk_buckets_8(addr + i * stride, n - i, stride, index + i));
	}
	return entries;
}

/* The same for @n up to SCAN_WINDOW. */
__noinline __u64 walk_buckets(__u64 addr, __u64 n, __u64 stride, __u64 index)
{
	__u64 entries = 0;

	for (__u64 i = 0; i < SCAN_WINDOW; i += BUCKETS * BUCKET_RUNS) {
		if (i >= n)
			break;
		entries = add_results(entries, walk_buckets_256(addr + i * stride, n - i, stride, index + i));
	}
	return entries;
}

#endif
