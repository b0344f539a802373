// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts the losses of maps where they happen: tracers see the return values of the kernel's
 * functions.  Each is attached by itself, only while losses are watched and there are
 * maps of its types, since it makes every update a little slower.
 *
 * A tracer may run under a lock of the function that it traces: it looks up, reads and
 * adds, but never updates a map, which would be traced in turn.  The two maps below are
 * the only ones that mapstop keeps, and only while losses are watched.
 *
 * The kernel keeps 15 characters of a program's or a map's name: they differ in those.
 */
#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "wire.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * A hash table with open addressing: on its first loss a map claims a slot by storing its
 * id in `ms_loss_slots`, and is counted in the record of this slot from then on.  User
 * space reads both, and frees the slots of deleted maps: first the record, then the id.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LOSS_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} ms_loss_slots SEC(".maps");

/* The last record is for maps that found no slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LOSS_SLOTS + 1);
	__type(key, __u32);
	__type(value, struct loss_record);
} ms_loss_records SEC(".maps");

/*
 * Returns whether the slot is that of this map now.  5.10 has no compare-and-exchange, and
 * refuses a program that contains one, so the id is written and read back: if two maps
 * with a common slot have their first loss in the same nanoseconds, a loss of one may be
 * counted for the other.
 */
static __always_inline bool claim_slot(volatile __u64 *slot, __u64 id)
{
	if (!*slot)
		*slot = id;
	return *slot == id;
}

/* Never inlined: the argument brings enum loss_limit into the BTF, see emit() in map_iter.bpf.c. */
static __noinline struct loss_record *record_at(enum loss_limit slot)
{
	return bpf_map_lookup_elem(&ms_loss_records, &slot);
}

static __always_inline struct loss_record *find_record(__u32 id)
{
	/* Fibonacci hashing spreads consecutive ids over all slots. */
	__u32 first = id * 0x9e3779b1U / (~0U / LOSS_SLOTS + 1);

	for (__u32 i = 0; i < LOSS_PROBES; i++) {
		__u32 at = (first + i) % LOSS_SLOTS;
		__u64 *slot = bpf_map_lookup_elem(&ms_loss_slots, &at);

		if (slot && claim_slot(slot, id))
			return record_at(at);
	}
	return record_at(LOSS_SLOTS);
}

#ifdef __NR_bpf
/* Offsets of the map's file descriptor in union bpf_attr. */
enum {
	UPDATE_ELEM_FD = 0,
	UPDATE_BATCH_FD = 36,
};
#endif

/*
 * Whether the current process is updating the map at @map by bpf(2), or a BPF program does.
 * A program may run in any process, even in one that is updating another map: the file
 * descriptor that was passed must be that of this map.
 */
static __always_inline enum loss_cause find_cause(__u64 map, struct task_struct **process)
{
#ifdef __NR_bpf
	struct task_struct *task;
	struct pt_regs *regs;
	struct file **files, *file = 0;
	__u64 fd_addr;
	__u32 fd;

	if (!map)
		return CAUSE_PROGRAM;
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs) ||
	    !bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf))
		return CAUSE_UNKNOWN;
	task = bpf_get_current_task_btf();
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	if (SYSCALL_NUMBER(regs) != __NR_bpf)
		return CAUSE_PROGRAM;
	fd_addr = SYSCALL_ARG2(regs);
	if ((__u32)SYSCALL_ARG1(regs) == BPF_MAP_UPDATE_ELEM)
		fd_addr += UPDATE_ELEM_FD;
	else if ((__u32)SYSCALL_ARG1(regs) == BPF_MAP_UPDATE_BATCH)
		fd_addr += UPDATE_BATCH_FD;
	else
		return CAUSE_PROGRAM;
	if (bpf_probe_read_user(&fd, sizeof(fd), (void *)fd_addr))
		return CAUSE_UNKNOWN;
	files = BPF_CORE_READ(task, files, fdt, fd);
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	if (!file || (__u64)BPF_CORE_READ(file, private_data) != map)
		return CAUSE_PROGRAM;
	*process = task;
	return CAUSE_PROCESS;
#else
	return map ? CAUSE_UNKNOWN : CAUSE_PROGRAM;
#endif
}

/* Without fetching the old value, which 5.10 cannot do: in assembly, whatever the compiler would use. */
static __always_inline void atomic_add(__u64 *count, __u64 n)
{
	asm volatile("lock *(u64 *)(%0 + 0) += %1" : : "r"(count), "r"(n) : "memory");
}

