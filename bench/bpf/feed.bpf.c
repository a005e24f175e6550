// SPDX-License-Identifier: Apache-2.0
/*
 * The first step of a build that meets another packet each time: a test run repeats one packet, so
 * the next one of a trace is copied over it, before the program under test is entered.
 */
#include "trace.h"

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
	if (next_frame(ctx))
		bpf_tail_call(ctx, &onward, 0);
	return XDP_ABORTED;
}

/*
 * For programs that put headers before a packet: the next repetition finds them still there
 * (bpf_test_run() goes on with the same buffer), and takes them off. The call is made for others, too, so that
 * it costs all of them the same.
 */
SEC("xdp")
int feed_again(struct xdp_md *ctx)
{
	const int more = (long)ctx->data_end - (long)ctx->data - (int)sizeof(struct frame);

	if (!bpf_xdp_adjust_head(ctx, more) && next_frame(ctx))
		bpf_tail_call(ctx, &onward, 0);
	return XDP_ABORTED;
}

char LICENSE[] SEC("license") = "Apache-2.0";
