// SPDX-License-Identifier: Apache-2.0
/*
 * The first step of a build that meets another packet each time: a test run repeats one packet, so
 * the next one of a trace is copied over it, before the program under test is entered.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define FRAME_WORDS 8	/* a cache line: FRAME_BYTES of bench/frames.ts */
#define TRACE 131072

struct frame {
	__u64 words[FRAME_WORDS];
};

struct position {
	__u32 next;
	__u32 count;	/* of the frames in the trace, at most TRACE */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TRACE);
	__type(key, __u32);
	__type(value, struct frame);
} trace SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct position);
} position SEC(".maps");

/* The program under test, in slot 0. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} onward SEC(".maps");

SEC("xdp")
int feed(struct xdp_md *ctx)
{
	__u64 *to = (void *)(long)ctx->data;
	const void *end = (const void *)(long)ctx->data_end;
	const struct frame *from;
	struct position *at;
	__u32 zero = 0, index;

	at = bpf_map_lookup_elem(&position, &zero);
	if (!at)
		return XDP_ABORTED;
	index = at->next;
	at->next = index + 1 < at->count ? index + 1 : 0;
	from = bpf_map_lookup_elem(&trace, &index);
	if (!from || (const void *)(to + FRAME_WORDS) > end)
		return XDP_ABORTED;
#pragma unroll
	for (int i = 0; i < FRAME_WORDS; i++)
		to[i] = from->words[i];

	bpf_tail_call(ctx, &onward, 0);
	return XDP_ABORTED;
}

char LICENSE[] SEC("license") = "Apache-2.0";
