/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Puts together outer packets that somebody on the way has cut up. The kernel does so only behind this hook, and for who handles
 * the protocol, which is nobody here.
 *
 * The data of pieces are kept in a ring, in which each piece takes the oldest place. What came of a packet stands in a row of a
 * table, found by a hash of what names the packet; it ends what stood there of another one. So nothing has to be tidied up, and
 * whoever sends many pieces of nothing can make others' incomplete, but fill no memory.
 */
#pragma once

#include "gre-arrival.h"
#include "gre-maps.h"
#include "outer.h"

#define PLACES 1024
#define LONGEST_PIECE 9216 /* of a network with "jumbo" frames */
#define ROWS 4096 /* a power of two */
#define MOST_PIECES 16
#define LONGEST_WHOLE 16000 /* bpf_skb_change_tail makes none longer than four pages (SKB_MAX_ALLOC) */
#define PATIENCE_NS 1000000000LL /* identifications come again soon at high rates (RFC 4963) */

#define BEING_WRITTEN 1

/* A place of the ring. A ticket is an even number, and 0 is none. */
struct piece_place {
	__u32 ticket; /* whose data these are, and BEING_WRITTEN while they come */
	__u8 data[LONGEST_PIECE];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PLACES);
	__type(key, __u32);
	__type(value, struct piece_place);
} gre_pieces SEC(".maps");

/* The last ticket. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} gre_ticket SEC(".maps");

struct piece {
	__u32 ticket;
	__u16 from; /* bytes of what is behind the outer IP header */
	__u16 to;
};

struct whole_name {
	struct in6_addr local;
	struct in6_addr remote;
	__be32 id;
	__u32 protocol;
};

/* An outer packet, as far as it has come. */
struct whole {
	struct whole_name name;
	__u64 since;
	__u32 came; /* pieces; 0: this is nothing */
	__u16 bytes; /* of them */
	__u16 furthest; /* end of them */
	__u16 size; /* 0: the last piece has not come */
	__u8 tos; /* of the first piece */
	__u8 hops;
	__u32 ecn; /* a bit for each that a piece has */
	struct piece pieces[MOST_PIECES];
};

struct whole_row {
	struct bpf_spin_lock lock;
	struct whole whole;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ROWS);
	__type(key, __u32);
	__type(value, struct whole_row);
} gre_wholes SEC(".maps");

/* What a piece is of, and what has come as a whole, while it is put together. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct whole);
} gre_complete SEC(".maps");

enum filed {
	FILED_WAITS,
	FILED_COMPLETE,
	FILED_WRONG,
};

/* Bytes of a piece: not none, and not more than a place takes. The verifier of Linux 6.1 learns nothing from "not 0". */
static __always_inline bool is_piece_size(__u32 *size)
{
	__u32 more = *size - 1;

	asm volatile("" : "+r"(more));
	if (more >= LONGEST_PIECE)
		return false;
	asm volatile("" : "+r"(more));
	*size = more + 1;
	return true;
}

static __always_inline struct piece_place *place_of(__u32 ticket)
{
	const __u32 at = ticket / 2 % PLACES;

	return bpf_map_lookup_elem(&gre_pieces, &at);
}

/* Gives the ticket of data that it has kept; 0: none. Nobody waits: two write to a place at once only if one has stood still for a whole round. */
static __always_inline __u32 keep_data(struct __sk_buff *skb, __u32 offset, __u32 size)
{
	const __u32 only = 0;
	__u32 *last = bpf_map_lookup_elem(&gre_ticket, &only);
	struct piece_place *place;
	__u32 ticket, before;
	long error;

	if (!last || !is_piece_size(&size))
		return 0;
	ticket = __sync_fetch_and_add(last, 2) + 2;
	place = place_of(ticket);
	if (!ticket || !place)
		return 0;
	before = place->ticket;
	if (before & BEING_WRITTEN ||
	    __sync_val_compare_and_swap(&place->ticket, before, ticket | BEING_WRITTEN) != before)
		return 0;
	error = bpf_skb_load_bytes(skb, offset, place->data, size);
	ticket = error ? 0 : ticket;
	__sync_lock_test_and_set(&place->ticket, ticket);
	return ticket;
}

static __always_inline __u32 row_of(const struct whole_name *name)
{
	const __u32 ends = name->remote.s6_addr32[3] ^ name->remote.s6_addr32[1] ^ name->local.s6_addr32[3];

	return ((ends * 0x9e3779b1 ^ name->id ^ name->protocol) * 0x85ebca6b) / (0x100000000 / ROWS);
}

