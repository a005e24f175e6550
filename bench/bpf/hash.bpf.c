// SPDX-License-Identifier: Apache-2.0
/* The unit of the other scale: parse-and-drop, and one look into a hash map of flows. */
#include "flow.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__type(key, struct flow);
	__type(value, __u32);
} flows SEC(".maps");

SEC("xdp")
int hash(struct xdp_md *ctx)
{
	struct flow flow;

	if (!parse_flow(ctx, &flow))
		return XDP_PASS;
	return bpf_map_lookup_elem(&flows, &flow) ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Apache-2.0";
