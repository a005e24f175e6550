/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * For customers' programs whose rules ask for too many different things together to be tabled (see
 * docs/classification.md). Each way to match a rule is a bit, and each answer of a packet has a vector of the
 * bits that it allows. The packet has the bits that are in all of its vectors.
 *
 * A program defines two words more than for classify.h: TG_VECTORS, how many a packet has, and TG_STEPS,
 * how many looks at 64 bits it takes to have seen the longest of them.
 */
#pragma once

#include "classify.h"

struct tg_data {
	__u8 bytes[TG_DATA_BYTES + TG_LINE];
};

/*
 * Places of vectors. A vector says of each word of 64 bits whether it has any, 64 words in one of its own; then it
 * says where its pages are, of eight words each.
 */
struct tg_vectors {
	__u32 at[TG_VECTORS];
};

#define TG_WORD_BITS 64
#define TG_PAGE_WORDS 8

/* Bits of terms in the order of their values, which are at `values`. `first` is the smallest one. */
struct tg_run {
	__u32 first;
	__u32 from;
	__u32 until;
	__u32 pages;		/* from a vector to where it says where its pages are */
	__u32 values;
};

#define TG_RUNS 12

static __always_inline __u64 tg_word(const void *data, __u32 place)
{
	return *(const __u64 *)(data + (place & (TG_DATA_BYTES - sizeof(__u64))));
}

/* Where the lowest bit is; there must be one. Counts those below it, as clang 14 has no __builtin_ctzll() for BPF. */
static __always_inline __u32 tg_lowest(__u64 bits)
{
	__u64 below = ~bits & (bits - 1);

	below -= below >> 1 & 0x5555555555555555ULL;
	below = (below & 0x3333333333333333ULL) + (below >> 2 & 0x3333333333333333ULL);
	below = (below + (below >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return below * 0x0101010101010101ULL >> 56;
}

#define TG_FOUND 0x80000000

/*
 * Looks at the next word, from the bit `from` on, that no vector says is empty: a bit that all of them have there,
 * with TG_FOUND, or else from where to look on. A function of its own, so that the verifier follows it once.
 */
__noinline __u32 tg_look(const struct tg_data *data, const struct tg_vectors *vectors, __u32 pages,
			 __u32 from)
{
	__u32 word = from / TG_WORD_BITS;
	__u64 words = ~0ULL << word % TG_WORD_BITS, bits = ~0ULL << from % TG_WORD_BITS;

	if (!data || !vectors)
		return TG_NOTHING;
#pragma unroll
	for (int vector = 0; vector < TG_VECTORS; vector++)
		words &= tg_word(data, vectors->at[vector] + word / TG_WORD_BITS * sizeof(__u64));
	word &= ~(TG_WORD_BITS - 1);
	if (!words)
		return (word + TG_WORD_BITS) * TG_WORD_BITS;
	word += tg_lowest(words);
	if (word != from / TG_WORD_BITS)
		bits = ~0ULL;
#pragma unroll
	for (int vector = 0; vector < TG_VECTORS; vector++) {
		const __u32 said = vectors->at[vector] + pages + word / TG_PAGE_WORDS * sizeof(__u32);

		bits &= tg_word(data, tg_cell(data, said) + word % TG_PAGE_WORDS * sizeof(__u64));
	}
	word *= TG_WORD_BITS;
	return bits ? TG_FOUND | (word + tg_lowest(bits)) : word + TG_WORD_BITS;
}

/* The next bit that all vectors have, or TG_NOTHING. */
__noinline __u32 tg_next(const struct tg_data *data, const struct tg_vectors *vectors, __u32 pages,
			 __u32 from, __u32 until)
{
	for (int step = 0; step < TG_STEPS && from < until; step++) {
		const __u32 found = tg_look(data, vectors, pages, from);

		from = found & ~TG_FOUND;
		if (found & TG_FOUND)
			return from < until ? from : TG_NOTHING;
	}
	return TG_NOTHING;
}

/* The smallest value of the packet's terms in the runs that are said to be at `head`. */
static __always_inline __u32 tg_decide(const void *data, const struct tg_vectors *vectors, __u32 head)
{
	__u32 first = TG_NOTHING;

#pragma unroll
	for (int index = 0; index < TG_RUNS; index++) {
		const struct tg_run *run = tg_at(data, tg_cell(data, head) + index * sizeof(*run));
		__u32 bit;

		/* Runs are in the order of what they begin with; behind the last one is TG_NOTHING. */
		if (run->first >= first)
			break;
		bit = tg_next(data, vectors, run->pages, run->from, run->until);
		if (bit != TG_NOTHING)
			first = tg_first(first, tg_cell(data, run->values + bit * sizeof(__u32)));
	}
	return first;
}

/* How far a packet is among the terms of rules that it passes. */
struct tg_passing {
	__u32 run;
	__u32 from;
	__u32 last;		/* the value of the rule that was passed last, as a rule may have several terms */
	__u32 first;		/* what comes first for the packet, as far as that is known */
};

/* `head` says where the run is whose values are places of rules. */
static __always_inline struct tg_passing tg_passing(const void *data, __u32 head, __u32 first)
{
	const __u32 place = tg_cell(data, head);
	const struct tg_run *run = tg_at(data, place);

	return (struct tg_passing){ place, run->from, TG_NOTHING, first };
}

/* So many parts of `most` terms each, which are 32 or more, are all that a stage can have. */
#define TG_PASSED_PARTS 2048

/*
 * As tg_pass(), for the next `most` terms. Whether there is more to pass. What calls this is a function of its own,
 * so that the verifier follows a part of the terms once, and not each of them.
 */
static __always_inline __u32 tg_pass_terms(TG_PACKET *p, const struct tg_data *data,
					   const struct tg_vectors *vectors, struct tg_passing *at,
					   void *counters, void *limits, const int most)
{
	const struct tg_run *run;

	if (!p || !data || !vectors || !at)
		return 0;
	run = tg_at(data, at->run);
	for (int passed = 0; passed < most; passed++) {
		const __u32 bit = tg_next(data, vectors, run->pages, at->from, run->until);
		const struct tg_passed_rule *rule;

		if (bit == TG_NOTHING)
			return 0;
		rule = tg_at(data, tg_cell(data, run->values + bit * sizeof(__u32)));
		if (rule->value >= at->first)
			return 0;
		at->from = bit + 1;
		if (rule->value == at->last)
			continue;
		at->last = rule->value;
		if (rule->kind == TG_COUNT) {
			tg_count(counters, rule->value >> 2, p->length);
		} else if (limits && tg_over_passed(p, limits, rule)) {
			at->first = rule->value;
			return 0;
		}
	}
	return 1;
}
