/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What routers between a tunnel's ends say of its packets: ICMP's "fragmentation needed", to the anycast address. It comes to
 * any server, be it the one that sent the packet or not: the server learns from it, and where enough of the packet is quoted
 * it tells the packet's sender at once.
 */
#pragma once

#include "gre-maps.h"
#include "path-mtu.h"

/* Our own packet as it is quoted, if it is GRE over IPv4. */
struct outer {
	struct iphdr ip;
	struct gre_header gre;
	__be32 key;
};

struct news {
	struct iphdr ip;
	struct too_big icmp;
	struct outer quote;
};

#define NEWS_AT (ETH_HLEN + offsetof(struct news, icmp))
#define QUOTE_AT (ETH_HLEN + offsetof(struct news, quote))

/* A whole ICMP message with a right checksum. */
static __always_inline bool is_undamaged(struct __sk_buff *skb, __u32 length)
{
	__u32 at = NEWS_AT, bit;
	__u64 total = 0;
	__be16 last = 0;
	__s64 sum;

	if (length > LONGEST_NEWS || bpf_skb_pull_data(skb, NEWS_AT + length))
		return false;
#pragma unroll
	for (bit = 512; bit >= 4; bit /= 2) {
		if (!(length & bit))
			continue;
		sum = sum_bytes(skb, at, bit);
		if (sum < 0)
			return false;
		total += sum;
		at += bit;
	}
	if (length & 2) {
		if (bpf_skb_load_bytes(skb, at, &last, 2))
			return false;
		total += last;
		at += 2;
	}
	last = 0;
	if (length & 1 && bpf_skb_load_bytes(skb, at, &last, 1))
		return false;
	return !sum_checksum(total + last);
}

/* Is this about a packet that we may have sent? Anyone can say so who knows both ends of the tunnel, and its key. */
static __always_inline bool is_about_tunnel(const struct news *news)
{
	const struct outer *quote = &news->quote;

	return news->ip.version == 4 && news->ip.ihl == sizeof(news->ip) / 4 &&
	       !(news->ip.frag_off & bpf_htons(IP_FRAGMENT)) && news->icmp.type == ICMP_DEST_UNREACH &&
	       news->icmp.code == ICMP_FRAG_NEEDED && quote->ip.version == 4 &&
	       quote->ip.ihl == sizeof(quote->ip) / 4 && quote->ip.protocol == IPPROTO_GRE &&
	       !(quote->ip.frag_off & bpf_htons(IP_OFFSET)) && quote->ip.saddr == news->ip.daddr &&
	       bpf_ntohs(quote->ip.tot_len) > bpf_ntohs(news->icmp.mtu) && !(quote->gre.flags & ~GRE_KEY);
}

/* A word of the message, whose checksum stays right. */
static __always_inline long alter(struct __sk_buff *skb, __u32 offset, __be16 from, __be16 to)
{
	const __u32 check = NEWS_AT + offsetof(struct too_big, check);

	return bpf_skb_store_bytes(skb, offset, &to, sizeof(to), 0) ||
	       bpf_l4_csum_replace(skb, check, from, to, sizeof(to));
}

/*
 * The kernel believes what it hears of GRE only where it has GRE. So the quote becomes one of an ICMP echo reply (icmp_err),
 * and the kernel does with it what ipgre_err() would.
 */
static __always_inline long become_known(struct __sk_buff *skb, const struct news *news)
{
	const __u32 ip = QUOTE_AT, gre = QUOTE_AT + offsetof(struct outer, gre);
	const __be16 *ttl = (const __be16 *)&news->quote.ip.ttl;

	return alter(skb, ip + offsetof(struct iphdr, ttl), *ttl,
		     bpf_htons(news->quote.ip.ttl << 8 | IPPROTO_ICMP)) ||
	       alter(skb, gre, news->quote.gre.flags, bpf_htons(ICMP_ECHOREPLY << 8));
}

static __always_inline struct gre_device *device_of(const struct outer *quote)
{
	struct gre_endpoint endpoint = { .protocol = IPPROTO_GRE };

	set_ipv4(&endpoint.local, quote->ip.saddr);
	set_ipv4(&endpoint.remote, quote->ip.daddr);
	if (quote->gre.flags) {
		endpoint.key = quote->key;
		endpoint.has_key = 1;
	}
	return bpf_map_lookup_elem(&gre_endpoints, &endpoint);
}

/* Whether the quoted packet's sender is to be told, and of what. */
static __always_inline bool is_for_sender(struct __sk_buff *skb, const struct news *news, struct long_packet *packet)
{
	const __u32 size = news->quote.gre.flags ? KEYED_SIZE : PLAIN_SIZE;
	const __u16 mtu = bpf_ntohs(news->icmp.mtu), length = bpf_ntohs(news->quote.ip.tot_len);

	packet->offset = QUOTE_AT + size;
	packet->protocol = news->quote.gre.protocol;
	packet->mtu = (mtu < LEAST_PATH ? LEAST_PATH : mtu) - size;
	return (packet->protocol == bpf_htons(ETH_P_IP) || packet->protocol == bpf_htons(ETH_P_IPV6)) &&
	       length > packet->mtu + size &&
	       !goes_in_pieces(skb, packet->offset, packet->protocol, length - size);
}

/* Passes what a router says on to whoever sent the packet inside, by the device of the tunnel that it went into. */
static __always_inline int tell_sender(struct __sk_buff *skb, const struct long_packet *packet,
				       const struct gre_device *device, __u32 end)
{
	long error = -1;

	/* The verifier wants a constant size. */
	if (packet->offset + QUOTED <= end)
		error = become_answer(skb, packet, QUOTED, device->destination, device->source);
	else if (packet->offset + QUOTED_AT_LEAST <= end)
		error = become_answer(skb, packet, QUOTED_AT_LEAST, device->destination, device->source);
	return error ? TC_ACT_SHOT : bpf_redirect(device->ifindex, 0);
}

/* An ICMP message. Whatever it says, it is the kernel's, too. */
static __always_inline int hear_news(struct __sk_buff *skb)
{
	struct long_packet packet = {};
	struct gre_device *device;
	struct news news;
	__u32 length;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &news, sizeof(news)) || !is_about_tunnel(&news))
		return TC_ACT_OK;
	device = device_of(&news.quote);
	length = bpf_ntohs(news.ip.tot_len);
	if (!device || length < sizeof(news) || header_checksum(&news.ip) ||
	    !is_undamaged(skb, length - sizeof(news.ip)) || become_known(skb, &news))
		return TC_ACT_OK;
	if (!is_for_sender(skb, &news, &packet) || bpf_clone_redirect(skb, skb->ifindex, BPF_F_INGRESS))
		return TC_ACT_OK;
	return tell_sender(skb, &packet, device, ETH_HLEN + length);
}
