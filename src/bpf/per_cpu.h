/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the per-CPU memory of hash maps, on kernels that do not count their entries: up to 6.5.
 *
 * No helper reads such memory of other CPUs by a pointer.  But up to 6.5 a bound workqueue has a
 * structure for each CPU there, and a list of their addresses as well: the distance of each from the
 * pointer of the workqueue is that of all memory of its CPU.  A workqueue is found from its rescuer
 * thread; the first one is rcu_gp, on every kernel.  (Variables that show the distances are not in the
 * BTF of each kernel, or not among its symbols, and to search /proc/kallsyms takes longer than all
 * else at the start.)
 *
 * Tasks and lists are followed without locks: what is found is checked, and rescuers never end.
 */
#ifndef MAPSTOP_PER_CPU_H
#define MAPSTOP_PER_CPU_H

#include "core_util.h"
#include "walk_result.h"
#include "wire.h"

/* Ancestors of mapstop that are passed by one call of the inner loop, and by all. */
#define ANCESTORS_CHUNK 16
#define MAX_ANCESTORS 128
/* Kernel threads that are tried, the oldest first. */
#define MAX_KTHREADS 64
/* CPUs that are visited by one call of an inner loop, and by all. */
#define CPUS_CHUNK 32
#define MAX_CPUS 1024

/* Whether bound workqueues are as described above. */
#define HAS_PWQ_LIST \
	(CORE_HAS_TYPE(workqueue_struct) && CORE_HAS_TYPE(pool_workqueue) && \
	 bpf_core_field_exists(struct workqueue_struct, cpu_pwqs))

/* The address of the task whose field `sibling` is at @node. */
#define TASK_OF_SIBLING(node) \
	((struct task_struct *)((node) - bpf_core_field_offset(struct task_struct, sibling)))

/* The address of the bound workqueue whose rescuer @task is; 0 if it is something else. */
__noinline __u64 bound_workqueue(__u64 address)
{
	struct task_struct *task = (struct task_struct *)address;
	struct workqueue_struct *wq;
	struct kthread *kthread;
	struct worker *worker;

	if (!HAS_PWQ_LIST || !(BPF_CORE_READ(task, flags) & PF_WQ_WORKER))
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

/* The ancestor ANCESTORS_CHUNK above a task; the idle task, which has no parent but itself, at most. */
__noinline __u64 ancestor_16(__u64 task)
{
	for (int i = 0; i < ANCESTORS_CHUNK; i++)
		task = (__u64)BPF_CORE_READ((struct task_struct *)task, real_parent);
	return task;
}

/* The address of any bound workqueue; 0 if there is none. */
__noinline __u64 find_bound_workqueue(void)
{
	__u64 node, head, wq, ancestor = bpf_get_current_task();
	struct task_struct *task;
	int i;

	if (!HAS_PWQ_LIST)
		return 0;
	for (i = 0; i < MAX_ANCESTORS; i += ANCESTORS_CHUNK) {
		task = (struct task_struct *)ancestor;
		if (!BPF_CORE_READ(task, pid))
			break;
		ancestor = ancestor_16(ancestor);
	}
	task = (struct task_struct *)ancestor;
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
		wq = bound_workqueue((__u64)task);
		if (wq)
			return wq;
		node = (__u64)BPF_CORE_READ(task, sibling.next);
	}
	return 0;
}

/* The per-CPU memory at a pointer, CPU by CPU: one node of a workqueue's list for each. */
struct per_cpu_walk {
	__u64 node;		/* of the first CPU */
	__u64 end;		/* behind the last one */
	__u64 distance;		/* from a node to the memory */
};

/* Begins a walk over the memory at @ptr, a pointer of the kind __percpu. */
static __always_inline bool start_per_cpu_walk(struct per_cpu_walk *walk, __u64 ptr)
{
	struct workqueue_struct *wq = (struct workqueue_struct *)find_bound_workqueue();

	if (!wq || !ptr)
		return false;
	walk->node = (__u64)BPF_CORE_READ(wq, pwqs.next);
	walk->end = (__u64)wq + bpf_core_field_offset(struct workqueue_struct, pwqs);
	walk->distance = ptr - (__u64)BPF_CORE_READ(wq, cpu_pwqs) -
			 bpf_core_field_offset(struct pool_workqueue, pwqs_node);
	return walk->node && walk->node != walk->end;
}

