// SPDX-License-Identifier: GPL-2.0
/*
 * GRE (RFC 2784, keys of RFC 2890) over IPv4 for kernels without GRE devices. Same bytes on the wire as the
 * kernel's `ip link add type gre local L remote R ttl T tos inherit`.
 *
 * A tunnel is a veth pair. Its end in the customer's namespace takes the place of the GRE device; gre_encap
 * sits at tc ingress of the other end, in the default namespace. gre_decap sits at tc ingress of each uplink.
 * Nothing about a tunnel is kept between packets, so any server can decapsulate what any other encapsulated.
 */
#include <stddef.h>
#include <asm-generic/errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "outer.h"

#define AF_INET 2
#define IP_FRAGMENT 0x3fff /* more fragments, or an offset */
#define MAX_TUNNELS 65536

/* How packets of a tunnel look outside. */
struct gre_tunnel {
	__be32 local;
	__be32 remote;
	__be32 key;
	__u8 has_key;
	__u8 ttl;
	__u16 reserved;
};

/* Which tunnel an arriving packet belongs to. */
struct gre_endpoint {
	__be32 local;
	__be32 remote;
	__be32 key;
	__u32 has_key;
};

/* Where its inside goes: through our veth end, to the MAC address of the customer's. */
struct gre_device {
	__u32 ifindex;
	__u8 destination[ETH_ALEN];
	__u8 source[ETH_ALEN];
};

struct gre_counter {
	__u64 packets;
	__u64 bytes; /* of the inner packets */
};

struct gre_counters {
	struct gre_counter sent;
	struct gre_counter received;
	struct gre_counter dropped;
};

/* Packets that gre_decap left to the kernel. */
enum gre_left_alone {
	GRE_UNKNOWN, /* nobody's tunnel */
	GRE_FRAGMENT, /* only the kernel can reassemble */
	GRE_UNSUPPORTED, /* IPv4 options; checksum, sequence or routing flags; not IP inside */
	GRE_LEFT_ALONE,
};

/* Key: ifindex of the tunnel's veth end in the default namespace. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_TUNNELS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct gre_tunnel);
} gre_tunnels SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_TUNNELS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct gre_endpoint);
	__type(value, struct gre_device);
} gre_endpoints SEC(".maps");

/* Same key as gre_tunnels; entries are made by a tunnel's first packet. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, MAX_TUNNELS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct gre_counters);
} gre_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GRE_LEFT_ALONE);
	__type(key, __u32);
	__type(value, struct gre_counter);
} gre_left_alone SEC(".maps");

static __always_inline struct gre_counters *counters_of(__u32 ifindex)
{
	struct gre_counters *found = bpf_map_lookup_elem(&gre_counters, &ifindex);
	struct gre_counters none = {};

	if (found)
		return found;
	bpf_map_update_elem(&gre_counters, &ifindex, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&gre_counters, &ifindex);
}

static __always_inline void count(struct gre_counter *counter, __u32 bytes)
{
	counter->packets++;
	counter->bytes += bytes;
}

static __always_inline int dropped(__u32 ifindex, __u32 bytes)
{
	struct gre_counters *counters = counters_of(ifindex);

	if (counters)
		count(&counters->dropped, bytes);
	return TC_ACT_SHOT;
}

static __always_inline int left_alone(struct __sk_buff *skb, __u32 reason)
{
	struct gre_counter *counter = bpf_map_lookup_elem(&gre_left_alone, &reason);

	if (counter)
		count(counter, skb->len - ETH_HLEN);
	return TC_ACT_OK;
}

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

SEC("tc")
int gre_encap(struct __sk_buff *skb)
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

/* Takes the outer headers off and hands the rest to the tunnel's device. */
static __always_inline int deliver(struct __sk_buff *skb, struct gre_device *device, __be16 protocol,
				   __u32 size)
{
	struct ethhdr eth = { .h_proto = protocol };
	struct gre_counters *counters;

	if (bpf_skb_adjust_room(skb, -(__s32)size, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO))
		return dropped(device->ifindex, skb->len - ETH_HLEN - size);
	__builtin_memcpy(eth.h_dest, device->destination, ETH_ALEN);
	__builtin_memcpy(eth.h_source, device->source, ETH_ALEN);
	if (bpf_skb_store_bytes(skb, 0, &eth, sizeof(eth), 0))
		return dropped(device->ifindex, skb->len - ETH_HLEN);
	counters = counters_of(device->ifindex);
	if (counters)
		count(&counters->received, skb->len - ETH_HLEN);
	/*
	 * By way of veth_xmit, which reads skb->protocol afresh from the Ethernet header: bpf_redirect_peer
	 * would keep IPv4's for an IPv6 packet.
	 */
	return bpf_redirect(device->ifindex, 0);
}

SEC("tc")
int gre_decap(struct __sk_buff *skb)
{
	struct gre_endpoint endpoint = {};
	struct gre_device *device;
	struct outer outer;
	__u32 size = PLAIN_SIZE, length;
	int tos;

	if (skb->protocol != bpf_htons(ETH_P_IP) || skb->vlan_present ||
	    bpf_skb_load_bytes(skb, ETH_HLEN, &outer, PLAIN_SIZE) || outer.ip.protocol != IPPROTO_GRE)
		return TC_ACT_OK;
	if (outer.ip.frag_off & bpf_htons(IP_FRAGMENT))
		return left_alone(skb, GRE_FRAGMENT);
	if (outer.ip.version != 4 || outer.ip.ihl != sizeof(outer.ip) / 4 || outer.gre.flags & ~GRE_KEY)
		return left_alone(skb, GRE_UNSUPPORTED);
	if (outer.gre.flags) {
		if (bpf_skb_load_bytes(skb, ETH_HLEN, &outer, KEYED_SIZE))
			return left_alone(skb, GRE_UNSUPPORTED);
		size = KEYED_SIZE;
		endpoint.key = outer.key;
		endpoint.has_key = 1;
	}
	endpoint.local = outer.ip.daddr;
	endpoint.remote = outer.ip.saddr;
	device = bpf_map_lookup_elem(&gre_endpoints, &endpoint);
	if (!device)
		return left_alone(skb, GRE_UNKNOWN);

	/* What ip_rcv would do: a wrong checksum or length is refused, padding is cut off. */
	length = bpf_ntohs(outer.ip.tot_len);
	if (header_checksum(&outer.ip) || length < size || skb->len < ETH_HLEN + length)
		return dropped(device->ifindex, skb->len - ETH_HLEN);
	if (skb->len > ETH_HLEN + length && !skb->gso_size && bpf_skb_change_tail(skb, ETH_HLEN + length, 0))
		return dropped(device->ifindex, length - size);
	tos = inner_tos(skb, ETH_HLEN + size, outer.gre.protocol);
	if (tos < 0)
		return left_alone(skb, GRE_UNSUPPORTED);
	if ((outer.ip.tos & ECN_MASK) == ECN_CE && (tos & ECN_MASK) != ECN_CE) {
		/* A sender that does not know ECN learns of congestion by loss. */
		if (!(tos & ECN_MASK) || set_inner_ce(skb, ETH_HLEN + size, outer.gre.protocol, tos))
			return dropped(device->ifindex, length - size);
	}
	return deliver(skb, device, outer.gre.protocol, size);
}

char _license[] SEC("license") = "GPL";