/* @map is the address of the map, or 0 where no process can be the cause. */
static __noinline int count_loss(__u32 id, enum loss_kind kind, __u64 n, __u64 map)
{
	struct task_struct *process = 0;
	enum loss_cause cause;
	struct loss_record *r;

	if (!id || kind >= LOSS_KINDS)
		return 0;
	r = find_record(id);
	if (!r)
		return 0;
	atomic_add(&r->counts[kind], n);
	cause = find_cause(map, &process);
	if (process) {
		r->tgid = BPF_CORE_READ(process, tgid);
		BPF_CORE_READ_STR_INTO(&r->comm, process, group_leader, comm);
	}
	/* Last, or a reader would see a process without a name. */
	barrier();
	r->cause = cause;
	return 0;
}

static __always_inline __u32 map_id(__u64 map)
{
	return BPF_CORE_READ((struct bpf_map *)map, id);
}

static __always_inline enum bpf_map_type map_type(__u64 map)
{
	return BPF_CORE_READ((struct bpf_map *)map, map_type);
}

/*
 * The return value of the traced function.  Before bpf_get_func_ret() (5.17) it has to be
 * read from behind the @args arguments.
 *
 * To the verifier a plain load is a pointer if the function returns one, and whether it then
 * accepts the program depends on the instructions that the compiler chose for the comparison.
 * A value that a helper wrote to the stack is a number.
 */
static __always_inline __u64 func_ret(__u64 *ctx, int args)
{
	__u64 value = 0;

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_func_ret))
		bpf_get_func_ret(ctx, &value);
	else
		bpf_probe_read_kernel(&value, sizeof(value), ctx + args);
	return value;
}

/*
 * Counts an update that failed because of the map.  Existing or missing entries (EEXIST,
 * ENOENT) and invalid arguments are the caller's business.
 */
static __always_inline int count_failed_update(__u64 map, int error)
{
	enum loss_kind kind;

	switch (-error) {
	case E2BIG:
		kind = LOSS_E2BIG;
		break;
	case EAGAIN:
		kind = LOSS_EAGAIN;
		break;
	case ENOMEM:
		kind = LOSS_ENOMEM;
		break;
	case EBUSY:
		kind = LOSS_EBUSY;
		break;
	case ENOSPC:
		kind = LOSS_ENOSPC;
		break;
	case EDEADLK:
		kind = LOSS_EDEADLK;
		break;
	case ETIMEDOUT:
		kind = LOSS_ETIMEDOUT;
		break;
	default:
		return 0;
	}
	return count_loss(map_id(map), kind, 1, map);
}

#define LOSS_FEXIT(name, function) SEC("fexit/" #function) int ms_##name(__u64 *ctx)

/* Some kernels update a hash of maps by this function as well; it has another tracer. */
LOSS_FEXIT(hash_update, htab_map_update_elem)
{
	int error = func_ret(ctx, 4);

	if (error >= 0 || map_type(ctx[0]) == BPF_MAP_TYPE_HASH_OF_MAPS)
		return 0;
	return count_failed_update(ctx[0], error);
}

LOSS_FEXIT(hom_update, bpf_fd_htab_map_update_elem)
{
	return count_failed_update(ctx[0], func_ret(ctx, 5));
}

/* Updates by BPF programs. */
LOSS_FEXIT(pchash_prog, htab_percpu_map_update_elem)
{
	return count_failed_update(ctx[0], func_ret(ctx, 4));
}

/* Updates by bpf(2).  For LRU maps it calls the function that is traced next. */
LOSS_FEXIT(pchash_sys, bpf_percpu_hash_update)
{
	int error = func_ret(ctx, 4);

	if (error >= 0 || map_type(ctx[0]) != BPF_MAP_TYPE_PERCPU_HASH)
		return 0;
	return count_failed_update(ctx[0], error);
}

LOSS_FEXIT(pclru_update, __htab_lru_percpu_map_update_elem)
{
	return count_failed_update(ctx[0], func_ret(ctx, 5));
}

LOSS_FEXIT(lru_update, htab_lru_map_update_elem)
{
	return count_failed_update(ctx[0], func_ret(ctx, 4));
}

/* Returns whether the entry of the reclaimed element still existed: false if it was just deleted. */
LOSS_FEXIT(lru_evict, htab_lru_map_delete_node)
{
	if (!(__u8)func_ret(ctx, 2))
		return 0;
	return count_loss(map_id(ctx[0]), LOSS_EVICTED, 1, ctx[0]);
}

static __always_inline void count_attempt(__u32 id)
{
	struct loss_record *r = find_record(id);

	if (r)
		atomic_add(&r->counts[LOSS_ATTEMPTS], 1);
}

