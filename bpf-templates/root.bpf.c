// SPDX-License-Identifier: Apache-2.0
/*
 * The root program, one per uplink: parses a frame, finds the customer that its destination belongs
 * to, and hands the packet to that customer's program. Malformed packets, and packets of a customer
 * whose program is missing, are dropped; everything that is not a customer's is left alone.
 */
#include "customers.h"
#include "outer.h"
#include "parse.h"
#include "stamp.h"
#include "uplinks.h"

/*
 * The stamp of the generation that is in force, by slot. A change of policy is one store of this word: all that
 * judges by the new one stands by then, beside the old.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TG_CUSTOMERS);
	__type(key, __u32);
	__type(value, __u32);
} stamps SEC(".maps");

/* Each customer's programs: at the slot that its prefixes name for even stamps, behind all of these for odd ones. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2 * TG_CUSTOMERS);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps");

/*
 * At the same places, those that take packets of the customer's tunnels out of them, of whom has such (way-back.h). Everything else
 * that comes back goes on to the tunnels' devices.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2 * TG_CUSTOMERS);
	__type(key, __u32);
	__type(value, __u32);
} ways_back SEC(".maps");

/* Bytes here are those of the frame, as a malformed packet has no length of its own. */
enum tg_root_counter {
	TG_COUNT_MALFORMED,
	TG_COUNT_FOREIGN,	/* not IP, or to nobody's prefix */
	TG_COUNT_CLOSED,	/* of those dispatched: dropped, as the customer had no program */
	TG_COUNT_DISPATCHED,
	TG_ROOT_COUNTERS,
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TG_ROOT_COUNTERS);
	__type(key, __u32);
	__type(value, struct tg_counter);
} root_counters SEC(".maps");

/* Over the sender's address: whoever forged a stamp has written in vain. */
static __always_inline void tg_stamp(const struct xdp_md *ctx, __u32 stamp)
{
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) <= (void *)(long)ctx->data_end)
		tg_stamp_address((__be16 *)eth->h_source, stamp);
}

/* Of a packet that begins at `at` and is to nobody's prefix: the customer whose prefix its source lies in. */
static __always_inline const struct tg_customer *tg_sender(const struct tg_cursor *at, __be16 protocol)
{
	const struct iphdr *ip4 = tg_bytes(at, 0, sizeof(*ip4));
	const struct ipv6hdr *ip6 = tg_bytes(at, 0, sizeof(*ip6));

	if (protocol == bpf_htons(ETH_P_IP) && ip4 && !tg_customer_of4(bpf_ntohl(ip4->daddr)))
		return tg_customer_of4(bpf_ntohl(ip4->saddr));
	if (protocol == bpf_htons(ETH_P_IPV6) && ip6 && !tg_customer_of6(tg_load6(&ip6->daddr)))
		return tg_customer_of6(tg_load6(&ip6->saddr));
	return NULL;
}

/*
 * GRE to nobody's prefix may be what a customer's router sends back; the source of the packet inside says whose. Here nothing
 * is decided of it: whose program does not take it, or who has none, gets it by the tunnel's device.
 */
static __always_inline void tg_dispatch_back(struct xdp_md *ctx, const struct tg_packet *p)
{
	struct tg_cursor at = { (const void *)(long)ctx->data, (const void *)(long)ctx->data_end, p->transport };
	const struct gre_header *gre = tg_bytes(&at, 0, sizeof(*gre));
	const struct tg_customer *customer;
	const __u32 *stamp;
	__u32 read;

	if (!gre)
		return;
	at.offset += gre->flags & GRE_KEY ? sizeof(struct gre_keyed_header) : sizeof(*gre);
	customer = tg_sender(&at, gre->protocol);
	stamp = customer ? bpf_map_lookup_elem(&stamps, &customer->slot) : NULL;
	if (!stamp)
		return;
	/* Of a customer that goes it is 0. Read once: it may change meanwhile. */
	read = *(const volatile __u32 *)stamp;
	if (read)
		bpf_tail_call(ctx, &ways_back, customer->slot + (read & 1) * TG_CUSTOMERS);
}

SEC("xdp")
int tidegate_root(struct xdp_md *ctx)
{
	const void *begin = (const void *)(long)ctx->data;
	const void *end = (const void *)(long)ctx->data_end;
	const __u32 bytes = end - begin;
	const struct tg_customer *customer;
	struct tg_packet *p = tg_packet();
	const __u32 *stamp;

	if (!p)
		return XDP_DROP;
	switch (tg_parse(p, begin, end)) {
	case TG_MALFORMED:
		tg_count(&root_counters, TG_COUNT_MALFORMED, bytes);
		bpf_tail_call_static(ctx, &watchers, TG_DROPPED_MALFORMED);
		return XDP_DROP;
	case TG_NOT_IP:
		tg_count(&root_counters, TG_COUNT_FOREIGN, bytes);
		return XDP_PASS;
	case TG_PARSED:
		break;
	}

	customer = tg_customer_of(p);
	if (!customer) {
		tg_count(&root_counters, TG_COUNT_FOREIGN, bytes);
		if (p->gre_bytes)
			tg_dispatch_back(ctx, p);
		return XDP_PASS;
	}
	tg_count(&root_counters, TG_COUNT_DISPATCHED, bytes);
	stamp = bpf_map_lookup_elem(&stamps, &customer->slot);
	if (stamp) {
		/* Read once: it may change meanwhile. */
		const __u32 read = *(const volatile __u32 *)stamp;

		p->turn = read & 1;
		tg_stamp(ctx, read);
		bpf_tail_call(ctx, &programs, customer->slot + p->turn * TG_CUSTOMERS);
	}

	/* Back from a tail call means that there was none. */
	tg_count(&root_counters, TG_COUNT_CLOSED, bytes);
	bpf_tail_call_static(ctx, &watchers, TG_DROPPED_CLOSED);
	return XDP_DROP;
}

/* Not the GPL: every helper used here is open to all programs since Linux 5.8. */
char LICENSE[] SEC("license") = "Apache-2.0";
