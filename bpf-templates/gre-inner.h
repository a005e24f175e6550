/* SPDX-License-Identifier: GPL-2.0 */
/* The packet inside of a tunnel: what its DSCP and ECN say, and being told of congestion (RFC 6040). */
#pragma once

#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "outer.h"

/* TOS or traffic class of the inner packet, which starts at `offset`; negative if it cannot be read. */
static __always_inline int inner_tos(struct __sk_buff *skb, __u32 offset, __be16 protocol)
{
	__u8 head[2];

	if (bpf_skb_load_bytes(skb, offset, head, sizeof(head)))
		return -1;
	if (protocol == bpf_htons(ETH_P_IP))
		return head[0] >> 4 == 4 ? head[1] : -1;
	if (protocol == bpf_htons(ETH_P_IPV6))
		return head[0] >> 4 == 6 ? (__u8)(head[0] << 4 | head[1] >> 4) : -1;
	return -1;
}

/* Marks the inner packet as having met congestion (RFC 6040 section 4.2). */
static __always_inline long set_inner_ce(struct __sk_buff *skb, __u32 offset, __be16 protocol, __u8 tos)
{
	__u8 marked = tos | ECN_CE, head[2];
	__u32 check = offset + offsetof(struct iphdr, check);

	if (protocol == bpf_htons(ETH_P_IP)) {
		if (bpf_l3_csum_replace(skb, check, bpf_htons(tos), bpf_htons(marked), sizeof(__u16)))
			return -1;
		return bpf_skb_store_bytes(skb, offset + 1, &marked, 1, BPF_F_RECOMPUTE_CSUM);
	}
	if (bpf_skb_load_bytes(skb, offset, head, sizeof(head)))
		return -1;
	head[1] |= ECN_CE << 4;
	return bpf_skb_store_bytes(skb, offset, head, sizeof(head), BPF_F_RECOMPUTE_CSUM);
}
