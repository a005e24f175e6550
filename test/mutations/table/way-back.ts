import { inFile, type Mutation } from "../mutation.js";

/** The fast path's way back: what would let out what the namespace keeps, or keep what it lets out, or count it wrongly. */
export const WAY_BACK: readonly Mutation[] = [
  ...inFile(
    "bpf-templates/root.bpf.c",
    ["kernel/way-back"],
    [
      {
        name: "back-to-other-customers",
        models: "what a customer sends to another one's prefix leaves by an uplink and is not judged",
        from: "ip4 && !tg_customer_of4(bpf_ntohl(ip4->daddr))",
        to: "ip4",
      },
      {
        name: "back-to-customers-6",
        models: "what a customer sends to a customer's prefix of IPv6 leaves by an uplink and is not judged",
        from: "ip6 && !tg_customer_of6(tg_load6(&ip6->daddr))",
        to: "ip6",
      },
      {
        name: "back-by-the-other-turn",
        models: "after a change the program of the policy before takes packets out of tunnels",
        from: "&ways_back, customer->slot + (read & 1) * TG_CUSTOMERS",
        to: "&ways_back, customer->slot + !(read & 1) * TG_CUSTOMERS",
      },
    ],
  ),
  ...inFile(
    "src/targets/xdp/forward.ts",
    ["kernel/way-back"],
    [
      {
        name: "back-with-any-key",
        models: "what comes with another key is taken out of a tunnel",
        from: "[isRemote, hasKey, comparison(`origin->key == ${key}U`)]",
        to: "[isRemote, hasKey]",
      },
      {
        name: "back-with-a-key-of-nobody",
        models: "a tunnel without a key takes packets that have one",
        from: "key === null ? [isRemote, not(hasKey)]",
        to: "key === null ? [isRemote]",
      },
    ],
  ),
  ...inFile(
    "bpf-templates/way-back.h",
    ["kernel/way-back"],
    [
      {
        name: "way-back-by-the-kernel",
        models: "what leaves a tunnel by the uplink that it came by takes the way to another one",
        from: "uplink->sends_back)",
        to: "false)",
      },
      {
        name: "back-to-any-end",
        models: "a tunnel's packets are taken whatever address of ours they are to",
        from: " || outer->daddr != tunnel->local)",
        to: ")",
      },
      {
        name: "back-of-any-frame",
        models: "a frame that a bridge floods to all is taken out of its tunnel by all",
        from: "header_checksum(ip) ||\n\t    !tg_is_own_address(ctx, eth))",
        to: "header_checksum(ip))",
      },
      {
        name: "back-of-outer-pieces",
        models: "a piece of an outer packet is taken for all of it",
        from: "ip->frag_off & bpf_htons(TG_IP_UNCUT) ||\n",
        to: "\n",
      },
      {
        name: "back-of-any-version",
        models: "GRE of a version that the kernel drops is taken out of a tunnel",
        from: "header->gre.flags & ~GRE_KEY",
        to: "header->gre.flags & ~GRE_KEY & bpf_htons(0xfff8)",
      },
      {
        name: "back-forgets-congestion",
        models: "congestion that the outer header met is not told to the packet inside",
        from: "ip->tos & ECN_ECT1 || ",
        to: "",
      },
      {
        name: "back-of-the-dying",
        models: "a packet goes on whose time to live ends at the node behind the namespace",
        from: "ip->ttl > TG_HOPS_BACK",
        to: "ip->ttl > TG_HOPS_BACK - 1",
      },
      {
        name: "back-of-the-dying-6",
        models: "a packet goes on whose hop limit ends at the node behind the namespace",
        from: "ip->hop_limit > TG_HOPS_BACK",
        to: "ip->hop_limit > TG_HOPS_BACK - 1",
      },
      {
        name: "back-of-pieces",
        models: "fragments go by XDP, which the namespace may put together",
        from: "!(ip->frag_off & bpf_htons(TG_IP_UNCUT)) && ip->ttl",
        to: "ip->ttl",
      },
      {
        name: "back-with-damaged-headers",
        models: "a packet whose IP header is damaged inside goes on",
        from: "ip->saddr != anycast && !header_checksum(ip);",
        to: "ip->saddr != anycast;",
      },
      {
        name: "back-with-what-is-behind",
        models: "bytes behind a packet that its tunnel brought along go on with it",
        from: "*(const __u8 *)ip == TG_IP4_PLAIN && bpf_ntohs(ip->tot_len) == inside->length &&",
        to: "*(const __u8 *)ip == TG_IP4_PLAIN && bpf_ntohs(ip->tot_len) <= inside->length &&",
      },
      {
        name: "connections-open-on-the-way-back",
        models: "the answer to a SYN goes on with the MSS that it came with",
        from: "!(*flags & TG_TCP_SYN);",
        to: "*flags;",
      },
      {
        name: "back-through-narrow-links",
        models: "what is too long for the way on is sent there, and lost",
        from: "fib->tot_len = inside->length;",
        to: "fib->tot_len = 0;",
      },
      {
        name: "back-longer-than-the-namespaces-link",
        models: "what the namespace would cut up goes on in one piece",
        from: "!inside.family || inside.length > TG_MOST_BACK ||",
        to: "!inside.family ||",
      },
      {
        name: "back-by-any-device",
        models: "packets are sent to devices that are no uplinks, where nobody takes what comes from XDP",
        from: "device = fib->ifindex;",
        to: "device = ctx->ingress_ifindex;",
      },
      {
        name: "back-to-whom-nobody-asks",
        models: "a next hop that has gone is sent to until its neighbour entry is forgotten",
        from: "return confirmed && tg_is_confirmed(confirmed);",
        to: "return confirmed != NULL;",
      },
      {
        name: "back-counted-with-its-padding",
        models: "what comes out of a tunnel is counted with its outer headers",
        from: "counter->bytes += inside.length;",
        to: "counter->bytes += length;",
      },
    ],
  ),
  ...inFile(
    "runtime/customer/counting.ts",
    ["kernel/way-back"],
    [
      {
        name: "returned-is-not-passed",
        models: "what XDP took out of tunnels is missing among what the firewall passed on",
        from: "other: { [PASSED]: sum(returned) }",
        to: "other: { [PASSED]: sum([]) }",
      },
      {
        name: "returned-and-forgotten",
        models: "what programs of earlier generations took out of tunnels is lost with them",
        from: "returned: pick(all.returned, devicesOf(manifest)),",
        to: "returned: pick({}, devicesOf(manifest)),",
      },
    ],
  ),
];
