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
];
