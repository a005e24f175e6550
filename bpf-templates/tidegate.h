/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * What the root program and every customer's generated program share: the parsed packet, the maps, and
 * the words that generated conditions are written in. docs/semantics.md says what they mean.
 * Linux 5.15 and newer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* A 128-bit address as two numbers in host order, so that ranges compare as numbers. */
struct tg_ip6 {
	__u64 high;
	__u64 low;
};

/*
 * One packet, parsed once by the root program. A tail call keeps only its context, so the packet is
 * handed over in the per-CPU map `packet`; XDP does not nest on a CPU. Numbers are in host order.
 *
 * A header's field may be read only when the header has enough bytes: `tcp_bytes` is how much of the
 * packet's own length is behind the start of its TCP header (capped at 65,535), and 0 in a packet that
 * is not TCP or is a later fragment. What a field holds otherwise is left over from another packet.
 * Where headers start is an offset in the frame.
 *
 * New members come last: the root program meets programs of bundles that were compiled before it.
 */
struct tg_packet {
	struct tg_ip6 src6, dst6;	/* IPv6 only */
	__u32 src4, dst4;		/* IPv4 only */
	__u32 length;			/* the packet's own length, from its IP header */
	__u16 transport;		/* start of what is behind the IP headers */
	__u16 transport_bytes;		/* of it, inside the own length; 0 in a later fragment */
	__u8 family;			/* 4 or 6 */
	__u8 proto_known;		/* 0 only where an IPv6 chain is unfinished */
	__u8 ip_proto;			/* behind IPv6's extension headers */
	__u8 tcp_flags;
	__u8 zero;			/* always: see tg_opaque() */
	__u16 tcp_bytes, udp_bytes, icmp_bytes, icmp6_bytes;
	__u16 tcp_srcport, tcp_dstport, tcp_window;
	__u16 udp_srcport, udp_dstport, udp_len;
	__u8 icmp_type, icmp_code;
	__u8 icmp6_type, icmp6_code;
	__u8 tagged;			/* behind a VLAN tag */
	__u16 vlan;			/* control information of the outermost one */
	__u16 ip;			/* start of the IP header */
	__u16 fragment6, fragment6_bytes;	/* IPv6's fragment header */
	__u16 gre_bytes;
	__u32 number;			/* what tg_read() read last: fields.h */

	/* Set by a customer's program whose rules ask for them: tg_find_ip4_option() and the like. */
	__u16 ip4_option, ip4_option_bytes;
	__u16 tcp_payload, tcp_payload_bytes;
	__u16 tcp_mss, tcp_mss_bytes;	/* the value of the option */
	__u16 gre_key, gre_key_bytes;

	/* By the root program: which of the two places of a customer is in force. */
	__u32 turn;

	/* By a customer's program: the index in `counters` of the rule that decided last. */
	__u32 rule;
};

/* How conditions see the packet; tg_packet() says why it is volatile. */
#define TG_PACKET volatile struct tg_packet

#define TG_TCP_FIN 0x01
#define TG_TCP_SYN 0x02
#define TG_TCP_RESET 0x04
#define TG_TCP_PUSH 0x08
#define TG_TCP_ACK 0x10
#define TG_TCP_URG 0x20
#define TG_TCP_ECN 0x40
#define TG_TCP_CWR 0x80

struct tg_counter {
	__u64 packets;
	__u64 bytes;
};

/* What shares one allowance of a limit: an address and its family (4 or 6), in host order. */
struct tg_limit_key {
	__u64 family;
	struct tg_ip6 address;		/* IPv4 in the lowest 32 bits */
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

/* The root program's pin of this map is the one that customers' programs are loaded with. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tg_packet);
} packet SEC(".maps");

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

/*
 * The packet that the root program parsed; NULL cannot happen but must be checked for the verifier.
 *
 * Volatile keeps a long chain of rules loadable. If clang held a field in a register across rules, the
 * verifier would learn bounds from every comparison, find later branches decided by them, mark the
 * register precise and stop to prune: the work doubles with each rule, and about 40 rules is the end.
 * A field read anew for each comparison is an unknown number each time, and the work stays linear.
 */
static __always_inline struct tg_packet *tg_packet(void)
{
	const __u32 zero = 0;

	return bpf_map_lookup_elem(&packet, &zero);
}

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
