/* SPDX-License-Identifier: GPL-2.0 */
/* Which tunnels there are, and what they and the rest were counted under: what gre.bpf.c and the runtime share. */
#pragma once

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in6.h>
#include <linux/pkt_cls.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define MAX_TUNNELS 65536
#define MAX_LOCALS 64
#define TOS_INHERIT 1 /* of gre_tunnel: the inner packet's, as ip_tunnel_xmit() has it */

/* The ends of a tunnel, from this side; outside of packets that arrive local and remote have changed places. */
struct gre_endpoint {
	struct in6_addr local; /* of IPv4: ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2) */
	struct in6_addr remote;
	__be32 key;
	__u8 has_key;
	__u8 protocol; /* IPPROTO_GRE; or IPPROTO_IPIP, whichever family is inside */
	__u16 reserved;
};

/* How packets of a tunnel look outside. */
struct gre_tunnel {
	struct gre_endpoint ends;
	__u8 ttl; /* 0: the inner packet's */
	__u8 tos; /* DSCP in its place, or TOS_INHERIT */
	__u8 inherits_df;
	__u8 reserved;
};

/* Where the inside of an arriving packet goes: through our veth end, to the MAC address of the customer's. */
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

/* Packets that gre_decap left to the kernel; and fragments that it took in vain. */
enum gre_left_alone {
	GRE_UNKNOWN, /* nobody's tunnel */
	GRE_FRAGMENT, /* of what did not come whole, or is too long; what is not for us */
	GRE_UNSUPPORTED, /* routing in any header, options that the kernel has to judge, not IP inside */
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

/* The addresses that tunnels end at here. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_LOCALS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct in6_addr);
	__type(value, __u32);
} gre_locals SEC(".maps");

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

static __always_inline void set_ipv4(struct in6_addr *address, __be32 ipv4)
{
	address->s6_addr32[2] = bpf_htonl(0xffff);
	address->s6_addr32[3] = ipv4;
}

static __always_inline bool is_ipv4(const struct in6_addr *address)
{
	const __u32 *words = address->s6_addr32;

	return !words[0] && !words[1] && words[2] == bpf_htonl(0xffff);
}

static __always_inline bool is_same6(const struct in6_addr *a, const struct in6_addr *b)
{
	return !((a->s6_addr32[0] ^ b->s6_addr32[0]) | (a->s6_addr32[1] ^ b->s6_addr32[1]) |
		 (a->s6_addr32[2] ^ b->s6_addr32[2]) | (a->s6_addr32[3] ^ b->s6_addr32[3]));
}

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
	return TC_ACT_UNSPEC;
}