static __always_inline bool is_of(const struct whole *whole, const struct whole_name *name, __u64 now)
{
	/* Another CPU may have come later, and read the clock before. */
	return whole->came && (__s64)(now - whole->since) < PATIENCE_NS && whole->name.id == name->id &&
	       whole->name.protocol == name->protocol && is_same6(&whole->name.remote, &name->remote) &&
	       is_same6(&whole->name.local, &name->local);
}

static __always_inline void begin(struct whole *whole, const struct whole_name *name, __u64 now)
{
	whole->name = *name;
	whole->since = now;
	whole->came = 0;
	whole->bytes = 0;
	whole->furthest = 0;
	whole->size = 0;
	whole->ecn = 0;
}

/* A piece that lies in another one is a copy of it; what overlaps otherwise is nobody's mistake (RFC 5722). */
static __always_inline enum filed add_piece(struct whole *whole, const struct piece *piece, bool is_last)
{
	__u32 came = whole->came;

	for (__u32 i = 0; i < MOST_PIECES; i++) {
		const struct piece *other = &whole->pieces[i];

		if (i >= came)
			break;
		if (piece->from >= other->from && piece->to <= other->to)
			return FILED_WAITS;
		if (piece->from < other->to && other->from < piece->to)
			return FILED_WRONG;
	}
	if (is_last && whole->size)
		return FILED_WRONG;
	if (is_last)
		whole->size = piece->to;
	if (piece->to > whole->furthest)
		whole->furthest = piece->to;
	asm volatile("" : "+r"(came));
	if (came >= MOST_PIECES || (whole->size && whole->furthest > whole->size))
		return FILED_WRONG;
	whole->pieces[came] = *piece;
	whole->came = came + 1;
	whole->bytes += piece->to - piece->from;
	return whole->bytes == whole->size ? FILED_COMPLETE : FILED_WAITS;
}

/* Under the row's lock. What becomes of it is in `lost`, if that will never be whole. */
static __always_inline enum filed file_piece(struct whole *whole, const struct whole_name *name,
					     const struct piece *piece, const struct arrival *arrival, __u64 now,
					     struct gre_counter *lost)
{
	enum filed filed;

	if (!is_of(whole, name, now)) {
		lost->packets = whole->came;
		lost->bytes = whole->bytes;
		begin(whole, name, now);
	}
	if (!piece->from) {
		whole->tos = arrival->tos;
		whole->hops = arrival->hops;
	}
	whole->ecn |= 1 << (arrival->tos & ECN_MASK);
	filed = add_piece(whole, piece, !arrival->more);
	if (filed == FILED_WRONG) {
		lost->packets += whole->came + 1;
		lost->bytes += whole->bytes + piece->to - piece->from;
	}
	return filed;
}

/* RFC 3168, section 5.3: what one piece has met, all have; and all of them know of congestion, or none does. */
static __always_inline bool merge_congestion(struct whole *whole)
{
	const __u32 unaware = 1, met = 1 << ECN_CE;

	if (whole->ecn & unaware && whole->ecn != unaware)
		return false;
	if (whole->ecn & met)
		whole->tos |= ECN_CE;
	return true;
}

/* Makes the frame as long as the whole packet, and puts the pieces where they belong, which nobody has overwritten meanwhile. */
static __always_inline bool write_pieces(struct __sk_buff *skb, const struct whole *whole, __u32 begin)
{
	if (bpf_skb_change_tail(skb, begin + whole->size, 0))
		return false;
	/* A network card that has seen all checksums of a piece has not seen those of the whole. */
	bpf_csum_level(skb, BPF_CSUM_LEVEL_RESET);
	for (__u32 i = 0; i < MOST_PIECES; i++) {
		const struct piece *piece = &whole->pieces[i];
		struct piece_place *place;
		__u32 size;

		if (i >= whole->came)
			break;
		size = piece->to - piece->from;
		place = place_of(piece->ticket);
		if (!place || !is_piece_size(&size) ||
		    bpf_skb_store_bytes(skb, begin + piece->from, place->data, size, BPF_F_RECOMPUTE_CSUM) ||
		    __sync_fetch_and_add(&place->ticket, 0) != piece->ticket)
			return false;
	}
	return true;
}

static __always_inline long write_whole_ipv4(struct __sk_buff *skb, const struct whole *whole)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = sizeof(ip) / 4,
		.tos = whole->tos,
		.tot_len = bpf_htons(sizeof(ip) + whole->size),
		.ttl = whole->hops,
		.protocol = whole->name.protocol,
		.saddr = whole->name.remote.s6_addr32[3],
		.daddr = whole->name.local.s6_addr32[3],
	};

	ip.check = header_checksum(&ip);
	return bpf_skb_store_bytes(skb, ETH_HLEN, &ip, sizeof(ip), BPF_F_RECOMPUTE_CSUM);
}

