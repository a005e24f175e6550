/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * What stands before a packet in a tunnel: the bytes of GRE (RFC 2784, keys of RFC 2890), and what every kind has of IPv4 outside,
 * whichever program writes them, gre.bpf.c at tc or a customer's own in XDP (forward.h).
 */
#pragma once

#include <linux/in.h>
#include <linux/ip.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>

#define IP_DF 0x4000
#define IP_MORE 0x2000 /* fragments */
#define IP_OFFSET 0x1fff
#define IP_FRAGMENT (IP_MORE | IP_OFFSET)
#define GRE_CHECKSUM bpf_htons(0x8000)
#define GRE_KEY bpf_htons(0x2000)
#define GRE_SEQUENCE bpf_htons(0x1000)
#define ECN_MASK 3
#define ECN_ECT1 1
#define ECN_ECT0 2
#define ECN_CE 3

struct gre_header {
	__be16 flags;
	__be16 protocol;
};

struct gre_keyed_header {
	struct gre_header gre;
	__be32 key;
};

/* Of both headers, over IPv4. */
#define PLAIN_SIZE (sizeof(struct iphdr) + sizeof(struct gre_header))
#define KEYED_SIZE (sizeof(struct iphdr) + sizeof(struct gre_keyed_header))

/* RFC 3168 section 9.1.1, full functionality: congestion met inside is not news for the outer path. */
static __always_inline __u8 outer_tos(__u8 tos)
{
	return (tos & ECN_MASK) == ECN_CE ? (tos & ~ECN_MASK) | ECN_ECT0 : tos;
}

/* An IPv4 header without options as its checksum sees it. */
typedef __u32 __attribute__((may_alias)) header_word;

/* The ones' complement of a sum of 35 bits at most. */
static __always_inline __be16 folded_checksum(__u64 sum)
{
	/* 32, 17 and 16 bits are left, and what the last carry adds cannot carry again. */
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* The ones' complement of the ones' complement sum: 0 where the header's checksum is right (RFC 1071). */
static __always_inline __be16 words_checksum(__u32 a, __u32 b, __u32 c, __u32 d, __u32 e)
{
	return folded_checksum((__u64)a + b + c + d + e);
}

static __always_inline __be16 header_checksum(const struct iphdr *ip)
{
	const header_word *words = (const header_word *)ip;

	return words_checksum(words[0], words[1], words[2], words[3], words[4]);
}
