// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What mapstop's ancestor does, to be measured beside it: an iter/bpf_map program
 * that prints a line of text for each map, to be parsed again in user space.
 */
#include "../../src/bpf/vmlinux_min.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

extern __s64 bpf_map_sum_elem_count(const struct bpf_map *map) __ksym;

SEC("iter/bpf_map")
int lines(struct bpf_iter__bpf_map *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct bpf_map *map = ctx->map;

	if (!map)
		return 0;
	BPF_SEQ_PRINTF(seq, "%4u %-16s %10u %10lld\n", map->id, map->name, map->max_entries,
		       bpf_map_sum_elem_count(map));
	return 0;
}
