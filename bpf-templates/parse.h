/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the bytes of a frame to a struct tg_packet: docs/semantics.md, "The packet", "Malformed
 * packets" and "Fields", in that order. Only the root program parses.
 */
#pragma once

#include <stddef.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include "frame.h"
#include "tidegate.h"

#define TG_VLAN_TAGS 2
#define TG_EXTENSION_HEADERS 8
#define TG_FRAGMENT_OFFSET 0x1fff	/* of IPv4's frag_off */
#define TG_FRAGMENT_OFFSET6 0xfff8	/* of the IPv6 fragment header's */

/* struct tcphdr has the flags as bit fields only */
#define TG_TCP_FLAGS_OFFSET 13

enum tg_parsed {
	TG_PARSED,
	TG_MALFORMED,
	TG_NOT_IP,
};

struct tg_vlan {
	__be16 tci;
	__be16 proto;
};

struct tg_extension {
	__u8 next;
	__u8 length;		/* in units of 8 bytes, without the first; reserved in a fragment header */
	__be16 fragment;	/* offset and flags, in a fragment header only */
	__be32 rest;
};

/* The EtherType behind Ethernet header and VLAN tags, and the cursor behind them; 0: they are cut. */
static __always_inline __u16 tg_ethertype(struct tg_packet *p, struct tg_cursor *cursor)
{
	const struct ethhdr *eth = tg_bytes(cursor, 0, sizeof(*eth));
	__u16 type;

	if (!eth)
		return 0;
	type = bpf_ntohs(eth->h_proto);
	cursor->offset = sizeof(*eth);
	p->tagged = false;
#pragma unroll
	for (int tag = 0; tag < TG_VLAN_TAGS; tag++) {
		const struct tg_vlan *vlan;

		if (type != ETH_P_8021Q && type != ETH_P_8021AD)
			break;
		vlan = tg_bytes(cursor, 0, sizeof(*vlan));
		if (!vlan)
			return 0;
		type = bpf_ntohs(vlan->proto);
		if (tag == 0) {
			p->tagged = true;
			p->vlan = bpf_ntohs(vlan->tci);
		}
		cursor->offset += sizeof(*vlan);
	}
	return type;
}

/*
 * Loads what the frame has. Bytes behind the packet's own length may get in as well; nobody reads
 * them, as the header's byte count ends before.
 */
static __always_inline void tg_load8(const struct tg_cursor *at, __u32 offset, __u8 *field)
{
	const __u8 *byte = tg_bytes(at, offset, sizeof(*byte));

	if (byte)
		*field = *byte;
}

static __always_inline void tg_load16(const struct tg_cursor *at, __u32 offset, __u16 *field)
{
	const __be16 *bytes = tg_bytes(at, offset, sizeof(*bytes));

	if (bytes)
		*field = bpf_ntohs(*bytes);
}

static __always_inline void tg_parse_tcp(struct tg_packet *p, const struct tg_cursor *at)
{
	tg_load16(at, offsetof(struct tcphdr, source), &p->tcp_srcport);
	tg_load16(at, offsetof(struct tcphdr, dest), &p->tcp_dstport);
	tg_load8(at, TG_TCP_FLAGS_OFFSET, &p->tcp_flags);
	tg_load16(at, offsetof(struct tcphdr, window), &p->tcp_window);
}

static __always_inline void tg_parse_udp(struct tg_packet *p, const struct tg_cursor *at)
{
	tg_load16(at, offsetof(struct udphdr, source), &p->udp_srcport);
	tg_load16(at, offsetof(struct udphdr, dest), &p->udp_dstport);
	tg_load16(at, offsetof(struct udphdr, len), &p->udp_len);
}

/* Where the IP header's parser found the transport header; the own length leaves `bytes` of it. */
static __always_inline void tg_found_transport(struct tg_packet *p, __u32 start, __u32 bytes)
{
	p->transport = start;
	p->transport_bytes = bytes > 0xffff ? 0xffff : bytes;
}

