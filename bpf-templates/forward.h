/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The fast path, for customers whose policy says `datapath: "xdp"`: a packet that the firewall allows is encapsulated
 * (GRE over IPv4, as gre.bpf.c and the kernel's devices do it) and leaves by an uplink, without entering the customer's
 * namespace. Whatever is not plain goes on to the namespace instead, which judges, counts and answers as ever: what
 * the node's kernel may drop or has to answer, what must be cut up or put together, what has no tunnel of its own
 * here, and what nobody knows the next hop of. docs/semantics.md, "The fast path", is the list.
 */
#pragma once

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include "outer.h"
#include "tidegate.h"
#include "uplinks.h"

#define TG_TUNNELS 64
#define TG_NO_TUNNEL TG_TUNNELS	/* of a destination: no route, or one that only the kernel can take */

#define TG_AF_INET 2
#define TG_TCP_FLAGS_AT 13
#define TG_IP_UNCUT 0xbfff	/* of frag_off: all but "don't fragment" */
#define TG_IP4_PLAIN 0x45	/* version 4, no options */

/*
 * A tunnel as the runtime fills it in, by its place in the policy. While `remote` is 0 nothing is sent by it here; nor while `mtu` is,
 * as the tunnel's router is dead: the namespace knows what is to become of its packets. What such a router sends still comes back.
 */
struct tg_tunnel {
	__be32 local;
	__be32 remote;
	__be32 key;
	__u16 mtu;		/* of inner packets */
	__u8 ttl;
	__u8 has_key;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TG_TUNNELS);
	__type(key, __u32);
	__type(value, struct tg_tunnel);
} tunnels SEC(".maps");

/*
 * What the node's routing says of a tunnel's far end. Asked once a jiffy and CPU: a packet in between finds what the
 * first one was told, at most some milliseconds ago.
 */
struct tg_hop {
	__u64 asked;		/* in jiffies; 0: never */
	__u32 ifindex;		/* 0: none that packets can be sent by from here */
	__be32 local, remote;	/* for whom was asked */
	__u16 mtu;		/* of outer packets */
	__u8 sends_back;	/* the device (struct tg_uplink) */
	__u8 reserved;
	__u8 destination[ETH_ALEN];
	__u8 source[ETH_ALEN];
	__u32 confirmed;	/* the second in which a packet last went by the namespace */
	struct tg_counter sent;	/* inner packets */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TG_TUNNELS);
	__type(key, __u32);
	__type(value, struct tg_hop);
} hops SEC(".maps");

/* Neither of this network or loopback, which the kernel drops as sources, nor multicast and what is above. */
static __always_inline bool tg_is_unicast4(__u32 address)
{
	const __u32 first = address >> 24;

	return first != 0 && first != 127 && first < 224;
}

/* RFC 4291, section 2.4, and what is in use of it: 2000::/3. */
static __always_inline bool tg_is_unicast6(const volatile struct tg_ip6 *address)
{
	return address->high >> 61 == 1;
}

/* Would the kernel pass it on as it is, and by nothing but its destination? `ip` is where it begins. */
static __always_inline bool tg_is_plain4(TG_PACKET *p, const struct iphdr *ip)
{
	return *(const __u8 *)ip == TG_IP4_PLAIN && !(ip->frag_off & bpf_htons(TG_IP_UNCUT)) &&
	       ip->ttl > 1 && tg_is_unicast4(p->src4) && tg_is_unicast4(p->dst4) &&
	       !header_checksum(ip);
}

/* An extension header that the walk went over is not the protocol; behind an AH there may be a fragment header still. */
static __always_inline bool tg_is_plain6(TG_PACKET *p, const struct ipv6hdr *ip)
{
	return ip->nexthdr == p->ip_proto && p->proto_known && !p->fragment6_bytes &&
	       ip->hop_limit > 1 && tg_is_unicast6(&p->src6) && tg_is_unicast6(&p->dst6);
}

/*
 * The uplink that packets come in by, looked up once a jiffy and CPU as next hops are: of all that is asked of a packet here, a
 * hash map would take the most.
 */
struct tg_arrival {
	__u64 asked;		/* in jiffies; 0: never */
	__u32 device;
	struct tg_uplink uplink;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tg_arrival);
} arrivals SEC(".maps");

/* NULL: the frame came in by another device. */
static __always_inline const struct tg_uplink *tg_uplink_of(const struct xdp_md *ctx)
{
	const __u32 zero = 0, device = ctx->ingress_ifindex;
	const __u64 now = bpf_jiffies64();
	struct tg_arrival *last = bpf_map_lookup_elem(&arrivals, &zero);
	const struct tg_uplink *uplink;

	if (!last)
		return NULL;
	if (last->asked != now || last->device != device) {
		uplink = bpf_map_lookup_elem(&uplinks, &device);
		if (!uplink)
			return NULL;
		last->uplink = *uplink;
		last->device = device;
		last->asked = now;
	}
	return &last->uplink;
}

