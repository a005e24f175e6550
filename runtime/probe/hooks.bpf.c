// SPDX-License-Identifier: Apache-2.0
/*
 * Two netfilter programs around the ruleset under test. The injected packet passes them before its
 * write() returns (probe/nft.c), so one word for the packet of the moment is enough.
 *
 * The context is never touched, so no vmlinux.h is needed.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "mark.h"

#define NF_DROP 0
#define NF_ACCEPT 1

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u32);
} mark SEC(".maps");

static __always_inline void set_mark(__u32 value)
{
	__u32 zero = 0;
	__u32 *slot = bpf_map_lookup_elem(&mark, &zero);

	if (slot)
		*slot = value;
}

/* Before every chain of the ruleset. */
SEC("netfilter")
int hook_first(void *ctx)
{
	(void)ctx;
	set_mark(MARK_REACHED);
	return NF_ACCEPT;
}

/* Behind every chain; what came so far need not be routed. */
SEC("netfilter")
int hook_last(void *ctx)
{
	(void)ctx;
	set_mark(MARK_SURVIVED);
	return NF_DROP;
}
