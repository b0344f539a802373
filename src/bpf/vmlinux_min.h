/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few kernel structures that mapstop reads, written by hand: for each only
 * the fields that are used, with the version they came in.  libbpf finds their
 * real offsets in the running kernel's BTF (CO-RE), so order and omissions do
 * not matter; names, kinds (enum, int, pointer) and nesting do.
 */
#ifndef MAPSTOP_VMLINUX_MIN_H
#define MAPSTOP_VMLINUX_MIN_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

/* As <stdbool.h> defines them, which not every clang for BPF comes with. */
#define bool _Bool
#define true 1
#define false 0

/* Constants of the UAPI, and one of the kernel's own, under the kernel's names. */
#define E2BIG 7
#define EAGAIN 11
#define ENOMEM 12
#define EBUSY 16
#define EEXIST 17
#define ENOSPC 28
#define EDEADLK 35
#define ETIMEDOUT 110
#define MAX_ERRNO 4095	/* linux/err.h: a pointer that large is an error */

#define BPF_F_NO_PREALLOC (1U << 0)
#define BPF_F_MMAPABLE (1U << 10)
#define BPF_F_REUSE_STACKID (1ULL << 10)
#define BPF_F_CURRENT_CPU 0xffffffffULL

#define ANON_INODE_FS_MAGIC 0x09041934

/* The parent of all kernel threads (init/main.c). */
#define KTHREADD_PID 2
#define PF_WQ_WORKER 0x20	/* linux/sched.h */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* An enum because the kernel has an enum: CO-RE compares kinds, so that an int compiles and then
 * fails to load.  The numbers are UAPI. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4,
	BPF_MAP_TYPE_PERCPU_HASH = 5,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_STACK_TRACE = 7,
	BPF_MAP_TYPE_CGROUP_ARRAY = 8,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_LRU_PERCPU_HASH = 10,
	BPF_MAP_TYPE_LPM_TRIE = 11,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_HASH_OF_MAPS = 13,
	BPF_MAP_TYPE_DEVMAP = 14,
	BPF_MAP_TYPE_SOCKMAP = 15,
	BPF_MAP_TYPE_CPUMAP = 16,
	BPF_MAP_TYPE_XSKMAP = 17,
	BPF_MAP_TYPE_SOCKHASH = 18,
	BPF_MAP_TYPE_CGROUP_STORAGE = 19,
	BPF_MAP_TYPE_REUSEPORT_SOCKARRAY = 20,
	BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE = 21,
	BPF_MAP_TYPE_QUEUE = 22,
	BPF_MAP_TYPE_STACK = 23,
	BPF_MAP_TYPE_SK_STORAGE = 24,
	BPF_MAP_TYPE_DEVMAP_HASH = 25,
	BPF_MAP_TYPE_STRUCT_OPS = 26,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_INODE_STORAGE = 28,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
	BPF_MAP_TYPE_BLOOM_FILTER = 30,
	BPF_MAP_TYPE_USER_RINGBUF = 31,
	BPF_MAP_TYPE_CGRP_STORAGE = 32,
	BPF_MAP_TYPE_ARENA = 33,
	BPF_MAP_TYPE_INSN_ARRAY = 34,
};

/* Present since 7.0: identifies these kernels where no field or function does. */
enum bpf_attach_type {
	BPF_TRACE_FSESSION = 58,
};

/* Commands of bpf(2). */
enum bpf_cmd {
	BPF_MAP_UPDATE_ELEM = 2,
	BPF_MAP_UPDATE_BATCH = 26,
};

