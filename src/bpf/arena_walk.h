/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The free pages of an arena, from 6.13 on. */
#ifndef MAPSTOP_ARENA_WALK_H
#define MAPSTOP_ARENA_WALK_H

#include "core_util.h"

/* A fragmented arena has many free ranges. */
#define MAX_ARENA_RANGES 4096

/*
 * Adds the pages of the free ranges of an arena, a red-black tree, to @free.  In-order walk without a
 * stack: each edge is traversed twice, and @from says in which direction.  Returns false if the
 * tree is too large, or changed during the walk.
 */
static __always_inline bool add_free_arena_pages(struct bpf_arena *arena, __u64 *free)
{
	__u64 node, from = 0, up, left, right, next;
	__u32 first, last;
	struct range_node *range;
	struct rb_node *rb;
	int i;

	node = (__u64)BPF_CORE_READ(arena, rt.it_root.rb_root.rb_node);
	bpf_for(i, 0, 3 * MAX_ARENA_RANGES) {
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
			*free += (__u64)last - first + 1;
			next = right ? right : up;
		} else {
			next = up;
		}
		from = node;
		node = next;
	}
	return !node;
}

#endif
