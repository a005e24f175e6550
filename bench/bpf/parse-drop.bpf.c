// SPDX-License-Identifier: Apache-2.0
/* What every figure is held against: parses a packet and drops it. */
#include "flow.h"

SEC("xdp")
int parse_drop(struct xdp_md *ctx)
{
	struct flow flow;

	if (!parse_flow(ctx, &flow))
		return XDP_PASS;
	/* What nobody uses, clang does not read. */
	if ((flow.source ^ flow.destination ^ flow.protocol) == 1 &&
	    flow.source_port == flow.destination_port)
		return XDP_ABORTED;
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Apache-2.0";
