/* SPDX-License-Identifier: GPL-2.0 */
/* Takes the outer headers off a packet that is of a tunnel, and hands on what was inside. */
#pragma once

#include <linux/if_packet.h>
#include "gre-arrival.h"
#include "gre-inner.h"
#include "gre-maps.h"
#include "gre-pieces.h"
#include "outer.h"
#include "path-news.h"

#define VLAN_ID 0x0fff /* of a tag's control information; 0: it says only how urgent a frame is (IEEE 802.1Q) */

/*
 * bpf_skb_adjust_room leaves at least a header of skb->protocol's family, and an IPv4 packet may be shorter than one of IPv6:
 * that much is taken by bpf_skb_change_proto, which changes the family, too.
 */
static __always_inline long take_off(struct __sk_buff *skb, __u32 size, __be16 inside)
{
	if (skb->protocol == bpf_htons(ETH_P_IPV6) && inside == bpf_htons(ETH_P_IP)) {
		if (bpf_skb_change_proto(skb, inside, 0))
			return -1;
		size -= sizeof(struct ipv6hdr) - sizeof(struct iphdr);
	}
	return bpf_skb_adjust_room(skb, -(__s32)size, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO);
}

/*
 * To the tunnel's device by way of veth_xmit, which reads skb->protocol afresh from the Ethernet header. A veth passes on nothing
 * that is longer than its MTU, as a device of the kernel's does with what comes out of its tunnel: such a packet goes to the
 * veth's other end at once, where nobody reads anything afresh.
 */
static __always_inline long hand_over(struct __sk_buff *skb, const struct gre_device *device, __be16 inside)
{
	const __s32 taken = sizeof(struct ipv6hdr) - sizeof(struct iphdr);
	__u32 mtu = 0;

	if (bpf_check_mtu(skb, device->ifindex, &mtu, 0, 0) != BPF_MTU_CHK_RET_FRAG_NEEDED)
		return bpf_redirect(device->ifindex, 0);
	if (skb->protocol != inside &&
	    (bpf_skb_change_proto(skb, inside, 0) ||
	     bpf_skb_adjust_room(skb, -taken, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO)))
		return TC_ACT_SHOT;
	skb->mark = 0;
	return bpf_redirect_peer(device->ifindex, 0);
}

/* Takes the outer headers off and hands the rest to the tunnel's device. */
static __always_inline int deliver(struct __sk_buff *skb, const struct gre_device *device,
				   const struct arrival *arrival)
{
	struct ethhdr eth = { .h_proto = arrival->inside };
	const __u32 length = arrival->length - arrival->size;
	struct gre_counters *counters;

	if (take_off(skb, arrival->size, arrival->inside) || (skb->vlan_present && bpf_skb_vlan_pop(skb)))
		return dropped(device->ifindex, length);
	__builtin_memcpy(eth.h_dest, device->destination, ETH_ALEN);
	__builtin_memcpy(eth.h_source, device->source, ETH_ALEN);
	if (bpf_skb_store_bytes(skb, 0, &eth, sizeof(eth), 0))
		return dropped(device->ifindex, length);
	counters = counters_of(device->ifindex);
	if (counters)
		count(&counters->received, skb->len - ETH_HLEN);
	return hand_over(skb, device, arrival->inside);
}

static __always_inline int decapsulate(struct __sk_buff *skb)
{
	struct arrival arrival = {};
	const struct gre_device *device;
	struct inner inner;
	int read;

	/* Behind us are classifiers of the node's own: TC_ACT_OK would end them all. */
	if (skb->vlan_tci & VLAN_ID || skb->pkt_type == PACKET_OTHERHOST)
		return TC_ACT_UNSPEC;
	read = read_outside(skb, &arrival);
	if (read == ARRIVAL_NO_TUNNEL)
		return arrival.protocol == IPPROTO_ICMP || arrival.protocol == IPPROTO_ICMPV6 ? hear_news(skb)
											    : TC_ACT_UNSPEC;
	if (read == GRE_FRAGMENT)
		read = put_together(skb, &arrival);
	if (read == ARRIVAL_TAKEN)
		return TC_ACT_STOLEN;
	if (read == ARRIVAL_READ)
		read = read_tunnel(skb, &arrival);
	if (read != ARRIVAL_READ)
		return left_alone(skb, read);
	device = bpf_map_lookup_elem(&gre_endpoints, &arrival.ends);
	if (!device)
		return left_alone(skb, GRE_UNKNOWN);

	/* What ip_rcv and ip6_rcv would do: a wrong checksum or length is refused, padding is cut off. */
	if (arrival.is_wrong || arrival.length < arrival.size || skb->len < ETH_HLEN + arrival.length)
		return dropped(device->ifindex, skb->len - ETH_HLEN);
	if (skb->len > ETH_HLEN + arrival.length && !skb->gso_size &&
	    bpf_skb_change_tail(skb, ETH_HLEN + arrival.length, 0))
		return dropped(device->ifindex, arrival.length - arrival.size);
	if (!read_inner(skb, ETH_HLEN + arrival.size, arrival.inside, &inner))
		return left_alone(skb, GRE_UNSUPPORTED);
	if (tell_congestion(skb, ETH_HLEN + arrival.size, &inner, arrival.tos))
		return dropped(device->ifindex, arrival.length - arrival.size);
	return deliver(skb, device, &arrival);
}
