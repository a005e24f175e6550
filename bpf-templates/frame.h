/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Bytes of a frame, in words that the verifier accepts. */
#pragma once

#include <stddef.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

/*
 * No header starts further into a frame: 22 bytes of Ethernet and VLAN, 40 of IPv6, 8 extension headers
 * of 2,048, and the 60 of TCP. The verifier needs it said as a mask before an offset is added to a
 * packet pointer.
 */
#define TG_OFFSET_MASK 0x7fff

/* A place in the frame, as an offset; `begin` and `end` are the frame's. */
struct tg_cursor {
	const void *begin;
	const void *end;
	__u32 offset;
};

/* `size` bytes at `offset` behind the cursor, or NULL where the frame does not have so many. */
static __always_inline const void *tg_bytes(const struct tg_cursor *cursor, __u32 offset,
						   __u32 size)
{
	const void *at = cursor->begin + (cursor->offset & TG_OFFSET_MASK) + offset;

	return at + size <= cursor->end ? at : NULL;
}

/* How many bytes the frame has from the cursor on. */
static __always_inline __u32 tg_left(const struct tg_cursor *cursor)
{
	__u32 bytes = cursor->end - cursor->begin;

	/* Keeps clang from adding the offset to a pointer instead, in 32 bits, which the verifier refuses. */
	asm volatile("" : "+r"(bytes));
	return bytes - cursor->offset;
}
