/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Path MTU discovery through a tunnel: whoever sends what is too long for the tunnel's path is told so, in the name of
 * whom it was sent to.
 *
 * What routers on that path say is kept where the kernel keeps it for its own devices, in its routes (`ip route show
 * cache`), with the same floor (net.ipv4.route.min_pmtu) and age (net.ipv4.route.mtu_expires). bpf_fib_lookup gives it
 * back, in XDP too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "outer.h"

/* linux/icmp.h needs the C library's headers, which are not for BPF. */
#define ICMP_ECHOREPLY 0
#define ICMP_DEST_UNREACH 3
#define ICMP_FRAG_NEEDED 4
#define ICMP_ECHO 8
#define ICMPV6_PKT_TOOBIG 2
#define ICMPV6_INFOMSG_MASK 0x80

#define FARTHEST 0x3fff /* that bytes are summed in a frame */
#define ANSWER_TTL 64
#define ANSWER_TOS 0xc0 /* of ICMP errors (RFC 1812 section 4.3.2.5) */

/* What every path carries in IPv6 (RFC 8200 section 5), and what the kernel takes for the least in IPv4 (min_pmtu). */
#define LEAST_IP6 1280
#define LEAST_PATH 552

/*
 * Bytes of a packet that its answer quotes. As much as bpf_csum_diff takes at once, which leaves room in 576 for the
 * headers (RFC 1812 section 4.3.2.3). Where less is known: any IP header, and the 8 bytes behind it.
 */
#define QUOTED 512
#define QUOTED_AT_LEAST (sizeof(struct ipv6hdr) + 8)

/* "Fragmentation needed" (RFC 1191) and ICMPv6's "packet too big": the MTU's lower half is at the same place. */
struct too_big {
	__u8 type;
	__u8 code;
	__be16 check;
	__be16 unused;
	__be16 mtu;
};

struct answer4 {
	struct iphdr ip;
	struct too_big icmp;
};

struct answer6 {
	struct ipv6hdr ip;
	struct too_big icmp;
};

/* A packet that does not fit through a tunnel: all of it, or as much as a router quoted. */
struct long_packet {
	__u32 offset; /* in the frame */
	__u16 mtu; /* what would fit */
	__be16 protocol;
};

