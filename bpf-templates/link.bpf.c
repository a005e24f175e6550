// SPDX-License-Identifier: GPL-2.0
/*
 * What the node's own forwarding takes from a packet it gets back on its way into the customer's namespace: a hop of its
 * time to live, so that the firewall there sees packets as they arrived, as XDP did, and the edge is one hop; and the
 * stamp of the generation that judges it (stamp.h), which the namespace could not read from the mark.
 *
 * At tc egress of the node's end of a customer's link.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <stddef.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "stamp.h"

#define TTL_AT (ETH_HLEN + offsetof(struct iphdr, ttl))
#define CHECK_AT (ETH_HLEN + offsetof(struct iphdr, check))
#define HOP_LIMIT_AT (ETH_HLEN + offsetof(struct ipv6hdr, hop_limit))
#define MAX_HOPS 255

char LICENSE[] SEC("license") = "GPL";

/* The checksum is of words: the time to live is the first byte of its own, the protocol the second. */
static __always_inline void give_back_ipv4(struct __sk_buff *skb)
{
	__u8 word[2], more;
	__be16 from, to;

	if (bpf_skb_load_bytes(skb, TTL_AT, word, sizeof(word)) || word[0] == MAX_HOPS)
		return;
	__builtin_memcpy(&from, word, sizeof(from));
	more = ++word[0];
	__builtin_memcpy(&to, word, sizeof(to));
	if (bpf_l3_csum_replace(skb, CHECK_AT, from, to, sizeof(to)))
		return;
	bpf_skb_store_bytes(skb, TTL_AT, &more, sizeof(more), 0);
}

static __always_inline void give_back_ipv6(struct __sk_buff *skb)
{
	__u8 hops;

	if (bpf_skb_load_bytes(skb, HOP_LIMIT_AT, &hops, sizeof(hops)) || hops == MAX_HOPS)
		return;
	hops++;
	bpf_skb_store_bytes(skb, HOP_LIMIT_AT, &hops, sizeof(hops), 0);
}

/* A packet that came past the root program has stamp 0, by which nobody judges. */
static __always_inline void give_back_stamp(struct __sk_buff *skb)
{
	__be16 address[ETH_ALEN / 2];

	if ((skb->mark & TG_MARK_MASK) != TG_MARK)
		return;
	tg_stamp_address(address, skb->mark >> TG_MARK_STAMP);
	bpf_skb_store_bytes(skb, offsetof(struct ethhdr, h_source), address, sizeof(address), 0);
}

SEC("tc")
int give_back_hop(struct __sk_buff *skb)
{
	/* What the node itself sends was not forwarded. */
	if (!skb->ingress_ifindex)
		return TC_ACT_UNSPEC;
	give_back_stamp(skb);
	if (skb->protocol == bpf_htons(ETH_P_IP))
		give_back_ipv4(skb);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		give_back_ipv6(skb);
	return TC_ACT_UNSPEC;
}
