/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * For customers' programs with many rules: what a packet's numbers mean to the rules is looked up, not
 * computed, in tables that docs/classification.md explains. All of them lie in one map value, "the data",
 * which the runtime replaces as a whole. Places are offsets into it.
 *
 * A program defines some words first: TG_DATA_BYTES, a power of two, so that a mask keeps any place
 * inside; TG_PLACE, the type of what lines consist of; TG_PAGED, whether lines are cut into pages;
 * TG_SOURCES_LISTED and TG_DESTINATIONS_LISTED, in bytes how far what is said of IPv4 addresses outside a
 * long list is from what is said of those inside, or 0.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "tidegate.h"

#define TG_LINE 64		/* what a place may be read behind it; the data ends with as much more */

struct tg_data_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8[TG_DATA_BYTES + TG_LINE]);
} data SEC(".maps");

/*
 * Whoever changes the data fills another map and puts it in the place whose turn is next: no packet sees half of both, nor
 * one of them before the policy changes as a whole.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct tg_data_map);
} data_slot SEC(".maps") = { .values = { &data } };

/* Where the trees of addresses are said to be, in the data: two numbers each. */
enum tg_head {
	TG_SOURCES_4 = 64,
	TG_DESTINATIONS_4 = 72,
	TG_SOURCES_6 = 80,
	TG_DESTINATIONS_6 = 88,
	TG_SOURCE_LIST = 96,	/* and of long lists: one number */
	TG_DESTINATION_LIST = 100,
};

/* Looked up once a packet; NULL cannot happen but must be checked for the verifier. */
static __always_inline const void *tg_data(TG_PACKET *p)
{
	const __u32 zero = 0, turn = p->turn;
	void *inner = bpf_map_lookup_elem(&data_slot, &turn);

	return inner ? bpf_map_lookup_elem(inner, &zero) : NULL;
}

static __always_inline const void *tg_at(const void *data, __u32 place)
{
	return data + (place & (TG_DATA_BYTES - sizeof(__u32)));
}

static __always_inline __u32 tg_cell(const void *data, __u32 place)
{
	return *(const __u32 *)tg_at(data, place);
}

static __always_inline __u32 tg_place(const void *data, __u32 place)
{
	return *(const TG_PLACE *)(data + (place & (TG_DATA_BYTES - sizeof(TG_PLACE))));
}

/*
 * Trees. An entry is what is looked for, or the place of a node: where the lowest bit is set. A node is
 * one cache line: nine keys, 21 bits each, in three words, and ten entries. A number's entry goes by how
 * many keys are above it, and one subtraction tells it of three keys: each has a bit set above it that
 * only a number not below the key takes away.
 */
#define TG_KEY_BITS 20
#define TG_KEYS_BYTES 24
#define TG_LANES (1ULL | 1ULL << 21 | 1ULL << 42)

#define TG_DIRECT 32		/* with `below`: the table is one of nodes, not of entries */

#define TG_ENTRY_NODE 1
#define TG_ENTRY_NEXT 2		/* the node is for the next digit */

/* 2^20 keys in nodes of ten ways; the six digits of an IPv6 address, most of which have few. */
#define TG_TREE_STEPS 7
#define TG_TREE6_STEPS 24

/* The entry in a node for the digit before `after`, which is in all three lanes. */
static __always_inline __u32 tg_branch(const void *data, __u32 entry, __u64 after)
{
	const void *node = data + (entry & (TG_DATA_BYTES - TG_LINE));
	const __u64 *keys = node;
	__u64 above = ((keys[0] - after) >> TG_KEY_BITS & TG_LANES) +
		      ((keys[1] - after) >> TG_KEY_BITS & TG_LANES) +
		      ((keys[2] - after) >> TG_KEY_BITS & TG_LANES);

	/* The sum of the lanes comes together in the third. */
	above = above * TG_LANES >> 42 & 15;
	return *(const __u32 *)(node + TG_KEYS_BYTES + above * sizeof(__u32));
}

/* Where a tree's table begins for the highest bits of a number: `below` is said of it, and how many are below. */
static __always_inline __u32 tg_entry(const void *data, __u32 head, __u32 below, __u32 number)
{
	const __u32 index = number >> (below & 31);

	if (below & TG_DIRECT)
		return (tg_cell(data, head) + index * TG_LINE) | TG_ENTRY_NODE;
	return tg_cell(data, tg_cell(data, head) + index * sizeof(__u32));
}

