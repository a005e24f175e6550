/* SPDX-License-Identifier: GPL-2.0 */
/* Puts the outer headers before a packet. */
#pragma once

#include <asm-generic/errno.h>
#include <linux/ipv6.h>
#include "gre-inner.h"
#include "gre-maps.h"
#include "outer.h"

#define AF_INET 2

/* The outer route's device. The packet comes, so to say, in by the tunnel's veth end: never by the main device. */
static __always_inline long outer_device(struct __sk_buff *skb, struct gre_tunnel *tunnel, __u16 length,
					 __u8 tos, __u32 *ifindex)
{
	struct bpf_fib_lookup fib = {
		.family = AF_INET,
		.l4_protocol = IPPROTO_GRE,
		.tot_len = length,
		.ifindex = skb->ifindex,
		.tos = tos & ~ECN_MASK,
		.ipv4_src = tunnel->local,
		.ipv4_dst = tunnel->remote,
	};
	long found = bpf_fib_lookup(skb, &fib, sizeof(fib), 0);

	*ifindex = fib.ifindex;
	/* bpf_redirect_neigh resolves what the lookup did not find among the neighbours. */
	return found == BPF_FIB_LKUP_RET_SUCCESS || found == BPF_FIB_LKUP_RET_NO_NEIGH ? 0 : -1;
}

/*
 * Makes room in a packet that the kernel takes for encapsulated. Without its flags for encapsulation
 * bpf_skb_adjust_room leaves skb->protocol alone; bpf_skb_change_proto makes IPv4 of IPv6, and takes the first
 * 20 bytes of the inner header with it: they are put back. What is to be cut up behind us (GSO) would need the
 * flags to be cut up right.
 */
static __always_inline long make_room_again(struct __sk_buff *skb, __u32 size)
{
	__u8 taken[sizeof(struct ipv6hdr) - sizeof(struct iphdr)];
	long error;

	if (skb->gso_size)
		return -EALREADY;
	if (skb->protocol != bpf_htons(ETH_P_IPV6))
		return bpf_skb_adjust_room(skb, size, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO);
	error = bpf_skb_load_bytes(skb, ETH_HLEN, taken, sizeof(taken));
	if (!error)
		error = bpf_skb_change_proto(skb, bpf_htons(ETH_P_IP), 0);
	if (!error)
		error = bpf_skb_adjust_room(skb, size + sizeof(taken), BPF_ADJ_ROOM_MAC,
					    BPF_F_ADJ_ROOM_FIXED_GSO);
	if (!error)
		error = bpf_skb_store_bytes(skb, ETH_HLEN + size, taken, sizeof(taken), 0);
	return error;
}

/*
 * Makes room for the outer headers. A packet that came out of a tunnel before still counts as encapsulated if its
 * network card says so, or if it never crossed a wire; nothing clears that, and the kernel does not stack.
 */
static __always_inline long make_room(struct __sk_buff *skb, __u32 size)
{
	const __u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 |
			    BPF_F_ADJ_ROOM_ENCAP_L4_GRE;
	long error = bpf_skb_adjust_room(skb, size, BPF_ADJ_ROOM_MAC, flags);

	return error == -EALREADY ? make_room_again(skb, size) : error;
}

static __always_inline int encapsulate(struct __sk_buff *skb)
{
	__u32 self = skb->ifindex, inner = skb->len - ETH_HLEN, device;
	__be16 protocol = skb->protocol, ethertype = bpf_htons(ETH_P_IP);
	struct gre_tunnel *tunnel = bpf_map_lookup_elem(&gre_tunnels, &self);
	int tos = inner_tos(skb, ETH_HLEN, protocol);
	struct gre_counters *counters;
	struct outer outer = {};
	__u32 size;

	if (!tunnel || tos < 0)
		return dropped(self, inner);
	size = tunnel->has_key ? KEYED_SIZE : PLAIN_SIZE;
	tos = outer_tos(tos);
	if (inner > 0xffff - KEYED_SIZE || outer_device(skb, tunnel, inner + size, tos, &device))
		return dropped(self, inner);

	outer.ip.version = 4;
	outer.ip.ihl = sizeof(outer.ip) / 4;
	outer.ip.tos = tos;
	outer.ip.tot_len = bpf_htons(inner + size);
	/* The kernel's default, pmtudisc. Never fragmented, so the identification may be zero (RFC 6864). */
	outer.ip.frag_off = bpf_htons(IP_DF);
	outer.ip.ttl = tunnel->ttl;
	outer.ip.protocol = IPPROTO_GRE;
	outer.ip.saddr = tunnel->local;
	outer.ip.daddr = tunnel->remote;
	outer.ip.check = header_checksum(&outer.ip);
	outer.gre.protocol = protocol;
	if (tunnel->has_key) {
		outer.gre.flags = GRE_KEY;
		outer.key = tunnel->key;
	}

	if (make_room(skb, size) ||
	    bpf_skb_store_bytes(skb, offsetof(struct ethhdr, h_proto), &ethertype, sizeof(ethertype), 0))
		return dropped(self, inner);
	/* The verifier of 5.15 wants a constant size. */
	if (size == KEYED_SIZE ? bpf_skb_store_bytes(skb, ETH_HLEN, &outer, KEYED_SIZE, BPF_F_INVALIDATE_HASH)
			       : bpf_skb_store_bytes(skb, ETH_HLEN, &outer, PLAIN_SIZE, BPF_F_INVALIDATE_HASH))
		return dropped(self, inner);

	counters = counters_of(self);
	if (counters)
		count(&counters->sent, inner);
	return bpf_redirect_neigh(device, NULL, 0, 0);
}
