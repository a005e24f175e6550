import type { Header } from "./headers.js";

/**
 * Where a number lies: `width` bits, the most significant first, `offset` bits from the start of `header`.
 * Authors write fields (fields.ts); targets and the reference meet only these.
 */
export interface Place {
  readonly header: Header;
  readonly offset: number;
  readonly width: number;
}

/** A place that has a name of its own, or any other: "slice". */
export interface WireField extends Place {
  readonly name: WireName | "slice";
}

/** The places that targets have words for; named by the header's family where the author's field has two places. */
const WIRE = {
  "ip4.hdr_words": { header: "ip4", offset: 4, width: 4 },
  "ip4.dscp": { header: "ip4", offset: 8, width: 6 },
  "ip4.ecn": { header: "ip4", offset: 14, width: 2 },
  "ip4.len": { header: "ip4", offset: 16, width: 16 },
  "ip4.id": { header: "ip4", offset: 32, width: 16 },
  "ip4.frag.more": { header: "ip4", offset: 50, width: 1 },
  /** The "more fragments" bit and the offset together: 0 in a whole packet. */
  "ip4.frag": { header: "ip4", offset: 50, width: 14 },
  /** In units of 8 bytes, as in "fragment6.offset". */
  "ip4.frag.offset": { header: "ip4", offset: 51, width: 13 },
  "ip4.ttl": { header: "ip4", offset: 64, width: 8 },
  "ip4.option.type": { header: "ip4Option", offset: 0, width: 8 },
  "ip6.dscp": { header: "ip6", offset: 4, width: 6 },
  "ip6.ecn": { header: "ip6", offset: 10, width: 2 },
  "ip6.flow": { header: "ip6", offset: 12, width: 20 },
  "ip6.payload_len": { header: "ip6", offset: 32, width: 16 },
  "ip6.next_header": { header: "ip6", offset: 48, width: 8 },
  "ip6.hop_limit": { header: "ip6", offset: 56, width: 8 },
  /** Offset, two reserved bits, and the "more fragments" bit. */
  "fragment6.field": { header: "fragment6", offset: 16, width: 16 },
  "fragment6.offset": { header: "fragment6", offset: 16, width: 13 },
  "fragment6.more": { header: "fragment6", offset: 31, width: 1 },
  /** For IPv6 the protocol behind the extension headers, not the first `next header`. */
  "ip.proto": { header: "proto", offset: 0, width: 8 },
  "tcp.srcport": { header: "tcp", offset: 0, width: 16 },
  "tcp.dstport": { header: "tcp", offset: 16, width: 16 },
  "tcp.flags": { header: "tcp", offset: 104, width: 8 },
  "tcp.window": { header: "tcp", offset: 112, width: 16 },
  "tcp.option.mss": { header: "tcpMss", offset: 0, width: 16 },
  "udp.srcport": { header: "udp", offset: 0, width: 16 },
  "udp.dstport": { header: "udp", offset: 16, width: 16 },
  "udp.len": { header: "udp", offset: 32, width: 16 },
  "icmp.type": { header: "icmp", offset: 0, width: 8 },
  "icmp.code": { header: "icmp", offset: 8, width: 8 },
  "icmp6.type": { header: "icmp6", offset: 0, width: 8 },
  "icmp6.code": { header: "icmp6", offset: 8, width: 8 },
  "gre.proto": { header: "gre", offset: 16, width: 16 },
  "gre.key": { header: "greKey", offset: 0, width: 32 },
  "eth.vlan": { header: "vlan", offset: 4, width: 12 },
  "ct.state": { header: "ct", offset: 0, width: 8 },
} as const satisfies Readonly<Record<string, Place>>;

export type WireName = keyof typeof WIRE;

export const WIRE_FIELDS = Object.fromEntries(
  Object.entries(WIRE).map(([name, place]) => [name, { name, ...place }]),
) as Readonly<Record<WireName, WireField>>;

/** Any bits of a header. */
export function slice(header: Header, offset: number, width: number): WireField {
  return { name: "slice", header, offset, width };
}

/** For people: `tcp.dstport`, `udp[64:8]`. Equal for equal places only. */
export function wireText({ name, header, offset, width }: WireField): string {
  return name === "slice" ? `${header}[${offset}:${width}]` : name;
}

/** Bytes from the start of the header that must be there to read the field. */
export function bytesNeeded({ offset, width }: Place): number {
  return Math.ceil((offset + width) / 8);
}
