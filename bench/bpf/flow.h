/* SPDX-License-Identifier: Apache-2.0 */
/* The least that any filter has to do: find the five numbers of a packet, inside its bounds. */
#pragma once

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* As on the wire; also the key of a hash map, so there are no holes. */
struct flow {
	__be32 source;
	__be32 destination;
	__be16 source_port;
	__be16 destination_port;
	__u32 protocol;
};

struct ports {
	__be16 source;
	__be16 destination;
};

/* Whether the frame holds an IPv4 packet; without TCP or UDP the ports are 0. */
static __always_inline bool parse_flow(const struct xdp_md *ctx, struct flow *flow)
{
	const void *data = (const void *)(long)ctx->data;
	const void *end = (const void *)(long)ctx->data_end;
	const struct ethhdr *eth = data;
	const struct iphdr *ip = (const void *)(eth + 1);
	const struct ports *ports;

	if ((const void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) || ip->ihl < 5)
		return false;
	flow->source = ip->saddr;
	flow->destination = ip->daddr;
	flow->protocol = ip->protocol;
	flow->source_port = 0;
	flow->destination_port = 0;
	if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP)
		return true;
	ports = (const void *)ip + ip->ihl * 4;
	if ((const void *)(ports + 1) > end)
		return false;
	flow->source_port = ports->source;
	flow->destination_port = ports->destination;
	return true;
}