static __always_inline long write_whole_ipv6(struct __sk_buff *skb, const struct whole *whole)
{
	struct ipv6hdr ip = {
		.payload_len = bpf_htons(whole->size),
		.nexthdr = whole->name.protocol,
		.hop_limit = whole->hops,
		.saddr = whole->name.remote,
		.daddr = whole->name.local,
	};

	*(__be32 *)&ip = bpf_htonl(6 << 28 | whole->tos << 20);
	return bpf_skb_store_bytes(skb, ETH_HLEN, &ip, sizeof(ip), BPF_F_RECOMPUTE_CSUM);
}

/* The frame becomes one of the whole packet, without options: those that matter are not let in here. */
static __always_inline bool become_whole(struct __sk_buff *skb, struct whole *whole, struct arrival *arrival)
{
	const bool over_ipv4 = is_ipv4(&arrival->ends.local);
	const __u32 header = over_ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);

	if (!merge_congestion(whole) || !write_pieces(skb, whole, ETH_HLEN + header) ||
	    (over_ipv4 ? write_whole_ipv4(skb, whole) : write_whole_ipv6(skb, whole)))
		return false;
	arrival->size = header;
	arrival->length = header + whole->size;
	arrival->tos = whole->tos;
	return true;
}

static __always_inline void count_lost(const struct gre_counter *lost)
{
	const __u32 reason = GRE_FRAGMENT;
	struct gre_counter *counter = bpf_map_lookup_elem(&gre_left_alone, &reason);

	if (!counter || !lost->packets)
		return;
	counter->packets += lost->packets;
	counter->bytes += lost->bytes;
}

/* Can this be a piece of ours? Only its last one may end elsewhere than at 8 bytes (RFC 791). */
static __always_inline bool is_piece(struct __sk_buff *skb, const struct arrival *arrival)
{
	const __u32 size = arrival->length - arrival->size;

	return !arrival->is_wrong && arrival->length > arrival->size && skb->len >= ETH_HLEN + arrival->length &&
	       (!arrival->more || !(size & 7)) && size <= LONGEST_PIECE &&
	       arrival->offset + size <= LONGEST_WHOLE - sizeof(struct ipv6hdr);
}

/*
 * Takes a fragment to an end of tunnels. With the last of its packet that comes, the frame is the whole packet and `arrival` what was
 * read of it: ARRIVAL_READ. A function of its own, which the verifier looks at once.
 */
__noinline int put_together(struct __sk_buff *skb, struct arrival *arrival)
{
	struct gre_counter lost = {};
	struct whole_name *name;
	struct whole_row *row;
	struct whole *whole;
	struct piece piece;
	enum filed filed;
	__u32 at = 0;
	__u64 now;

	whole = bpf_map_lookup_elem(&gre_complete, &at);
	if (!arrival || !whole)
		return GRE_FRAGMENT;
	name = &whole->name;
	name->local = arrival->ends.local;
	name->remote = arrival->ends.remote;
	name->id = arrival->id;
	name->protocol = arrival->protocol;
	if (!bpf_map_lookup_elem(&gre_locals, &name->local) || !is_piece(skb, arrival))
		return GRE_FRAGMENT;
	piece.from = arrival->offset;
	piece.to = arrival->offset + arrival->length - arrival->size;
	piece.ticket = keep_data(skb, ETH_HLEN + arrival->size, piece.to - piece.from);
	at = row_of(name);
	row = bpf_map_lookup_elem(&gre_wholes, &at);
	if (!piece.ticket || !row)
		return GRE_FRAGMENT;
	now = bpf_ktime_get_ns();
	bpf_spin_lock(&row->lock);
	filed = file_piece(&row->whole, name, &piece, arrival, now, &lost);
	if (filed == FILED_COMPLETE)
		*whole = row->whole;
	if (filed != FILED_WAITS)
		row->whole.came = 0;
	bpf_spin_unlock(&row->lock);
	count_lost(&lost);
	if (filed != FILED_COMPLETE)
		return ARRIVAL_TAKEN;
	if (become_whole(skb, whole, arrival))
		return ARRIVAL_READ;
	lost.packets = whole->came;
	lost.bytes = whole->bytes;
	count_lost(&lost);
	return ARRIVAL_TAKEN;
}