/*
 * Reads back what the IP header's parser wrote: the verifier then knows nothing of how the walk got
 * here, and goes through this once instead of once for each way. ICMP begins with type and code.
 */
static __always_inline void tg_parse_transport(struct tg_packet *p, const void *begin,
					       const void *end)
{
	TG_PACKET *found = p;
	const struct tg_cursor cursor = { begin, end, found->transport }, *at = &cursor;
	const __u16 bytes = found->transport_bytes;

	p->tcp_bytes = p->udp_bytes = p->icmp_bytes = p->icmp6_bytes = p->gre_bytes = 0;
	if (!bytes)
		return;
	switch (found->ip_proto) {
	case IPPROTO_TCP:
		p->tcp_bytes = bytes;
		tg_parse_tcp(p, at);
		break;
	case IPPROTO_UDP:
		p->udp_bytes = bytes;
		tg_parse_udp(p, at);
		break;
	case IPPROTO_GRE:
		p->gre_bytes = bytes;
		break;
	case IPPROTO_ICMP:
		if (found->family != 4)
			break;
		p->icmp_bytes = bytes;
		tg_load8(at, 0, &p->icmp_type);
		tg_load8(at, 1, &p->icmp_code);
		break;
	case IPPROTO_ICMPV6:
		if (found->family != 6)
			break;
		p->icmp6_bytes = bytes;
		tg_load8(at, 0, &p->icmp6_type);
		tg_load8(at, 1, &p->icmp6_code);
		break;
	}
}

static __always_inline enum tg_parsed tg_parse4(struct tg_packet *p, struct tg_cursor *at)
{
	const __u32 frame = tg_left(at);
	const struct iphdr *ip = tg_bytes(at, 0, sizeof(*ip));
	__u32 header, length;

	if (!ip || ip->version != 4)
		return TG_MALFORMED;
	header = ip->ihl * 4;
	length = bpf_ntohs(ip->tot_len);
	if (header < sizeof(*ip) || header > length || length > frame)
		return TG_MALFORMED;

	p->family = 4;
	p->src4 = bpf_ntohl(ip->saddr);
	p->dst4 = bpf_ntohl(ip->daddr);
	p->length = length;
	p->ip_proto = ip->protocol;
	p->proto_known = true;
	at->offset += header;
	if (!(ip->frag_off & bpf_htons(TG_FRAGMENT_OFFSET)))
		tg_found_transport(p, at->offset, length - header);
	return TG_PARSED;
}

/* Where the chain of IPv6's extension headers ended. */
struct tg_chain {
	__u32 end;		/* offset in the frame of what follows the chain */
	__u8 next;		/* the value that ended it */
	bool later;		/* it ended at a fragment header whose offset is not zero */
	bool at_ah;		/* it ended at an AH, behind which the walk went on */
};

static __always_inline bool tg_is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_FRAGMENT ||
	       next == IPPROTO_DSTOPTS;
}

/* RFC 8200; RFC 4302 for an AH, whose length is in words less two */
static __always_inline __u32 tg_extension_size(__u8 type, const struct tg_extension *header)
{
	if (type == IPPROTO_FRAGMENT)
		return sizeof(*header);
	return type == IPPROTO_AH ? (header->length + 2) * 4 : (header->length + 1) * 8;
}

/*
 * Walks the extension headers; `end` is where the packet's own length ends. An AH ends the chain, but a
 * fragment header is looked for behind it too, as ipv6_find_hdr() does. Unrolled, as clang may lay out a
 * loop so that it falls back into its head without a jump, which Linux 6.1 refuses.
 */
