// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What maps lose, counted where it happens: by tracers that see what the kernel's
 * own functions return.  Each is attached by itself, where there are maps of its
 * types and only while somebody asks, since it costs every update a little.
 *
 * A tracer runs inside of what it traces, under a lock perhaps: it looks up, reads
 * and adds, and never updates a map, which would be traced in turn.  The two maps
 * below are the only ones of mapstop's own; they are there while losses are watched.
 */
#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "wire.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * A table that is open to all: a map that loses something for the first time takes
 * one of the slots that its id leads to, by its id in `loss_slots`, and is counted
 * there from then on.  User space reads both, and frees the slots of maps that are
 * gone: first what was counted, then the id.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LOSS_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} loss_slots SEC(".maps");

/* The last one is for maps that found no slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LOSS_SLOTS + 1);
	__type(key, __u32);
	__type(value, struct loss_record);
} loss_records SEC(".maps");

/*
 * Takes a slot.  5.10 has nothing like compare and exchange, and refuses a program
 * for having it anywhere.  So it is written and read again: if two maps that lead to
 * one slot lose their first at the same few nanoseconds, what the one lost then may
 * be counted as the other's.
 */
static __always_inline int take(volatile __u64 *slot, __u64 id)
{
	if (!*slot)
		*slot = id;
	return *slot == id;
}

/* Not inlined, as emit() in map_iter.bpf.c: its argument is what brings the limit into the BTF. */
static __noinline struct loss_record *record_at(enum loss_limit slot)
{
	return bpf_map_lookup_elem(&loss_records, &slot);
}

static __always_inline struct loss_record *record_of(__u32 id)
{
	/* Fibonacci hashing: ids come in rows, and are spread over all slots. */
	__u32 first = id * 0x9e3779b1U / (~0U / LOSS_SLOTS + 1);

	for (__u32 i = 0; i < LOSS_PROBES; i++) {
		__u32 at = (first + i) % LOSS_SLOTS;
		__u64 *slot = bpf_map_lookup_elem(&loss_slots, &at);

		if (slot && take(slot, id))
			return record_at(at);
	}
	return record_at(LOSS_SLOTS);
}

#ifdef SYSTEM_CALL_BPF
/* Of bpf(2): what it can be asked, and where each has the descriptor of its map. */
enum {
	MAP_UPDATE_ELEM = 2,
	MAP_UPDATE_BATCH = 26,
	UPDATE_ELEM_FD = 0,
	UPDATE_BATCH_FD = 36,
};
#endif

/*
 * Whether @task updates the map at @map by bpf(2), right now.  A BPF program may run
 * in the middle of any process, of one that updates another map, too: so the
 * descriptor that it passed must be that of this map.
 */
static __always_inline enum loss_cause cause_of(__u64 map, struct task_struct **process)
{
#ifdef SYSTEM_CALL_BPF
	struct task_struct *task;
	struct pt_regs *regs;
	struct file **files, *file = 0;
	__u64 fd_at;
	__u32 fd;

	if (!map)
		return CAUSE_PROGRAM;
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs) ||
	    !bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf))
		return CAUSE_UNKNOWN;
	task = bpf_get_current_task_btf();
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	if (SYSTEM_CALL(regs) != SYSTEM_CALL_BPF)
		return CAUSE_PROGRAM;
	fd_at = SECOND_ARGUMENT(regs);
	if ((__u32)FIRST_ARGUMENT(regs) == MAP_UPDATE_ELEM)
		fd_at += UPDATE_ELEM_FD;
	else if ((__u32)FIRST_ARGUMENT(regs) == MAP_UPDATE_BATCH)
		fd_at += UPDATE_BATCH_FD;
	else
		return CAUSE_PROGRAM;
	if (bpf_probe_read_user(&fd, sizeof(fd), (void *)fd_at))
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

/* Adds as one step and asks for nothing back: what 5.10 knows, by any compiler. */
static __always_inline void add(__u64 *count, __u64 n)
{
	asm volatile("lock *(u64 *)(%0 + 0) += %1" : : "r"(count), "r"(n) : "memory");
}

