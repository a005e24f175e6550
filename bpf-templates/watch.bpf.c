// SPDX-License-Identifier: Apache-2.0
/*
 * What `tidegate watch` puts into the places of `watchers` while it runs: samples of the frames that XDP drops go into
 * a ring buffer. The frame is dropped all the same.
 *
 * A flood must not become dearer by being watched: of so many drops one is looked at, each CPU takes so many samples a
 * second of each rule, and when the ring is full a sample is lost. All of it is counted. Whoever watches puts off `until`
 * as long as it lives; should it die with these programs still in their places, they do nothing any more.
 */
#include "customers.h"

#define TG_SAMPLE_BYTES 128
#define TG_SAMPLES_BYTES (512 * 1024)

/* Of no customer: the frame was malformed. */
#define TG_NOBODY 0xffffffff

/* runtime/watch/sample.ts reads it. */
struct tg_sample {
	__u64 at;		/* ns since boot */
	__u32 device;		/* that the frame came in by */
	__u32 length;		/* of the frame */
	__u32 slot;		/* of the customer */
	__u32 rule;		/* index in the customer's counters */
	__u32 dropped;		/* enum tg_dropped */
	__u32 kept;		/* bytes of the frame that are here */
	__u8 frame[TG_SAMPLE_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, TG_SAMPLES_BYTES);
} samples SEC(".maps");

/* Whoever watches writes them. */
struct tg_terms {
	__u64 until;		/* ns since boot */
	__u64 interval;		/* ns that a sample costs: a limit's terms */
	__u64 burst;
	__u32 every;		/* of so many drops on a CPU, one */
	__u32 chosen;		/* only of the customers in `chosen` */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tg_terms);
} terms SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TG_CUSTOMERS);
	__type(key, __u32);
	__type(value, __u8);
} chosen SEC(".maps");

/* runtime/watch/xdp.c sums them. */
struct tg_tally {
	__u64 seen;		/* drops that were asked for */
	__u64 taken;
	__u64 lost;		/* the ring was full */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tg_tally);
} tally SEC(".maps");

/* Rules share an allowance only with those of the same index, of other customers or so many further on. */
#define TG_ALLOWANCES 256

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TG_ALLOWANCES);
	__type(key, __u32);
	__type(value, __u64);
} allowances SEC(".maps");

static __always_inline __u32 tg_slot(const struct tg_packet *p, enum tg_dropped dropped)
{
	const struct tg_customer *customer;

	if (dropped == TG_DROPPED_MALFORMED)
		return TG_NOBODY;
	customer = tg_customer_of(p);
	return customer ? customer->slot : TG_NOBODY;
}

static __always_inline bool tg_is_chosen(__u32 slot)
{
	const __u8 *is = bpf_map_lookup_elem(&chosen, &slot);

	return is && *is;
}

/* As tg_over_rate(), of an allowance that is this CPU's alone. */
static __always_inline bool tg_may_take(const struct tg_terms *asked, __u32 index, __u64 now)
{
	__u64 *tat = bpf_map_lookup_elem(&allowances, &index);

	if (!tat || *tat > now + (asked->burst - 1) * asked->interval)
		return false;
	*tat = (*tat > now ? *tat : now) + asked->interval;
	return true;
}

/* Unrolled for Linux 6.1: see tg_walk(). */
static __always_inline void tg_keep(struct tg_sample *sample, const struct xdp_md *ctx)
{
	const __u8 *from = (const void *)(long)ctx->data;
	const __u8 *end = (const void *)(long)ctx->data_end;

	sample->kept = 0;
#pragma unroll
	for (int i = 0; i < TG_SAMPLE_BYTES; i++) {
		if (from + i + 1 > end)
			return;
		sample->frame[i] = from[i];
		sample->kept = i + 1;
	}
}

static __always_inline void tg_take(const struct xdp_md *ctx, const struct tg_packet *p, __u32 slot,
				    enum tg_dropped dropped, struct tg_tally *counts)
{
	struct tg_sample *sample = bpf_ringbuf_reserve(&samples, sizeof(*sample), 0);

	if (!sample) {
		counts->lost++;
		return;
	}
	sample->at = bpf_ktime_get_ns();
	sample->device = ctx->ingress_ifindex;
	sample->length = ctx->data_end - ctx->data;
	sample->slot = slot;
	sample->rule = p->rule;
	sample->dropped = dropped;
	tg_keep(sample, ctx);
	bpf_ringbuf_submit(sample, 0);
	counts->taken++;
}

static __always_inline int tg_watch(const struct xdp_md *ctx, enum tg_dropped dropped)
{
	const __u32 zero = 0;
	const struct tg_terms *asked = bpf_map_lookup_elem(&terms, &zero);
	struct tg_tally *counts = bpf_map_lookup_elem(&tally, &zero);
	const struct tg_packet *p = tg_packet();
	/* Of a tick's accuracy and a fifth of the price; since Linux 5.11. */
	const __u64 now = bpf_ktime_get_coarse_ns();
	__u32 slot = TG_NOBODY, allowance = 0;

	if (!asked || !counts || !p || now > asked->until)
		return XDP_DROP;
	if (asked->chosen) {
		slot = tg_slot(p, dropped);
		if (!tg_is_chosen(slot))
			return XDP_DROP;
	}
	if (counts->seen++ % asked->every)
		return XDP_DROP;
	if (dropped == TG_DROPPED_BY_RULE)
		allowance = 1 + p->rule % (TG_ALLOWANCES - 1);
	if (!tg_may_take(asked, allowance, now))
		return XDP_DROP;
	if (!asked->chosen)
		slot = tg_slot(p, dropped);
	tg_take(ctx, p, slot, dropped, counts);
	return XDP_DROP;
}

SEC("xdp")
int watch_rule(struct xdp_md *ctx)
{
	return tg_watch(ctx, TG_DROPPED_BY_RULE);
}

SEC("xdp")
int watch_malformed(struct xdp_md *ctx)
{
	return tg_watch(ctx, TG_DROPPED_MALFORMED);
}

SEC("xdp")
int watch_closed(struct xdp_md *ctx)
{
	return tg_watch(ctx, TG_DROPPED_CLOSED);
}

/* Not the GPL: see root.bpf.c. */
char LICENSE[] SEC("license") = "Apache-2.0";
