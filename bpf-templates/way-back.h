/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The fast path's way back: what a customer's router sends through a tunnel to the anycast address is taken out of it, and
 * leaves by an uplink, without entering the customer's namespace. The root program says whose it is, by the source of the
 * packet inside, which so lies in the customer's prefixes, and that its destination is in nobody's. Whatever is not plain
 * goes on to the tunnel's device and through the namespace, as ever: docs/semantics.md, "The fast path", is the list.
 */
#pragma once

#include "forward.h"

/* That take off a packet's time to live: the customer's namespace, and the node behind it. */
#define TG_HOPS_BACK 2

/* The link between the two carries no more. */
#define TG_MOST_BACK ETH_DATA_LEN

#define TG_AF_INET6 10
#define TG_IP6_FLOW 0x0fffffff

/* Counts what was taken out of a tunnel here, by its place in the policy: packets and bytes of what was inside. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TG_TUNNELS);
	__type(key, __u32);
	__type(value, struct tg_counter);
} returned SEC(".maps");

#define TG_NEIGHBOURS 64	/* a power of two */

/* The second in which a packet last went by the namespace, so that the kernel asks whether the next hop lives. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TG_NEIGHBOURS);
	__type(key, __u32);
	__type(value, __u32);
} neighbours SEC(".maps");

/* What the outer headers say of the tunnel, in host order. */
struct tg_origin {
	__u32 remote;
	__u32 key;
	bool has_key;
};

/* A packet inside of a tunnel. */
struct tg_inside {
	const void *ip;		/* its header */
	__u32 length;		/* as the outer header says */
	__u8 family;
	__u8 protocol;		/* of what is behind its header */
};

static __always_inline const struct iphdr *tg_outer(const struct xdp_md *ctx)
{
	return (const void *)(long)ctx->data + ETH_HLEN;
}

/*
 * Reads outer headers that end where those of any other such packet end, and say nothing besides: no congestion, of which the
 * packet inside would have to be told, nor ECT(1), which it might have to be (RFC 6040).
 */
static __always_inline bool tg_read_origin(const struct xdp_md *ctx, struct tg_origin *origin)
{
	const struct ethhdr *eth = (const void *)(long)ctx->data;
	const struct iphdr *ip = tg_outer(ctx);
	const struct gre_keyed_header *header = (const void *)(ip + 1);

	if ((const void *)(header + 1) > (const void *)(long)ctx->data_end)
		return false;
	if (eth->h_proto != bpf_htons(ETH_P_IP) || *(const __u8 *)ip != TG_IP4_PLAIN ||
	    ip->protocol != IPPROTO_GRE || ip->frag_off & bpf_htons(TG_IP_UNCUT) ||
	    ip->tos & ECN_ECT1 || header->gre.flags & ~GRE_KEY || header_checksum(ip) ||
	    !tg_is_own_address(ctx, eth))
		return false;
	origin->remote = bpf_ntohl(ip->saddr);
	origin->has_key = header->gre.flags & GRE_KEY;
	origin->key = bpf_ntohl(header->key);
	return true;
}

static __always_inline bool tg_is_plain_inside4(struct tg_inside *inside, __be32 anycast)
{
	const struct iphdr *ip = inside->ip;

	inside->protocol = ip->protocol;
	return *(const __u8 *)ip == TG_IP4_PLAIN && bpf_ntohs(ip->tot_len) == inside->length &&
	       !(ip->frag_off & bpf_htons(TG_IP_UNCUT)) && ip->ttl > TG_HOPS_BACK &&
	       tg_is_unicast4(bpf_ntohl(ip->saddr)) && tg_is_unicast4(bpf_ntohl(ip->daddr)) &&
	       ip->saddr != anycast && !header_checksum(ip);
}

/* Behind which there is more to find out: extension headers, and an AH, behind which there may be a fragment header. */
static __always_inline bool tg_is_extension6(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_DSTOPTS || protocol == IPPROTO_AH;
}

static __always_inline bool tg_is_plain_inside6(struct tg_inside *inside)
{
	const struct ipv6hdr *ip = inside->ip;

	inside->protocol = ip->nexthdr;
	return ip->version == 6 && sizeof(*ip) + bpf_ntohs(ip->payload_len) == inside->length &&
	       ip->hop_limit > TG_HOPS_BACK && ip->saddr.s6_addr[0] >> 5 == 1 &&
	       ip->daddr.s6_addr[0] >> 5 == 1 && !tg_is_extension6(ip->nexthdr);
}

/* What routers choose by among ways that share, as fib lookups name it. False: it opens a connection, whose MSS may have to be lowered. */
static __always_inline bool tg_read_ports(const struct xdp_md *ctx, const struct tg_inside *inside,
					  const void *transport, struct bpf_fib_lookup *fib)
{
	const void *end = (const void *)(long)ctx->data_end;
	const __u8 *flags = transport + TG_TCP_FLAGS_AT;
	const __be16 *ports = transport;

	if (inside->protocol != IPPROTO_TCP && inside->protocol != IPPROTO_UDP)
		return true;
	if ((const void *)(ports + 2) <= end) {
		fib->sport = ports[0];
		fib->dport = ports[1];
	}
	return inside->protocol != IPPROTO_TCP || (const void *)(flags + 1) > end || !(*flags & TG_TCP_SYN);
}

