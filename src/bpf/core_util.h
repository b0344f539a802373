/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What CO-RE finds out about the running kernel. */
#ifndef MAPSTOP_CORE_UTIL_H
#define MAPSTOP_CORE_UTIL_H

#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define PTR_SIZE sizeof(void *)

/*
 * Whether this kernel was built with the structure.  A kernel without it has no maps of the
 * type either, but a relocation against it would keep the whole program from loading.
 */
#define CORE_HAS_TYPE(type) bpf_core_type_exists(struct type)

/* Whether the kernel itself accounts for the memory of a map (memlock in fdinfo): since 6.4. */
#define HAS_MEM_USAGE bpf_core_field_exists(struct bpf_map_ops, map_mem_usage)

/*
 * The size of a page in bytes, 0 if unknown.  The consumer position of a ring buffer is
 * aligned to a page, and is the first field behind the page that the structure begins with.
 */
#define KERNEL_PAGE_SIZE \
	(CORE_HAS_TYPE(bpf_ringbuf) ? bpf_core_field_offset(struct bpf_ringbuf, consumer_pos) : 0)

#endif
