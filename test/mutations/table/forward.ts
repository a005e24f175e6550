import { inFile, type Mutation } from "../mutation.js";

/** The fast path: what would send on what it must not, keep back what it may send, or write another header. */
export const FORWARD: readonly Mutation[] = [
  ...inFile(
    "src/compiler/semantics/forward.ts",
    ["unit/semantics-forward", "kernel/fast-path"],
    [
      {
        name: "fast-in-a-tag",
        models: "the reference sends what has a VLAN tag from XDP",
        from: "if (surroundings.vlan !== null)",
        to: "if (surroundings.vlan === -1)",
      },
      {
        name: "fast-as-long-as-the-mtu",
        models: "the reference takes a packet as long as the tunnel's MTU for too long",
        from: "bytes.length > tunnel.mtu",
        to: "bytes.length >= tunnel.mtu",
      },
      {
        name: "fast-class-e",
        models:
          "the reference sends packets from 240.0.0.0/4 on (those from 127.0.0.0/8 a gate drops before)",
        from: "first !== 127n && first < 224n",
        to: "first !== 127n && first < 256n",
      },
    ],
  ),
  ...inFile(
    "src/compiler/semantics/encapsulate.ts",
    ["kernel/fast-path"],
    [
      {
        name: "outer-may-be-cut",
        models: "the reference's outer header may be fragmented",
        from: "view.setUint16(6, DONT_FRAGMENT)",
        to: "view.setUint16(6, 0 & DONT_FRAGMENT)",
      },
      {
        name: "outer-tells-congestion",
        models: "the reference copies congestion that was met inside to the outer header",
        from: "(tos & 3) === 3 ? (tos & ~3) | 2 : tos",
        to: "(tos & 3) === 4 ? (tos & ~3) | 2 : tos",
      },
    ],
  ),
  ...inFile(
    "src/targets/xdp/forward.ts",
    ["unit/semantics-forward", "unit/xdp-early"],
    [
      {
        name: "shortest-prefix-first",
        models: "the shortest of the prefixes that hold a destination decides",
        from: "b.prefix.length - a.prefix.length ||",
        to: "a.prefix.length - b.prefix.length ||",
      },
      {
        name: "highest-priority-first",
        models: "of one prefix's routes the one with the highest number is taken",
        from: "|| a.priority - b.priority",
        to: "|| b.priority - a.priority",
      },
      {
        name: "reserve-shares",
        models: "a route that is only tried later shares its prefix",
        from: "else if (equal[0]?.priority === route.priority) equal.push(route)",
        to: "else equal.push(route)",
      },
      {
        name: "first-of-those-that-share",
        models: "XDP sends all packets of a shared prefix by the first of its tunnels",
        from: "others.length === 0 && place < FAST_TUNNELS",
        to: "place < FAST_TUNNELS",
      },
      {
        name: "any-tunnel-is-fast",
        models: "XDP sends into tunnels whose headers only the namespace can write",
        from: "tunnel && isSentFromXdp(tunnel)",
        to: "tunnel !== undefined",
      },
      {
        name: "nobody-has-to-close",
        models: "a runtime that closes no dead tunnels to XDP takes a bundle that relies on it",
        from: "health && places.has(place)",
        to: "health && places.has(-1 * place - 1)",
      },
      {
        name: "some-way-is-always-fast",
        models: "a policy with routes that only the namespace can take is no mistake",
        from: "place !== null);",
        to: "place !== undefined);",
      },
    ],
  ),
  ...inFile(
    "bpf-templates/forward.h",
    ["kernel/fast-path"],
    [
      {
        name: "xdp-sends-loopback",
        models: "packets from 127.0.0.0/8 are sent on",
        from: "first != 0 && first != 127 && first < 224",
        to: "first != 0 && first < 224",
      },
      {
        name: "xdp-sends-this-network",
        models: "packets from 0.0.0.0/8 are sent on",
        from: "return first != 0 && first != 127",
        to: "return first != 127",
      },
      {
        name: "xdp-sends-multicast",
        models: "packets from 224.0.0.0/8 are sent on",
        from: "first != 127 && first < 224",
        to: "first != 127 && first <= 224",
      },
      {
        name: "half-of-unicast",
        models: "packets from 3000::/4 go by the namespace",
        from: "address->high >> 61 == 1",
        to: "address->high >> 60 == 2",
      },
      {
        name: "xdp-sends-the-dying",
        models: "a packet whose time to live ends here is sent on",
        from: "ip->ttl > 1",
        to: "ip->ttl > 0",
      },
      {
        name: "xdp-sends-the-dying-6",
        models: "a packet whose hop limit ends here is sent on",
        from: "ip->hop_limit > 1",
        to: "ip->hop_limit > 0",
      },
      {
        name: "reserved-bit-is-plain",
        models: "the reserved bit of an IPv4 header is not looked at",
        from: "#define TG_IP_UNCUT 0xbfff",
        to: "#define TG_IP_UNCUT 0x3fff",
      },
      {
        name: "xdp-mends-checksums",
        models: "a packet whose IP header is damaged is sent on",
        from: "!header_checksum(ip);",
        to: "(!header_checksum(ip) || true);",
      },
      {
        name: "extensions-are-plain",
        models: "IPv6 packets with extension headers are sent on",
        from: "return ip->nexthdr == p->ip_proto && p->proto_known",
        to: "return p->proto_known",
      },
      {
        name: "connections-open-in-xdp",
        models: "a SYN is sent on with the MSS that it came with",
        from: "p->tcp_flags & TG_TCP_SYN",
        to: "!p->tcp_flags",
      },
      {
        name: "less-than-the-mtu",
        models: "a packet as long as the tunnel's MTU goes by the namespace",
        from: "length > tunnel->mtu",
        to: "length >= tunnel->mtu",
      },
      {
        name: "a-byte-over-the-mtu",
        models: "a packet longer than the tunnel's MTU is sent on",
        from: "length > tunnel->mtu",
        to: "length > tunnel->mtu + 1u",
      },
      {
        name: "own-outer-length-forgotten",
        models: "what fits the tunnel and not the way behind it is sent on, and lost there",
        from: "length + size <= hop->mtu",
        to: "length <= hop->mtu",
        killers: ["kernel/fast-path-edge"],
      },
      {
        name: "source-that-is-ours",
        models: "packets that say to be from the anycast address itself are sent on",
        from: "p->src4 == bpf_ntohl(tunnel->local)",
        to: "p->src4 == tunnel->local",
        killers: ["kernel/fast-path-edge"],
      },
      {
        name: "to-half-an-address",
        models: "a frame that a bridge floods to all is taken for this node's own",
        from: "to[0] == own[0] && to[1] == own[1] && to[2] == own[2]",
        to: "to[0] == own[0] && to[1] == own[1]",
        killers: ["kernel/fast-path-edge"],
      },
      {
        name: "uplink-for-ever",
        models: "a device is looked up once, and goes on to be an uplink when it is none any more",
        from: "last->asked != now || last->device",
        to: "!last->asked || last->device",
        killers: ["kernel/fast-path-edge"],
      },
      {
        name: "uplink-of-the-last-frame",
        models: "a frame is measured by the address of the uplink that the frame before came by",
        from: "if (last->asked != now || last->device != device) {",
        to: "if (last->asked != now) {",
        killers: ["kernel/fast-path-edge"],
      },
      {
        name: "out-by-any-device",
        models: "packets are sent by devices that lose what comes from XDP",
        from: "!bpf_map_lookup_elem(&uplinks, &device) || tg_is_zero(fib.dmac)",
        to: "tg_is_zero(fib.dmac)",
        killers: ["kernel/fast-path-edge"],
      },
      {
        name: "next-hop-for-ever",
        models: "the node's routing is asked once, and what it says later counts for nothing",
        from: "if (hop->asked != now || hop->remote",
        to: "if (!hop->asked || hop->remote",
        killers: ["kernel/fast-path-edge"],
      },
      {
        name: "next-hop-never-confirmed",
        models: "a next hop that has gone is sent to until its neighbour entry is forgotten",
        from: "*confirmed = second;\n\treturn false;",
        to: "*confirmed = second;\n\treturn true;",
        killers: ["kernel/fast-path-edge"],
      },
      {
        name: "hop-limit-stays",
        models: "an IPv6 packet is not one hop older behind the edge",
        from: "ip6->hop_limit--;",
        to: "ip6->hop_limit -= 0;",
      },
      {
        name: "checksum-does-not-wrap",
        models: "one checksum in 65,536 is wrong after a hop",
        from: "(check >= 0xffff)",
        to: "(check > 0xffff)",
      },
      {
        name: "half-a-traffic-class",
        models: "of IPv6's traffic class only the upper half comes into the outer header",
        from: "return bytes[0] << 4 | bytes[1] >> 4;",
        to: "return bytes[0] << 4;",
      },
      {
        name: "outer-length-of-the-inner",
        models: "the outer length leaves out the outer headers",
        from: "(p->length + size);",
        to: "p->length;",
      },
      {
        name: "xdp-may-be-cut",
        models: "the outer header may be fragmented",
        from: "words[1] = bpf_htonl(IP_DF);",
        to: "words[1] = 0;",
      },
      {
        name: "ttl-of-all-tunnels",
        models: "each tunnel's outer header has the customary time to live",
        from: "hops = tunnel->ttl << 24",
        to: "hops = 64 << 24",
      },
      {
        name: "key-announced-everywhere",
        models: "a tunnel without a key says that it has one",
        from: "gre->flags = size == KEYED_SIZE ? GRE_KEY : 0;",
        to: "gre->flags = GRE_KEY;",
      },
      {
        name: "key-turned-round",
        models: "the key is written in the machine's own order of bytes",
        from: "words[6] = tunnel->key;",
        to: "words[6] = bpf_ntohl(tunnel->key);",
      },
      {
        name: "all-inside-is-ipv4",
        models: "GRE announces IPv4 whatever is inside",
        from: "family == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6)",
        to: "bpf_htons(ETH_P_IP)",
      },
      {
        name: "padding-goes-along",
        models: "what only filled the frame is sent into the tunnel",
        from: "return padding <= 0 ||",
        to: "return padding <= 64 ||",
      },
      {
        name: "tunnel-counts-twice",
        models: "a tunnel counts each packet of XDP twice",
        from: "hop->sent.packets++;",
        to: "hop->sent.packets += 2;",
      },
    ],
  ),
  ...inFile(
    "bpf-templates/outer.h",
    ["kernel/fast-path"],
    [
      {
        name: "congestion-forgets-ecn",
        models: "around a packet that met congestion the outer header knows no ECN",
        from: "(tos & ~ECN_MASK) | ECN_ECT0 : tos",
        to: "tos & ~ECN_MASK : tos",
      },
    ],
  ),
  ...inFile(
    "runtime/customer/fast-path.ts",
    ["kernel/fast-path"],
    [
      {
        name: "key-row-turned-round",
        models: "the runtime writes a tunnel's key in the machine's own order of bytes",
        from: "value.writeUInt32BE(key ?? 0, 8);",
        to: "value.writeUInt32LE(key ?? 0, 8);",
      },
      {
        name: "mtu-row-turned-round",
        models: "the runtime writes a tunnel's MTU in the network's order of bytes",
        from: "value.writeUInt16LE(mtu, MTU_AT);\n  value.writeUInt8(Number(ttl)",
        to: "value.writeUInt16BE(mtu, MTU_AT);\n  value.writeUInt8(Number(ttl)",
      },
      {
        name: "ttl-row-of-its-own",
        models: "the runtime gives all tunnels the customary time to live",
        from: "value.writeUInt8(Number(ttl), 14);",
        to: "value.writeUInt8(Number(ttl) && 64, 14);",
      },
      {
        name: "every-row-has-a-key",
        models: "the runtime gives a key of 0 to tunnels without one",
        from: "value.writeUInt8(key === null ? 0 : 1, 15);",
        to: "value.writeUInt8(key === null ? 1 : 1, 15);",
      },
    ],
  ),
  ...inFile(
    "runtime/customer/fast-path.ts",
    ["unit/semantics-forward"],
    [
      {
        name: "next-hops-by-name",
        models: "a tunnel that leads elsewhere under its old name keeps the next hop of the way before",
        from: "tunnels.map(({ device }) => device).join()",
        to: "tunnels.map(({ name }) => name).join()",
      },
    ],
  ),
  ...inFile(
    "runtime/node/uplinks.ts",
    ["kernel/fast-path-edge"],
    [
      {
        name: "generic-xdp-sends",
        models: "packets are sent from XDP where the driver has none of its own",
        from: 'if (mode !== "native") return',
        to: "if (mode === null) return",
      },
      {
        name: "sources-filtered-in-vain",
        models:
          "XDP sends what the filter of sources would have dropped, as only that of all devices is asked",
        from: 'for (const device of ["all", ...uplinks])',
        to: 'for (const device of ["all"])',
      },
      {
        name: "loose-filter-is-none",
        models: "XDP sends what the loose filter of sources would have dropped",
        from: 'if (value !== "0") return',
        to: 'if (value === "1") return',
      },
      {
        name: "slow-uplinks-known",
        models: "an uplink that XDP must not send from any more goes on as before",
        from: "if (await isSlow()) await remove(own);\n      else await",
        to: "await",
      },
      {
        name: "strays-stay",
        models: "the number of a device that is gone counts as an uplink's, whoever has it now",
        from: "      await removeStrays();\n",
        to: "",
      },
      {
        name: "uplinks-row-of-anybody",
        models: "an uplink with another address than XDP knows is not missed",
        from: "found?.[0]?.equals(own.value) === true;",
        to: "found !== undefined;",
      },
    ],
  ),
];