/* Counts @n losses of the map with this @id; @map is its address where a process may be the cause. */
static __noinline int lost(__u32 id, enum loss_kind kind, __u64 n, __u64 map)
{
	struct task_struct *process = 0;
	enum loss_cause cause;
	struct loss_record *r;

	if (!id || kind >= LOSS_KINDS)
		return 0;
	r = record_of(id);
	if (!r)
		return 0;
	add(&r->counts[kind], n);
	cause = cause_of(map, &process);
	if (process) {
		r->tgid = BPF_CORE_READ(process, tgid);
		BPF_CORE_READ_STR_INTO(&r->comm, process, group_leader, comm);
	}
	/* Last, or a reader would find a process without a name. */
	barrier();
	r->cause = cause;
	return 0;
}

static __always_inline __u32 id_of(__u64 map)
{
	return BPF_CORE_READ((struct bpf_map *)map, id);
}

static __always_inline enum bpf_map_type type_of(__u64 map)
{
	return BPF_CORE_READ((struct bpf_map *)map, map_type);
}

/*
 * Returns what the traced function returned.  Before bpf_get_func_ret() (5.17) the value
 * has to be read from behind the @args arguments.
 *
 * A plain load would give the verifier a pointer wherever the function returns one, and
 * whether it then accepts the program depends on the instructions that the compiler
 * chose to compare it with.  What a helper has written to the stack is a number.
 */
static __always_inline __u64 returned(__u64 *ctx, int args)
{
	__u64 value = 0;

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_func_ret))
		bpf_get_func_ret(ctx, &value);
	else
		bpf_probe_read_kernel(&value, sizeof(value), ctx + args);
	return value;
}

/*
 * Counts an update that was refused, if the map is why.  Entries that are there
 * already, or are not, and arguments that make no sense are the caller's business.
 */
static __always_inline int refused(__u64 map, int error)
{
	enum loss_kind kind;

	switch (-error) {
	case 7:
		kind = LOSS_E2BIG;
		break;
	case 11:
		kind = LOSS_EAGAIN;
		break;
	case 12:
		kind = LOSS_ENOMEM;
		break;
	case 16:
		kind = LOSS_EBUSY;
		break;
	case 28:
		kind = LOSS_ENOSPC;
		break;
	case 35:
		kind = LOSS_EDEADLK;
		break;
	case 110:
		kind = LOSS_ETIMEDOUT;
		break;
	default:
		return 0;
	}
	return lost(id_of(map), kind, 1, map);
}

/* A tracer, named after what it traces. */
#define AFTER(function) SEC("fexit/" #function) int on_##function(__u64 *ctx)

/* Also what a hash of maps is updated by on some kernels; it has a tracer of its own. */
AFTER(htab_map_update_elem)
{
	int error = returned(ctx, 4);

	if (error >= 0 || type_of(ctx[0]) == BPF_MAP_TYPE_HASH_OF_MAPS)
		return 0;
	return refused(ctx[0], error);
}

AFTER(bpf_fd_htab_map_update_elem)
{
	return refused(ctx[0], returned(ctx, 5));
}

/* By BPF programs ... */
AFTER(htab_percpu_map_update_elem)
{
	return refused(ctx[0], returned(ctx, 4));
}

/* ... and by bpf(2), which hands LRU maps on to what is traced next. */
AFTER(bpf_percpu_hash_update)
{
	int error = returned(ctx, 4);

	if (error >= 0 || type_of(ctx[0]) != BPF_MAP_TYPE_PERCPU_HASH)
		return 0;
	return refused(ctx[0], error);
}

AFTER(__htab_lru_percpu_map_update_elem)
{
	return refused(ctx[0], returned(ctx, 5));
}

AFTER(htab_lru_map_update_elem)
{
	return refused(ctx[0], returned(ctx, 4));
}

/* An LRU's list takes back an element, whose entry was there or was just deleted. */
AFTER(htab_lru_map_delete_node)
{
	if (!(__u8)returned(ctx, 2))
		return 0;
	return lost(id_of(ctx[0]), LOSS_EVICTED, 1, ctx[0]);
}

