/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What routers between a tunnel's ends say of its packets: ICMP's "fragmentation needed" and ICMPv6's "packet too big", to the
 * anycast address. It comes to any server, be it the one that sent the packet or not: the server learns from it, and where
 * enough of the packet is quoted it tells the packet's sender at once.
 */
#pragma once

#include "gre-maps.h"
#include "path-mtu.h"

/* Longer messages are passed on to nobody: they have 576 bytes at most, or the 1280 of IPv6 (RFC 1812, RFC 4443). */
#define LONGEST_NEWS 1280
#define PIECE 64

struct news4 {
	struct iphdr ip;
	struct too_big icmp;
	struct iphdr quote;
};

struct news6 {
	struct ipv6hdr ip;
	struct too_big icmp;
	struct ipv6hdr quote;
};

/* Such a message. Places are in the frame. */
struct news {
	struct gre_endpoint ends; /* of the quoted packet, as it was sent */
	__u32 at;
	__u32 length;
	__u32 quote_at;
	__u32 behind_at; /* of what stands behind the quoted IP header */
	__u64 sum; /* of what the checksum covers besides the message */
	__u16 mtu;
	__u16 outer_size; /* of the quoted packet's outer headers */
	__u16 outer_length; /* of the quoted packet with them */
	__be16 inside; /* EtherType */
	__be16 first; /* word behind the quoted IP header */
	__u8 protocol; /* of the quoted IP header */
	__u8 hops; /* and its time to live */
};

/* A message that came whole with IPv4, and quotes what was sent from where it came to. */
static __always_inline bool read_news4(struct __sk_buff *skb, struct news *news)
{
	struct news4 read;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &read, sizeof(read)) || read.ip.version != 4 ||
	    read.ip.ihl != sizeof(read.ip) / 4 || read.ip.frag_off & bpf_htons(IP_FRAGMENT) ||
	    header_checksum(&read.ip) || read.icmp.type != ICMP_DEST_UNREACH ||
	    read.icmp.code != ICMP_FRAG_NEEDED || read.quote.version != 4 ||
	    read.quote.ihl != sizeof(read.quote) / 4 || read.quote.frag_off & bpf_htons(IP_OFFSET) ||
	    read.quote.saddr != read.ip.daddr)
		return false;
	set_ipv4(&news->ends.local, read.quote.saddr);
	set_ipv4(&news->ends.remote, read.quote.daddr);
	news->at = ETH_HLEN + offsetof(struct news4, icmp);
	news->length = bpf_ntohs(read.ip.tot_len) - sizeof(read.ip);
	news->quote_at = ETH_HLEN + offsetof(struct news4, quote);
	news->behind_at = ETH_HLEN + sizeof(read);
	news->mtu = bpf_ntohs(read.icmp.mtu);
	news->outer_size = sizeof(read.quote);
	news->outer_length = bpf_ntohs(read.quote.tot_len);
	news->protocol = read.quote.protocol;
	news->hops = read.quote.ttl;
	return true;
}

static __always_inline bool read_news6(struct __sk_buff *skb, struct news *news)
{
	struct news6 read;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &read, sizeof(read)) || read.ip.version != 6 ||
	    read.ip.nexthdr != IPPROTO_ICMPV6 || read.icmp.type != ICMPV6_PKT_TOOBIG ||
	    read.icmp.code || read.icmp.unused || read.quote.version != 6 ||
	    is_ipv4(&read.quote.saddr) || is_ipv4(&read.quote.daddr) ||
	    !is_same6(&read.quote.saddr, &read.ip.daddr))
		return false;
	news->ends.local = read.quote.saddr;
	news->ends.remote = read.quote.daddr;
	news->at = ETH_HLEN + offsetof(struct news6, icmp);
	news->length = bpf_ntohs(read.ip.payload_len);
	news->quote_at = ETH_HLEN + offsetof(struct news6, quote);
	news->behind_at = ETH_HLEN + sizeof(read);
	news->sum = sum_pseudo_header(&read.ip);
	news->mtu = bpf_ntohs(read.icmp.mtu);
	news->outer_size = sizeof(read.quote);
	news->outer_length = sizeof(read.quote) + bpf_ntohs(read.quote.payload_len);
	news->protocol = read.quote.nexthdr;
	news->hops = read.quote.hop_limit;
	return true;
}

/* What stands behind the quoted IP header. Routers quote 8 bytes of that at least (RFC 792): GRE's header with its key. */
static __always_inline bool read_quoted_gre(struct __sk_buff *skb, struct news *news)
{
	struct gre_keyed_header header;

	news->ends.protocol = news->protocol == IPPROTO_GRE ? IPPROTO_GRE : IPPROTO_IPIP;
	if (bpf_skb_load_bytes(skb, news->behind_at, &header, sizeof(header)))
		return false;
	news->first = header.gre.flags;
	if (news->protocol != IPPROTO_GRE) {
		news->inside = bpf_htons(news->protocol == IPPROTO_IPIP ? ETH_P_IP : ETH_P_IPV6);
		return news->protocol == IPPROTO_IPIP || news->protocol == IPPROTO_IPV6;
	}
	news->inside = header.gre.protocol;
	news->outer_size += sizeof(header.gre);
	if (header.gre.flags == GRE_KEY) {
		news->outer_size += sizeof(header.key);
		news->ends.key = header.key;
		news->ends.has_key = 1;
	}
	return !(header.gre.flags & ~GRE_KEY);
}