static __always_inline enum tg_parsed tg_walk(struct tg_packet *p, struct tg_cursor *at, __u32 end,
					      struct tg_chain *chain)
{
	__u8 next = chain->next;

#pragma unroll
	for (int walked = 0; walked < TG_EXTENSION_HEADERS; walked++) {
		const struct tg_extension *header = tg_bytes(at, 0, sizeof(*header));
		const bool is_fragment = next == IPPROTO_FRAGMENT, is_ah = next == IPPROTO_AH;
		const __u32 start = at->offset;
		bool later = false;

		if (!tg_is_extension(next) && !is_ah)
			break;
		if (is_ah && !chain->at_ah) {
			*chain = (struct tg_chain){ .end = start, .next = next, .at_ah = true };
		}
		if (is_fragment && p->fragment6_bytes)
			return TG_MALFORMED;
		if (is_fragment) {
			const __u32 bytes = end - start;

			/* Cut or not: behind an AH a cut one has the fields that are left of it. */
			p->fragment6 = start;
			p->fragment6_bytes = bytes > 0xffff ? 0xffff : bytes;
		}
		if (header)
			at->offset += tg_extension_size(next, header);
		if (!header || at->offset > end)
			return chain->at_ah ? TG_PARSED : TG_MALFORMED;
		next = header->next;
		if (is_fragment)
			later = header->fragment & bpf_htons(TG_FRAGMENT_OFFSET6);
		if (!chain->at_ah)
			*chain = (struct tg_chain){ at->offset, next, later, false };
		if (later)
			return TG_PARSED;
	}
	return tg_is_extension(next) || next == IPPROTO_AH ? TG_MALFORMED : TG_PARSED;
}

static __always_inline struct tg_ip6 tg_load6(const struct in6_addr *address)
{
	const __be32 *words = address->in6_u.u6_addr32;

	return (struct tg_ip6){ (__u64)bpf_ntohl(words[0]) << 32 | bpf_ntohl(words[1]),
				(__u64)bpf_ntohl(words[2]) << 32 | bpf_ntohl(words[3]) };
}

static __always_inline enum tg_parsed tg_parse6(struct tg_packet *p, struct tg_cursor *at)
{
	const __u32 frame = tg_left(at);
	const struct ipv6hdr *ip = tg_bytes(at, 0, sizeof(*ip));
	struct tg_chain chain = { 0 };
	__u32 length, end, bytes;

	if (!ip || ip->version != 6)
		return TG_MALFORMED;
	length = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	if (length > frame)
		return TG_MALFORMED;

	p->family = 6;
	p->src6 = tg_load6(&ip->saddr);
	p->dst6 = tg_load6(&ip->daddr);
	p->length = length;
	end = at->offset + length;
	at->offset += sizeof(*ip);
	chain = (struct tg_chain){ .end = at->offset, .next = ip->nexthdr };
	if (tg_walk(p, at, end, &chain) == TG_MALFORMED)
		return TG_MALFORMED;

	bytes = end - chain.end;
	p->ip_proto = chain.next;
	/*
	 * Like ipv6_find_hdr(): what follows in a later fragment is the middle of something, and an
	 * AH must show its first two bytes to end the chain.
	 */
	if (chain.next == IPPROTO_AH)
		p->proto_known = !chain.later && bytes >= 2;
	else
		p->proto_known = !(chain.later && tg_is_extension(chain.next));
	if (!chain.later)
		tg_found_transport(p, chain.end, bytes);
	return TG_PARSED;
}

static __always_inline enum tg_parsed tg_parse(struct tg_packet *p, const void *begin,
					       const void *end)
{
	struct tg_cursor at = { begin, end, 0 };
	enum tg_parsed parsed = TG_NOT_IP;
	const __u16 type = tg_ethertype(p, &at);

	p->ip = at.offset;
	p->transport_bytes = p->fragment6_bytes = 0;
	switch (type) {
	case ETH_P_IP:
		parsed = tg_parse4(p, &at);
		break;
	case ETH_P_IPV6:
		parsed = tg_parse6(p, &at);
		break;
	}
	if (parsed == TG_PARSED)
		tg_parse_transport(p, begin, end);
	return parsed;
}
