/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads the outer headers of a packet, as far as the kernel would before it gave the packet to a tunnel's device: options of
 * IPv4, extension headers of IPv6, GRE's key and sequence number.
 */
#pragma once

#include <linux/in.h>
#include <linux/ipv6.h>
#include "gre-maps.h"
#include "outer.h"

#define MAX_IPV4_HEADER 60
#define MAX_IPV4_OPTIONS 40
#define MAX_EXTENSIONS 3 /* of IPv6, one behind the other */
#define MAX_EXTENSION_OPTIONS 16
#define NEXTHDR_FRAGMENT 44
#define OPTION_UNKNOWN_STOPS 0xc0 /* who does not know the option must not just go on (RFC 8200, section 4.2) */

/* IPv6's fragment header (RFC 8200, section 4.5). */
struct ip6_fragment {
	__u8 nexthdr;
	__u8 reserved;
	__be16 offset; /* in bytes; the lowest bit: more fragments */
	__be32 id;
};

/* What reading came to: a reason to leave the packet to the kernel, or one of these. */
enum {
	ARRIVAL_NO_TUNNEL = GRE_LEFT_ALONE, /* another protocol */
	ARRIVAL_READ,
	ARRIVAL_TAKEN, /* a piece of a packet, of which nothing goes on yet */
};

/* The outer headers as they were read. */
struct arrival {
	struct gre_endpoint ends;
	__u32 size; /* of the outer headers */
	__u32 length; /* of the packet with them, as they say */
	__be16 inside; /* EtherType */
	__u8 protocol; /* behind the outer IP header and its extensions, also where that is no tunnel's */
	__u8 tos;
	__u8 hops;
	bool is_wrong; /* whatever tunnel it is of: the kernel would drop it */
	bool more; /* of a fragment: others are behind it */
	__be32 id;
	__u32 offset; /* in bytes */
};

static __always_inline bool is_tunnel_protocol(__u8 protocol)
{
	return protocol == IPPROTO_GRE || protocol == IPPROTO_IPIP || protocol == IPPROTO_IPV6;
}

/* True of each `at` below `size`; but the verifier of Linux 6.1 learns nothing from comparing two registers. */
static __always_inline bool is_ipv4_option(__u32 *at)
{
	asm volatile("" : "+r"(*at));
	return *at < MAX_IPV4_OPTIONS;
}

/* Whether the kernel reads on behind these options and does nothing else that matters here: not so with a source route. */
static __always_inline bool skips_ipv4_options(const __u8 *options, __u32 size)
{
	__u32 at = 0;

	for (int i = 0; i < MAX_IPV4_OPTIONS && at < size; i++) {
		__u32 second = at + 1;
		__u8 type, length;

		if (!is_ipv4_option(&at))
			return false;
		type = options[at];
		if (type == IPOPT_END)
			return true;
		if (type == IPOPT_NOOP) {
			at++;
			continue;
		}
		if (type == IPOPT_LSRR || type == IPOPT_SSRR || second >= size || !is_ipv4_option(&second))
			return false;
		length = options[second];
		if (length < 2)
			return false;
		at += length;
	}
	return at == size;
}

/* Behind the 20 bytes that every header has. Zeros behind the header's end do not count in its sum. */
static __always_inline bool read_ipv4_options(struct __sk_buff *skb, __u32 size, __u8 *header)
{
	/*
	 * The verifier wants to see both bounds where they are used. That of Linux 6.1 learns nothing from "not 0", nor from a
	 * difference, to which clang makes two comparisons in a row.
	 */
	asm volatile("" : "+r"(size));
	if (size < sizeof(__u32))
		return true;
	asm volatile("" : "+r"(size));
	if (size > MAX_IPV4_OPTIONS ||
	    bpf_skb_load_bytes(skb, ETH_HLEN + sizeof(struct iphdr), header + sizeof(struct iphdr), size))
		return false;
	return skips_ipv4_options(header + sizeof(struct iphdr), size);
}

static __always_inline int read_ipv4(struct __sk_buff *skb, struct arrival *arrival)
{
	__u32 header[MAX_IPV4_HEADER / sizeof(__u32)] = {};
	const struct iphdr *ip = (const struct iphdr *)header;
	__s64 sum;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, header, sizeof(*ip)))
		return ARRIVAL_NO_TUNNEL;
	arrival->protocol = ip->protocol;
	if (!is_tunnel_protocol(ip->protocol))
		return ARRIVAL_NO_TUNNEL;
	arrival->size = ip->ihl * 4;
	if (ip->version != 4 || ip->ihl < 5 ||
	    !read_ipv4_options(skb, arrival->size - sizeof(*ip), (__u8 *)header))
		return GRE_UNSUPPORTED;
	arrival->length = bpf_ntohs(ip->tot_len);
	arrival->tos = ip->tos;
	set_ipv4(&arrival->ends.local, ip->daddr);
	set_ipv4(&arrival->ends.remote, ip->saddr);
	sum = bpf_csum_diff(NULL, 0, header, sizeof(header), 0);
	arrival->is_wrong = sum < 0 || folded_checksum(sum);
	if (!(ip->frag_off & bpf_htons(IP_FRAGMENT)))
		return ARRIVAL_READ;
	arrival->hops = ip->ttl;
	arrival->id = ip->id;
	arrival->offset = (bpf_ntohs(ip->frag_off) & IP_OFFSET) * 8;
	arrival->more = ip->frag_off & bpf_htons(IP_MORE);
	return GRE_FRAGMENT;
}

