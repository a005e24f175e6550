/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * What the root program and every customer's generated program share: the maps, and the words that generated
 * conditions are written in. docs/semantics.md says what they mean.
 * Linux 5.15 and newer.
 */
#pragma once

#include <bpf/bpf_endian.h>

#include "limits.h"
#include "packet.h"

struct tg_counter {
	__u64 packets;
	__u64 bytes;
};

/* Keys of LPM tries hold the address as on the wire: the trie compares bytes from the first on. */
struct tg_lpm4 {
	__u32 prefixlen;
	__be32 address;
};

struct tg_lpm6 {
	__u32 prefixlen;
	__be32 address[4];
};

/*
 * Programs that look at what is dropped, while somebody watches (watch.bpf.c); else all places are empty, and a
 * tail call into one is a jump over it. A place that must be known when a program is loaded: the kernel
 * patches the jump. The root program's pin of this map, too, is the one of all.
 */
enum tg_dropped {
	TG_DROPPED_BY_RULE,
	TG_DROPPED_MALFORMED,
	TG_DROPPED_CLOSED,	/* the customer had no program */
	TG_DROPPED,
};

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, TG_DROPPED);
	__type(key, __u32);
	__type(value, __u32);
} watchers SEC(".maps");

/*
 * Of the rules of `mitigate` in their order, and of what none of them decided; and where the firewall is
 * asked, too, the same for it: only what is dropped here is counted there.
 */
#define TG_COUNTERS(entries)                                                                       \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                                           \
		__uint(max_entries, entries);                                                      \
		__type(key, __u32);                                                                \
		__type(value, struct tg_counter);                                                  \
	} counters SEC(".maps")

#define TG_LPM(name, key_type, value_type, entries)                                                \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);                                               \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                              \
		__uint(max_entries, entries);                                                      \
		__type(key, key_type);                                                             \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

/* Address lists, filled by the runtime. The value says nothing; being there does. */
#define TG_LIST4(name, entries) TG_LPM(name, struct tg_lpm4, __u8, entries)
#define TG_LIST6(name, entries) TG_LPM(name, struct tg_lpm6, __u8, entries)

static __always_inline void tg_count(void *map, __u32 index, __u32 bytes)
{
	struct tg_counter *counter = bpf_map_lookup_elem(map, &index);

	if (counter) {
		counter->packets++;
		counter->bytes += bytes;
	}
}

#define TG_IP4(a, b, c, d) ((__u32)(a) << 24 | (__u32)(b) << 16 | (__u32)(c) << 8 | (__u32)(d))
#define TG_IP6_HALF(a, b, c, d) ((__u64)(a) << 48 | (__u64)(b) << 32 | (__u64)(c) << 16 | (__u64)(d))
#define TG_IP6(a, b, c, d, e, f, g, h)                                                             \
	((struct tg_ip6){ TG_IP6_HALF(a, b, c, d), TG_IP6_HALF(e, f, g, h) })

/* Both ends belong to the range. */
static __always_inline bool tg_between(__u32 value, __u32 low, __u32 high)
{
	return value - low <= high - low;
}

/* At least one bit of the mask is set. */
static __always_inline bool tg_any(__u32 value, __u32 mask)
{
	return (value & mask) != 0;
}

/*
 * A condition as 0 or 1, for the exclusive or `^`. As a constant on each path it would have the verifier follow the
 * paths apart, twice as many with each further one; plus a zero of which it does not know that, they meet again.
 * The empty assembly keeps clang from putting off the sum, and with it all that it is made of, for which the stack is
 * too small.
 */
static __always_inline __u32 tg_opaque(TG_PACKET *p, bool condition)
{
	__u32 number = condition + p->zero;

	asm volatile("" : "+r"(number));
	return number;
}

/* Is the address in the prefix of `length` bits, 1 to 32? */
static __always_inline bool tg_in4(__u32 address, __u32 prefix, int length)
{
	return (address & ~0U << (32 - length)) == prefix;
}

static __always_inline bool tg_is6(const volatile struct tg_ip6 *address, struct tg_ip6 other)
{
	return address->high == other.high && address->low == other.low;
}

/* Is the address in the prefix of `length` bits, 1 to 127? */
static __always_inline bool tg_in6(const volatile struct tg_ip6 *address, struct tg_ip6 prefix,
				   int length)
{
	if (length <= 64)
		return (address->high & ~0ULL << (64 - length)) == prefix.high;
	return address->high == prefix.high && (address->low & ~0ULL << (128 - length)) == prefix.low;
}

static __always_inline bool tg_between6(const volatile struct tg_ip6 *address, struct tg_ip6 low,
					struct tg_ip6 high)
{
	const __u64 upper = address->high, lower = address->low;

	if (upper < low.high || (upper == low.high && lower < low.low))
		return false;
	return upper < high.high || (upper == high.high && lower <= high.low);
}

static __always_inline struct tg_lpm4 tg_lpm4(__u32 address)
{
	return (struct tg_lpm4){ 32, bpf_htonl(address) };
}

static __always_inline struct tg_lpm6 tg_lpm6(struct tg_ip6 address)
{
	return (struct tg_lpm6){ 128,
				 { bpf_htonl(address.high >> 32), bpf_htonl(address.high),
				   bpf_htonl(address.low >> 32), bpf_htonl(address.low) } };
}

static __always_inline bool tg_listed4(void *list, __u32 address)
{
	const struct tg_lpm4 key = tg_lpm4(address);

	return bpf_map_lookup_elem(list, &key) != NULL;
}

static __always_inline bool tg_listed6(void *list, const volatile struct tg_ip6 *address)
{
	const struct tg_lpm6 key = tg_lpm6((struct tg_ip6){ address->high, address->low });

	return bpf_map_lookup_elem(list, &key) != NULL;
}

/* An action of verdicts besides the kernel's: allowed, and sent on from here if it is plain (forward.h). */
#define TG_FORWARD XDP_REDIRECT

/* What becomes of a packet, and the index in `counters` of the rule that says so. */
struct tg_verdict {
	__u32 rule;
	int action;
};

static __always_inline struct tg_verdict tg_verdict(__u32 rule, int action)
{
	return (struct tg_verdict){ rule, action };
}

/*
 * Counts a verdict, and notes its rule for who watches. Read back, as a register that held it until the end would cost
 * an instruction a rule.
 */
static __always_inline void tg_decided(TG_PACKET *p, void *counters, __u32 rule)
{
	p->rule = rule;
	tg_count(counters, p->rule, p->length);
}

/* The last word of a customer's program: who watches sees what it drops. */
static __always_inline int tg_end(struct xdp_md *ctx, int action)
{
	if (action == XDP_DROP)
		bpf_tail_call_static(ctx, &watchers, TG_DROPPED_BY_RULE);
	return action;
}

/* On to the namespace, which judges by all rules of the firewall, and counts. */
static __always_inline struct tg_verdict tg_undecided(void)
{
	return (struct tg_verdict){ 0, XDP_PASS };
}