/* A stack that is not the one that is there is refused as one that exists. */
AFTER(bpf_get_stackid)
{
	int error = returned(ctx, 5);

	if (error == -17)
		return lost(id_of(ctx[1]), LOSS_EEXIST, 1, 0);
	return refused(ctx[1], error);
}

AFTER(sock_hash_update_common)
{
	return refused(ctx[0], returned(ctx, 4));
}

AFTER(dev_map_hash_update_elem)
{
	return refused(ctx[0], returned(ctx, 4));
}

/* Gives a pointer, or an error as one. */
AFTER(bpf_local_storage_update)
{
	__u64 data = returned(ctx, 4);

	if (data < -4095ULL)
		return 0;
	return refused(ctx[1], data);
}

/* No error but "not there": flags, which must be 0, are the other reason. */
AFTER(bpf_ringbuf_reserve)
{
	if (returned(ctx, 5) || ctx[2])
		return 0;
	return lost(id_of(ctx[0]), LOSS_DROPPED, 1, 0);
}

AFTER(bpf_ringbuf_output)
{
	if ((int)returned(ctx, 5) != -11)
		return 0;
	return lost(id_of(ctx[0]), LOSS_DROPPED, 1, 0);
}

AFTER(bpf_ringbuf_reserve_dynptr)
{
	if ((int)returned(ctx, 5) >= 0 || ctx[2])
		return 0;
	return lost(id_of(ctx[0]), LOSS_DROPPED, 1, 0);
}

AFTER(trie_update_elem)
{
	return refused(ctx[0], returned(ctx, 4));
}

AFTER(queue_stack_map_push_elem)
{
	return refused(ctx[0], returned(ctx, 3));
}

/* What bpf(2) updates every map by, for those whose own functions cannot be traced. */
SEC("fexit/bpf_map_update_value")
int on_trie_update_value(__u64 *ctx)
{
	int error = returned(ctx, 5);

	if (error >= 0 || type_of(ctx[0]) != BPF_MAP_TYPE_LPM_TRIE)
		return 0;
	return refused(ctx[0], error);
}

SEC("fexit/bpf_map_update_value")
int on_queue_stack_update_value(__u64 *ctx)
{
	int error = returned(ctx, 5);

	if (error >= 0)
		return 0;
	switch (type_of(ctx[0])) {
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
		return refused(ctx[0], error);
	default:
		return 0;
	}
}

/* A packet that could not be sent on: to devices, CPUs or sockets. */
SEC("tp_btf/xdp_redirect_err")
int on_xdp_redirect_err(__u64 *ctx)
{
	enum bpf_map_type type;
	__u32 id;

	/* The map itself before 5.13, NULL if there is none; then its type and its id. */
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_for_each_map_elem)) {
		type = type_of(ctx[4]);
		id = id_of(ctx[4]);
	} else {
		type = ctx[4];
		id = ctx[5];
	}
	/* Generic XDP tells of a full queue twice; it is counted where it is put in. */
	if (!type || (type == BPF_MAP_TYPE_CPUMAP && (int)ctx[3] == -28))
		return 0;
	return lost(id, LOSS_DROPPED, 1, 0);
}

/* Packets that did not fit into the queue of a CPU. */
SEC("tp_btf/xdp_cpumap_enqueue")
int on_xdp_cpumap_enqueue(__u64 *ctx)
{
	if (!(__u32)ctx[2])
		return 0;
	return lost(ctx[0], LOSS_DROPPED, (__u32)ctx[2], 0);
}

/*
 * Packets that the CPU took from its queue and had no memory for.  Before 5.13 those
 * are among them that the network stack did not want, which is not the map's loss.
 */
SEC("tp_btf/xdp_cpumap_kthread")
int on_xdp_cpumap_kthread(__u64 *ctx)
{
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_for_each_map_elem) ||
	    !(__u32)ctx[2])
		return 0;
	return lost(ctx[0], LOSS_DROPPED, (__u32)ctx[2], 0);
}
