/* SPDX-License-Identifier: GPL-2.0 */
/* Puts the outer headers before a packet, and sends it on. */
#pragma once

#include <asm-generic/errno.h>
#include <linux/in.h>
#include <linux/ipv6.h>
#include "gre-inner.h"
#include "gre-maps.h"
#include "outer.h"
#include "path-mtu.h"

#define AF_INET 2
#define AF_INET6 10
#define LOOPBACK_IFINDEX 1
#define FLOW_LABEL_MASK 0xfffff

#define IDENTIFICATIONS 1024 /* a power of two */

/* The outer headers in the making. */
struct wrapping {
	const struct gre_tunnel *tunnel;
	struct inner inner;
	__u32 length; /* of the packet inside */
	__u32 size; /* of the outer headers */
	__u32 label; /* IPv6's, for the flow inside */
	__u32 device; /* by which it leaves */
	__u16 path_mtu; /* where it is too long for its path */
	__u8 protocol; /* behind the outer IP header */
	__u8 tos;
	__u8 hops;
	bool over_ipv4;
	bool whole; /* routers must not cut it up */
};

/* The identifications that packets which may be cut up got last, by a hash of their ends (ip_idents of the kernel). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, IDENTIFICATIONS);
	__type(key, __u32);
	__type(value, __u32);
} gre_identifications SEC(".maps");

/* Not twice within 65,536 packets to the same end (RFC 6864, section 4.3); servers begin at different ones. */
static __always_inline __u16 next_identification(const struct gre_endpoint *ends)
{
	const __u32 at = (ends->remote.s6_addr32[3] * 0x9e3779b1 ^ ends->protocol) >> 22;
	__u32 *last = bpf_map_lookup_elem(&gre_identifications, &at);

	if (!last)
		return bpf_get_prandom_u32();
	if (!*last)
		*last = bpf_get_prandom_u32();
	return __sync_fetch_and_add(last, 1);
}

static __always_inline __u8 outer_protocol(const struct gre_tunnel *tunnel, __be16 inside)
{
	if (tunnel->ends.protocol == IPPROTO_GRE)
		return IPPROTO_GRE;
	return inside == bpf_htons(ETH_P_IP) ? IPPROTO_IPIP : IPPROTO_IPV6;
}

/* RFC 6040, section 4.1, in the mode that the kernel's devices take: all but ip6gre, which copies the octet or writes its own. */
static __always_inline __u8 wrapping_tos(const struct wrapping *outer)
{
	const __u8 own = outer->tunnel->tos, inner = outer->inner.tos;
	const __u8 tos = own == TOS_INHERIT ? inner : own;

	if (!outer->over_ipv4 && outer->protocol == IPPROTO_GRE)
		return tos;
	return (tos & ~ECN_MASK) | (outer_tos(inner) & ECN_MASK);
}

static __always_inline void plan_outer(struct __sk_buff *skb, struct wrapping *outer)
{
	const struct gre_tunnel *tunnel = outer->tunnel;

	outer->over_ipv4 = is_ipv4(&tunnel->ends.remote);
	outer->protocol = outer_protocol(tunnel, outer->inner.protocol);
	outer->size = outer->over_ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	if (outer->protocol == IPPROTO_GRE)
		outer->size += tunnel->ends.has_key ? sizeof(struct gre_keyed_header)
						    : sizeof(struct gre_header);
	outer->tos = wrapping_tos(outer);
	outer->hops = tunnel->ttl ? tunnel->ttl : outer->inner.hops;
	outer->whole = !tunnel->inherits_df || !outer->inner.may_be_cut;
	/* So that routers can share flows among links without looking inside (RFC 6438). */
	if (!outer->over_ipv4)
		outer->label = bpf_get_hash_recalc(skb) & FLOW_LABEL_MASK;
}