/* Whether the kernel goes on behind these options, known to it or not. They begin at `at`, and end before `end`. */
static __always_inline bool skips_ipv6_options(struct __sk_buff *skb, __u32 at, __u32 end)
{
	for (int i = 0; i < MAX_EXTENSION_OPTIONS && at < end; i++) {
		__u8 option[2]; /* type, length of what follows */

		if (bpf_skb_load_bytes(skb, at, option, sizeof(option)) || option[0] & OPTION_UNKNOWN_STOPS)
			return false;
		at += option[0] == IPV6_TLV_PAD1 ? 1 : sizeof(option) + option[1];
	}
	return at == end;
}

/* The header of a fragment, behind which is what `protocol` says in the end. */
static __always_inline int read_fragment(struct __sk_buff *skb, struct arrival *arrival)
{
	struct ip6_fragment head;

	if (bpf_skb_load_bytes(skb, ETH_HLEN + arrival->size, &head, sizeof(head)))
		return ARRIVAL_NO_TUNNEL;
	arrival->protocol = head.nexthdr;
	arrival->id = head.id;
	arrival->offset = bpf_ntohs(head.offset) & ~7;
	arrival->more = head.offset & bpf_htons(1);
	arrival->size += sizeof(head);
	return GRE_FRAGMENT;
}

/*
 * Goes over options for all hops and for the destination, such as the one that ip6_tunnel writes (encapsulation limit, RFC 2473,
 * section 4.1.1).
 */
static __always_inline int skip_extensions(struct __sk_buff *skb, struct arrival *arrival)
{
	/* clang would enter the loop in its middle and fall through to its head, which Linux 6.1 refuses ("back-edge", check_cfg). */
#pragma unroll
	for (int i = 0; i < MAX_EXTENSIONS; i++) {
		const __u8 kind = arrival->protocol;
		const __u32 at = ETH_HLEN + arrival->size;
		__u8 head[2]; /* next header, length in 8 bytes without the first ones */
		__u32 size;

		if (kind != IPPROTO_DSTOPTS && kind != NEXTHDR_FRAGMENT && (kind != IPPROTO_HOPOPTS || i > 0))
			return ARRIVAL_READ;
		if (bpf_skb_load_bytes(skb, at, head, sizeof(head)))
			return ARRIVAL_NO_TUNNEL;
		if (kind == NEXTHDR_FRAGMENT)
			return read_fragment(skb, arrival);
		arrival->protocol = head[0];
		size = (head[1] + 1) * 8;
		if (!skips_ipv6_options(skb, at + sizeof(head), at + size))
			return GRE_UNSUPPORTED;
		arrival->size += size;
	}
	return ARRIVAL_READ;
}

static __always_inline int read_ipv6(struct __sk_buff *skb, struct arrival *arrival)
{
	struct ipv6hdr ip;
	int read;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
		return ARRIVAL_NO_TUNNEL;
	arrival->size = sizeof(ip);
	arrival->length = sizeof(ip) + bpf_ntohs(ip.payload_len);
	arrival->tos = bpf_ntohl(*(__be32 *)&ip) >> 20;
	arrival->protocol = ip.nexthdr;
	arrival->hops = ip.hop_limit;
	arrival->ends.local = ip.daddr;
	arrival->ends.remote = ip.saddr;
	arrival->is_wrong = ip.version != 6;
	read = skip_extensions(skb, arrival);
	if (!is_tunnel_protocol(arrival->protocol))
		return ARRIVAL_NO_TUNNEL;
	/* They would be the ends of a tunnel over IPv4. */
	return is_ipv4(&ip.daddr) || is_ipv4(&ip.saddr) ? GRE_UNKNOWN : read;
}

/* A sequence number is ignored, and a checksum is none of our tunnels', as of the kernel's devices that asked for neither. */
static __always_inline int read_gre(struct __sk_buff *skb, struct arrival *arrival)
{
	struct gre_header gre;

	if (bpf_skb_load_bytes(skb, ETH_HLEN + arrival->size, &gre, sizeof(gre)) ||
	    gre.flags & ~(GRE_CHECKSUM | GRE_KEY | GRE_SEQUENCE))
		return GRE_UNSUPPORTED;
	arrival->size += sizeof(gre);
	arrival->inside = gre.protocol;
	if (gre.flags & GRE_CHECKSUM) {
		arrival->size += sizeof(__be32);
		arrival->is_wrong = true;
	}
	if (gre.flags & GRE_KEY) {
		if (bpf_skb_load_bytes(skb, ETH_HLEN + arrival->size, &arrival->ends.key, sizeof(__be32)))
			return GRE_UNSUPPORTED;
		arrival->ends.has_key = 1;
		arrival->size += sizeof(__be32);
	}
	if (gre.flags & GRE_SEQUENCE)
		arrival->size += sizeof(__be32);
	return ARRIVAL_READ;
}

/* Fills in an empty `arrival`, as far as the IP header says it: GRE_FRAGMENT, if that is one of a fragment. */
static __always_inline int read_outside(struct __sk_buff *skb, struct arrival *arrival)
{
	return skb->protocol == bpf_htons(ETH_P_IP)	? read_ipv4(skb, arrival)
	       : skb->protocol == bpf_htons(ETH_P_IPV6) ? read_ipv6(skb, arrival)
							: ARRIVAL_NO_TUNNEL;
}

/* What is behind the IP header. */
static __always_inline int read_tunnel(struct __sk_buff *skb, struct arrival *arrival)
{
	if (arrival->protocol == IPPROTO_GRE) {
		arrival->ends.protocol = IPPROTO_GRE;
		return read_gre(skb, arrival);
	}
	arrival->ends.protocol = IPPROTO_IPIP;
	arrival->inside = bpf_htons(arrival->protocol == IPPROTO_IPIP ? ETH_P_IP : ETH_P_IPV6);
	return ARRIVAL_READ;
}