/* Looks a number up in the tree that is said to be at `head`. Unrolled for Linux 6.1: see tg_walk(). */
static __always_inline __u32 tg_find(const void *data, __u32 head, __u32 number)
{
	const __u32 below = tg_cell(data, head + sizeof(__u32));
	const __u64 after = ((number & ((1U << (below & 31)) - 1)) + 1) * TG_LANES;
	__u32 entry = tg_entry(data, head, below, number);

#pragma unroll
	for (int step = 0; step < TG_TREE_STEPS; step++)
		if (entry & TG_ENTRY_NODE)
			entry = tg_branch(data, entry, after);
	return entry;
}

/* The same for IPv6: a first digit of 32 bits, then digits of 20. */
static __always_inline __u32 tg_find6(const void *data, __u32 head, __u64 high, __u64 low)
{
	const __u32 below = tg_cell(data, head + sizeof(__u32)), first = high >> 32;
	__u64 after = ((first & ((1U << (below & 31)) - 1)) + 1) * TG_LANES;
	__u32 entry = tg_entry(data, head, below, first);

	high = high << 32 | low >> 32;
	low <<= 32;
#pragma unroll
	for (int step = 0; step < TG_TREE6_STEPS; step++) {
		if (entry & TG_ENTRY_NEXT) {
			after = ((high >> (64 - TG_KEY_BITS)) + 1) * TG_LANES;
			high = high << TG_KEY_BITS | low >> (64 - TG_KEY_BITS);
			low <<= TG_KEY_BITS;
		}
		if (entry & TG_ENTRY_NODE)
			entry = tg_branch(data, entry, after);
	}
	return entry;
}

/*
 * Is an IPv4 address in the long list that is said to be at `head`? A line has the places where the list
 * begins or ends among 2^15 addresses: 15 bits each, four in a word, with a bit above that is left where
 * one is above the address. An odd number of them turns what the last lane says: in or out behind all.
 */
#define TG_PART_BITS 15
#define TG_PLACES (1ULL | 1ULL << 16 | 1ULL << 32 | 1ULL << 48)
#define TG_BITMAP 1		/* the last lane's, where there are more places: the first cell says where */

static __always_inline __u32 tg_in_list(const void *data, __u32 head, __u32 address)
{
	const __u32 lines = tg_cell(data, head) + (address >> TG_PART_BITS) * TG_LINE;
	const __u64 *words = data + (lines & (TG_DATA_BYTES - TG_LINE));
	const __u32 low = address & ((1 << TG_PART_BITS) - 1);
	__u64 above = 0;

	if (words[7] >> 48 == TG_BITMAP)
		return tg_cell(data, words[0] + low / 32 * sizeof(__u32)) >> low % 32 & 1;
#pragma unroll
	for (int word = 0; word < 8; word++)
		above ^= words[word] - (low + 1) * TG_PLACES;
	above ^= above >> 32;
	above ^= above >> 16;
	return above >> TG_PART_BITS & 1;
}

/* The class of a number, by its table's head: of 8 bits, of 16 by pages of 256, of 32 by a tree. */
static __always_inline __u32 tg_class_byte(const void *data, __u32 head, __u8 number)
{
	return tg_cell(data, tg_cell(data, head) + number * sizeof(__u32));
}

static __always_inline __u32 tg_class_half(const void *data, __u32 head, __u16 number)
{
	const __u32 page = tg_cell(data, tg_cell(data, head) + (number >> 8) * sizeof(__u32));

	return tg_cell(data, page + (number & 0xff) * sizeof(__u32));
}

static __always_inline __u32 tg_class_word(const void *data, __u32 head, __u32 number)
{
	return tg_find(data, head, number) / sizeof(__u32);
}

/* What the packet's addresses are in each matrix: rows, and places in them. */
struct tg_ends {
	const __u32 *rows;
	const __u32 *places;
};

static __always_inline struct tg_ends tg_ends4(TG_PACKET *p, const void *data)
{
	__u32 source = tg_find(data, TG_SOURCES_4, p->src4);
	__u32 destination = tg_find(data, TG_DESTINATIONS_4, p->dst4);

	if (TG_SOURCES_LISTED)
		source += tg_in_list(data, TG_SOURCE_LIST, p->src4) * TG_SOURCES_LISTED;
	if (TG_DESTINATIONS_LISTED)
		destination += tg_in_list(data, TG_DESTINATION_LIST, p->dst4) * TG_DESTINATIONS_LISTED;
	return (struct tg_ends){ tg_at(data, source), tg_at(data, destination) };
}

static __always_inline struct tg_ends tg_ends6(TG_PACKET *p, const void *data)
{
	return (struct tg_ends){
		tg_at(data, tg_find6(data, TG_SOURCES_6, p->src6.high, p->src6.low)),
		tg_at(data, tg_find6(data, TG_DESTINATIONS_6, p->dst6.high, p->dst6.low)),
	};
}

