import { inFile, type Mutation } from "../mutation.js";

/** Hand-written C of tunnels: into them, out of them, pieces, and what their paths do not carry. */
export const TUNNELS: readonly Mutation[] = [
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
    ["kernel/outer-pieces"],
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
        killers: ["kernel/outer-pieces"],
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
