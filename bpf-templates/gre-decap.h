/* SPDX-License-Identifier: GPL-2.0 */
/* Takes the outer headers off a packet, if they are those of a tunnel. */
#pragma once

#include "gre-inner.h"
#include "gre-maps.h"
#include "outer.h"
#include "path-news.h"

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

static __always_inline int decapsulate(struct __sk_buff *skb)
{
	struct gre_endpoint endpoint = {};
	struct gre_device *device;
	struct outer outer;
	__u32 size = PLAIN_SIZE, length;
	int tos;

	if (skb->protocol != bpf_htons(ETH_P_IP) || skb->vlan_present ||
	    bpf_skb_load_bytes(skb, ETH_HLEN, &outer, PLAIN_SIZE))
		return TC_ACT_OK;
	if (outer.ip.protocol == IPPROTO_ICMP)
		return hear_news(skb);
	if (outer.ip.protocol != IPPROTO_GRE)
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
