/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stamp of a generation: by which of a customer's policies a packet is judged. The root program puts it on
 * each packet that it dispatches, and everything behind it looks there, so that one packet never meets two policies
 * (docs/runtime.md). A frame's Ethernet source address carries it, which nobody needs once the frame has
 * arrived; across the node's own routing, which writes a new one, the packet's mark does. runtime/node/constants.ts
 * has the same numbers.
 */
#pragma once

#include <linux/if_ether.h>
#include <linux/types.h>
#include <bpf/bpf_endian.h>

/* Stamps are 1 to 14, by turns odd and even; 0 is none. */
#define TG_STAMP_MASK 15

/* In a packet's mark, behind the bits that say that the mark is Tidegate's. */
#define TG_MARK 0x54400000
#define TG_MARK_MASK 0xfff00000
#define TG_MARK_STAMP 16

/* 02:54:47:01:00:NN, locally administered: no device has it. */
static __always_inline void tg_stamp_address(__be16 address[ETH_ALEN / 2], __u32 stamp)
{
	address[0] = bpf_htons(0x0254);
	address[1] = bpf_htons(0x4701);
	address[2] = bpf_htons(stamp & TG_STAMP_MASK);
}
