/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whether a preallocated hash map has a free element, on kernels without an element counter.
 *
 * Its elements are created with it: @max_entries of them and, where an update may need one, a spare
 * one for each CPU, which is never in a list.  Those that are not in the table are in the free lists
 * of the CPUs or, if an NMI freed them, in one more list (percpu_freelist.c).  A CPU takes from the
 * lists of the others when its own is empty, and an update is refused with E2BIG if all of them are.
 * So the table has exactly @max_entries then.
 *
 * The lists are in per-CPU memory, and no helper reads that of other CPUs by a pointer.  Up to 6.5 a
 * bound workqueue has a structure for each CPU in such memory and a list of their addresses as well:
 * the distance of each from the pointer of the workqueue is that of all memory of its CPU.  One with
 * a rescuer thread is found from there; the first one is rcu_gp, on every kernel.  (The variables
 * that show the distances are not in the BTF of each kernel, and to search /proc/kallsyms takes
 * longer than all else at the start.)
 */
#ifndef MAPSTOP_FREE_LISTS_H
#define MAPSTOP_FREE_LISTS_H

#include "core_util.h"
#include "wire.h"

/* Processes between mapstop and the one without a parent, the idle task. */
#define MAX_ANCESTORS 128
/* Kernel threads that are tried, the oldest first. */
#define MAX_KTHREADS 64
/* CPUs whose lists are tested by one call of the inner loop, and by all. */
#define LISTS_CHUNK 32
#define MAX_LISTED_CPUS 1024

/* Whether bound workqueues are as described above. */
#define HAS_PWQ_LIST \
	(CORE_HAS_TYPE(workqueue_struct) && CORE_HAS_TYPE(pool_workqueue) && \
	 bpf_core_field_exists(struct workqueue_struct, cpu_pwqs))

/* The address of the task whose field `sibling` is at @node. */
#define TASK_OF_SIBLING(node) \
	((struct task_struct *)((node) - bpf_core_field_offset(struct task_struct, sibling)))

/* The address of the bound workqueue whose rescuer @task is; 0 if it is something else. */
static __always_inline __u64 bound_workqueue(struct task_struct *task)
{
	struct workqueue_struct *wq;
	struct kthread *kthread;
	struct worker *worker;

	if (!(BPF_CORE_READ(task, flags) & PF_WQ_WORKER))
		return 0;
	if (bpf_core_field_exists(task->worker_private))
		kthread = BPF_CORE_READ(task, worker_private);
	else
		kthread = BPF_CORE_READ(task, set_child_tid);
	worker = BPF_CORE_READ(kthread, data);
	wq = BPF_CORE_READ(worker, rescue_wq);
	if (!wq || BPF_CORE_READ(worker, task) != task || BPF_CORE_READ(wq, rescuer) != worker ||
	    !BPF_CORE_READ(wq, cpu_pwqs))
		return 0;
	return (__u64)wq;
}

/* The address of any bound workqueue; 0 if there is none. */
__noinline __u64 find_bound_workqueue(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 node, head, wq;
	int i;

	if (!HAS_PWQ_LIST)
		return 0;
	for (i = 0; i < MAX_ANCESTORS; i++) {
		if (!BPF_CORE_READ(task, pid))
			break;
		task = BPF_CORE_READ(task, real_parent);
	}
	/* Its first child is init, the second one the parent of all kernel threads. */
	task = TASK_OF_SIBLING((__u64)BPF_CORE_READ(task, children.next, next));
	if (BPF_CORE_READ(task, pid) != KTHREADD_PID)
		return 0;
	head = (__u64)task + bpf_core_field_offset(struct task_struct, children);
	node = (__u64)BPF_CORE_READ(task, children.next);
	for (i = 0; i < MAX_KTHREADS; i++) {
		if (node == head)
			break;
		task = TASK_OF_SIBLING(node);
		wq = bound_workqueue(task);
		if (wq)
			return wq;
		node = (__u64)BPF_CORE_READ(task, sibling.next);
	}
	return 0;
}

/*
 * Follows the workqueue's list of a structure per CPU from @node to @end, at most LISTS_CHUNK of them, as
 * long as the free list @distance further on is empty.  Returns where it ended; 0 if a list is not empty,
 * or could not be read.
 */
__noinline __u64 skip_empty_lists_32(__u64 node, __u64 end, __u64 distance)
{
	__u64 first;

	for (int i = 0; i < LISTS_CHUNK; i++) {
		if (node == end)
			break;
		if (bpf_probe_read_kernel(&first, sizeof(first), (void *)(node + distance)) || first ||
		    bpf_probe_read_kernel(&node, sizeof(node), (void *)node))
			return 0;
	}
	return node;
}

/* Whether the free lists of all CPUs are empty; @lists is a pointer to per-CPU memory. */
__noinline __u64 are_lists_empty(__u64 lists)
{
	struct workqueue_struct *wq;
	__u64 node, end;

	if (!HAS_PWQ_LIST || !CORE_HAS_TYPE(pcpu_freelist_head))
		return false;
	wq = (struct workqueue_struct *)find_bound_workqueue();
	if (!wq)
		return false;
	lists += bpf_core_field_offset(struct pcpu_freelist_head, first);
	lists -= (__u64)BPF_CORE_READ(wq, cpu_pwqs) +
		 bpf_core_field_offset(struct pool_workqueue, pwqs_node);
	end = (__u64)wq + bpf_core_field_offset(struct workqueue_struct, pwqs);
	node = (__u64)BPF_CORE_READ(wq, pwqs.next);
	if (node == end)
		return false;
	for (int i = 0; i < MAX_LISTED_CPUS; i += LISTS_CHUNK) {
		node = skip_empty_lists_32(node, end, lists);
		if (!node)
			return false;
		if (node == end)
			return true;
	}
	return false;
}

static __always_inline bool has_free_elem(struct bpf_htab *htab)
{
	if (!bpf_core_field_exists(htab->freelist))
		return true;
	if (bpf_core_field_exists(htab->freelist.extralist) &&
	    BPF_CORE_READ(htab, freelist.extralist.first))
		return true;
	return !are_lists_empty((__u64)BPF_CORE_READ(htab, freelist.freelist));
}

#endif
