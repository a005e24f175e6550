// SPDX-License-Identifier: Apache-2.0
/*
 * The least that encapsulating a packet in XDP takes, by hand: it is parsed as parse-and-drop does it, counted, gets
 * headers that nothing has to be looked up or reckoned for, and leaves by the device that it came by. No policy, no
 * customers, no routing, no check of what may be sent; the frames of a trace are all of one length.
 */
#include "flow.h"
#include "outer.h"
#include "trace.h"

#define LENGTH (sizeof(struct frame) - sizeof(struct ethhdr) + PLAIN_SIZE)
#define CHECKSUM 0x4e4f	/* of the header as it stands below, for 74 bytes */

struct outer {
	struct ethhdr eth;
	struct iphdr ip;
	struct gre_header gre;
} __attribute__((packed, aligned(4)));	/* as wide stores as there are */

struct counter {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counter);
} sent SEC(".maps");

SEC("xdp")
int encapsulate(struct xdp_md *ctx)
{
	struct counter *counter;
	struct outer *outer;
	struct flow flow;
	__u32 zero = 0;

	if (!parse_flow(ctx, &flow))
		return XDP_PASS;
	/* What nobody uses, clang does not read. */
	if ((flow.source ^ flow.destination ^ flow.protocol) == 1 &&
	    flow.source_port == flow.destination_port)
		return XDP_ABORTED;
	counter = bpf_map_lookup_elem(&sent, &zero);
	if (!counter || bpf_xdp_adjust_head(ctx, -(int)PLAIN_SIZE))
		return XDP_ABORTED;
	outer = (void *)(long)ctx->data;
	if ((void *)(outer + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	*outer = (struct outer){
		.eth = { { 2, 0, 0, 0, 0, 3 }, { 2, 0, 0, 0, 0, 4 }, bpf_htons(ETH_P_IP) },
		/* From 192.0.2.1 to 198.51.100.1. */
		.ip = {
			.version = 4,
			.ihl = 5,
			.tot_len = bpf_htons(LENGTH),
			.frag_off = bpf_htons(IP_DF),
			.ttl = 64,
			.protocol = IPPROTO_GRE,
			.check = bpf_htons(CHECKSUM),
			.saddr = bpf_htonl(0xc0000201),
			.daddr = bpf_htonl(0xc6336401),
		},
		.gre = { 0, bpf_htons(ETH_P_IP) },
	};
	counter->packets++;
	counter->bytes += LENGTH - PLAIN_SIZE;
	return XDP_TX;
}

char LICENSE[] SEC("license") = "Apache-2.0";