/* Has the whole message a right checksum? It is summed in pieces, the last of them filled up with zeros. */
static __always_inline bool is_undamaged(struct __sk_buff *skb, const struct news *news)
{
	__u32 at = news->at, left = news->length;
	__u64 total = news->sum;

	for (int i = 0; i < LONGEST_NEWS / PIECE && left > 0; i++) {
		__u8 piece[PIECE] = {};
		__u32 last = (left < PIECE ? left : PIECE) - 1;

		/* Keeps clang from leaving out the bound, which the verifier wants to see. */
		asm volatile("" : "+r"(last));
		last &= PIECE - 1;
		if (bpf_skb_load_bytes(skb, at, piece, last + 1))
			return false;
		total += (__u32)bpf_csum_diff(NULL, 0, (__be32 *)piece, PIECE, 0);
		at += last + 1;
		left -= last + 1;
	}
	return !left && !sum_checksum(total);
}

/* Changes a word of the message, whose checksum stays right. */
static __always_inline long alter(struct __sk_buff *skb, const struct news *news, __u32 offset, __be16 from,
				  __be16 to)
{
	const __u32 check = news->at + offsetof(struct too_big, check);

	return bpf_skb_store_bytes(skb, offset, &to, sizeof(to), 0) ||
	       bpf_l4_csum_replace(skb, check, from, to, sizeof(to));
}

/*
 * The kernel learns from what quotes a tunnel's packet only where it has such tunnels. So the quote becomes one of an ICMP echo reply
 * or of ICMPv6, and the kernel does with it what the error handler of its tunnels would (icmp_err, icmpv6_err; ipgre_err).
 */
static __always_inline long become_known(struct __sk_buff *skb, const struct news *news)
{
	const __u32 hops_at = news->quote_at + offsetof(struct iphdr, ttl);
	const __u32 nexthdr_at = news->quote_at + offsetof(struct ipv6hdr, nexthdr);

	if (!is_ipv4(&news->ends.local))
		return alter(skb, news, nexthdr_at, bpf_htons(news->protocol << 8 | news->hops),
			     bpf_htons(IPPROTO_ICMPV6 << 8 | news->hops));
	return alter(skb, news, hops_at, bpf_htons(news->hops << 8 | news->protocol),
		     bpf_htons(news->hops << 8 | IPPROTO_ICMP)) ||
	       alter(skb, news, news->behind_at, news->first, bpf_htons(ICMP_ECHOREPLY << 8));
}

/* The packet inside, if its sender is to be told. */
static __always_inline bool is_for_sender(struct __sk_buff *skb, const struct news *news, struct long_packet *packet)
{
	const __u16 least = is_ipv4(&news->ends.local) ? LEAST_PATH : LEAST_IP6;
	const __u16 size = news->outer_size;

	packet->offset = news->quote_at + size;
	packet->protocol = news->inside;
	packet->mtu = (news->mtu < least ? least : news->mtu) - size;
	return (packet->protocol == bpf_htons(ETH_P_IP) || packet->protocol == bpf_htons(ETH_P_IPV6)) &&
	       news->outer_length > packet->mtu + size &&
	       !goes_in_pieces(skb, packet->offset, packet->protocol, news->outer_length - size);
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

/*
 * An ICMP message. Whatever it says, it is the kernel's, too. Anyone can say it who knows both ends of a tunnel (without its key to
 * the kernel alone); a packet that would have fit is none of those that a router says it of.
 */
static __always_inline int hear_news(struct __sk_buff *skb)
{
	struct long_packet packet = {};
	struct gre_device *device;
	struct news news = {};
	bool is_news = skb->protocol == bpf_htons(ETH_P_IP) ? read_news4(skb, &news) : read_news6(skb, &news);

	if (!is_news || !read_quoted_gre(skb, &news) || news.outer_length <= news.mtu)
		return TC_ACT_UNSPEC;
	device = bpf_map_lookup_elem(&gre_endpoints, &news.ends);
	if (!device || !is_undamaged(skb, &news) || become_known(skb, &news))
		return TC_ACT_UNSPEC;
	if (!is_for_sender(skb, &news, &packet) || bpf_clone_redirect(skb, skb->ifindex, BPF_F_INGRESS))
		return TC_ACT_UNSPEC;
	/* What was changed for the kernel may be of the packet inside. */
	if (is_ipv4(&news.ends.local) &&
	    alter(skb, &news, news.behind_at, bpf_htons(ICMP_ECHOREPLY << 8), news.first))
		return TC_ACT_SHOT;
	return tell_sender(skb, &packet, device, news.at + news.length);
}
