/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counts the pointers in an array, and the nodes of linked lists.  The suffix of a function is
 * the most that it counts; loops are nested because several short ones take less of the
 * verifier's time than a long one.
 */
#ifndef MAPSTOP_LIST_WALK_H
#define MAPSTOP_LIST_WALK_H

#include "core_util.h"
#include "walk_result.h"
#include "wire.h"

/* Pointers copied to the stack at a time: what struct map_record leaves of its 512 bytes. */
#define CHUNK 16
#define CHUNKS 32

/* Counts the non-null ones of @n pointers at @addr; @n is at most CHUNK. */
__noinline __u64 count_nonnull_16(__u64 addr, __u64 n)
{
	__u64 chunk[CHUNK] = {};
	__u64 used = 0;
	__u64 size = n * PTR_SIZE;

	/* Keeps the compiler from testing a copy that the verifier does not see. */
	barrier_var(size);
	if (size > sizeof(chunk))
		size = sizeof(chunk);
	/* Not beyond the end: the memory behind it may not be mapped. */
	if (bpf_probe_read_kernel(chunk, size, (void *)addr))
		return PACK(0, WALK_UNREADABLE);
	for (int i = 0; i < CHUNK; i++) {
		used += chunk[i] != 0;
		/* One after the other: side by side they would be spilled to the stack. */
		barrier_var(used);
	}
	return PACK(used, 0);
}

/* The same for @n pointers up to CHUNK * CHUNKS. */
__noinline __u64 count_nonnull_512(__u64 addr, __u64 n)
{
	__u64 used = 0;

	for (__u64 i = 0; i < CHUNK * CHUNKS; i += CHUNK) {
		if (i >= n)
			break;
		used = add_results(used, count_nonnull_16(addr + i * PTR_SIZE, n - i));
	}
	return used;
}

/* The same for @n pointers up to SCAN_WINDOW. */
__noinline __u64 count_nonnull(__u64 addr, __u64 n)
{
	__u64 used = 0;

	for (__u64 i = 0; i < SCAN_WINDOW; i += CHUNK * CHUNKS) {
		if (i >= n)
			break;
		used = add_results(used, count_nonnull_512(addr + i * PTR_SIZE, n - i));
	}
	return used;
}

/*
 * Lists: the first word of a node points to the next one; that of the last node is @end.
 * A node that cannot be read ends the list as well.
 */
#define SHORT_LIST 32
#define LONG_LIST (16 * SHORT_LIST)

/* The number of nodes from @node on, at most SHORT_LIST. */
__noinline __u64 list_len_32(__u64 node, __u64 end)
{
	for (int i = 0; i < SHORT_LIST; i++) {
		if (!node || node == end)
			return i;
		if (bpf_probe_read_kernel(&node, sizeof(node), (void *)node))
			return i + 1;
	}
	return SHORT_LIST;
}

/* The node that comes SHORT_LIST nodes after @node, or NULL if the list ends before. */
__noinline __u64 list_skip_32(__u64 node, __u64 end)
{
	for (int i = 0; i < SHORT_LIST; i++) {
		if (!node || node == end)
			return 0;
		if (bpf_probe_read_kernel(&node, sizeof(node), (void *)node))
			return 0;
	}
	return node == end ? 0 : node;
}

/* The same for LONG_LIST nodes. */
__noinline __u64 list_skip_512(__u64 node, __u64 end)
{
	for (int i = 0; i < LONG_LIST; i += SHORT_LIST) {
		node = list_skip_32(node, end);
		if (!node)
			break;
	}
	return node;
}

/* The number of nodes from @node on, at most LONG_LIST. */
__noinline __u64 list_len_512(__u64 node, __u64 end)
{
	__u64 nodes, next;

	for (nodes = 0; nodes < LONG_LIST; nodes += SHORT_LIST) {
		next = list_skip_32(node, end);
		if (!next)
			return nodes + list_len_32(node, end);
		node = next;
	}
	return nodes;
}

/* The number of nodes from @node on; incomplete if the list goes on after @max of them. */
__noinline __u64 list_len(__u64 node, __u64 end, __u64 max)
{
	__u64 nodes = list_len_32(node, end), next;

	/* Most lists are short. */
	if (nodes < SHORT_LIST)
		return PACK(nodes, 0);
	nodes = 0;
	for (int i = 0; i < SCAN_WINDOW / LONG_LIST; i++) {
		if (nodes >= max)
			break;
		next = list_skip_512(node, end);
		if (!next)
			return PACK(nodes + list_len_512(node, end), 0);
		node = next;
		nodes += LONG_LIST;
	}
	return PACK(nodes, WALK_INCOMPLETE);
}

/*
 * The number of nodes in @lists lists, whose heads are @stride bytes apart from @heads on and
 * which all end with @end.  Incomplete after SCAN_WINDOW nodes or MAX_LISTS lists.
 */
__noinline __u64 count_list_nodes(__u64 heads, __u32 lists, __u32 stride, __u64 end)
{
	__u64 node = 0, nodes = 0;
	__u32 i;

	for (i = 0; i < MAX_LISTS; i++) {
		if (i >= lists)
			return nodes;
		if (UNPACK_NUMBER(nodes) >= SCAN_WINDOW ||
		    bpf_probe_read_kernel(&node, sizeof(node), (void *)(heads + (__u64)i * stride)))
			break;
		nodes = add_results(nodes, list_len(node, end, SCAN_WINDOW - UNPACK_NUMBER(nodes)));
		if (UNPACK_FLAGS(nodes))
			break;
	}
	return i < lists ? PACK(UNPACK_NUMBER(nodes), WALK_INCOMPLETE) : nodes;
}

#endif