/*
 * Goes from @node on, at most CPUS_CHUNK CPUs far, as long as the pointer in their memory is NULL.
 * Returns where that ended; 0 if a pointer is set, or could not be read.
 */
__noinline __u64 skip_null_ptrs_32(__u64 node, __u64 end, __u64 distance)
{
	__u64 ptr;

	for (int i = 0; i < CPUS_CHUNK; i++) {
		if (node == end)
			break;
		if (bpf_probe_read_kernel(&ptr, sizeof(ptr), (void *)(node + distance)) || ptr ||
		    bpf_probe_read_kernel(&node, sizeof(node), (void *)node))
			return 0;
	}
	return node;
}

/* Whether the pointer at @ptr, of the kind __percpu, is NULL on each CPU. */
__noinline __u64 are_ptrs_null(__u64 ptr)
{
	struct per_cpu_walk walk = {};

	if (!HAS_PWQ_LIST || !start_per_cpu_walk(&walk, ptr))
		return false;
	for (int i = 0; i < MAX_CPUS; i += CPUS_CHUNK) {
		walk.node = skip_null_ptrs_32(walk.node, walk.end, walk.distance);
		if (!walk.node)
			return false;
		if (walk.node == walk.end)
			return true;
	}
	return false;
}

/* The node that is CPUS_CHUNK behind @node, or @end; 0 if a node could not be read. */
__noinline __u64 skip_32_cpus(__u64 node, __u64 end)
{
	for (int i = 0; i < CPUS_CHUNK; i++) {
		if (node == end)
			break;
		if (bpf_probe_read_kernel(&node, sizeof(node), (void *)node))
			return 0;
	}
	return node;
}

/* The sum of the numbers of these CPUs, of the type __s32 and small, as the low half of a result. */
__noinline __u64 sum_of_32_cpus(__u64 node, __u64 end, __u64 distance)
{
	__u32 sum = 0, number = 0;

	for (int i = 0; i < CPUS_CHUNK; i++) {
		if (node == end)
			break;
		if (bpf_probe_read_kernel(&number, sizeof(number), (void *)(node + distance)) ||
		    bpf_probe_read_kernel(&node, sizeof(node), (void *)node))
			return PACK(0, WALK_UNREADABLE);
		sum += number;
	}
	return PACK(sum, 0);
}

/* The sum of the numbers at @ptr, of the kind __s32 __percpu, as the low half of a result. */
__noinline __u64 sum_per_cpu(__u64 ptr)
{
	struct per_cpu_walk walk = {};
	__u64 sum = 0;

	if (!HAS_PWQ_LIST || !start_per_cpu_walk(&walk, ptr))
		return PACK(0, WALK_UNREADABLE);
	for (int i = 0; i < MAX_CPUS; i += CPUS_CHUNK) {
		sum = add_results(sum, sum_of_32_cpus(walk.node, walk.end, walk.distance));
		walk.node = skip_32_cpus(walk.node, walk.end);
		if (!walk.node || UNPACK_FLAGS(sum))
			break;
		if (walk.node == walk.end)
			return sum;
	}
	return PACK(0, WALK_UNREADABLE);
}

/*
 * Whether a preallocated hash map has a free element.
 *
 * Its elements are created with it: max_entries of them and, where an update may need one, a spare
 * one for each CPU, which is never in a list.  Those that are not in the table are in the free lists
 * of the CPUs or, if an NMI freed them, in one more list (percpu_freelist.c).  A CPU takes from the
 * lists of the others when its own is empty, and an update is refused with E2BIG if all of them are.
 * So the table has exactly max_entries then.  (An element that moves to a list that was tested
 * already, from one that was not yet, is missed: the map is full but for such elements.)
 */
static __always_inline bool has_free_elem(struct bpf_htab *htab)
{
	if (!CORE_HAS_TYPE(pcpu_freelist_head) || !bpf_core_field_exists(htab->freelist))
		return true;
	if (bpf_core_field_exists(htab->freelist.extralist) &&
	    BPF_CORE_READ(htab, freelist.extralist.first))
		return true;
	return !are_ptrs_null((__u64)BPF_CORE_READ(htab, freelist.freelist) +
			      bpf_core_field_offset(struct pcpu_freelist_head, first));
}

#endif