/* Is the packet one that namespace and node would pass on as it is? Then `fib` asks whereto. */
static __always_inline bool tg_is_plain_inside(const struct xdp_md *ctx, struct tg_inside *inside, __be32 anycast,
					       struct bpf_fib_lookup *fib)
{
	const void *end = (const void *)(long)ctx->data_end;
	const struct iphdr *ip4 = inside->ip;
	const struct ipv6hdr *ip6 = inside->ip;

	if (inside->family == 6) {
		if ((const void *)(ip6 + 1) > end || !tg_is_plain_inside6(inside))
			return false;
		fib->family = TG_AF_INET6;
		fib->flowinfo = *(const __be32 *)ip6 & bpf_htonl(TG_IP6_FLOW);
		__builtin_memcpy(fib->ipv6_src, &ip6->saddr, sizeof(ip6->saddr));
		__builtin_memcpy(fib->ipv6_dst, &ip6->daddr, sizeof(ip6->daddr));
		return tg_read_ports(ctx, inside, ip6 + 1, fib);
	}
	if ((const void *)(ip4 + 1) > end || !tg_is_plain_inside4(inside, anycast))
		return false;
	fib->family = TG_AF_INET;
	fib->tos = ip4->tos;
	fib->ipv4_src = ip4->saddr;
	fib->ipv4_dst = ip4->daddr;
	return tg_read_ports(ctx, inside, ip4 + 1, fib);
}

/* False: this second's packet to that next hop, or to one that shares its place. */
static __always_inline bool tg_is_neighbour_confirmed(const struct bpf_fib_lookup *fib)
{
	const __u32 place = (fib->dmac[4] ^ fib->dmac[5] ^ fib->ifindex) % TG_NEIGHBOURS;
	__u32 *confirmed = bpf_map_lookup_elem(&neighbours, &place);

	return confirmed && tg_is_confirmed(confirmed);
}

/* The uplink that it fits through to a next hop that is known; NULL: none. */
static __always_inline const struct tg_uplink *tg_ask_way_back(struct xdp_md *ctx, const struct tg_inside *inside,
							       struct bpf_fib_lookup *fib)
{
	const struct tg_uplink *uplink;
	__u32 device;

	fib->ifindex = ctx->ingress_ifindex;
	fib->l4_protocol = inside->protocol;
	fib->tot_len = inside->length;
	if (bpf_fib_lookup(ctx, fib, sizeof(*fib), 0) != BPF_FIB_LKUP_RET_SUCCESS)
		return NULL;
	device = fib->ifindex;
	uplink = bpf_map_lookup_elem(&uplinks, &device);
	return uplink && !tg_is_zero(fib->dmac) && tg_is_neighbour_confirmed(fib) ? uplink : NULL;
}

/* Writes Ethernet's header over the last of the outer ones, and takes the hops off. */
static __always_inline bool tg_write_inside(struct xdp_md *ctx, __u8 family, const struct bpf_fib_lookup *fib)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	void *inner = eth + 1;

	if (inner + sizeof(struct iphdr) > (void *)(long)ctx->data_end)
		return false;
	__builtin_memcpy(eth->h_dest, fib->dmac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, fib->smac, ETH_ALEN);
	eth->h_proto = family == 6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
	for (int hops = 0; hops < TG_HOPS_BACK; hops++)
		tg_pass_hop(family, inner);
	return true;
}

/* The family that GRE's header names; 0: none that we know. */
static __always_inline __u8 tg_family_inside(const struct iphdr *ip)
{
	const struct gre_header *gre = (const void *)(ip + 1);

	if (gre->protocol == bpf_htons(ETH_P_IP))
		return 4;
	return gre->protocol == bpf_htons(ETH_P_IPV6) ? 6 : 0;
}

/*
 * Takes a packet out of the tunnel of that place in the policy and sends it on, and counts it as come out of there; or lets it
 * go on to the tunnel's device, where it is counted. What comes last cannot fail.
 */
static __always_inline int tg_send_back(struct xdp_md *ctx, const struct tg_origin *origin, __u32 place)
{
	const struct tg_tunnel *tunnel = bpf_map_lookup_elem(&tunnels, &place);
	struct tg_counter *counter = bpf_map_lookup_elem(&returned, &place);
	const __u32 size = origin->has_key ? KEYED_SIZE : PLAIN_SIZE;
	const struct iphdr *outer = tg_outer(ctx);
	struct bpf_fib_lookup fib = {};
	struct tg_inside inside = {};
	const struct tg_uplink *uplink;
	__u32 length;

	if (!tunnel || !counter || (const void *)outer + KEYED_SIZE > (const void *)(long)ctx->data_end ||
	    outer->saddr != tunnel->remote || outer->daddr != tunnel->local)
		return XDP_PASS;
	length = bpf_ntohs(outer->tot_len);
	inside.ip = (const void *)outer + size;
	inside.length = length - size;
	inside.family = tg_family_inside(outer);
	if (!inside.family || inside.length > TG_MOST_BACK ||
	    !tg_is_plain_inside(ctx, &inside, tunnel->local, &fib))
		return XDP_PASS;
	uplink = tg_ask_way_back(ctx, &inside, &fib);
	if (!uplink || !tg_cut_padding(ctx, length) || bpf_xdp_adjust_head(ctx, size))
		return XDP_PASS;
	if (!tg_write_inside(ctx, inside.family, &fib))
		return XDP_ABORTED;
	counter->packets++;
	counter->bytes += inside.length;
	return tg_leave(ctx, fib.ifindex, uplink->sends_back);
}
