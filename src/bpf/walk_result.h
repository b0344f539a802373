/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The result of a walk: how much was found, and whether that is all of it.
 *
 * The functions of list_walk.h, htab_walk.h and perf_events.h are global (not static) on
 * purpose: the verifier checks a global function once by itself, and not again at each
 * call, without which their loops would exceed its limits.  On 5.10 a global function can
 * take and return nothing but numbers, so that the two parts are packed into one.  Kernel
 * addresses are such numbers, too; they are read with bpf_probe_read_kernel().
 */
#ifndef MAPSTOP_WALK_RESULT_H
#define MAPSTOP_WALK_RESULT_H

enum walk_flags {
	WALK_INCOMPLETE = 1,	/* the number is a lower bound */
	WALK_UNREADABLE = 2,	/* memory could not be read: the number means nothing */
};

#define PACK(number, flags) ((__u64)(flags) << 32 | (__u32)(number))
#define UNPACK_NUMBER(result) ((__u32)(result))
#define UNPACK_FLAGS(result) ((__u32)((result) >> 32))

/* Adds up two results: what is wrong with one of them is wrong with the sum. */
static __always_inline __u64 add_results(__u64 a, __u64 b)
{
	return PACK(UNPACK_NUMBER(a) + UNPACK_NUMBER(b), UNPACK_FLAGS(a) | UNPACK_FLAGS(b));
}

#endif
