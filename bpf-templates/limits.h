/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Limits: the maps of their allowances, and taking from them. docs/semantics.md, "Limits". */
#pragma once

#include "packet.h"

/* What shares one allowance of a limit: an address and its family (4 or 6), in host order. */
struct tg_limit_key {
	__u64 family;
	struct tg_ip6 address;		/* IPv4 in the lowest 32 bits */
};

/* Allowances of a limit by address. When full, the kernel evicts a key not seen lately. */
#define TG_LIMIT_KEYS 65536
struct tg_limit_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TG_LIMIT_KEYS);
	__type(key, struct tg_limit_key);
	__type(value, __u64);
};
#define TG_LIMIT_BY_ADDRESS(name) struct tg_limit_map name SEC(".maps")

/* The one allowance of a limit that all packets share. */
#define TG_LIMIT_FOR_ALL(name)                                                                     \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(max_entries, 1);                                                            \
		__type(key, __u32);                                                                \
		__type(value, __u64);                                                              \
	} name SEC(".maps")

#ifdef TG_TEST_CLOCK
/* Tests set the time, so that the kernel can be compared with the reference to the packet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} test_clock SEC(".maps");

static __always_inline __u64 tg_now(void)
{
	const __u32 zero = 0;
	const volatile __u64 *now = bpf_map_lookup_elem(&test_clock, &zero);

	return now ? *now : 0;
}
#else
static __always_inline __u64 tg_now(void)
{
	return bpf_ktime_get_ns();
}
#endif

/*
 * Takes one packet from an allowance (GCRA: docs/semantics.md, "Limits"), or tells that it is used up.
 * `tat` is the theoretical arrival time, `interval` what a packet costs, both in ns; `burst` packets
 * may come at once. The compiler sees to it that interval * burst is below 2^62, so nothing overflows.
 *
 * A try is one atomic compare-exchange. It fails only where another CPU just took from the same
 * allowance, and whoever loses as many tries as this counts as over the rate: under such a load closed
 * is the right side to fail on.
 */
#define TG_LIMIT_TRIES 8
static __always_inline bool tg_over_rate(__u64 *tat, __u64 interval, __u64 burst)
{
	const __u64 now = tg_now();
	__u64 seen = *(volatile __u64 *)tat;

	for (int try = 0; try < TG_LIMIT_TRIES; try++) {
		const __u64 start = seen > now ? seen : now;
		__u64 found;

		if (seen > now + (burst - 1) * interval)
			return true;
		found = __sync_val_compare_and_swap(tat, seen, start + interval);
		if (found == seen)
			return false;
		seen = found;
	}
	return true;
}

/* Over the rate of the one allowance in `limit`, TG_LIMIT_FOR_ALL? If not, the packet is paid for. */
static __always_inline bool tg_over(void *limit, __u64 interval, __u64 burst)
{
	const __u32 zero = 0;
	__u64 *tat = bpf_map_lookup_elem(limit, &zero);

	return !tat || tg_over_rate(tat, interval, burst);
}

/* Over the rate of the address's allowance in `limit`, TG_LIMIT_BY_ADDRESS? */
static __always_inline bool tg_over_for(void *limit, struct tg_limit_key key, __u64 interval,
					__u64 burst)
{
	const __u64 never = 0;
	__u64 *tat = bpf_map_lookup_elem(limit, &key);

	if (!tat) {
		/* If another CPU was first, its entry is the one to take from. */
		bpf_map_update_elem(limit, &key, &never, BPF_NOEXIST);
		tat = bpf_map_lookup_elem(limit, &key);
	}
	return !tat || tg_over_rate(tat, interval, burst);
}

static __always_inline struct tg_limit_key tg_source(TG_PACKET *p)
{
	if (p->family == 4)
		return (struct tg_limit_key){ 4, { 0, p->src4 } };
	return (struct tg_limit_key){ 6, { p->src6.high, p->src6.low } };
}

static __always_inline struct tg_limit_key tg_destination(TG_PACKET *p)
{
	if (p->family == 4)
		return (struct tg_limit_key){ 4, { 0, p->dst4 } };
	return (struct tg_limit_key){ 6, { p->dst6.high, p->dst6.low } };
}
