/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Finds the scan_request in the buffer of the read(2) that runs an iterator. */
#ifndef MAPSTOP_SCAN_REQUEST_H
#define MAPSTOP_SCAN_REQUEST_H

#include "core_util.h"
#include "wire.h"

#ifdef SYSCALL_ARG2
/* Reads the request whose address is in the registers at @regs; false without the magic number. */
static __always_inline bool read_request_at(struct scan_request *request, __u64 regs)
{
	void *buffer = 0;

	if (bpf_probe_read_kernel(&buffer, sizeof(buffer), &SYSCALL_ARG2((struct pt_regs *)regs)) ||
	    bpf_probe_read_user(request, sizeof(*request), buffer))
		return false;
	return request->magic == SCAN_REQUEST_MAGIC;
}

/* The registers are at the end of the stack, which has one of these sizes (THREAD_SIZE). */
static __always_inline bool find_request_on_stack(struct scan_request *request)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 stack = (__u64)BPF_CORE_READ(task, stack) - bpf_core_type_size(struct pt_regs);

	return read_request_at(request, stack + 16 * 1024) ||
	       read_request_at(request, stack + 32 * 1024) ||
	       read_request_at(request, stack + 64 * 1024);
}
#endif

/*
 * Returns false on other architectures and where user space passed no request: nothing is scanned
 * then.
 */
static __noinline bool find_scan_request(struct scan_request *request)
{
#ifdef SYSCALL_ARG2
	/* Since 5.15 a helper returns the registers. */
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs) ||
	    !bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf))
		return find_request_on_stack(request);
	return read_request_at(request, bpf_task_pt_regs(bpf_get_current_task_btf()));
#else
	return false;
#endif
}

#endif
