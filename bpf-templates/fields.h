/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * For customers' programs whose rules ask for more than struct tg_packet holds: bits of the frame
 * itself, and headers that nobody else looks for. docs/semantics.md, "Fields".
 */
#pragma once

#include <linux/bpf.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include "frame.h"
#include "tidegate.h"

#define TG_IP_WORDS 4, 4	/* bits of the IPv4 header: its length in words */
#define TG_TCP_WORDS 96, 4	/* and of the TCP header */
#define TG_TCP_OPTIONS 40	/* bytes that they have at most */

/* Kinds of TCP options (RFC 9293, section 3.2); there is no UAPI header for them. */
#define TG_TCP_OPTION_NOP 1	/* below it is only the end of options */
#define TG_TCP_OPTION_MSS 2
#define TG_TCP_MSS_SIZE 4

/* The first two bytes of a GRE header (RFC 1701, RFC 2890). */
#define TG_GRE_FLAGS 0, 16
#define TG_GRE_CHECKSUM 0x8000
#define TG_GRE_ROUTING 0x4000
#define TG_GRE_KEY 0x2000
#define TG_GRE_VERSION 0x0007

/* Volatile, as looking for an earlier load of the same would take clang a third of its time. */
static __always_inline struct tg_cursor tg_cursor(const volatile struct xdp_md *ctx, __u32 start)
{
	return (struct tg_cursor){ (const void *)(long)ctx->data, (const void *)(long)ctx->data_end,
				   start };
}

/*
 * Reads `width` bits, 1 to 32, that are `offset` bits behind the `start` of a header, into p->number.
 * False where the frame does not have them: never, once the header's bytes were asked for, but the
 * verifier must hear it.
 *
 * By way of the map, not a return value, so that the verifier takes the number for unknown at each
 * comparison: see tg_packet(). The comparisons of a read follow it at once, before the next one; also
 * as operands of `^`, which clang computes one after another. Byte by byte, as a place may be at any
 * address.
 */
static __always_inline bool tg_read(TG_PACKET *p, const struct xdp_md *ctx, __u32 start,
				    __u32 offset, __u32 width)
{
	const struct tg_cursor at = tg_cursor(ctx, start);
	const __u32 skipped = offset % 8, size = (skipped + width + 7) / 8;
	const __u8 *bytes = tg_bytes(&at, offset / 8, size);
	__u64 number = 0;

	if (!bytes)
		return false;
#pragma unroll
	for (__u32 i = 0; i < size; i++)
		number = number << 8 | bytes[i];
	p->number = number >> (8 * size - skipped - width) & ~0ULL >> (64 - width);
	return true;
}

/* IPv4's options begin behind its 20 bytes, where the header says that it is longer. */
static __always_inline void tg_find_ip4_option(TG_PACKET *p, const struct xdp_md *ctx)
{
	p->ip4_option_bytes = 0;
	if (p->family != 4 || !tg_read(p, ctx, p->ip, TG_IP_WORDS) ||
	    p->number * 4 <= sizeof(struct iphdr))
		return;
	p->ip4_option = p->ip + sizeof(struct iphdr);
	p->ip4_option_bytes = p->length - sizeof(struct iphdr);
}

/*
 * What is behind the TCP header and its options. Where they end is noted also when nothing follows, as
 * tg_find_tcp_mss() asks for it: 0 if they do not end in the packet.
 */
static __always_inline void tg_find_tcp_payload(TG_PACKET *p, const struct xdp_md *ctx)
{
	__u32 header, bytes;

	p->tcp_payload = p->tcp_payload_bytes = 0;
	if (p->tcp_bytes < sizeof(struct tcphdr) || !tg_read(p, ctx, p->transport, TG_TCP_WORDS))
		return;
	header = p->number * 4;
	bytes = p->tcp_bytes;
	if (header < sizeof(struct tcphdr) || header > bytes)
		return;
	p->tcp_payload = p->transport + header;
	p->tcp_payload_bytes = bytes - header;
}

/*
 * Looks at the TCP option at p->tcp_mss, and moves to the next one. False: there is no next one, or this
 * is the first MSS option, whose value is then found if it is whole. As nft_exthdr_tcp_eval() walks: the
 * end-of-options byte ends nothing, and a length of 0 counts as 1.
 */
static __always_inline bool tg_next_option(TG_PACKET *p, const struct xdp_md *ctx)
{
	const __u32 start = p->tcp_mss, end = p->tcp_payload;
	const struct tg_cursor at = tg_cursor(ctx, start);
	const __u8 *option = tg_bytes(&at, 0, 2);
	__u32 size;

	if (start + 1 >= end || !option)
		return false;
	size = option[0] <= TG_TCP_OPTION_NOP || !option[1] ? 1 : option[1];
	if (option[0] != TG_TCP_OPTION_MSS) {
		p->tcp_mss = start + size;
		return true;
	}
	if (size >= TG_TCP_MSS_SIZE && start + size <= end) {
		p->tcp_mss = start + 2;
		p->tcp_mss_bytes = p->transport + p->tcp_bytes - (start + 2);
	}
	return false;
}

/*
 * Where the value of the first MSS option is. The place of the walk is kept in the map: in a register the
 * verifier would follow each way to it apart. Unrolled for Linux 6.1: see tg_walk().
 */
static __always_inline void tg_find_tcp_mss(TG_PACKET *p, const struct xdp_md *ctx)
{
	tg_find_tcp_payload(p, ctx);
	p->tcp_mss = p->transport + sizeof(struct tcphdr);
	p->tcp_mss_bytes = 0;
#pragma unroll
	for (int option = 0; option < TG_TCP_OPTIONS - 1; option++)
		if (!tg_next_option(p, ctx))
			return;
}

/* The key of a GRE header, version 0; checksum or routing put four bytes before it. */
static __always_inline void tg_find_gre_key(TG_PACKET *p, const struct xdp_md *ctx)
{
	__u32 flags, before, bytes;

	p->gre_key_bytes = 0;
	bytes = p->gre_bytes;
	if (bytes < 2 || !tg_read(p, ctx, p->transport, TG_GRE_FLAGS))
		return;
	flags = p->number;
	before = flags & (TG_GRE_CHECKSUM | TG_GRE_ROUTING) ? 8 : 4;
	if (flags & TG_GRE_VERSION || !(flags & TG_GRE_KEY) || bytes < before)
		return;
	p->gre_key = p->transport + before;
	p->gre_key_bytes = bytes - before;
}
