/** What must be in the packet before a number can be read: the place that its offset counts from. */
export type Header =
  | "ip4"
  | "ip6"
  | "proto"
  | "tcp"
  | "udp"
  | "icmp"
  | "icmp6"
  | "gre"
  | "ip4Option"
  | "fragment6"
  | "tcpPayload"
  | "tcpMss"
  | "greKey"
  | "vlan"
  | "ct";

interface HeaderKind {
  /** In messages: "packets without …". */
  readonly name: string;
  /** The protocol number that a packet with it has, or null where any will do. */
  readonly proto: number | null;
  /** The header that it is a part of. */
  readonly within: Header | null;
}

/** How each header is recognised; docs/semantics.md, "Fields", says the same in prose. */
export const HEADERS = {
  ip4: { name: "IPv4", proto: null, within: null },
  ip6: { name: "IPv6", proto: null, within: null },
  /** The transport protocol is known: always, but on a later IPv6 fragment of an unfinished header chain. */
  proto: { name: "a transport protocol", proto: null, within: null },
  tcp: { name: "TCP", proto: 6, within: null },
  udp: { name: "UDP", proto: 17, within: null },
  /** ICMP is protocol 1 in IPv4 only, ICMPv6 protocol 58 in IPv6 only (RFC 792, RFC 4443). */
  icmp: { name: "ICMP", proto: 1, within: "ip4" },
  icmp6: { name: "ICMPv6", proto: 58, within: "ip6" },
  gre: { name: "GRE", proto: 47, within: null },
  /** Where IPv4's header is longer than 20 bytes: the bytes behind those. */
  ip4Option: { name: "IPv4 options", proto: null, within: "ip4" },
  /** IPv6's fragment header, wherever it stands in the chain, behind an AH too. */
  fragment6: { name: "an IPv6 fragment header", proto: null, within: "ip6" },
  /** Behind the TCP header and its options; only where its data offset is 5 words or more. */
  tcpPayload: { name: "TCP", proto: 6, within: "tcp" },
  /** The value of the first maximum segment size option (RFC 9293, section 3.2). */
  tcpMss: { name: "a TCP MSS option", proto: 6, within: "tcp" },
  /** The key of a GRE header of version 0 that has one (RFC 2890). */
  greKey: { name: "a GRE key", proto: 47, within: "gre" },
  /** The outermost VLAN tag's 16 bits of control information (802.1Q). They are not bytes of the IP packet. */
  vlan: { name: "a VLAN tag", proto: null, within: null },
  /** What connection tracking says of the packet: no bytes at all, as the kernel's `ct state` bits. */
  ct: { name: "connection tracking", proto: null, within: null },
} as const satisfies Readonly<Record<Header, HeaderKind>>;

/** A header, and those that it is a part of. */
export function withOuter(header: Header): readonly Header[] {
  const outer = HEADERS[header].within;
  return outer ? [header, ...withOuter(outer)] : [header];
}
