/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The devices that packets from the Internet come in by, and leave by when they are encapsulated in XDP (forward.h). The
 * runtime fills the map when it puts the root program on a device; the root program's pin is the one of all.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>

#define TG_UPLINKS 256

struct tg_uplink {
	__u8 address[ETH_ALEN];
	__u8 sends_back;	/* what came by it leaves by it by XDP_TX */
	__u8 reserved;
};

/* Key: the device's index. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TG_UPLINKS);
	__type(key, __u32);
	__type(value, struct tg_uplink);
} uplinks SEC(".maps");