/* Of a sum of 16-bit words, in whatever pieces it was taken (RFC 1071). */
static __always_inline __be16 sum_checksum(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

/* The sum of `size` bytes, a constant multiple of 4; negative if the frame does not have them. */
static __always_inline __s64 sum_bytes(struct __sk_buff *skb, __u32 offset, const __u32 size)
{
	void *from = (void *)(long)skb->data;

	/* The verifier wants to see the bound where it is used. */
	asm volatile("" : "+r"(offset));
	if (offset > FARTHEST)
		return -1;
	from += offset;
	if (from + size > (void *)(long)skb->data_end)
		return -1;
	return (__u32)bpf_csum_diff(NULL, 0, from, size, 0);
}

/*
 * Is a packet one that routers may cut up, or that they have to carry (IPv6, RFC 8200)? Its sender is not to be told then.
 * What cannot be read is not.
 */
static __always_inline bool goes_in_pieces(struct __sk_buff *skb, __u32 offset, __be16 protocol, __u32 length)
{
	const __u32 at = offset + offsetof(struct iphdr, frag_off);
	__be16 fragment;

	if (protocol == bpf_htons(ETH_P_IPV6))
		return length <= LEAST_IP6;
	return !bpf_skb_load_bytes(skb, at, &fragment, sizeof(fragment)) && !(fragment & bpf_htons(IP_DF));
}

/* Not to errors, to later fragments, nor to what no single host has sent (RFC 1122 section 3.2.2). */
static __always_inline bool is_answered4(struct __sk_buff *skb, __u32 offset, const struct iphdr *ip)
{
	const __u32 first = bpf_ntohl(ip->saddr) >> 24;
	__u8 type;

	if (ip->version != 4 || ip->frag_off & bpf_htons(IP_OFFSET) || first == 0 || first == 127 || first >= 224)
		return false;
	if (ip->protocol != IPPROTO_ICMP)
		return true;
	return !bpf_skb_load_bytes(skb, offset + ip->ihl * 4, &type, sizeof(type)) &&
	       (type == ICMP_ECHO || type == ICMP_ECHOREPLY);
}

/* Behind these could be an error. */
static __always_inline bool is_extension6(__u8 nexthdr)
{
	return nexthdr == IPPROTO_HOPOPTS || nexthdr == IPPROTO_ROUTING || nexthdr == IPPROTO_DSTOPTS ||
	       nexthdr == IPPROTO_AH || nexthdr == IPPROTO_MH;
}

/* RFC 4443 section 2.4. A fragment's header begins with what is behind it. */
static __always_inline bool is_answered6(struct __sk_buff *skb, __u32 offset, const struct ipv6hdr *ip)
{
	const __be32 *from = ip->saddr.in6_u.u6_addr32;
	__u8 type;

	if (ip->version != 6 || ip->saddr.in6_u.u6_addr8[0] == 0xff || !(from[0] | from[1] | from[2] | from[3]))
		return false;
	if (ip->nexthdr != IPPROTO_ICMPV6)
		return !is_extension6(ip->nexthdr) &&
		       (ip->nexthdr != IPPROTO_FRAGMENT ||
			(!bpf_skb_load_bytes(skb, offset + sizeof(*ip), &type, sizeof(type)) &&
			 (type == IPPROTO_TCP || type == IPPROTO_UDP)));
	return !bpf_skb_load_bytes(skb, offset + sizeof(*ip), &type, sizeof(type)) &&
	       type & ICMPV6_INFOMSG_MASK;
}

/* Leaves nothing of the frame but the quote, behind Ethernet's header and `size` bytes for the answer's. */
static __always_inline long cut_to_quote(struct __sk_buff *skb, __u32 offset, const __u32 quoted, const __u32 size)
{
	const __s32 more = (__s32)(ETH_HLEN + size) - (__s32)offset;

	if (bpf_skb_change_tail(skb, offset + quoted, 0))
		return -1;
	return more &&
	       bpf_skb_adjust_room(skb, more, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO);
}

static __always_inline long become_answer4(struct __sk_buff *skb, const struct long_packet *packet,
					   const __u32 quoted)
{
	const __u64 flags = BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH;
	struct answer4 answer = {
		.ip = { .version = 4, .ihl = sizeof(answer.ip) / 4, .tos = ANSWER_TOS, .ttl = ANSWER_TTL },
		.icmp = { .type = ICMP_DEST_UNREACH, .code = ICMP_FRAG_NEEDED },
	};
	struct iphdr ip;
	__s64 sum;

	if (bpf_skb_load_bytes(skb, packet->offset, &ip, sizeof(ip)) || !is_answered4(skb, packet->offset, &ip) ||
	    bpf_skb_pull_data(skb, packet->offset + quoted))
		return -1;
	sum = sum_bytes(skb, packet->offset, quoted);
	if (sum < 0 || cut_to_quote(skb, packet->offset, quoted, sizeof(answer)))
		return -1;
	answer.ip.tot_len = bpf_htons(sizeof(answer) + quoted);
	answer.ip.protocol = IPPROTO_ICMP;
	answer.ip.saddr = ip.daddr;
	answer.ip.daddr = ip.saddr;
	answer.ip.check = header_checksum(&answer.ip);
	answer.icmp.mtu = bpf_htons(packet->mtu);
	answer.icmp.check = sum_checksum(sum + bpf_htons(ICMP_DEST_UNREACH << 8 | ICMP_FRAG_NEEDED) +
					 answer.icmp.mtu);
	return bpf_skb_store_bytes(skb, ETH_HLEN, &answer, sizeof(answer), flags);
}

/* ICMPv6's checksum covers the addresses, too (RFC 4443 section 2.3). */
static __always_inline __u64 sum_pseudo_header(const struct ipv6hdr *ip)
{
	const __be32 *words = ip->saddr.in6_u.u6_addr32;
	__u64 sum = ip->payload_len + bpf_htons(IPPROTO_ICMPV6);

	/* Source and destination, one behind the other. */
	for (int i = 0; i < 8; i++)
		sum += words[i];
	return sum;
}

static __always_inline long become_answer6(struct __sk_buff *skb, const struct long_packet *packet,
					   const __u32 quoted)
{
	const __u64 flags = BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH;
	struct answer6 answer = {
		.ip = { .version = 6, .nexthdr = IPPROTO_ICMPV6, .hop_limit = ANSWER_TTL },
		.icmp = { .type = ICMPV6_PKT_TOOBIG },
	};
	struct ipv6hdr ip;
	__s64 sum;

	if (bpf_skb_load_bytes(skb, packet->offset, &ip, sizeof(ip)) || !is_answered6(skb, packet->offset, &ip) ||
	    bpf_skb_pull_data(skb, packet->offset + quoted))
		return -1;
	sum = sum_bytes(skb, packet->offset, quoted);
	if (sum < 0 || cut_to_quote(skb, packet->offset, quoted, sizeof(answer)))
		return -1;
	answer.ip.payload_len = bpf_htons(sizeof(answer.icmp) + quoted);
	answer.ip.saddr = ip.daddr;
	answer.ip.daddr = ip.saddr;
	answer.icmp.mtu = bpf_htons(packet->mtu < LEAST_IP6 ? LEAST_IP6 : packet->mtu);
	answer.icmp.check = sum_checksum(sum + sum_pseudo_header(&answer.ip) +
					 bpf_htons(ICMPV6_PKT_TOOBIG << 8) + answer.icmp.mtu);
	return bpf_skb_store_bytes(skb, ETH_HLEN, &answer, sizeof(answer), flags);
}

/*
 * Makes of the frame what tells the packet's sender that it is too long; it is to come out of the tunnel's device, so it has
 * a source that may (the customer's own), and goes where whatever comes out of there goes. As in the kernel
 * (icmpv4_mask_allow), there is no limit to how many are told.
 */
static __always_inline long become_answer(struct __sk_buff *skb, const struct long_packet *packet,
					  const __u32 quoted, const __u8 *destination, const __u8 *source)
{
	struct ethhdr eth = { .h_proto = packet->protocol };
	long error = packet->protocol == bpf_htons(ETH_P_IP) ? become_answer4(skb, packet, quoted)
							     : become_answer6(skb, packet, quoted);

	if (error)
		return error;
	__builtin_memcpy(eth.h_dest, destination, ETH_ALEN);
	__builtin_memcpy(eth.h_source, source, ETH_ALEN);
	return bpf_skb_store_bytes(skb, 0, &eth, sizeof(eth), 0);
}

/* Back to where the packet came from: by the tunnel's device, as if its other end said so. Or -1, and it is to be dropped. */
static __always_inline int answer_too_big(struct __sk_buff *skb, __u16 mtu)
{
	struct long_packet packet = { .offset = ETH_HLEN, .mtu = mtu, .protocol = skb->protocol };
	struct ethhdr eth;
	long error;

	if (bpf_skb_load_bytes(skb, 0, &eth, sizeof(eth)))
		return -1;
	/* The verifier wants a constant size. */
	if (skb->len >= ETH_HLEN + QUOTED)
		error = become_answer(skb, &packet, QUOTED, eth.h_source, eth.h_dest);
	else
		error = become_answer(skb, &packet, QUOTED_AT_LEAST, eth.h_source, eth.h_dest);
	return error ? -1 : bpf_redirect(skb->ifindex, 0);
}