/* EEXIST: another stack is in the bucket.  It means something only beside those that were stored. */
LOSS_FEXIT(get_stackid, bpf_get_stackid)
{
	int error = func_ret(ctx, 5);

	if (error >= 0 || error == -EEXIST)
		count_attempt(map_id(ctx[1]));
	if (error == -EEXIST)
		return count_loss(map_id(ctx[1]), LOSS_EEXIST, 1, 0);
	return count_failed_update(ctx[1], error);
}

LOSS_FEXIT(sockhash_upd, sock_hash_update_common)
{
	return count_failed_update(ctx[0], func_ret(ctx, 4));
}

LOSS_FEXIT(devhash_upd, dev_map_hash_update_elem)
{
	return count_failed_update(ctx[0], func_ret(ctx, 4));
}

/* Returns a pointer, or an error as a pointer (ERR_PTR). */
LOSS_FEXIT(storage_upd, bpf_local_storage_update)
{
	__u64 data = func_ret(ctx, 4);

	if (data < (__u64)-MAX_ERRNO)
		return 0;
	return count_failed_update(ctx[1], data);
}

/* Returns NULL on failure; flags other than 0 are the only reason besides a full buffer. */
LOSS_FEXIT(rb_reserve, bpf_ringbuf_reserve)
{
	if (func_ret(ctx, 5) || ctx[2])
		return 0;
	return count_loss(map_id(ctx[0]), LOSS_DROPPED, 1, 0);
}

LOSS_FEXIT(rb_output, bpf_ringbuf_output)
{
	if ((int)func_ret(ctx, 5) != -EAGAIN)
		return 0;
	return count_loss(map_id(ctx[0]), LOSS_DROPPED, 1, 0);
}

LOSS_FEXIT(rb_dynptr, bpf_ringbuf_reserve_dynptr)
{
	if ((int)func_ret(ctx, 5) >= 0 || ctx[2])
		return 0;
	return count_loss(map_id(ctx[0]), LOSS_DROPPED, 1, 0);
}

LOSS_FEXIT(trie_update, trie_update_elem)
{
	return count_failed_update(ctx[0], func_ret(ctx, 4));
}

LOSS_FEXIT(queue_push, queue_stack_map_push_elem)
{
	return count_failed_update(ctx[0], func_ret(ctx, 3));
}

/* Called by bpf(2) for every type: for kernels whose function of the type cannot be traced. */
LOSS_FEXIT(trie_sys, bpf_map_update_value)
{
	int error = func_ret(ctx, 5);

	if (error >= 0 || map_type(ctx[0]) != BPF_MAP_TYPE_LPM_TRIE)
		return 0;
	return count_failed_update(ctx[0], error);
}

LOSS_FEXIT(queue_sys, bpf_map_update_value)
{
	int error = func_ret(ctx, 5);

	if (error >= 0)
		return 0;
	switch (map_type(ctx[0])) {
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
		return count_failed_update(ctx[0], error);
	default:
		return 0;
	}
}

/* A packet that could not be redirected to a device, a CPU or a socket. */
SEC("tp_btf/xdp_redirect_err")
int ms_xdp_redirect(__u64 *ctx)
{
	enum bpf_map_type type;
	__u32 id;

	/* Before 5.13 the map itself, or NULL; since then its type and its id. */
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_for_each_map_elem)) {
		type = map_type(ctx[4]);
		id = map_id(ctx[4]);
	} else {
		type = ctx[4];
		id = ctx[5];
	}
	/* Generic XDP reports a full queue twice; ms_cpu_enqueue counts it. */
	if (!type || (type == BPF_MAP_TYPE_CPUMAP && (int)ctx[3] == -ENOSPC))
		return 0;
	return count_loss(id, LOSS_DROPPED, 1, 0);
}

/* Packets that did not fit into the queue of a CPU. */
SEC("tp_btf/xdp_cpumap_enqueue")
int ms_cpu_enqueue(__u64 *ctx)
{
	if (!(__u32)ctx[2])
		return 0;
	return count_loss(ctx[0], LOSS_DROPPED, (__u32)ctx[2], 0);
}

/*
 * Packets that the CPU took from its queue and had no memory for.  Before 5.13 the number
 * includes those that the network stack refused, which are not losses of the map.
 */
SEC("tp_btf/xdp_cpumap_kthread")
int ms_cpu_kthread(__u64 *ctx)
{
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_for_each_map_elem) ||
	    !(__u32)ctx[2])
		return 0;
	return count_loss(ctx[0], LOSS_DROPPED, (__u32)ctx[2], 0);
}
