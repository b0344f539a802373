// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whose maps are: turns descriptors, mappings, programs and maps into records
 * that user space joins.  Each program stands alone, and is loaded only where the
 * kernel has what it visits.
 *
 * As in map_iter.bpf.c: no map of our own, and no side effects, since a program may
 * run twice for what did not fit into the buffer.
 */
#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "wire.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* ANON_INODE_FS_MAGIC: files without a file system, which no one can name. */
#define ANON_INODES 0x09041934

/* A word of text as it lies in memory. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define AT(c, n) ((__u64)(c) << 8 * (n))
#else
#define AT(c, n) ((__u64)(c) << 8 * (7 - (n)))
#endif
#define WORD(a, b, c, d, e, f, g, h)                                           \
	(AT(a, 0) | AT(b, 1) | AT(c, 2) | AT(d, 3) | AT(e, 4) | AT(f, 5) |     \
	 AT(g, 6) | AT(h, 7))

enum file_kind {
	FILE_OTHER,
	FILE_MAP,
	FILE_PROGRAM,
	FILE_LINK,
};

/*
 * What a file is.  By its name, since the tables of operations are known by name
 * only where CONFIG_KALLSYMS_ALL is set, and by where it lies, since anyone may
 * call a file bpf-map.
 */
static __always_inline enum file_kind kind_of(struct file *file)
{
	__u64 name[2] = {};

	if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) != ANON_INODES)
		return FILE_OTHER;
	bpf_probe_read_kernel_str(name, sizeof(name),
				  BPF_CORE_READ(file, f_path.dentry, d_name.name));
	if (name[0] == WORD('b', 'p', 'f', '-', 'm', 'a', 'p', 0))
		return FILE_MAP;
	if (name[1])
		return FILE_OTHER;
	if (name[0] == WORD('b', 'p', 'f', '-', 'p', 'r', 'o', 'g'))
		return FILE_PROGRAM;
	if (name[0] == WORD('b', 'p', 'f', '_', 'l', 'i', 'n', 'k'))
		return FILE_LINK;
	return FILE_OTHER;
}

/* Not inlined, as emit() in map_iter.bpf.c, for the sake of the record's BTF. */
static __noinline int emit_holder(struct seq_file *seq, struct holder_record *r)
{
	return bpf_seq_write(seq, r, sizeof(*r));
}

static __noinline int emit_use(struct seq_file *seq, struct use_record *r)
{
	return bpf_seq_write(seq, r, sizeof(*r));
}

static __noinline int emit_payer(struct seq_file *seq, struct payer_record *r)
{
	return bpf_seq_write(seq, r, sizeof(*r));
}

static __always_inline void emit_held(struct seq_file *seq, struct holder_record *r,
				      enum held_by by, __u32 id)
{
	/* 0: gone meanwhile, or a link without a program. */
	if (!id)
		return;
	r->by = by;
	r->id = id;
	emit_holder(seq, r);
}

/* What a link holds: a program, a map, or both. */
static __always_inline void emit_link(struct seq_file *seq, struct holder_record *r,
				      struct bpf_link *link)
{
	struct bpf_map *map = 0;

	emit_held(seq, r, HELD_BY_LINK, BPF_CORE_READ(link, prog, aux, id));
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
		emit_held(seq, r, HELD_BY_MAP_LINK, BPF_CORE_READ(map, id));
}

static __always_inline void name_process(struct holder_record *r, struct task_struct *task)
{
	r->tgid = BPF_CORE_READ(task, tgid);
	BPF_CORE_READ_STR_INTO(&r->comm, task, group_leader, comm);
}

SEC("iter/task_file")
int descriptors(struct bpf_iter__task_file *ctx)
{
	/* Read once: for each time, some verifiers search all of the kernel's BTF. */
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct holder_record r = {};
	enum file_kind kind;
	void *held;

	if (!task || !file)
		return 0;
	kind = kind_of(file);
	if (kind == FILE_OTHER)
		return 0;
	/* Before 5.11 threads that share their files are visited one by one. */
	if (BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid) &&
	    BPF_CORE_READ(task, files) == BPF_CORE_READ(task, group_leader, files))
		return 0;
	name_process(&r, task);
	r.fd = ctx->fd;
	held = BPF_CORE_READ(file, private_data);
	switch (kind) {
	case FILE_MAP:
		emit_held(seq, &r, HELD_BY_FD,
			  BPF_CORE_READ((struct bpf_map *)held, id));
		break;
	case FILE_PROGRAM:
		emit_held(seq, &r, HELD_BY_PROGRAM,
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

/* Since 5.12.  Finds a map whose descriptor is closed. */
SEC("iter/task_vma")
int mappings(struct bpf_iter__task_vma *ctx)
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
	if (!file || kind_of(file) != FILE_MAP)
		return 0;
	name_process(&r, task);
	map = BPF_CORE_READ(file, private_data);
	emit_held(seq, &r, HELD_BY_MAPPING, BPF_CORE_READ(map, id));
	return 0;
}

/* Since 5.9.  A program without maps has nothing to say. */
SEC("iter/bpf_prog")
int programs(struct bpf_iter__bpf_prog *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct bpf_prog *prog = ctx->prog;
	struct use_record r = {};
	struct bpf_map **maps;

	if (!prog)
		return 0;
	r.prog_id = BPF_CORE_READ(prog, aux, id);
	r.prog_type = BPF_CORE_READ(prog, type);
	r.used_maps = BPF_CORE_READ(prog, aux, used_map_cnt);
	BPF_CORE_READ_STR_INTO(&r.name, prog, aux, name);
	maps = BPF_CORE_READ(prog, aux, used_maps);
	/* One branch a turn, for the verifier's sake: what cannot be read is map 0. */
	for (int i = 0; i < MOST_USED_MAPS && i < r.used_maps; i++) {
		struct bpf_map *map;

		bpf_probe_read_kernel(&map, sizeof(map), maps + i);
		r.map_id = BPF_CORE_READ(map, id);
		emit_use(seq, &r);
	}
	return 0;
}

SEC("iter/bpf_map")
int payers(struct bpf_iter__bpf_map *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct bpf_map *map = ctx->map;
	struct bpf_map___before_6_0 *old = (void *)map;
	struct payer_record r = {};
	struct mem_cgroup *payer = 0;

	if (!map)
		return 0;
	r.map_id = map->id;
	r.map_type = map->map_type;
	r.map_flags = map->map_flags;
	r.max_entries = map->max_entries;
	if (bpf_core_field_exists(map->objcg))
		payer = BPF_CORE_READ(map, objcg, memcg);
	else if (bpf_core_field_exists(old->memcg))
		payer = BPF_CORE_READ(old, memcg);
	else
		r.cgroup = UNKNOWN;
	if (payer)
		r.cgroup = BPF_CORE_READ(payer, css.cgroup, kn, id);
	emit_payer(seq, &r);
	return 0;
}