/* Tells whether the running kernel has a helper. */
enum bpf_func_id {
	BPF_FUNC_get_current_task_btf = 158,	/* since 5.11 */
	BPF_FUNC_for_each_map_elem = 164,	/* since 5.13 */
	BPF_FUNC_task_pt_regs = 175,		/* since 5.15 */
	BPF_FUNC_get_func_ret = 184,		/* since 5.17 */
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

struct list_head {
	struct list_head *next;
};

struct rb_node {
	unsigned long __rb_parent_color;	/* the low two bits are the colour */
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
};

struct bpf_map_ops {
	void *map_lookup_elem;
	void *map_mem_usage;	/* since 6.4 */
};

struct kernfs_node {
	__u64 id;		/* the inode number of a cgroup's directory */
};

struct cgroup {
	struct kernfs_node *kn;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

struct mem_cgroup {
	struct cgroup_subsys_state css;
};

struct obj_cgroup {
	struct mem_cgroup *memcg;
};

struct bpf_map {
	const struct bpf_map_ops *ops;
	enum bpf_map_type map_type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u64 map_extra;	/* since 5.16 */
	__u32 map_flags;
	__u32 id;
	char name[16];
	atomic64_t refcnt;
	atomic64_t usercnt;
	bool frozen;
	__s64 *elem_count;	/* since 6.6; NULL for all but the hash family */
	struct obj_cgroup *objcg;	/* since 6.0 */
};

struct bpf_map___before_6_0 {
	struct mem_cgroup *memcg;	/* since 5.11 */
};

/* Only their sizes are used.  Not empty: clang 19 and later crash when they compute the size of an
 * empty field. */
typedef struct {
	char unused;
} raw_spinlock_t;

typedef struct {
	char unused;
} spinlock_t;

/* The one of hashtab.c: a list head and its lock.  bcache has a struct of the same name, so the size
 * of the whole struct is never asked for: the last field tells the two apart. */
struct bucket {
	raw_spinlock_t raw_lock;
	spinlock_t lock;	/* 5.8 to 5.14, at the same offset: larger with PREEMPT_RT */
};

struct percpu_counter {
	__s64 count;		/* without what each CPU has not added yet ... */
	__s32 *counters;	/* ... which is here; __percpu */
};

struct pcpu_freelist_head {
	struct pcpu_freelist_node *first;
};

struct pcpu_freelist {
	struct pcpu_freelist_head *freelist;	/* __percpu */
	struct pcpu_freelist_head extralist;	/* 5.10 to 6.14 */
};

struct bpf_htab {
	struct bpf_map map;
	struct pcpu_freelist freelist;	/* of a map that is preallocated and not an LRU */
	int *map_locked[8];	/* 5.11 on, gone by 6.16: counters per CPU */
	void *extra_elems;	/* NULL if no CPU has a spare element */
	struct bucket *buckets;
	atomic_t count;		/* entries, of a map that is not preallocated */
	struct percpu_counter pcount;	/* since 6.1: used instead of `count` ... */
	bool use_percpu_counter;	/* ... if this is set, as it is for large maps */
	__u32 n_buckets;
	__u32 elem_size;
};

struct kthread {
	void *data;
};

struct worker {
	struct task_struct *task;
	struct workqueue_struct *rescue_wq;
};

struct pool_workqueue {
	struct list_head pwqs_node;
};

struct workqueue_struct {
	struct list_head pwqs;
	struct worker *rescuer;
	struct pool_workqueue *cpu_pwqs;	/* __percpu; up to 6.5 */
};

struct bpf_array {
	struct bpf_map map;
	__u32 elem_size;
	void *ptrs[0];
};

typedef struct {
	atomic64_t a;
} local_t;

struct perf_event_mmap_page {
	__u64 data_tail;	/* written by user space: any value */
};

struct perf_buffer {
	int nr_pages;		/* of data; may be 0 */
	local_t head;
	struct perf_event_mmap_page *user_page;
};

struct perf_event {
	struct perf_buffer *rb;
	atomic64_t lost_samples;	/* since 6.0 */
};

struct bpf_event_entry {
	struct perf_event *event;
};

struct lpm_trie {
	struct bpf_map map;
	unsigned long n_entries;
	unsigned long data_size;
};

struct lpm_trie_node {	/* sized only */
};

struct bpf_dtab_netdev {	/* sized only */
};

struct bpf_dtab {
	struct bpf_map map;
	void **netdev_map;
	unsigned int items;	/* devmap_hash: always; devmap: since 6.4 */
	__u32 n_buckets;
};

struct bpf_shtab_bucket {	/* sized only */
};

struct bpf_shtab {
	struct bpf_map map;
	__u32 buckets_num;
	__u32 elem_size;
	atomic_t count;
};

struct bpf_stab {
	struct bpf_map map;
	struct sock **sks;
};

struct bpf_cpu_map {
	struct bpf_map map;
	struct bpf_cpu_map_entry **cpu_map;
};

struct xsk_map {
	struct bpf_map map;
	atomic_t count;		/* since 6.4 */
	struct xdp_sock *xsk_map[0];
};

struct xsk_map_node {	/* sized only */
};

struct reuseport_array {
	struct bpf_map map;
	struct sock *ptrs[0];
};

struct bpf_queue_stack {
	struct bpf_map map;
	__u32 head;
	__u32 tail;
	__u32 size;		/* one more than max_entries */
};

struct bpf_stack_map {
	struct bpf_map map;
	__u32 n_buckets;
	struct stack_map_bucket *buckets[0];
};

struct bpf_local_storage_map_bucket {	/* sized only: a list head and a lock */
};

struct bpf_local_storage_map {
	struct bpf_map map;
	void *buckets;
	__u32 bucket_log;
	__u16 elem_size;
};

struct bpf_cgroup_storage_map {
	struct bpf_map map;
	struct list_head list;
};

struct bpf_cgroup_storage {	/* sized only */
};

struct bpf_storage_buffer {	/* sized only: without the data */
};

struct bpf_struct_ops_value {	/* sized only: without the data */
};

struct bpf_struct_ops_map {
	struct bpf_map map;
	void **ksyms;		/* 6.12 has this and `funcs_cnt`, 6.1 has neither */
	__u32 funcs_cnt;
};

struct bpf_insn_array_value {	/* sized only */
};

struct bpf_insn_array {		/* sized only */
};

struct bpf_ringbuf {
	__u64 mask;
	int nr_pages;
	unsigned long consumer_pos;	/* written by user space: any value */
	unsigned long producer_pos;
	bool overwrite_mode;		/* since 6.19 */
	unsigned long overwrite_pos;
};

struct bpf_ringbuf_map {
	struct bpf_map map;
	struct bpf_ringbuf *rb;
};

struct bpf_bloom_filter {
	struct bpf_map map;
	__u32 bitset_mask;	/* the number of bits, a power of two, less one */
};

/* 6.13 and later; 6.9 to 6.12 keep an arena's pages in a maple tree. */
struct range_tree {
	struct rb_root_cached it_root;
};

struct range_node {		/* a free range of pages, both ends included */
	struct rb_node rn_rbnode;
	__u32 rn_start;
	__u32 rn_last;
};

struct bpf_arena {
	struct bpf_map map;
	struct range_tree rt;
	__u64 nr_pages;		/* since 7.3 */
};

enum bpf_prog_type {
	BPF_PROG_TYPE_UNSPEC,
};

struct bpf_prog_aux {
	__u32 id;
	__u32 used_map_cnt;
	struct bpf_map **used_maps;
	char name[16];
};

struct bpf_prog {
	enum bpf_prog_type type;
	struct bpf_prog_aux *aux;
};

enum bpf_link_type {
	BPF_LINK_TYPE_ITER = 4,
	BPF_LINK_TYPE_STRUCT_OPS = 9,
};

struct bpf_link {
	__u32 id;
	enum bpf_link_type type;
	struct bpf_prog *prog;	/* NULL for struct_ops */
};

struct bpf_struct_ops_link {	/* since 6.4 */
	struct bpf_link link;
	struct bpf_map *map;
};

struct bpf_iter_aux_info {
	struct bpf_map *map;	/* NULL unless the elements of a map are visited */
};

struct bpf_iter_link {
	struct bpf_link link;
	struct bpf_iter_aux_info aux;
};

struct super_block {
	unsigned long s_magic;
};

struct inode {
	struct super_block *i_sb;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
};

struct path {
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	void *private_data;
};

struct vm_area_struct {
	struct file *vm_file;
};

struct fdtable {
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct task_struct {
	int pid;
	int tgid;
	unsigned int flags;
	struct task_struct *real_parent;
	struct list_head children;
	struct list_head sibling;
	struct task_struct *group_leader;
	void *set_child_tid;	/* of a kernel thread before 5.17: its struct kthread */
	void *worker_private;	/* since 5.17: the same */
	struct files_struct *files;
	void *stack;
	char comm[16];
};

#pragma clang attribute pop

/* The layouts below are an interface of the kernel and need no relocation. */

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__bpf_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
};

struct bpf_iter__bpf_prog {
	struct bpf_iter_meta *meta;
	struct bpf_prog *prog;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd __attribute__((aligned(8)));
	struct file *file;
};

struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
};

/* The state of bpf_for(), a loop whose body is verified once; since 6.4. */
struct bpf_iter_num {
	__u64 __opaque[1];
} __attribute__((aligned(8)));

/*
 * The registers at the entry of a system call, in the order that ptrace(2) shows
 * (uapi/asm/ptrace.h).
 */
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
};
#define SYSCALL_NUMBER(regs) ((regs)->orig_ax)
#define SYSCALL_ARG1(regs) ((regs)->di)
#define SYSCALL_ARG2(regs) ((regs)->si)
#define __NR_bpf 321
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31];
};
#define SYSCALL_NUMBER(regs) ((regs)->regs[8])
#define SYSCALL_ARG1(regs) ((regs)->regs[0])
#define SYSCALL_ARG2(regs) ((regs)->regs[1])
#define __NR_bpf 280
#endif

#endif