static __always_inline bool tg_is_own_address(const struct xdp_md *ctx, const struct ethhdr *eth)
{
	const struct tg_uplink *uplink = tg_uplink_of(ctx);
	const __u16 *to = (const __u16 *)eth->h_dest, *own;

	if (!uplink)
		return false;
	own = (const __u16 *)uplink->address;
	return to[0] == own[0] && to[1] == own[1] && to[2] == own[2];
}

/* To this node by an uplink, and one that any router passes on without a second look. */
static __always_inline bool tg_is_plain(const struct xdp_md *ctx, TG_PACKET *p)
{
	const struct ethhdr *eth = (const void *)(long)ctx->data;
	const void *ip = eth + 1;

	/* The root program has seen that either header is whole; the verifier has not. */
	if (ip + sizeof(struct ipv6hdr) > (const void *)(long)ctx->data_end &&
	    (p->family == 6 || ip + sizeof(struct iphdr) > (const void *)(long)ctx->data_end))
		return false;
	if (p->tagged || !tg_is_own_address(ctx, eth))
		return false;
	/* What opens a connection may have to promise less (MSS), which the namespace sees to. */
	if (p->tcp_bytes > TG_TCP_FLAGS_AT && p->tcp_flags & TG_TCP_SYN)
		return false;
	return p->family == 4 ? tg_is_plain4(p, ip) : tg_is_plain6(p, ip);
}

static __always_inline bool tg_is_zero(const __u8 *address)
{
	__u8 bits = 0;

	for (int i = 0; i < ETH_ALEN; i++)
		bits |= address[i];
	return !bits;
}

/*
 * The kernel gives out a next hop that has been silent for long (NUD_STALE), and asks it to say that it lives only where it
 * sends itself. So, once a second, one packet goes by the namespace. False: this is the one.
 */
static __always_inline bool tg_is_confirmed(__u32 *confirmed)
{
#ifdef TG_TEST_CLOCK
	/* That one's seconds are no neighbour's. */
	return true;
#else
	const __u32 second = bpf_ktime_get_ns() / 1000000000;

	if (*confirmed == second)
		return true;
	*confirmed = second;
	return false;
#endif
}

/*
 * Asks the node's routing. What leaves must leave by an uplink: the root program is there, so the device takes frames from
 * XDP (one of another kind, say of a VLAN, would lose them without a word).
 */
static __always_inline void tg_ask_hop(struct xdp_md *ctx, const struct tg_tunnel *tunnel,
				       struct tg_hop *hop)
{
	struct bpf_fib_lookup fib = {
		.family = TG_AF_INET,
		.l4_protocol = IPPROTO_GRE,
		.ifindex = ctx->ingress_ifindex,
		.ipv4_src = tunnel->local,
		.ipv4_dst = tunnel->remote,
	};
	const struct tg_uplink *uplink;
	__u32 device;

	hop->local = tunnel->local;
	hop->remote = tunnel->remote;
	hop->ifindex = 0;
	if (bpf_fib_lookup(ctx, &fib, sizeof(fib), 0) != BPF_FIB_LKUP_RET_SUCCESS)
		return;
	device = fib.ifindex;
	uplink = bpf_map_lookup_elem(&uplinks, &device);
	/* A device without neighbours (ARP) has nobody to name. */
	if (!uplink || tg_is_zero(fib.dmac))
		return;
	hop->sends_back = uplink->sends_back;
	__builtin_memcpy(hop->destination, fib.dmac, ETH_ALEN);
	__builtin_memcpy(hop->source, fib.smac, ETH_ALEN);
	hop->mtu = fib.mtu_result;
	hop->ifindex = device;
}

/* Whether a packet of `length` bytes fits through the tunnel and finds its way behind it. */
static __always_inline bool tg_has_way(struct xdp_md *ctx, TG_PACKET *p, const struct tg_tunnel *tunnel,
				       struct tg_hop *hop, __u32 size)
{
	const __u64 now = bpf_jiffies64();
	const __u32 length = p->length;

	/* The node does not take packets from its own address for those of others. */
	if (!tunnel->remote || length > tunnel->mtu ||
	    (p->family == 4 && p->src4 == bpf_ntohl(tunnel->local)))
		return false;
	if (hop->asked != now && hop->ifindex && !tg_is_confirmed(&hop->confirmed))
		return false;
	if (hop->asked != now || hop->remote != tunnel->remote || hop->local != tunnel->local) {
		tg_ask_hop(ctx, tunnel, hop);
		hop->asked = now;
	}
	return hop->ifindex && length + size <= hop->mtu;
}

