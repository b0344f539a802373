/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Chains of hash tables: how many entries they have, or how many of them have any.
 *
 * A table is an array of buckets, the first word of each being the head of its chain and the
 * first word of each entry the address of the next one.  The last is no address but an odd
 * number that names the bucket, so that it shows when an entry went from one chain to another
 * while somebody stood on it.
 */
#ifndef MAPSTOP_CHAINS_H
#define MAPSTOP_CHAINS_H

/* Chains looked at together, and how many times that is done in a row. */
#define CHAINS 8
#define CHAIN_RUNS 32
/* Entries of one chain that are followed: they are as many as chains at the most, so that
 * chance makes none of this length. */
#define MOST_CHAINED 32
/* How often a chain is followed that changes meanwhile. */
#define TRIES 4

/* What the last word of chain @number is. */
#define CHAIN_END(number) ((number) << 1 | 1)

/* The size of a bucket unless locks are debugged: then one read gets several. */
#define PLAIN_BUCKET 16

/* Added to what was found when some chains could not be followed to their end: it is more. */
#define UNSURE (1ULL << 32)
/* The same when memory could not be read: it is nothing. */
#define UNREADABLE_CHAINS (1ULL << 48)

/*
 * Which of the @n chains from @at on have entries, a bit for each; @n is at most CHAINS.  The
 * heads of several are copied at a time, since half of what a copy costs is the call.
 */
__noinline __u64 nonempty(__u64 at, __u64 n, __u64 stride)
{
	__u64 chunk[CHAINS * 2];
	__u64 bits = 0, size = n * PLAIN_BUCKET;

	barrier_var(size);
	if (size > sizeof(chunk))
		size = sizeof(chunk);
	/* What is not read counts as empty. */
	for (int i = 0; i < CHAINS * 2; i++)
		chunk[i] = 1;
	if (stride == PLAIN_BUCKET) {
		if (bpf_probe_read_kernel(chunk, size, (void *)at))
			return UNREADABLE_CHAINS;
	} else {
		for (__u64 i = 0; i < CHAINS; i++) {
			if (i >= n)
				break;
			if (bpf_probe_read_kernel(&chunk[2 * i], sizeof(*chunk), (void *)(at + i * stride)))
				return UNREADABLE_CHAINS;
		}
	}
	for (int i = 0; i < CHAINS; i++) {
		bits |= (~chunk[2 * i] & 1) << i;
		barrier_var(bits);
	}
	return bits;
}

/* The same for CHAIN_RUNS times as many, and only how many they are. */
__noinline __u64 some_in_use(__u64 at, __u64 n, __u64 stride)
{
	__u64 used = 0, bits;

	for (__u64 i = 0; i < CHAINS * CHAIN_RUNS; i += CHAINS) {
		if (i >= n)
			break;
		bits = nonempty(at + i * stride, n - i, stride);
		if (bits >= UNREADABLE_CHAINS)
			return bits;
		/* The bits of a byte, added up in pairs, fours and eights. */
		bits -= bits >> 1 & 0x55;
		bits = (bits & 0x33) + (bits >> 2 & 0x33);
		used += (bits + (bits >> 4)) & 0xf;
	}
	return used;
}

/* How many of the @n chains from @at on have entries; @n is at most HEADS * SCAN_WINDOW. */
__noinline __u64 chains_in_use(__u64 at, __u64 n, __u64 stride)
{
	__u64 used = 0;

	for (__u64 i = 0; i < HEADS * SCAN_WINDOW; i += CHAINS * CHAIN_RUNS) {
		if (i >= n)
			break;
		used += some_in_use(at + i * stride, n - i, stride);
	}
	return used;
}

/* How many entries follow from @node to @end; UNSURE if there is another end, or none. */
__noinline __u64 walk_entries(__u64 node, __u64 end)
{
	for (int i = 0; i <= MOST_CHAINED; i++) {
		if (node & 1)
			return node == end ? i : UNSURE;
		if (bpf_probe_read_kernel(&node, sizeof(node), (void *)node))
			break;
	}
	return UNSURE;
}

/* How many entries the chain at @at has, whose last word is @end. */
__noinline __u64 walk_chain(__u64 at, __u64 end)
{
	__u64 node = 0, entries;

	for (int i = 0; i < TRIES; i++) {
		if (bpf_probe_read_kernel(&node, sizeof(node), (void *)at))
			break;
		entries = walk_entries(node, end);
		if (entries < UNSURE)
			return entries;
	}
	return UNSURE;
}

/* The same for @n chains, CHAINS at the most; the first of them has this @number. */
__noinline __u64 walk_some(__u64 at, __u64 n, __u64 stride, __u64 number)
{
	__u64 bits = nonempty(at, n, stride), entries = 0;

	if (bits >= UNREADABLE_CHAINS)
		return bits;
	for (__u64 i = 0; i < CHAINS; i++) {
		if (bits >> i & 1)
			entries += walk_chain(at + i * stride, CHAIN_END(number + i));
	}
	return entries;
}

/* The same for CHAIN_RUNS times as many. */
__noinline __u64 walk_more(__u64 at, __u64 n, __u64 stride, __u64 number)
{
	__u64 entries = 0;

	for (__u64 i = 0; i < CHAINS * CHAIN_RUNS; i += CHAINS) {
		if (i >= n)
			break;
		entries += walk_some(at + i * stride, n - i, stride, number + i);
	}
	return entries;
}

/* How many entries the @n chains from @at on have; @n is at most SCAN_WINDOW. */
__noinline __u64 walk_chains(__u64 at, __u64 n, __u64 stride, __u64 number)
{
	__u64 entries = 0;

	for (__u64 i = 0; i < SCAN_WINDOW; i += CHAINS * CHAIN_RUNS) {
		if (i >= n)
			break;
		entries += walk_more(at + i * stride, n - i, stride, number + i);
	}
	return entries;
}

#endif