/* The outer route of a packet of this length, looked up as for what the node itself sends (ip_tunnel_xmit, ip6_tnl_xmit). */
static __always_inline long find_way(struct __sk_buff *skb, struct wrapping *outer, __u16 length)
{
	const struct gre_endpoint *ends = &outer->tunnel->ends;
	struct bpf_fib_lookup fib = {
		.l4_protocol = outer->protocol,
		.tot_len = length,
		.ifindex = LOOPBACK_IFINDEX,
	};
	long found;

	if (outer->over_ipv4) {
		fib.family = AF_INET;
		fib.tos = outer->tos & ~ECN_MASK;
		fib.ipv4_src = ends->local.s6_addr32[3];
		fib.ipv4_dst = ends->remote.s6_addr32[3];
	} else {
		fib.family = AF_INET6;
		fib.flowinfo = bpf_htonl(outer->tos << 20 | outer->label);
		__builtin_memcpy(fib.ipv6_src, &ends->local, sizeof(ends->local));
		__builtin_memcpy(fib.ipv6_dst, &ends->remote, sizeof(ends->remote));
	}
	found = bpf_fib_lookup(skb, &fib, sizeof(fib), 0);
	outer->device = fib.ifindex;
	outer->path_mtu = fib.mtu_result;
	/* bpf_redirect_neigh resolves what the lookup did not find among the neighbours. */
	return found == BPF_FIB_LKUP_RET_NO_NEIGH ? BPF_FIB_LKUP_RET_SUCCESS : found;
}

/*
 * The way of what is too long for its path, for a router on it to cut up. Nothing is cut up here, and IPv6 nowhere: what the
 * uplink itself does not carry has no way.
 */
static __always_inline long find_way_in_pieces(struct __sk_buff *skb, struct wrapping *outer)
{
	/* Said, or it would count an Ethernet header, which not every uplink has. */
	__u32 mtu = outer->length + outer->size;
	long lost = find_way(skb, outer, outer->path_mtu);

	outer->whole = false;
	if (lost)
		return lost;
	lost = bpf_check_mtu(skb, outer->device, &mtu, 0, 0);
	if (lost != BPF_MTU_CHK_RET_FRAG_NEEDED)
		return lost;
	outer->path_mtu = mtu;
	return BPF_FIB_LKUP_RET_FRAG_NEEDED;
}

/*
 * Makes room in a packet that the kernel takes for encapsulated. Without its flags for encapsulation
 * bpf_skb_adjust_room leaves skb->protocol alone; bpf_skb_change_proto makes one family of the other, and of IPv6 takes
 * the first 20 bytes of the inner header with it: they are put back. What is to be cut up behind us (GSO) would need
 * the flags to be cut up right.
 */