/* A hop less, and the checksum with it, as ip_decrease_ttl() does. The packet's TOS or traffic class. */
static __always_inline __u8 tg_pass_hop(__u8 family, void *inner)
{
	struct iphdr *ip4 = inner;
	struct ipv6hdr *ip6 = inner;
	__u32 check;

	if (family == 6) {
		const __u8 *bytes = inner;

		ip6->hop_limit--;
		return bytes[0] << 4 | bytes[1] >> 4;
	}
	check = ip4->check + bpf_htons(0x0100);
	ip4->check = check + (check >= 0xffff);
	ip4->ttl--;
	return ip4->tos;
}

/* Writes Ethernet's and the outer headers into the `size` bytes that were made before the packet. */
static __always_inline bool tg_write_outer(struct xdp_md *ctx, TG_PACKET *p, const struct tg_tunnel *tunnel,
					   const struct tg_hop *hop, const __u32 size)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	header_word *words = (void *)(eth + 1);
	struct gre_header *gre = (void *)(words + 5);
	void *inner = (void *)words + size;
	const __u8 family = p->family;
	__u32 length, hops;
	__be16 check;

	if (inner + sizeof(struct iphdr) > (void *)(long)ctx->data_end)
		return false;
	__builtin_memcpy(eth->h_dest, hop->destination, ETH_ALEN);
	__builtin_memcpy(eth->h_source, hop->source, ETH_ALEN);
	eth->h_proto = bpf_htons(ETH_P_IP);

	/* Never fragmented, so the identification may be zero (RFC 6864). */
	length = TG_IP4_PLAIN << 24 | outer_tos(tg_pass_hop(family, inner)) << 16 | (p->length + size);
	hops = tunnel->ttl << 24 | IPPROTO_GRE << 16;
	check = words_checksum(bpf_htonl(length), bpf_htonl(IP_DF), bpf_htonl(hops), tunnel->local,
			       tunnel->remote);
	words[0] = bpf_htonl(length);
	words[1] = bpf_htonl(IP_DF);
	words[2] = bpf_htonl(hops | bpf_ntohs(check));
	words[3] = tunnel->local;
	words[4] = tunnel->remote;
	gre->flags = size == KEYED_SIZE ? GRE_KEY : 0;
	gre->protocol = family == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	if (size == KEYED_SIZE)
		words[6] = tunnel->key;
	return true;
}

/* Cuts off what is only there to fill the frame, behind a packet of `length` bytes. */
static __always_inline bool tg_cut_padding(struct xdp_md *ctx, __u32 length)
{
	long frame = (void *)(long)ctx->data_end - (void *)(long)ctx->data;
	int padding;

	/* Keeps clang from adding the length to a pointer instead, which the verifier refuses. */
	asm volatile("" : "+r"(frame));
	padding = frame - sizeof(struct ethhdr) - length;
	return padding <= 0 || !bpf_xdp_adjust_tail(ctx, -padding);
}

/*
 * Sends a frame by an uplink. Back by the one that it came by, a driver sends it itself, which takes less, and which all that have XDP
 * are to do (NETDEV_XDP_ACT_BASIC in linux/netdev.h); to another one the kernel brings it, whose driver must take frames
 * (ndo_xdp_xmit).
 */
static __always_inline int tg_leave(const struct xdp_md *ctx, __u32 ifindex, bool sends_back)
{
	return sends_back && ifindex == ctx->ingress_ifindex ? XDP_TX : bpf_redirect(ifindex, 0);
}

/*
 * Sends an allowed packet by the tunnel of that place in the policy, and counts it under its rule; or lets it go on to the
 * namespace, where it is counted. What comes last cannot fail.
 */
static __always_inline int tg_forward(struct xdp_md *ctx, TG_PACKET *p, void *counters, __u32 rule,
				      __u32 place)
{
	const struct tg_tunnel *tunnel = bpf_map_lookup_elem(&tunnels, &place);
	struct tg_hop *hop = bpf_map_lookup_elem(&hops, &place);
	__u32 size;

	if (!tunnel || !hop || !tg_is_plain(ctx, p))
		return XDP_PASS;
	size = tunnel->has_key ? KEYED_SIZE : PLAIN_SIZE;
	if (!tg_has_way(ctx, p, tunnel, hop, size) || !tg_cut_padding(ctx, p->length) ||
	    bpf_xdp_adjust_head(ctx, -(int)size))
		return XDP_PASS;
	/* The verifier wants a constant size. */
	if (size == KEYED_SIZE ? !tg_write_outer(ctx, p, tunnel, hop, KEYED_SIZE)
			       : !tg_write_outer(ctx, p, tunnel, hop, PLAIN_SIZE))
		return XDP_ABORTED;
	tg_decided(p, counters, rule);
	hop->sent.packets++;
	hop->sent.bytes += p->length;
	return tg_leave(ctx, hop->ifindex, hop->sends_back);
}
