/* SPDX-License-Identifier: GPL-2.0 */
/* The packet inside of a tunnel: what its header says that the outer one repeats, and being told of congestion. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "outer.h"

struct inner {
	__be16 protocol; /* EtherType */
	__u8 tos; /* or traffic class */
	__u8 hops; /* time to live, hop limit */
	bool may_be_cut; /* in a tunnel that inherits it: no IPv4 with "don't fragment" */
};

/* Reads the packet at `offset`; false if it is not what its EtherType says. */
static __always_inline bool read_inner(struct __sk_buff *skb, __u32 offset, __be16 protocol,
				       struct inner *inner)
{
	__u8 head[sizeof(struct iphdr)];

	inner->protocol = protocol;
	if (bpf_skb_load_bytes(skb, offset, head, sizeof(head)))
		return false;
	if (protocol == bpf_htons(ETH_P_IP)) {
		inner->tos = head[offsetof(struct iphdr, tos)];
		inner->hops = head[offsetof(struct iphdr, ttl)];
		inner->may_be_cut = !(head[offsetof(struct iphdr, frag_off)] & IP_DF >> 8);
		return head[0] >> 4 == 4;
	}
	inner->tos = head[0] << 4 | head[1] >> 4;
	inner->hops = head[offsetof(struct ipv6hdr, hop_limit)];
	inner->may_be_cut = true;
	return protocol == bpf_htons(ETH_P_IPV6) && head[0] >> 4 == 6;
}

/* Writes an octet of DSCP and ECN that differs from the present one. */
static __always_inline long set_inner_tos(struct __sk_buff *skb, __u32 offset, const struct inner *inner, __u8 tos)
{
	const __u32 check = offset + offsetof(struct iphdr, check);
	__u8 head[2];

	if (inner->protocol == bpf_htons(ETH_P_IP)) {
		if (bpf_l3_csum_replace(skb, check, bpf_htons(inner->tos), bpf_htons(tos), sizeof(__u16)))
			return -1;
		return bpf_skb_store_bytes(skb, offset + 1, &tos, 1, BPF_F_RECOMPUTE_CSUM);
	}
	if (bpf_skb_load_bytes(skb, offset, head, sizeof(head)))
		return -1;
	head[1] = (head[1] & 0x0f) | tos << 4;
	return bpf_skb_store_bytes(skb, offset, head, sizeof(head), BPF_F_RECOMPUTE_CSUM);
}

/*
 * RFC 6040, section 4.2, as INET_ECN_decapsulate() has it: the inner packet learns of congestion, and is dropped if it does not
 * know how to (negative); of ECT(0) and ECT(1) it takes the outer one.
 */
static __always_inline long tell_congestion(struct __sk_buff *skb, __u32 offset, const struct inner *inner,
					    __u8 outer_tos)
{
	const __u8 outside = outer_tos & ECN_MASK, inside = inner->tos & ECN_MASK;

	if (outside == ECN_CE && inside != ECN_CE)
		return inside ? set_inner_tos(skb, offset, inner, inner->tos | ECN_CE) : -1;
	if (outside == ECN_ECT1 && inside == ECN_ECT0)
		return set_inner_tos(skb, offset, inner, inner->tos ^ ECN_MASK);
	return 0;
}
