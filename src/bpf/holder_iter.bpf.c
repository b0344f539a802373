// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who holds maps: turns file descriptors, mappings, programs and maps into records that
 * user space joins.  Each program is independent of the others, and is loaded only where
 * the kernel has the iterator that it needs.
 *
 * As in map_iter.bpf.c: no maps, and no side effects, since a program may run twice for
 * what did not fit into the buffer.
 */
#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "wire.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Eight characters as the number that they are in memory. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define CHAR_AS_U64(c, n) ((__u64)(c) << 8 * (n))
#else
#define CHAR_AS_U64(c, n) ((__u64)(c) << 8 * (7 - (n)))
#endif
#define CHARS_AS_U64(a, b, c, d, e, f, g, h)                                          \
	(CHAR_AS_U64(a, 0) | CHAR_AS_U64(b, 1) | CHAR_AS_U64(c, 2) | CHAR_AS_U64(d, 3) | \
	 CHAR_AS_U64(e, 4) | CHAR_AS_U64(f, 5) | CHAR_AS_U64(g, 6) | CHAR_AS_U64(h, 7))

enum file_kind {
	FILE_OTHER,
	FILE_MAP,
	FILE_PROGRAM,
	FILE_LINK,
};

/*
 * Recognises a file by its name, since the addresses of the file_operations can be looked up
 * only with CONFIG_KALLSYMS_ALL, and by its file system, since any file may be called bpf-map.
 */
static __always_inline enum file_kind file_kind(struct file *file)
{
	__u64 name[2] = {};

	if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) != ANON_INODE_FS_MAGIC)
		return FILE_OTHER;
	bpf_probe_read_kernel_str(name, sizeof(name),
				  BPF_CORE_READ(file, f_path.dentry, d_name.name));
	if (name[0] == CHARS_AS_U64('b', 'p', 'f', '-', 'm', 'a', 'p', 0))
		return FILE_MAP;
	if (name[1])
		return FILE_OTHER;
	if (name[0] == CHARS_AS_U64('b', 'p', 'f', '-', 'p', 'r', 'o', 'g'))
		return FILE_PROGRAM;
	if (name[0] == CHARS_AS_U64('b', 'p', 'f', '_', 'l', 'i', 'n', 'k'))
		return FILE_LINK;
	return FILE_OTHER;
}

/* Never inlined, for the records' BTF: see emit() in map_iter.bpf.c. */
static __noinline int emit_holder(struct seq_file *seq, struct holder_record *r)
{
	return bpf_seq_write(seq, r, sizeof(*r));
}

static __noinline int emit_prog_map(struct seq_file *seq, struct prog_map_record *r)
{
	return bpf_seq_write(seq, r, sizeof(*r));
}

static __noinline int emit_memcg(struct seq_file *seq, struct memcg_record *r)
{
	return bpf_seq_write(seq, r, sizeof(*r));
}

static __always_inline void emit_hold(struct seq_file *seq, struct holder_record *r,
				      enum held_by by, __u32 id)
{
	/* 0: freed meanwhile, or a link without a program. */
	if (!id)
		return;
	r->by = by;
	r->id = id;
	emit_holder(seq, r);
}

/* A link holds a program, a map, or both. */
static __always_inline void emit_link(struct seq_file *seq, struct holder_record *r,
				      struct bpf_link *link)
{
	struct bpf_map *map = 0;

	emit_hold(seq, r, HELD_BY_LINK, BPF_CORE_READ(link, prog, aux, id));
	switch (BPF_CORE_READ(link, type)) {
	case BPF_LINK_TYPE_STRUCT_OPS:
		if (bpf_core_type_exists(struct bpf_struct_ops_link))
			map = BPF_CORE_READ((struct bpf_struct_ops_link *)link, map);
		break;
	case BPF_LINK_TYPE_ITER:
		if (bpf_core_type_exists(struct bpf_iter_link))
			map = BPF_CORE_READ((struct bpf_iter_link *)link, aux.map);
		break;
	}
	if (map)
		emit_hold(seq, r, HELD_BY_MAP_LINK, BPF_CORE_READ(map, id));
}

