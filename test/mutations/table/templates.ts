import { inFile, type Mutation } from "../mutation.js";

/** Hand-written C: parsing, comparing, counting time, and the programs around customers' own. */
export const TEMPLATES: readonly Mutation[] = [
  ...inFile(
    "bpf-templates/tidegate.h",
    ["kernel/semantics-docs", "kernel/traps", "kernel/difftest", "kernel/xdp-root", "kernel/fields"],
    [
      {
        name: "bpf-between-without-its-end",
        models: "range end off by one (high), in the templates",
        from: "return value - low <= high - low;",
        to: "return value - low < high - low;",
      },
      {
        name: "bpf-signed-compare",
        models: "signed compare: addresses from 128.0.0.0 on are below zero",
        from: "return value - low <= high - low;",
        to: "return (__s32)value >= (__s32)low && (__s32)value <= (__s32)high;",
      },
      {
        name: "bpf-all-bits-of-the-mask",
        models: "flags mask: all bits are asked for, in XDP",
        from: "return (value & mask) != 0;",
        to: "return (value & mask) == mask;",
      },
      {
        name: "bpf-ipv6-mask-one-bit-long",
        models: "IPv6 mask by one bit, in XDP",
        from: "~0ULL << (128 - length)",
        to: "~0ULL << (127 - length)",
      },
      {
        name: "bpf-ipv6-range-compares-halves",
        models: "a range of IPv6 addresses compared half by half",
        from: "return upper < high.high || (upper == high.high && lower <= high.low);",
        to: "return upper <= high.high && lower <= high.low;",
      },
      {
        name: "bpf-list-key-in-host-order",
        models: "swapped byte order of an address, in the key of a list",
        from: "return (struct tg_lpm4){ 32, bpf_htonl(address) };",
        to: "return (struct tg_lpm4){ 32, address };",
      },
      {
        name: "bpf-bytes-are-packets",
        models: "a counter of bytes counts packets",
        from: "counter->bytes += bytes;",
        to: "counter->bytes++;",
      },
    ],
  ),
  ...inFile(
    "bpf-templates/limits.h",
    ["kernel/semantics-docs", "kernel/traps", "kernel/difftest", "kernel/xdp-root", "kernel/fields"],
    [
      {
        name: "bpf-gcra-over-when-equal",
        models: "GCRA compare `>=` for `>`, in XDP",
        from: "if (seen > now + (burst - 1) * interval)",
        to: "if (seen >= now + (burst - 1) * interval)",
      },
      {
        name: "bpf-gcra-saves-up",
        models: "time in which nobody came adds to the burst",
        from: "const __u64 start = seen > now ? seen : now;",
        to: "const __u64 start = seen;",
      },
      {
        name: "bpf-limit-key-without-family",
        models: "an IPv4 address and the IPv6 address of the same number share an allowance, in XDP",
        from: "return (struct tg_limit_key){ 4, { 0, p->src4 } };",
        to: "return (struct tg_limit_key){ 6, { 0, p->src4 } };",
      },
    ],
  ),
  ...inFile(
    "bpf-templates/parse.h",
    ["kernel/semantics-docs", "kernel/traps", "kernel/difftest", "kernel/xdp-root", "kernel/fields"],
    [
      {
        name: "bpf-ports-in-wire-order",
        models: "swapped byte order of ports, in XDP",
        from: "*field = bpf_ntohs(*bytes);",
        to: "*field = *bytes;",
      },
      {
        name: "bpf-source-in-wire-order",
        models: "swapped byte order of an address, in XDP",
        from: "p->src4 = bpf_ntohl(ip->saddr);",
        to: "p->src4 = ip->saddr;",
      },
      {
        name: "bpf-later-fragment-has-ports",
        models: "wrong fragment check: XDP reads a later fragment's payload as a header",
        from: "if (!(ip->frag_off & bpf_htons(TG_FRAGMENT_OFFSET)))",
        to: "if (length >= header)",
      },
      {
        name: "bpf-first-fragment-of-ipv6-is-later",
        models: "wrong fragment check: the flag of IPv6's first fragment counts as an offset",
        from: "#define TG_FRAGMENT_OFFSET6 0xfff8",
        to: "#define TG_FRAGMENT_OFFSET6 0xfff9",
      },
      {
        name: "bpf-length-from-the-frame",
        models: "length from frame instead of packet, in XDP",
        from: "p->length = length;\n\tp->ip_proto = ip->protocol;",
        to: "p->length = frame;\n\tp->ip_proto = ip->protocol;",
      },
      {
        name: "bpf-padding-is-read",
        models: "padding read: the frame's bytes behind the packet belong to its headers",
        from: "tg_found_transport(p, at->offset, length - header);",
        to: "tg_found_transport(p, at->offset, frame - header);",
      },
      {
        name: "bpf-extension-limit-one-less",
        models: "IPv6 extension walk limit off by one, in XDP",
        from: "#define TG_EXTENSION_HEADERS 8",
        to: "#define TG_EXTENSION_HEADERS 7",
      },
      {
        name: "bpf-inner-vlan-tag",
        models: "the innermost of two VLAN tags is read",
        from: "if (tag == 0) {",
        to: "if (tag < TG_VLAN_TAGS) {",
      },
      {
        name: "bpf-icmp-in-ipv6",
        models: "family mixed up: ICMP's number counts in IPv6 too, in XDP",
        from: "if (found->family != 4)",
        to: "if (!found->family)",
      },
      {
        name: "bpf-header-longer-than-the-packet",
        models: "a malformed packet is let through",
        from: "if (header < sizeof(*ip) || header > length || length > frame)",
        to: "if (header < sizeof(*ip) || length > frame)",
      },
    ],
  ),
  ...inFile(
    "bpf-templates/fields.h",
    ["kernel/semantics-docs", "kernel/traps", "kernel/difftest", "kernel/xdp-root", "kernel/fields"],
    [
      {
        name: "bpf-gre-key-behind-a-checksum-only",
        models: "GRE key place: the routing bit puts nothing before it, in XDP",
        from: "flags & (TG_GRE_CHECKSUM | TG_GRE_ROUTING) ? 8 : 4",
        to: "flags & TG_GRE_CHECKSUM ? 8 : 4",
      },
      {
        name: "bpf-end-of-options-has-a-length",
        models: "TCP option walk: the end-of-options byte is stepped over like an option, in XDP",
        from: "option[0] <= TG_TCP_OPTION_NOP || !option[1]",
        to: "option[0] == TG_TCP_OPTION_NOP || !option[1]",
      },
      {
        name: "bpf-bits-shifted-by-one",
        models: "a field inside a byte is one bit off",
        from: "number >> (8 * size - skipped - width)",
        to: "number >> (8 * size - skipped - width + (skipped ? 1 : 0))",
      },
    ],
  ),
  ...inFile(
    "bpf-templates/root.bpf.c",
    ["kernel/xdp-root"],
    [
      {
        name: "root-passes-the-malformed",
        models: "malformed packets go on",
        from: "TG_DROPPED_MALFORMED);\n\t\treturn XDP_DROP;",
        to: "TG_DROPPED_MALFORMED);\n\t\treturn XDP_PASS;",
      },
      {
        name: "root-open-without-a-program",
        models: "a customer whose program is missing is open",
        from: "TG_DROPPED_CLOSED);\n\treturn XDP_DROP;",
        to: "TG_DROPPED_CLOSED);\n\treturn XDP_PASS;",
      },
    ],
  ),
  ...inFile(
    "bpf-templates/link.bpf.c",
    ["kernel/runtime-traffic"],
    [
      {
        name: "hop-not-given-back",
        models: "time to live off by one in the namespace",
        from: "more = ++word[0];",
        to: "more = word[0];",
      },
      {
        name: "hop-of-ipv6-not-given-back",
        models: "hop limit off by one in the namespace",
        from: "\thops++;\n",
        to: "",
      },
    ],
  ),
  ...inFile(
    "bpf-templates/gre-encap.h",
    ["kernel/gre", "kernel/tunnel-kinds"],
    [
      {
        name: "gre-key-not-sent",
        models: "tunnel key dropped by the eBPF datapath",
        from: "header.gre.flags = GRE_KEY;",
        to: "header.gre.flags = 0;",
      },
      {
        name: "outer-dscp-not-chosen",
        models: "a number for the DSCP outside is not written",
        from: "own == TOS_INHERIT ? inner : own;",
        to: "own == TOS_INHERIT ? inner : inner;",
      },
      {
        name: "outer-ttl-inherited-as-zero",
        models: "an inherited TTL is none",
        from: "tunnel->ttl ? tunnel->ttl : outer->inner.hops;",
        to: "tunnel->ttl;",
      },
      {
        name: "no-identification-for-what-is-cut-up",
        models: "outer packets that may be cut up have no identification",
        from: ".id = outer->whole ? 0 : bpf_htons(next_identification(&tunnel->ends)),",
        to: ".id = 0,",
      },
      {
        name: "uplink-too-narrow-unsaid",
        models: "what may be cut up and does not fit the uplink is sent there, and lost without a word",
        from: "return BPF_FIB_LKUP_RET_FRAG_NEEDED;\n}",
        to: "return 0;\n}",
        killers: ["kernel/narrow-uplink"],
      },
      {
        name: "uplink-taken-for-ethernet",
        models: "an Ethernet header counts for what an uplink without one carries",
        from: "lost = bpf_check_mtu(skb, outer->device, &mtu, 0, 0);",
        to: "mtu = 0;\n\tlost = bpf_check_mtu(skb, outer->device, &mtu, outer->size, 0);",
        killers: ["kernel/path-news"],
      },
      {
        name: "too-big-for-the-least",
        models: "who sends what every link carries in IPv6 is told to send less, which nobody may",
        from: "is_least6 ? -1",
        to: "is_least6 && !outer->length ? -1",
        killers: ["kernel/narrow-uplink", "kernel/path-mtu"],
      },
    ],
  ),
  ...inFile(
    "bpf-templates/gre-arrival.h",
    ["kernel/gre", "kernel/tunnel-kinds"],
    [
      {
        name: "gre-key-not-asked",
        models: "what comes with a key finds the tunnel without one",
        from: "arrival->ends.has_key = 1;",
        to: "arrival->ends.key = 0;",
      },
      {
        name: "outer-source-route-taken",
        models: "options of the outer header that the kernel refuses are gone over",
        from: "if (type == IPOPT_LSRR || type == IPOPT_SSRR || second >= size",
        to: "if (second >= size",
      },
      {
        name: "ipip-taken-for-gre",
        models: "IP in IP from a router finds its GRE tunnel",
        from: "arrival->ends.protocol = IPPROTO_IPIP;",
        to: "arrival->ends.protocol = IPPROTO_GRE;",
      },
    ],
  ),
  ...inFile(
    "bpf-templates/gre-pieces.h",
    ["kernel/tunnel-kinds"],
    [
      {
        name: "outer-pieces-may-overlap",
        models: "of pieces of an outer packet that overlap the last one counts (RFC 5722)",
        from: "if (piece->from < other->to && other->from < piece->to)",
        to: "if (false)",
      },
      {
        name: "outer-piece-that-comes-twice",
        models: "a copy of a piece makes nothing of the outer packet",
        from: "if (piece->from >= other->from && piece->to <= other->to)",
        to: "if (false)",
      },
      {
        name: "outer-congestion-of-the-first-piece",
        models: "what a later piece of an outer packet met on its way is forgotten",
        from: "whole->tos |= ECN_CE;",
        to: "whole->tos |= 0;",
      },
      {
        name: "outer-pieces-of-one-row",
        models: "pieces of outer packets whose identifications share a place are put together",
        from: "whole->name.id == name->id &&",
        to: "true &&",
      },
      {
        name: "outer-pieces-half-aware",
        models: "congestion is told to who would not hear of it, as only one of its pieces would (RFC 3168)",
        from: "whole->ecn & unaware && whole->ecn != unaware",
        to: "whole->ecn & unaware && !whole->ecn",
      },
      {
        name: "outer-pieces-of-strangers",
        models: "a stranger's piece with a router's identification comes out of the router's tunnel",
        from: "is_same6(&whole->name.remote, &name->remote) &&",
        to: "true &&",
      },
      {
        name: "outer-pieces-for-ever",
        models: "a piece waits so long that another packet has its identification (RFC 4963)",
        from: "#define PATIENCE_NS 1000000000LL",
        to: "#define PATIENCE_NS 30000000000LL",
      },
      {
        name: "outer-pieces-overwritten",
        models: "where others needed a piece's place their bytes come out of the tunnel",
        from: "__sync_fetch_and_add(&place->ticket, 0) != piece->ticket)",
        to: "!place->ticket)",
      },
      {
        name: "outer-pieces-in-transit",
        models: "pieces that go through the node to somebody else are taken",
        from: "!bpf_map_lookup_elem(&gre_locals, &name->local) || !is_piece",
        to: "!is_piece",
      },
      {
        name: "outer-pieces-wrong-and-uncounted",
        models: "pieces that fit together badly, or wait in vain, are counted nowhere",
        from: "\tcount_lost(&lost);\n\tif (filed",
        to: "\tif (filed",
      },
      {
        name: "outer-pieces-in-vain-uncounted",
        models: "pieces of which nothing became, though all had come, are counted nowhere",
        from: "lost.packets = whole->came;",
        to: "lost.packets = 0 * whole->came;",
      },
    ],
  ),
  ...inFile(
    "bpf-templates/gre-decap.h",
    ["kernel/tunnel-kinds"],
    [
      {
        name: "outer-priority-tag-refused",
        models: "a frame with a tag of VLAN 0 is taken for another network's",
        from: "if (skb->vlan_tci & VLAN_ID ||",
        to: "if (skb->vlan_present ||",
      },
      {
        name: "longer-than-the-tunnel-lost",
        models: "what comes out of a tunnel and is longer than its MTU is lost in the veth",
        from: "!= BPF_MTU_CHK_RET_FRAG_NEEDED)",
        to: "!= 99)",
      },
    ],
  ),
  ...inFile(
    "bpf-templates/gre-inner.h",
    ["kernel/gre", "kernel/tunnel-kinds"],
    [
      {
        name: "gre-congestion-forgotten",
        models: "congestion that the outer header met is not told to the inner one",
        from: "head[1] = (head[1] & 0x0f) | tos << 4;",
        to: "head[1] |= 0;",
      },
      {
        name: "ect1-outside-forgotten",
        models: "ECT(1) outside is not told to the inner packet (RFC 6040)",
        from: "outside == ECN_ECT1 && inside == ECN_ECT0",
        to: "outside == ECN_ECT1 && inside == ECN_ECT1",
      },
    ],
  ),
  ...inFile(
    "bpf-templates/path-news.h",
    ["kernel/path-news"],
    [
      {
        name: "path-news-not-summed",
        models: "a message that was damaged on its way is passed on with a right checksum",
        from: "return !left && !sum_checksum(total);",
        to: "return !left && (total || !sum_checksum(total));",
      },
      {
        name: "path-news-of-others",
        models: "what another address is said to have sent is believed",
        from: "read.quote.saddr != read.ip.daddr",
        to: "!read.quote.saddr",
      },
      {
        name: "path-news-forgotten",
        models: "the sender of one packet is told, and the server learns nothing",
        from: "bpf_clone_redirect(skb, skb->ifindex, BPF_F_INGRESS)",
        to: "false",
      },
    ],
  ),
  ...inFile(
    "bpf-templates/path-mtu.h",
    ["kernel/path-news"],
    [
      {
        name: "too-big-for-errors",
        models: "an ICMP error is answered with another one",
        from: "(type == ICMP_ECHO || type == ICMP_ECHOREPLY)",
        to: "type != 0xff",
      },
      {
        name: "too-big-below-ipv6",
        models: "senders of IPv6 are told what they cannot keep to",
        from: "packet->mtu < LEAST_IP6 ? LEAST_IP6 : packet->mtu",
        to: "packet->mtu",
      },
    ],
  ),
];
