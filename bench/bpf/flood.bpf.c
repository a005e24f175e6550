// SPDX-License-Identifier: Apache-2.0
/* Sends a trace's frames by a device, one after the other, from a test run of live frames. */
#include "trace.h"

/* The device's index. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} way SEC(".maps");

SEC("xdp")
int flood(struct xdp_md *ctx)
{
	const __u32 zero = 0;
	const __u32 *device = bpf_map_lookup_elem(&way, &zero);

	/* The kernel uses a frame's memory again: the one before may have been changed on its way. */
	return device && next_frame(ctx) ? bpf_redirect(*device, 0) : XDP_ABORTED;
}

char LICENSE[] SEC("license") = "Apache-2.0";