static __always_inline void set_process(struct holder_record *r, struct task_struct *task)
{
	r->tgid = BPF_CORE_READ(task, tgid);
	BPF_CORE_READ_STR_INTO(&r->comm, task, group_leader, comm);
}

SEC("iter/task_file")
int mapstop_fds(struct bpf_iter__task_file *ctx)
{
	/* Read once: for each access to @ctx some verifiers search all of the kernel's BTF. */
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct holder_record r = {};
	enum file_kind kind;
	void *held;

	if (!task || !file)
		return 0;
	kind = file_kind(file);
	if (kind == FILE_OTHER)
		return 0;
	/* Before 5.11 threads that share their files are visited one by one. */
	if (BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid) &&
	    BPF_CORE_READ(task, files) == BPF_CORE_READ(task, group_leader, files))
		return 0;
	set_process(&r, task);
	r.fd = ctx->fd;
	held = BPF_CORE_READ(file, private_data);
	switch (kind) {
	case FILE_MAP:
		emit_hold(seq, &r, HELD_BY_FD,
			  BPF_CORE_READ((struct bpf_map *)held, id));
		break;
	case FILE_PROGRAM:
		emit_hold(seq, &r, HELD_BY_PROGRAM,
			  BPF_CORE_READ((struct bpf_prog *)held, aux, id));
		break;
	case FILE_LINK:
		emit_link(seq, &r, held);
		break;
	default:
		break;
	}
	return 0;
}

/* Since 5.12.  Finds maps that are mapped, but whose file descriptor is closed. */
SEC("iter/task_vma")
int mapstop_mmaps(struct bpf_iter__task_vma *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct vm_area_struct *vma = ctx->vma;
	struct holder_record r = {};
	struct bpf_map *map;
	struct file *file;

	if (!task || !vma)
		return 0;
	file = BPF_CORE_READ(vma, vm_file);
	if (!file || file_kind(file) != FILE_MAP)
		return 0;
	set_process(&r, task);
	map = BPF_CORE_READ(file, private_data);
	emit_hold(seq, &r, HELD_BY_MAPPING, BPF_CORE_READ(map, id));
	return 0;
}

/* Since 5.9.  Emits one record for each map of a program. */
SEC("iter/bpf_prog")
int mapstop_progs(struct bpf_iter__bpf_prog *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct bpf_prog *prog = ctx->prog;
	struct prog_map_record r = {};
	struct bpf_map **maps;

	if (!prog)
		return 0;
	r.prog_id = BPF_CORE_READ(prog, aux, id);
	r.prog_type = BPF_CORE_READ(prog, type);
	r.used_maps = BPF_CORE_READ(prog, aux, used_map_cnt);
	BPF_CORE_READ_STR_INTO(&r.name, prog, aux, name);
	maps = BPF_CORE_READ(prog, aux, used_maps);
	/* No branch on errors, for the verifier's sake: a map that cannot be read has the id 0. */
	for (int i = 0; i < MAX_USED_MAPS && i < r.used_maps; i++) {
		struct bpf_map *map;

		bpf_probe_read_kernel(&map, sizeof(map), maps + i);
		r.map_id = BPF_CORE_READ(map, id);
		emit_prog_map(seq, &r);
	}
	return 0;
}

SEC("iter/bpf_map")
int mapstop_memcgs(struct bpf_iter__bpf_map *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct bpf_map *map = ctx->map;
	struct bpf_map___before_6_0 *old = (void *)map;
	struct memcg_record r = {};
	struct mem_cgroup *memcg = 0;

	if (!map)
		return 0;
	r.map_id = map->id;
	r.map_type = map->map_type;
	r.map_flags = map->map_flags;
	r.max_entries = map->max_entries;
	if (bpf_core_field_exists(map->objcg))
		memcg = BPF_CORE_READ(map, objcg, memcg);
	else if (bpf_core_field_exists(old->memcg))
		memcg = BPF_CORE_READ(old, memcg);
	if (memcg)
		r.cgroup = BPF_CORE_READ(memcg, css.cgroup, kn, id);
	emit_memcg(seq, &r);
	return 0;
}
