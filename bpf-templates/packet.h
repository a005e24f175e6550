/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The packet, as the root program hands it over to customers' programs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
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

/* The root program's pin of this map is the one that customers' programs are loaded with. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tg_packet);
} packet SEC(".maps");

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
