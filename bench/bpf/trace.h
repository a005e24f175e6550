/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of a trace, one after the other. */
#pragma once

#include <stdbool.h>
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

/* Copies the trace's next frame over the packet; false where that is too short. */
static __always_inline bool next_frame(struct xdp_md *ctx)
{
	__u64 *to = (void *)(long)ctx->data;
	const void *end = (const void *)(long)ctx->data_end;
	const struct frame *from;
	struct position *at;
	__u32 zero = 0, index;

	at = bpf_map_lookup_elem(&position, &zero);
	if (!at)
		return false;
	index = at->next;
	at->next = index + 1 < at->count ? index + 1 : 0;
	from = bpf_map_lookup_elem(&trace, &index);
	if (!from || (const void *)(to + FRAME_WORDS) > end)
		return false;
#pragma unroll
	for (int i = 0; i < FRAME_WORDS; i++)
		to[i] = from->words[i];
	return true;
}