static __always_inline long make_room_again(struct __sk_buff *skb, __u32 size, __be16 ethertype)
{
	__u8 taken[sizeof(struct ipv6hdr) - sizeof(struct iphdr)];
	long error;

	if (skb->gso_size)
		return -EALREADY;
	if (skb->protocol == ethertype)
		return bpf_skb_adjust_room(skb, size, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO);
	if (ethertype == bpf_htons(ETH_P_IPV6)) {
		error = bpf_skb_change_proto(skb, ethertype, 0);
		return error ? error : bpf_skb_adjust_room(skb, size - sizeof(taken), BPF_ADJ_ROOM_MAC,
							   BPF_F_ADJ_ROOM_FIXED_GSO);
	}
	error = bpf_skb_load_bytes(skb, ETH_HLEN, taken, sizeof(taken));
	if (!error)
		error = bpf_skb_change_proto(skb, ethertype, 0);
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
static __always_inline long make_room(struct __sk_buff *skb, const struct wrapping *outer)
{
	const __be16 ethertype = bpf_htons(outer->over_ipv4 ? ETH_P_IP : ETH_P_IPV6);
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;
	long error;

	flags |= outer->over_ipv4 ? BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 : BPF_F_ADJ_ROOM_ENCAP_L3_IPV6;
	if (outer->protocol == IPPROTO_GRE)
		flags |= BPF_F_ADJ_ROOM_ENCAP_L4_GRE;
	error = bpf_skb_adjust_room(skb, outer->size, BPF_ADJ_ROOM_MAC, flags);
	if (error == -EALREADY)
		error = make_room_again(skb, outer->size, ethertype);
	return error ? error
		     : bpf_skb_store_bytes(skb, offsetof(struct ethhdr, h_proto), &ethertype,
					   sizeof(ethertype), 0);
}

static __always_inline long write_ipv4(struct __sk_buff *skb, const struct wrapping *outer)
{
	const struct gre_tunnel *tunnel = outer->tunnel;
	struct iphdr ip = {
		.version = 4,
		.ihl = sizeof(ip) / 4,
		.tos = outer->tos,
		.tot_len = bpf_htons(outer->length + outer->size),
		/* What is never cut up needs no identification (RFC 6864). */
		.id = outer->whole ? 0 : bpf_htons(next_identification(&tunnel->ends)),
		.frag_off = outer->whole ? bpf_htons(IP_DF) : 0,
		.ttl = outer->hops,
		.protocol = outer->protocol,
		.saddr = tunnel->ends.local.s6_addr32[3],
		.daddr = tunnel->ends.remote.s6_addr32[3],
	};

	ip.check = header_checksum(&ip);
	return bpf_skb_store_bytes(skb, ETH_HLEN, &ip, sizeof(ip), BPF_F_INVALIDATE_HASH);
}

static __always_inline long write_ipv6(struct __sk_buff *skb, const struct wrapping *outer)
{
	struct ipv6hdr ip = {
		.payload_len = bpf_htons(outer->length + outer->size - sizeof(ip)),
		.nexthdr = outer->protocol,
		.hop_limit = outer->hops,
		.saddr = outer->tunnel->ends.local,
		.daddr = outer->tunnel->ends.remote,
	};

	*(__be32 *)&ip = bpf_htonl(6 << 28 | outer->tos << 20 | outer->label);
	return bpf_skb_store_bytes(skb, ETH_HLEN, &ip, sizeof(ip), BPF_F_INVALIDATE_HASH);
}

static __always_inline long write_gre(struct __sk_buff *skb, const struct wrapping *outer)
{
	const struct gre_endpoint *ends = &outer->tunnel->ends;
	const __u32 offset = ETH_HLEN + (outer->over_ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));
	struct gre_keyed_header header = { .gre.protocol = outer->inner.protocol };

	if (outer->protocol != IPPROTO_GRE)
		return 0;
	if (!ends->has_key)
		return bpf_skb_store_bytes(skb, offset, &header.gre, sizeof(header.gre), 0);
	header.gre.flags = GRE_KEY;
	header.key = ends->key;
	return bpf_skb_store_bytes(skb, offset, &header, sizeof(header), 0);
}

/*
 * Also IPv4 that may be cut up is answered, where only the node could do so: its sender then cuts it up itself (Linux does,
 * __ip_rt_update_pmtu), and would else lose it without a word. IPv6 of a length that every link carries cannot be made shorter.
 */
static __always_inline int too_long(struct __sk_buff *skb, const struct wrapping *outer)
{
	const bool is_least6 = skb->protocol == bpf_htons(ETH_P_IPV6) && outer->length <= LEAST_IP6;
	const int action = dropped(skb->ifindex, outer->length);
	int answered = is_least6 ? -1 : answer_too_big(skb, outer->path_mtu - outer->size);

	return answered < 0 ? action : answered;
}

static __always_inline int encapsulate(struct __sk_buff *skb)
{
	struct wrapping outer = { .length = skb->len - ETH_HLEN };
	const __u32 self = skb->ifindex;
	struct gre_counters *counters;
	long lost;

	outer.tunnel = bpf_map_lookup_elem(&gre_tunnels, &self);
	if (!outer.tunnel || !read_inner(skb, ETH_HLEN, skb->protocol, &outer.inner))
		return dropped(self, outer.length);
	plan_outer(skb, &outer);
	if (outer.length + outer.size > 0xffff)
		return dropped(self, outer.length);
	lost = find_way(skb, &outer, outer.length + outer.size);
	if (lost == BPF_FIB_LKUP_RET_FRAG_NEEDED && goes_in_pieces(skb, ETH_HLEN, skb->protocol, outer.length))
		lost = find_way_in_pieces(skb, &outer);
	if (lost == BPF_FIB_LKUP_RET_FRAG_NEEDED)
		return too_long(skb, &outer);
	if (lost || make_room(skb, &outer) ||
	    (outer.over_ipv4 ? write_ipv4(skb, &outer) : write_ipv6(skb, &outer)) ||
	    write_gre(skb, &outer))
		return dropped(self, outer.length);
	counters = counters_of(self);
	if (counters)
		count(&counters->sent, outer.length);
	return bpf_redirect_neigh(outer.device, NULL, 0, 0);
}