/* All that rules ask of a packet besides its addresses: a state, and the class in the last question. */
struct tg_column {
	__u32 state;
	__u32 class;
};

/* A cell of a matrix. It is the row's only if it says so: rows lie in each other's gaps. */
struct tg_matrix_cell {
	__u32 row;
	__u32 sort;
	__u32 values;
};

#define TG_PAGE 256		/* classes of a page */

/* What a matrix says of the packet; TG_NOTHING where it has no cell. */
#define TG_NOTHING 0xffffffff
static __always_inline __u32 tg_value(const void *data, const struct tg_ends *ends, __u32 matrix,
				      struct tg_column column)
{
	const __u32 row = ends->rows[matrix];
	const struct tg_matrix_cell *cell = tg_at(data, row + ends->places[matrix]);
	__u32 line;

	if (cell->row != row)
		return TG_NOTHING;
	line = tg_cell(data, cell->sort + column.state);
	if (TG_PAGED) {
		line = tg_cell(data, line + column.class / TG_PAGE * sizeof(__u32));
		column.class = column.class % TG_PAGE * sizeof(TG_PLACE);
	}
	return tg_cell(data, cell->values + tg_place(data, line + column.class) * sizeof(__u32));
}

static __always_inline __u32 tg_first(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

/* A value is the index of a counter, and what becomes of the packet. Of two, the smaller one came first. */
enum tg_outcome {
	TG_DROP,
	TG_PASS,
	TG_ON,		/* not decided, and not counted */
	TG_SEND,	/* allowed by the firewall: forward.h */
};

static __always_inline struct tg_verdict tg_outcome(__u32 value)
{
	switch (value & 3) {
	case TG_DROP:
		return tg_verdict(value >> 2, XDP_DROP);
	case TG_PASS:
		return tg_verdict(value >> 2, XDP_PASS);
	case TG_SEND:
		return tg_verdict(value >> 2, TG_FORWARD);
	default:
		return tg_undecided();
	}
}

/*
 * Rules that packets pass: a list of them, behind the last one an end whose value is TG_NOTHING. A limit's terms are
 * data; what is left of its allowances is in a map of its own, as many as the program has limits.
 */
#define TG_LIMITS(count, ...)                                                                      \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                          \
		__uint(max_entries, count);                                                        \
		__type(key, __u32);                                                                \
		__array(values, struct tg_limit_map);                                              \
	} limits SEC(".maps") = { .values = { __VA_ARGS__ } }

enum tg_passed_kind {
	TG_COUNT,
	TG_LIMIT_ALL,		/* all packets share one allowance */
	TG_LIMIT_SOURCE,
	TG_LIMIT_DESTINATION,
};

struct tg_passed_rule {
	__u32 value;		/* of dropping */
	__u32 kind;
	__u32 limit;		/* index in `limits` */
	__u32 unused;
	__u64 interval;
	__u64 burst;
};

static __always_inline struct tg_limit_key tg_limit_key(TG_PACKET *p, __u32 kind)
{
	switch (kind) {
	case TG_LIMIT_SOURCE:
		return tg_source(p);
	case TG_LIMIT_DESTINATION:
		return tg_destination(p);
	default:
		return (struct tg_limit_key){ 0 };
	}
}

/* Is the packet over the rate of a limit, whose allowances are one of `limits`? */
static __always_inline bool tg_over_passed(TG_PACKET *p, void *limits,
					   const struct tg_passed_rule *rule)
{
	const __u32 index = rule->limit;
	void *limit = bpf_map_lookup_elem(limits, &index);

	return !limit ||
	       tg_over_for(limit, tg_limit_key(p, rule->kind), rule->interval, rule->burst);
}

/*
 * What comes first for a packet that passes the rules of a list: `first`, or a limit before it that the
 * packet is over. `most` is how long a list can be; `limits` is NULL where no rule is one.
 */
static __always_inline __u32 tg_pass(TG_PACKET *p, const void *data, __u32 list, __u32 first,
				     void *counters, void *limits, const int most)
{
	if (list == TG_NOTHING)
		return first;
	for (int passed = 0; passed < most; passed++) {
		const struct tg_passed_rule *rule;

		rule = tg_at(data, tg_cell(data, list + passed * sizeof(__u32)));
		if (rule->value >= first)
			break;
		if (rule->kind == TG_COUNT)
			tg_count(counters, rule->value >> 2, p->length);
		else if (limits && tg_over_passed(p, limits, rule))
			return rule->value;
	}
	return first;
}
