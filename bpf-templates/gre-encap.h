/* SPDX-License-Identifier: GPL-2.0 */
/* Puts the outer headers before a packet. */
#pragma once

#include <asm-generic/errno.h>
#include <linux/ipv6.h>
#include "gre-inner.h"
#include "gre-maps.h"
#include "outer.h"
#include "path-mtu.h"

#define AF_INET 2

/* Where a packet leaves, or, with BPF_FIB_LKUP_RET_FRAG_NEEDED, how long it may be at most. */
struct outer_way {
	__u32 ifindex;
	__u16 mtu;
};

/* The outer route. The packet comes, so to say, in by the tunnel's veth end: never by the main device. */
static __always_inline long find_way(struct __sk_buff *skb, struct gre_tunnel *tunnel, __u16 length,
				     __u8 tos, struct outer_way *way)
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

	way->ifindex = fib.ifindex;
	way->mtu = fib.mtu_result;
	/* bpf_redirect_neigh resolves what the lookup did not find among the neighbours. */
	return found == BPF_FIB_LKUP_RET_NO_NEIGH ? BPF_FIB_LKUP_RET_SUCCESS : found;
}

/* The way of what is too long for its path, for a router on it to cut up. Nothing is cut up here. */
static __always_inline long find_way_in_pieces(struct __sk_buff *skb, struct gre_tunnel *tunnel, __u32 size,
					       __u8 tos, struct outer_way *way)
{
	__u32 mtu = 0;
	long found = find_way(skb, tunnel, way->mtu, tos, way);

	return found ? found : bpf_check_mtu(skb, way->ifindex, &mtu, size, 0);
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

static __always_inline int too_long(struct __sk_buff *skb, __u32 inner, __u16 mtu)
{
	int action = dropped(skb->ifindex, inner), answered = answer_too_big(skb, mtu);

	return answered < 0 ? action : answered;
}

static __always_inline int encapsulate(struct __sk_buff *skb)
{
	__u32 self = skb->ifindex, inner = skb->len - ETH_HLEN;
	__be16 protocol = skb->protocol, ethertype = bpf_htons(ETH_P_IP);
	struct gre_tunnel *tunnel = bpf_map_lookup_elem(&gre_tunnels, &self);
	int tos = inner_tos(skb, ETH_HLEN, protocol);
	struct gre_counters *counters;
	struct outer outer = {};
	struct outer_way way;
	__u32 size;
	long lost;

	if (!tunnel || tos < 0)
		return dropped(self, inner);
	size = tunnel->has_key ? KEYED_SIZE : PLAIN_SIZE;
	tos = outer_tos(tos);
	if (inner > 0xffff - KEYED_SIZE)
		return dropped(self, inner);
	/* The kernel's default, pmtudisc. Never fragmented, so the identification may be zero (RFC 6864). */
	outer.ip.frag_off = bpf_htons(IP_DF);
	lost = find_way(skb, tunnel, inner + size, tos, &way);
	if (lost == BPF_FIB_LKUP_RET_FRAG_NEEDED) {
		if (!goes_in_pieces(skb, ETH_HLEN, protocol, inner))
			return too_long(skb, inner, way.mtu - size);
		outer.ip.frag_off = 0;
		outer.ip.id = bpf_get_prandom_u32();
		lost = find_way_in_pieces(skb, tunnel, size, tos, &way);
	}
	if (lost)
		return dropped(self, inner);

	outer.ip.version = 4;
	outer.ip.ihl = sizeof(outer.ip) / 4;
	outer.ip.tos = tos;
	outer.ip.tot_len = bpf_htons(inner + size);
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
	return bpf_redirect_neigh(way.ifindex, NULL, 0, 0);
}
